//! What the configuration says of the network around: proxies in front, and the server for e-mail.

use super::{MailConfig, Mistake};
use crate::services::mail::Mailer;
use http::Uri;
use ipnet::IpNet;
use std::net::IpAddr;
use vault::Zeroizing;

/// Addresses and networks, separated by commas.
pub(super) fn proxies(text: Option<&str>) -> Result<Vec<IpNet>, Mistake> {
    let read = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            read(entry).ok_or_else(|| {
                let wrong = format!("{entry:?} is neither an address nor a network");
                Mistake::new("KEYSTEAD_TRUSTED_PROXIES", &wrong, "such as 10.0.0.0/8,192.0.2.7")
            })
        })
        .collect()
}

/// The server for e-mail, and who sends.
pub(super) fn mail(smtp_url: Option<&str>, from: Option<&str>) -> Result<Option<MailConfig>, Mistake> {
    let (url, from) = match (smtp_url, from) {
        (Some(url), Some(from)) => (url, from),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            let wrong = "it is not set, but KEYSTEAD_SMTP_URL is";
            return Err(Mistake::new("KEYSTEAD_MAIL_FROM", wrong, "both or neither"));
        }
        (None, Some(_)) => {
            let wrong = "it is not set, but KEYSTEAD_MAIL_FROM is";
            return Err(Mistake::new("KEYSTEAD_SMTP_URL", wrong, "both or neither"));
        }
    };
    let expected = "smtps://user:password@host or smtp://user:password@host:587?tls=required";
    if is_readable_by_others(url) {
        return Err(Mistake::new("KEYSTEAD_SMTP_URL", "it would send links and passwords in clear", expected));
    }
    let config = MailConfig { smtp_url: Zeroizing::new(url.to_owned()), from: from.to_owned() };
    // What the library says of the address may repeat its password.
    if from.parse::<lettre::message::Mailbox>().is_err() {
        let expected = "such as Keystead <keystead@example.com>";
        return Err(Mistake::new("KEYSTEAD_MAIL_FROM", "it is not an address", expected));
    }
    match Mailer::new(&config) {
        Ok(_) => Ok(Some(config)),
        Err(_) => Err(Mistake::new("KEYSTEAD_SMTP_URL", "it cannot be used", expected)),
    }
}

/// Whether it names a server elsewhere without insisting on TLS.
fn is_readable_by_others(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let insists = uri.query().unwrap_or_default().split('&').any(|part| part == "tls=required");
    uri.scheme_str() == Some("smtp") && !is_here && !insists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_addresses_or_networks() {
        assert_eq!(proxies(None).unwrap(), []);
        let read = proxies(Some("10.0.0.0/8, 192.0.2.7,fd00::/8")).unwrap();
        assert_eq!(
            read.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]
        );
        assert!(proxies(Some("10.0.0.0/33")).is_err());
    }

    #[tokio::test]
    async fn e_mail_goes_over_tls_or_stays_on_the_machine() {
        let from = Some("Keystead <keystead@example.com>");
        for url in ["smtps://u:p@mail.example.com", "smtp://mail.example.com:587?tls=required", "smtp://127.0.0.1:2525"]
        {
            assert!(mail(Some(url), from).unwrap().is_some(), "{url}");
        }
        for url in ["smtp://u:hunter2@mail.example.com", "https://mail.example.com", "nonsense"] {
            let mistake = mail(Some(url), from).unwrap_err();
            assert!(!mistake.to_string().contains("hunter2"), "{mistake}");
        }
        assert!(mail(None, None).unwrap().is_none());
        assert!(mail(Some("smtps://mail.example.com"), None).is_err());
        assert!(mail(Some("smtps://mail.example.com"), Some("nobody")).is_err());
    }
}
