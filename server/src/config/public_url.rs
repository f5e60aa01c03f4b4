//! The origin under which browsers reach the deployment.

use super::Mistake;
use http::Uri;
use std::fmt;

const VARIABLE: &str = "KEYSTEAD_PUBLIC_URL";
const EXPECTED: &str = "an origin, such as https://keystead.example.com, without a path";

/// An origin as browsers write it: scheme, host, and port if it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    https: bool,
}

impl PublicUrl {
    /// Reads an origin. One slash at the end is forgiven.
    ///
    /// # Errors
    /// One mistake.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let mistake = |wrong: &str| Mistake::new(VARIABLE, wrong, EXPECTED);
        let text = text.trim();
        let uri = text.parse::<Uri>().map_err(|_| mistake("it is not a URL"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(mistake("its scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| mistake("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(mistake("it contains a user name"));
        }
        // A fragment is dropped by the parser, so it is looked for in the text.
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains(['?', '#']) {
            return Err(mistake("it has a path, a query or a fragment"));
        }
        let host = authority.host().to_ascii_lowercase();
        let own_port = if https { 443 } else { 80 };
        let port = match authority.port_u16() {
            Some(port) if port != own_port => format!(":{port}"),
            _ if authority.as_str().len() > authority.host().len() && authority.port_u16().is_none() => {
                return Err(mistake("its port is not a number"));
            }
            _ => String::new(),
        };
        let scheme = if https { "https" } else { "http" };
        Ok(Self { origin: format!("{scheme}://{host}{port}"), https })
    }

    /// The origin, for example `https://keystead.example.com`.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach the deployment over TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, origin, https) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", false),
            ("https://Keystead.Example.com/", "https://keystead.example.com", true),
            ("https://keystead.example.com:443", "https://keystead.example.com", true),
            ("http://[::1]:80", "http://[::1]", false),
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.is_https()), (origin, https));
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in
            ["", "keystead.example.com", "ftp://a", "https://a/b", "https://a?b", "https://a#b", "https://u:p@a"]
        {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
