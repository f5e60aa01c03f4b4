//! `keystead health`: asks a running server whether it is ready.

use super::Outcome;
use clap::Args;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(5);
/// More than the answer can be.
const ANSWER_BYTES: u64 = 16 * 1024;

#[derive(Args)]
pub struct HealthOptions {
    /// The address and port on which the server listens.
    #[arg(long, env = "KEYSTEAD_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

#[allow(clippy::print_stdout, reason = "the answer is what was asked for")]
pub async fn health(options: &HealthOptions) -> Outcome {
    let answer = timeout(PATIENCE, ask(options.listen)).await.map_err(|_| "the server did not answer in time")??;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer was not understood")?;
    println!("{}", body.trim_end());
    let is_ready = head.split_ascii_whitespace().nth(1) == Some("200");
    if is_ready { Ok(()) } else { Err("the server is not ready".into()) }
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.take(ANSWER_BYTES).read_to_string(&mut answer).await?;
    Ok(answer)
}
