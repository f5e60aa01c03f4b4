//! `keystead serve`: the server.

use super::Outcome;
use crate::{application::Application, config::Config, telemetry};
use tokio::signal::unix::{SignalKind, signal};

pub async fn serve(config: Config) -> Outcome {
    telemetry::init(config.log_format);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let asked = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(Application::build(config).await?.run(asked).await?)
}
