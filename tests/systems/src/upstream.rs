//! The server behind a relay: calls are sent on as they came, and answers come back as they are, still compressed.

use anyhow::{Context, Result};

use crate::relay::{Call, Reply};

/// Headers of a connection, which are not sent on.
const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"];

/// One server without TLS.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: String,
    client: reqwest::Client,
}

impl Upstream {
    /// The server at a port of 127.0.0.1.
    pub fn local(port: u16) -> Result<Self> {
        // The scheme is http, so the provider is never used; the client wants one all the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder()
            .no_gzip()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { base: format!("http://127.0.0.1:{port}"), client })
    }

    /// Sends a call on and gives the answer.
    pub async fn send(&self, call: &Call) -> Result<Reply> {
        let method = reqwest::Method::from_bytes(call.method.as_bytes())?;
        let mut request = self.client.request(method, format!("{}{}", self.base, call.target));
        for (name, value) in &call.headers {
            if !OF_THE_CONNECTION.contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        let answer =
            request.body(call.body.clone()).send().await.context("the server behind the relay is away")?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers = headers.filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
        let headers = headers
            .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
            .collect::<Result<Vec<_>>>()?;
        Ok(Reply { status, headers, body: answer.bytes().await?.to_vec() })
    }
}
