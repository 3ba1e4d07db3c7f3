//! The Statement Execution API.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value as Json, json};

use super::{Shared, answer, call, refusal, sent_as};
use crate::databricks::fault::{Call, Fault};
use crate::databricks::server::{Known, WAREHOUSE};
use crate::databricks::statement::{self, Refusal, Statement};

const FIELDS: [&str; 12] = [
    "warehouse_id",
    "statement",
    "parameters",
    "catalog",
    "schema",
    "wait_timeout",
    "on_wait_timeout",
    "disposition",
    "format",
    "row_limit",
    "byte_limit",
    "query_tags",
];
const TOO_LARGE: &str = "Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at most 26214400 bytes. Please execute the statement with disposition=EXTERNAL_LINKS if you want to download the full result.";

/// Answers `POST /api/2.0/sql/statements`.
pub async fn submit(state: Shared, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    call(&state, &request, Call::Submit, &body, |known, sent| {
        let Some(fields) = sent.as_object().filter(|_| sent_as(&request, "application/json")) else {
            return refusal(400, "BAD_REQUEST", "the body is no JSON object");
        };
        match begin(known, fields) {
            Ok(id) => told(known, &id),
            Err(words) => refusal(400, "INVALID_PARAMETER_VALUE", &words),
        }
    })
}

/// Runs a statement, and gives its ID.
fn begin(known: &mut Known, fields: &Map<String, Json>) -> Result<String, String> {
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("Unknown field: {unknown}"));
    }
    let text = |name: &str| fields.get(name).map(|value| value.as_str().unwrap_or_default());
    if text("warehouse_id") != Some(WAREHOUSE) {
        return Err("warehouse_id is not a valid endpoint ID".to_owned());
    }
    let wait = text("wait_timeout").unwrap_or("10s");
    let seconds = wait.strip_suffix('s').and_then(|digits| digits.parse::<u32>().ok());
    if !seconds.is_some_and(|seconds| seconds == 0 || (5..=50).contains(&seconds)) {
        return Err(format!("wait_timeout {wait} is neither 0s nor between 5s and 50s"));
    }
    if !matches!(text("on_wait_timeout"), None | Some("CONTINUE")) {
        return Err("on_wait_timeout".to_owned());
    }
    if !matches!(text("format"), None | Some("JSON_ARRAY")) {
        return Err("this stand-in knows JSON_ARRAY only".to_owned());
    }
    let links = match text("disposition") {
        None | Some("INLINE") => false,
        Some("EXTERNAL_LINKS") => true,
        Some(other) => return Err(format!("disposition {other}")),
    };
    let sql = text("statement").filter(|sql| !sql.is_empty()).ok_or("statement is missing")?;
    let mut outcome = match statement::run(&known.store, sql, fields.get("parameters")) {
        Err(Refusal::Request(words)) => return Err(words),
        other => other,
    };
    if let Ok(result) = &outcome
        && !links
        && result.part(0, result.rows()).len() > known.inline_bytes
    {
        let state = String::new();
        outcome = Err(Refusal::Statement("BAD_REQUEST".to_owned(), TOO_LARGE.to_owned(), state));
    }
    let failure = |fault: &Fault| match fault {
        Fault::Fails(code, words) => Some((code.clone(), words.clone())),
        _ => None,
    };
    if let Some((code, words)) = known.take(failure) {
        outcome = Err(Refusal::Statement(code, words, String::new()));
    }
    let pending = known.take(|fault| if let Fault::Sleeps(looks) = fault { Some(*looks) } else { None });
    let running = known.take(|fault| if let Fault::Runs(looks) = fault { Some(*looks) } else { None });
    let hangs = known.take(|fault| (*fault == Fault::Hangs).then_some(())).is_some();
    let cancelled = known.take(|fault| (*fault == Fault::Stopped).then_some(())).is_some();
    let (mut more_rows, mut truncated) = (0, false);
    if outcome.is_ok() {
        more_rows = known
            .take(|fault| if let Fault::RowTotal(more) = fault { Some(*more) } else { None })
            .unwrap_or(0);
        truncated = known.take(|fault| (*fault == Fault::Truncated).then_some(())).is_some();
    }
    known.warehouse = "RUNNING".to_owned();
    let id = format!("01ef{:012x}-1a2b-3c4d", known.statements.len());
    let (pending, running) = (pending.unwrap_or(0), running.unwrap_or(0));
    let one =
        Statement { outcome, links, pending, running, hangs, cancelled, gone: false, more_rows, truncated };
    known.statements.insert(id.clone(), one);
    Ok(id)
}

/// What is told of a statement now.
fn told(known: &mut Known, id: &str) -> HttpResponse {
    let Some(one) = known.statements.get_mut(id).filter(|one| !one.gone) else {
        return refusal(404, "RESOURCE_DOES_NOT_EXIST", &format!("The statement {id} was not found."));
    };
    let state = one.look();
    let mut body = json!({"statement_id": id, "status": {"state": state}});
    match (&one.outcome, state) {
        (Ok(outcome), "SUCCEEDED") => {
            body["manifest"] = outcome.manifest(known.chunk_rows, one.more_rows, one.truncated);
            body["result"] = json!({});
            if outcome.rows() > 0 {
                body["result"] = part(known, id, 0).unwrap_or_default();
            }
        }
        (Err(Refusal::Statement(code, words, _)), "FAILED") => {
            body["status"]["error"] = json!({"error_code": code, "message": words});
        }
        _ => {}
    }
    answer(200, &body)
}

/// One chunk: its rows, or a link to them. Numbers that are zero are left out.
fn part(known: &mut Known, id: &str, index: usize) -> Option<Json> {
    let one = known.statements.get(id)?;
    let outcome = one.outcome.as_ref().ok()?;
    let offset = index * known.chunk_rows;
    let rows = known.chunk_rows.min(outcome.rows().checked_sub(offset).filter(|rows| *rows > 0)?);
    let (links, last) = (one.links, offset + rows == outcome.rows());
    let bytes = outcome.part(offset, rows);
    let more = known.take(|fault| if let Fault::ChunkRows(more) = fault { Some(*more) } else { None });
    let later = known.take(|fault| if let Fault::ChunkOffset(later) = fault { Some(*later) } else { None });
    let mut part = Map::new();
    let mut number = |name: &str, value: i64| {
        if value != 0 {
            part.insert(name.to_owned(), value.into());
        }
    };
    number("chunk_index", index as i64);
    number("row_offset", offset as i64 + later.unwrap_or(0));
    number("row_count", rows as i64 + more.unwrap_or(0));
    if !last {
        number("next_chunk_index", index as i64 + 1);
        let next = format!("/api/2.0/sql/statements/{id}/result/chunks/{}", index + 1);
        part.insert("next_chunk_internal_link".to_owned(), next.into());
    }
    if !links {
        part.insert("data_array".to_owned(), serde_json::from_slice(&bytes).ok()?);
        return Some(Json::Object(part));
    }
    known.signed += 1;
    let signature = format!("{:016x}", known.signed);
    known.links.insert(signature.clone(), (id.to_owned(), index));
    let address = format!(
        "http://127.0.0.1:{}/results/{id}/{index}?X-Amz-Expires=899&X-Amz-Signature={signature}",
        known.storage
    );
    part.insert("external_link".to_owned(), address.into());
    part.insert("byte_count".to_owned(), bytes.len().into());
    part.insert("expiration".to_owned(), "2099-01-01T00:00:00.000Z".into());
    part.insert("http_headers".to_owned(), json!({"x-amz-server-side-encryption-customer-key": "c2Vj"}));
    Some(json!({"external_links": [part]}))
}

/// Answers `GET /api/2.0/sql/statements/{id}`.
pub async fn look(state: Shared, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    call(&state, &request, Call::Poll, &[], |known, _| told(known, &id))
}

/// Answers `GET /api/2.0/sql/statements/{id}/result/chunks/{n}`.
pub async fn chunk(state: Shared, request: HttpRequest, path: web::Path<(String, usize)>) -> HttpResponse {
    let (id, index) = path.into_inner();
    call(&state, &request, Call::Chunk, &[], |known, _| {
        let gone = known.take(|fault| (*fault == Fault::Gone).then_some(())).is_some();
        if let Some(one) = known.statements.get_mut(&id) {
            one.gone |= gone;
        }
        let there = known.statements.get(&id).is_some_and(|one| !one.gone);
        match part(known, &id, index).filter(|_| there) {
            Some(part) => answer(200, &part),
            None => refusal(404, "NOT_FOUND", &format!("chunk {index} of {id} was not found.")),
        }
    })
}

/// Answers `POST /api/2.0/sql/statements/{id}/cancel`.
pub async fn cancel(state: Shared, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    call(&state, &request, Call::Cancel, &[], |known, _| match known.statements.get_mut(id.as_str()) {
        Some(one) => {
            one.cancelled = true;
            HttpResponse::Ok().finish()
        }
        None => refusal(404, "RESOURCE_DOES_NOT_EXIST", &format!("The statement {id} was not found.")),
    })
}
