//! The API itself: `/api/v2/statements`.

pub mod body;
pub mod call;
pub mod faults;
pub mod refusal;
pub mod reply;
pub mod result;
pub mod sign_in;
pub mod statements;
mod submit;

use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use self::refusal::Refusal;
use self::reply::Reply;
use self::sign_in::Caller;
use self::statements::Phase;
use super::fault::{Call, Fault};
use super::journal::Request;
use super::sql::error::SqlError;
use super::state::State;

/// Everything goes through one door, so that every call is judged and written down.
pub fn routes(config: &mut ServiceConfig) {
    config.app_data(web::PayloadConfig::new(64 << 20)).default_service(web::to(serve));
}

async fn serve(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let query = call::query(&request);
    let partition = query.get("partition").map(String::as_str);
    let (call, handle, routed) = call::route(request.method(), request.path(), partition);
    let mut noted = Request {
        call,
        status: 0,
        path: request.path().to_owned(),
        request_id: query.get("requestId").cloned(),
        query,
        headers: call::headers(&request),
        claims: None,
        user: None,
        handle,
        statement: None,
        bindings: Default::default(),
        parameters: Default::default(),
        timeout: None,
        role: None,
        warehouse: None,
        database: None,
        schema: None,
    };
    let header = |name: &str| request.headers().get(name).and_then(|it| it.to_str().ok());
    let (authorization, kind) = (header("authorization"), header("x-snowflake-authorization-token-type"));
    noted.claims = sign_in::claims(authorization);
    let before = state.faults().before(call);
    let reply = match before {
        Some(Fault::Status { status, code, message, retry_after, .. }) => {
            Reply::refused(&Refusal { status, code, message }).after(retry_after)
        }
        _ => routed
            .and_then(|()| sign_in::sign_in(&state, authorization, kind))
            .and_then(|caller| {
                noted.user = Some(caller.user.clone());
                call::checked(&noted, request.method(), &body)?;
                match call {
                    Call::Submit => submit::submit(&state, &caller, &mut noted, &body),
                    Call::Poll | Call::Partition => poll(&state, &caller, &noted),
                    Call::Cancel => cancel(&state, &caller, &noted),
                    Call::Other => Err(Refusal::new(404, "390404", "Resource not found.")),
                }
            })
            .unwrap_or_else(|refusal| Reply::refused(&refusal)),
    };
    let after = state.faults().after(call);
    noted.status = match &after {
        Some(Fault::Lost { status, .. }) => *status,
        _ => reply.status,
    };
    state.note(noted);
    reply.send(after, state.clock.seconds())
}

fn status_url(handle: &str, request_id: Option<&str>) -> String {
    match request_id {
        Some(id) => format!("/api/v2/statements/{handle}?requestId={id}"),
        None => format!("/api/v2/statements/{handle}"),
    }
}

/// The answer to asking for a statement or one of its partitions.
fn poll(state: &State, caller: &Caller, request: &Request) -> Result<Reply, Refusal> {
    let handle = request.handle.as_deref().unwrap_or_default();
    if uuid::Uuid::parse_str(handle).is_err() {
        return Err(Refusal::bad(format!("Invalid statement handle {handle}.")));
    }
    let mut statements = state.statements();
    let stored = statements.get(&caller.user, handle).ok_or_else(|| Refusal::unknown(handle))?;
    let url = status_url(handle, stored.request_id.as_deref());
    if let Phase::Running(left, ending) = &mut stored.phase {
        if *left > 0 {
            *left -= 1;
            return Ok(Reply::running(handle, &url, stored.created_on, true));
        }
        stored.phase = Phase::Ended(ending.clone());
    }
    match &stored.phase {
        Phase::Ended(Ok(done)) => {
            let number = request.query.get("partition").and_then(|it| it.parse().ok()).unwrap_or(0);
            if number == 0 {
                return Ok(Reply::result(done, handle, &url, stored.created_on));
            }
            let outside = || Refusal::bad(format!("Partition {number} is not one of {}.", done.partitions()));
            done.partition(number).map(Reply::partition).ok_or_else(outside)
        }
        // Statuses of a poll do not include 408.
        Phase::Ended(Err(error)) => Ok(Reply::failed(error, handle, stored.created_on)),
        Phase::Expired => {
            // What the service says of a result that is gone is not documented.
            let error = SqlError::new(
                "000707",
                "02000",
                format!("Data not available. The data for query {handle} has expired."),
            );
            Ok(Reply::failed(&error, handle, stored.created_on))
        }
        Phase::Running(..) => Err(Refusal::unknown(handle)),
    }
}

fn cancel(state: &State, caller: &Caller, request: &Request) -> Result<Reply, Refusal> {
    let handle = request.handle.as_deref().unwrap_or_default();
    let mut statements = state.statements();
    let stored = statements.get(&caller.user, handle).ok_or_else(|| Refusal::unknown(handle))?;
    let url = status_url(handle, stored.request_id.as_deref());
    if !matches!(stored.phase, Phase::Running(..)) {
        let error = SqlError::new("000605", "57014", "Identified SQL statement is not currently executing.");
        return Ok(Reply::failed(&error, handle, stored.created_on));
    }
    stored.phase = Phase::Ended(Err(SqlError::new("000604", "57014", "SQL execution canceled")));
    Ok(Reply::cancelled(handle, &url))
}
