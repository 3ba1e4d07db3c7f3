//! Large results, fetched from the cloud's object store by links the workspace signs: without our token, through the
//! network guard, never logged.
//!
//! Source: "Fetch data using EXTERNAL_LINKS" of the Statement Execution API: an Authorization header must not be sent,
//! the headers that come with a link must.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;

use crate::guard::{self, Policy};
use crate::http::{self, Service};
use crate::{ConnectorError, ErrorKind, Result};

/// A link to one chunk of a result.
#[derive(Clone, Deserialize)]
pub struct Link {
    /// The address, which is as good as a password.
    pub external_link: String,
    /// Which chunk it is.
    #[serde(default)]
    pub chunk_index: Option<u64>,
    /// How many rows come before it.
    #[serde(default)]
    pub row_offset: Option<u64>,
    /// How many rows it has.
    #[serde(default)]
    pub row_count: Option<u64>,
    /// Headers the object store wants, such as keys of encrypted storage.
    #[serde(default)]
    pub http_headers: Option<BTreeMap<String, String>>,
}

/// Object stores links led to.
pub struct Links {
    policy: Policy,
    silence: Duration,
    /// The last one and where it is: a result comes from one.
    kept: Mutex<Option<Arc<Service>>>,
}

impl Links {
    /// Prepares; `silence` is the longest a store may send nothing.
    pub fn new(policy: Policy, silence: Duration) -> Self {
        Self { policy, silence, kept: Mutex::new(None) }
    }

    /// Opens a link; its rows can then be read from the answer.
    ///
    /// # Errors
    /// `Unavailable` when the link has ended or the store does not answer, `Config` when the guard refuses the store.
    pub async fn open(&self, link: &Link) -> Result<Response> {
        let url = Url::parse(&link.external_link).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::Protocol,
                "the workspace gave a link to a result that is no address",
            )
        })?;
        let service = self.service(&url).await?;
        let mut request = service.http().await.map_err(reach)?.get(url);
        for (name, value) in link.http_headers.iter().flatten() {
            let (Ok(name), Ok(mut value)) =
                (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
            else {
                continue;
            };
            if name != AUTHORIZATION {
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        let response = service.start(request).await.map_err(reach)?;
        match response.status() {
            StatusCode::OK => http::web_page(&response).map_or(Ok(response), Err),
            // What stores answer to a link that has ended; the body would show the signed address.
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::GONE) => {
                let message =
                    format!("the link to a part of the result has ended (HTTP status {})", status.as_u16());
                Err(ConnectorError::new(ErrorKind::Unavailable, message))
            }
            status => Err(http::refused(service.host(), status, response.headers(), "")),
        }
    }

    async fn service(&self, url: &Url) -> Result<Arc<Service>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.base().origin() == url.origin()) {
            return Ok(kept);
        }
        if url.scheme() != "https" {
            let (host, port) =
                (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
            let addresses = self.policy.resolve(host, port).await.map_err(reach)?;
            if addresses.iter().any(|address| guard::public(address.ip())) {
                let message = format!("the result lies at {host:?}, which would send it unencrypted");
                return Err(ConnectorError::new(ErrorKind::Protocol, message));
            }
        }
        let mut base = url.clone();
        base.set_path("/");
        base.set_query(None);
        let made = Arc::new(Service::new(base, self.policy.clone(), self.silence));
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// What a person can do when an object store cannot be reached.
fn reach(error: ConnectorError) -> ConnectorError {
    match error.kind() {
        ErrorKind::Unavailable => error.hint("large results come from the cloud's object store: let Weir reach it, too"),
        ErrorKind::Config => error.hint(
            "large results come from the cloud's object store; if it lies in a private network, the operator can name that in sources.networks",
        ),
        _ => error,
    }
}
