//! HTTP to hosts that people typed: pinned to the addresses the guard allowed, without redirects or proxies, TLS by
//! rustls.

mod answer;
mod service;
mod stall;
mod tls;

use std::error::Error as _;
use std::time::Duration;

use reqwest::Url;

use crate::guard::{self, Policy};
pub(crate) use answer::{Answer, clock_offset};
pub(crate) use service::{Service, patiently, refused, retry_after, web_page};
pub(crate) use stall::{ERROR_BYTES, ERROR_TIME, Stall};
use tls::Distrust;
pub(crate) use tls::Tls;

use crate::{ConnectorError, ErrorKind, Result};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(30);
/// Servers drop idle connections after as little as three seconds; ours must be gone before.
const IDLE: Duration = Duration::from_secs(2);

/// Makes a client that reaches the URL's host and no other, speaking HTTP/1.1, so that dropping an answer closes its
/// connection. `silence` is the longest the server may send nothing.
///
/// # Errors
/// What [`Policy::resolve`] refuses; `Config` for unencrypted HTTP to a public address.
pub(crate) async fn pinned(policy: &Policy, url: &Url, silence: Duration) -> Result<reqwest::Client> {
    made(policy, url, silence, &Tls::default(), true).await
}

/// The same with TLS of the source's own, and answers as they are sent: compressed, if they are.
///
/// # Errors
/// As [`pinned`]; also `Config` when that TLS cannot be set up.
pub(crate) async fn pinned_raw(
    policy: &Policy,
    url: &Url,
    silence: Duration,
    tls: &Tls,
) -> Result<reqwest::Client> {
    made(policy, url, silence, tls, false).await
}

async fn made(
    policy: &Policy,
    url: &Url,
    silence: Duration,
    tls: &Tls,
    unpacked: bool,
) -> Result<reqwest::Client> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let addresses = policy.resolve(host, port).await?;
    if url.scheme() != "https" && addresses.iter().any(|address| guard::public(address.ip())) {
        let message = format!("{host:?} is a public host, and the credential would travel there unencrypted");
        return Err(ConnectorError::new(ErrorKind::Config, message).hint("use TLS"));
    }
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.config()?)
        .http1_only()
        .gzip(unpacked)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(host, &addresses)
        .connect_timeout(CONNECT)
        .read_timeout(silence)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .build()
        .map_err(|error| internal(&error))
}

fn internal(error: &dyn std::error::Error) -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, "the HTTP client cannot be set up").detail(error.to_string())
}

/// Tells what went wrong on the way to the host or back.
pub(crate) fn explain(error: reqwest::Error, host: &str) -> ConnectorError {
    let error = error.without_url();
    let mut words = Vec::new();
    let mut distrust = None;
    let mut next = error.source();
    while let Some(cause) = next {
        words.push(cause.to_string());
        distrust = distrust.or_else(|| tls::distrust(cause));
        next = cause.source();
    }
    words.dedup();
    let detail = if words.is_empty() { error.to_string() } else { words.join(": ") };
    let unavailable = |message: String| ConnectorError::new(ErrorKind::Unavailable, message);
    let told = if distrust == Some(Distrust::Ours) {
        let message = format!("the certificate of {host:?} is not trusted");
        ConnectorError::new(ErrorKind::Config, message)
            .hint("check the host name, or add the authority to what Weir's machine trusts")
    } else if distrust == Some(Distrust::Theirs) {
        let message = format!("{host:?} does not accept this connection's certificate");
        ConnectorError::new(ErrorKind::Auth, message)
            .hint("sign in with a client certificate that the server knows and that is still valid")
    } else if error.is_connect() {
        unavailable(format!("cannot connect to {host:?}"))
            .hint("check host, port and TLS, and that firewalls and access lists let Weir's address in")
    } else if error.is_timeout() {
        unavailable(format!("{host:?} stopped answering"))
    } else if error.is_body() || error.is_decode() {
        unavailable(format!("the answer of {host:?} broke off before its end"))
    } else {
        unavailable(format!("the connection to {host:?} broke"))
    };
    told.detail(detail)
}
