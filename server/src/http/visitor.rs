//! Who sends a request: the bearer token or session cookie, the address, the browser; and whether another site made them.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use secrecy::{ExposeSecret, SecretString};

use super::refusal::{Code, Outcome, Refusal};
use crate::auth::sign_in::Visitor;
use crate::config::Config;

/// What a request signs itself with. A bearer token makes cookies count for nothing.
#[derive(Debug)]
pub enum Credential {
    /// `Authorization: Bearer`.
    Bearer(SecretString),
    /// The session cookie.
    Cookie(SecretString),
    /// Nothing.
    None,
}

/// The name of the session cookie. With https its prefix makes browsers hold it to this host, path and TLS.
pub fn cookie_name(config: &Config) -> &'static str {
    if config.https() { "__Host-weir-session" } else { "weir-session" }
}

/// The cookie that carries a session's token. No script can read it and no other site can send it.
pub fn session_cookie(config: &Config, token: &SecretString) -> Cookie<'static> {
    let age = CookieAge::hours(i64::from(config.session.longest_hours));
    cookie(config, token.expose_secret().to_owned(), age)
}

/// The cookie that makes a browser forget its session.
pub fn no_cookie(config: &Config) -> Cookie<'static> {
    cookie(config, String::new(), CookieAge::ZERO)
}

fn cookie(config: &Config, value: String, age: CookieAge) -> Cookie<'static> {
    Cookie::build(cookie_name(config), value)
        .path("/")
        .http_only(true)
        .secure(config.https())
        .same_site(SameSite::Strict)
        .max_age(age)
        .finish()
}

/// Reads what a request signs itself with.
///
/// # Errors
/// `Unauthenticated` when there is an `Authorization` header that is no bearer token.
pub fn credential(request: &HttpRequest, config: &Config) -> Outcome<Credential> {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        return match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Credential::Bearer(token.trim().to_owned().into()))
            }
            _ => Err(Refusal::unauthenticated("send the API token as Authorization: Bearer", "Bearer")),
        };
    }
    Ok(match request.cookie(cookie_name(config)) {
        Some(cookie) if !cookie.value().is_empty() => Credential::Cookie(cookie.value().to_owned().into()),
        _ => Credential::None,
    })
}

/// Describes the visitor for signing in.
pub fn visitor(request: &HttpRequest, config: &Config) -> Visitor {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let session = request.cookie(cookie_name(config)).filter(|cookie| !cookie.value().is_empty());
    Visitor {
        address: address(request, config.http.trusted_proxies),
        agent: agent.map(str::to_owned),
        session: session.map(|cookie| cookie.value().to_owned().into()),
    }
}

/// The address attempts are counted by: the peer's, or the one the outermost trusted proxy saw.
fn address(request: &HttpRequest, trusted_proxies: usize) -> String {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let seen = trusted_proxies.checked_sub(1).and_then(|hops| forwarded.iter().rev().nth(hops));
    let address = seen.and_then(|text| text.parse().ok()).or(peer);
    address.map(network).unwrap_or_default()
}

/// One host, or the network one customer is given with IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Refuses a request that another site may have made a browser send. `unasked` says whether one without any sign
/// of where it comes from passes: right only where no cookie speaks for the viewer.
///
/// # Errors
/// `CsrfBlocked`.
pub fn same_site(request: &HttpRequest, config: &Config, unasked: bool) -> Outcome<()> {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site").map(|site| site == "same-origin" || site == "none");
    let origin = text("origin").map(|origin| ours(origin, text("host").unwrap_or_default(), config));
    // The browser's own word counts first: behind proxies it knows better than we do what the page's origin is.
    if site.or(origin).unwrap_or(unasked) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::CsrfBlocked,
        "the request does not come from Weir's own pages; services sign theirs with an API token",
    ))
}

fn ours(origin: &str, host: &str, config: &Config) -> bool {
    if !config.http.public_url.is_empty() {
        return origin == config.http.public_url;
    }
    let named = origin.split_once("://").map(|(_, named)| named);
    !host.is_empty() && named.is_some_and(|named| named.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let request = TestRequest::default()
            .peer_addr(([10, 0, 0, 1], 443).into())
            .insert_header(("x-forwarded-for", "1.1.1.1, 2.2.2.2"))
            .to_http_request();
        assert_eq!(address(&request, 0), "10.0.0.1");
        assert_eq!(address(&request, 1), "2.2.2.2");
        assert_eq!(address(&request, 2), "1.1.1.1");
        assert_eq!(address(&request, 3), "10.0.0.1");
    }

    #[test]
    fn neighbors_in_one_ipv6_network_count_as_one() {
        let one = network("2001:db8:1:2:3:4:5:6".parse().expect("an address"));
        assert_eq!(one, network("2001:db8:1:2::1".parse().expect("an address")));
        assert_ne!(one, network("2001:db8:1:3::1".parse().expect("an address")));
        assert_eq!(network("::ffff:1.2.3.4".parse().expect("an address")), "1.2.3.4");
    }
}
