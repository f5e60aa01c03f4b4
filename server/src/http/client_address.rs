//! Where a request comes from: the other end of the connection, or, if that is a proxy that the operator trusts, whoever that
//! proxy says.
//!
//! What must stay true: a header is believed only as far as trusted proxies have written it, from its end backwards. Anybody can
//! send one.

use super::{HttpState, outgoing::ConnectionHandle};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What a request has that came over no connection: there is none outside of tests.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Finds it once for everybody.
pub async fn find(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<ConnectInfo<ConnectionHandle>>();
    let peer = connection.map_or(NOWHERE, |connection| connection.0.peer().ip());
    let address = client(peer, request.headers(), &state.trusted_proxies);
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
    let mut address = peer.to_canonical();
    // Each part by itself: what a stranger wrote in front must not spoil what a proxy has added behind it.
    let told: Vec<&[u8]> =
        headers.get_all(FORWARDED_FOR).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect();
    for part in told.iter().rev() {
        if !is_trusted(&address) {
            break;
        }
        match std::str::from_utf8(part).ok().and_then(|part| read(part.trim())) {
            Some(before) => address = before,
            None => break,
        }
    }
    address
}

/// An address, possibly with a port, as some proxies write it.
fn read(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.split(']').next()).unwrap_or(text);
    let address: Option<IpAddr> = bare.parse().ok();
    address.or_else(|| text.rsplit_once(':')?.0.parse().ok()).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn told(peer: &str, headers: &[&'static str], trusted: &[&str]) -> String {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        assert_eq!(told("198.51.100.7", &["203.0.113.1"], &[]), "198.51.100.7");
        assert_eq!(told("198.51.100.7", &["203.0.113.1"], &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn trusted_proxies_are_believed_as_far_as_they_reach() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(told("10.0.0.1", &["203.0.113.1"], &proxies), "203.0.113.1");
        assert_eq!(told("::ffff:10.0.0.1", &["203.0.113.1"], &proxies), "203.0.113.1");
        assert_eq!(told("10.0.0.1", &["1.2.3.4, 203.0.113.1, 10.0.0.2"], &proxies), "203.0.113.1");
        assert_eq!(told("10.0.0.1", &["1.2.3.4", "203.0.113.1"], &proxies), "203.0.113.1");
        assert_eq!(told("10.0.0.1", &["nonsense"], &proxies), "10.0.0.1");
        let mut spoilt = HeaderMap::new();
        spoilt.append(FORWARDED_FOR, HeaderValue::from_bytes(b"\xc3\xa9\xff, 203.0.113.9").unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client("10.0.0.1".parse().unwrap(), &spoilt, &trusted).to_string(), "203.0.113.9");
        assert_eq!(told("10.0.0.1", &[], &proxies), "10.0.0.1");
        assert_eq!(told("fd00::1", &["[2001:db8::1]:4711"], &proxies), "2001:db8::1");
        assert_eq!(told("10.0.0.1", &["203.0.113.1:4711"], &proxies), "203.0.113.1");
    }
}
