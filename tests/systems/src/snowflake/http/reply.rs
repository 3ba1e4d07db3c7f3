//! Answers as they go out, whole or damaged.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, DATE, LINK, RETRY_AFTER};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde_json::{Value as Json, json};

use super::refusal::Refusal;
use super::result::Done;
use crate::snowflake::fault::Fault;
use crate::snowflake::sql::error::SqlError;

/// One answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    retry_after: Option<u32>,
    body: Bytes,
    gzip: bool,
    link: Option<String>,
}

impl Reply {
    fn json(status: u16, body: &Json) -> Self {
        Self { status, retry_after: None, body: body.to_string().into(), gzip: false, link: None }
    }

    /// The same with `Retry-After`, in seconds.
    #[must_use]
    pub fn after(self, retry_after: Option<u32>) -> Self {
        Self { retry_after, ..self }
    }

    /// `{"code", "message"}`.
    pub fn refused(refusal: &Refusal) -> Self {
        Self::json(refusal.status, &refusal.body())
    }

    /// 422 with a `QueryFailureStatus`.
    pub fn failed(error: &SqlError, handle: &str, created_on: i64) -> Self {
        Self::json(422, &failure(error, handle, created_on))
    }

    /// 408 with a `QueryStatus`: the statement took longer than its timeout.
    pub fn timed_out(error: &SqlError, handle: &str, created_on: i64) -> Self {
        Self::json(408, &failure(error, handle, created_on))
    }

    /// 202 with a `QueryStatus`.
    pub fn running(handle: &str, status_url: &str, created_on: i64, asked_for: bool) -> Self {
        let (code, message) = if asked_for {
            (
                "333334",
                "Asynchronous execution in progress. Use provided query id to perform query monitoring and management.",
            )
        } else {
            (
                "333333",
                "Query execution in progress. Use provided query id to perform query monitoring and management.",
            )
        };
        let body = json!({
            "code": code, "message": message, "statementHandle": handle, "statementStatusUrl": status_url,
            "createdOn": created_on,
        });
        Self::json(202, &body)
    }

    /// 200 with a `CancelStatus`.
    pub fn cancelled(handle: &str, status_url: &str) -> Self {
        let body = json!({
            "code": "000604", "sqlState": "57014", "message": "successfully canceled",
            "statementHandle": handle, "statementStatusUrl": status_url,
        });
        Self::json(200, &body)
    }

    /// 200 with a `ResultSet`.
    pub fn result(done: &Done, handle: &str, status_url: &str, created_on: i64) -> Self {
        let last = done.partitions() - 1;
        let to = |number: usize, rel: &str| {
            format!("</api/v2/statements/{handle}?partition={number}>;rel=\"{rel}\"")
        };
        let mut links = vec![to(0, "first"), to(last, "last")];
        if last > 0 {
            links.push(to(1, "next"));
        }
        let body = done.first(handle, status_url, created_on);
        Self { status: 200, retry_after: None, body, gzip: false, link: Some(links.join(",")) }
    }

    /// 200 with the rows of a partition, compressed.
    pub fn partition(body: Bytes) -> Self {
        Self { status: 200, retry_after: None, body, gzip: true, link: None }
    }

    /// Sends it, with the damage that was asked for.
    pub fn send(self, damage: Option<Fault>, now: i64) -> HttpResponse {
        let mut status = self.status;
        let (mut body, mut kind) = (self.body, "application/json");
        if let Some(Fault::Lost { status: instead, .. }) = &damage {
            // From a proxy on the way, which speaks no JSON.
            status = *instead;
            body =
                Bytes::from_static(b"<html><head><title>Gateway</title></head><body>no answer</body></html>");
            kind = "text/html";
        }
        let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default());
        answer.content_type(kind);
        let date = DateTime::<Utc>::from_timestamp(now, 0).unwrap_or_default();
        answer.insert_header((DATE, date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        if let Some(seconds) = self.retry_after {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if kind == "application/json" {
            if self.gzip {
                answer.insert_header((CONTENT_ENCODING, "gzip"));
            }
            if let Some(link) = self.link {
                answer.insert_header((LINK, link));
            }
        }
        match damage {
            Some(Fault::Half { .. }) => answer.body(body.slice(..body.len() / 2)),
            Some(Fault::Cut { .. }) => {
                let whole = body.len() as u64;
                let half = body.slice(..body.len() / 2);
                let cut = async {
                    // What was written is sent before the connection ends.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
                };
                let pieces = futures::stream::iter([Ok(half)]).chain(futures::stream::once(cut));
                answer.body(SizedStream::new(whole, pieces.boxed_local()))
            }
            _ => answer.body(body),
        }
    }
}

fn failure(error: &SqlError, handle: &str, created_on: i64) -> Json {
    json!({
        "code": error.code, "sqlState": error.state, "message": error.message,
        "statementHandle": handle, "createdOn": created_on,
    })
}
