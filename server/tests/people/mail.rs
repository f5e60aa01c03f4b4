//! Invitations by e-mail, to a server for e-mail that is a few lines here.

use crate::{
    steps::{administrator, post},
    support::{Database, TestApp},
};
use server::config::MailConfig;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::oneshot,
};
use vault::Zeroizing;

/// Takes one message, and gives it. With `refuses` it takes none.
async fn sink(refuses: bool) -> (String, oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (told, message) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.split();
        let (mut lines, mut text, mut in_message) = (BufReader::new(read).lines(), String::new(), false);
        write.write_all(b"220 sink\r\n").await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            let reply: &[u8] = match line.split(' ').next().unwrap() {
                "." if in_message => {
                    in_message = false;
                    b"250 taken\r\n"
                }
                _ if in_message => {
                    text.push_str(&line);
                    text.push('\n');
                    continue;
                }
                "DATA" => {
                    in_message = true;
                    b"354 go on\r\n"
                }
                "QUIT" => break,
                "RCPT" if refuses => b"550 nobody of that name\r\n",
                "RCPT" => {
                    text.push_str(&line);
                    text.push('\n');
                    b"250 well\r\n"
                }
                _ => b"250 well\r\n",
            };
            write.write_all(reply).await.unwrap();
            if text.contains("/invitations/") && !in_message {
                break;
            }
        }
        told.send(text).ok();
    });
    (url, message)
}

async fn app(url: String) -> TestApp {
    TestApp::start_with(Database::Sqlite, |config| {
        let (smtp_url, from) = (Zeroizing::new(url), "Keystead <keystead@example.com>".to_owned());
        config.mail = Some(MailConfig { smtp_url, from });
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_goes_out_by_e_mail() {
    let (url, message) = sink(false).await;
    let app = app(url).await;
    let fields = [("email", "guest@example.com"), ("role", "member")];
    let answer = post(&administrator(&app).await, "/settings/members/invite", &fields).await;
    assert!(answer.text().contains("We have sent it by email too"), "{answer:?}");
    // Lines of a message may be broken anywhere by the encoding.
    let message = message.await.unwrap().replace("=\n", "").replace("=3D", "=");
    for part in ["RCPT TO:<guest@example.com>", "Subject: Join Northwind Labs on Keystead", "/invitations/"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_invites_is_told_that_no_e_mail_went_out() {
    let (url, _message) = sink(true).await;
    let app = app(url).await;
    let fields = [("email", "guest@example.com"), ("role", "member")];
    let answer = post(&administrator(&app).await, "/settings/members/invite", &fields).await;
    assert!(answer.text().contains("The email could not be sent"), "{answer:?}");
    app.stop().await;
}
