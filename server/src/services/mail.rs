//! E-mail, where the operator has named a server for it. Without one, people hand links on themselves.

use crate::config::MailConfig;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use std::time::Duration;

/// How long the server for e-mail may take. Somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends e-mail.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why an e-mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("an address cannot be used: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error("the message could not be put together: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the server for e-mail failed: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

impl Mailer {
    /// # Errors
    /// When the address of the server or of the sender is none.
    pub fn new(config: &MailConfig) -> Result<Self, MailError> {
        let transport =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url)?.timeout(Some(PATIENCE)).build();
        Ok(Self { transport, from: config.from.parse()? })
    }

    /// Sends a text to one person.
    ///
    /// # Errors
    /// When it was not accepted.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.parse()?)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)?;
        self.transport.send(message).await?;
        Ok(())
    }
}
