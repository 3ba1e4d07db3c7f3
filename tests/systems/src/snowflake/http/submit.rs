//! Submitting a statement: the session it runs in, whether it ran before, how it ends.

use std::sync::Arc;

use super::body::Body;
use super::refusal::Refusal;
use super::reply::Reply;
use super::result::Done;
use super::sign_in::Caller;
use super::statements::{Ending, Phase, Stored};
use super::status_url;
use crate::snowflake::fault::Fault;
use crate::snowflake::journal::Request;
use crate::snowflake::sql::bind::bound;
use crate::snowflake::sql::error::SqlError;
use crate::snowflake::sql::grants::Sort;
use crate::snowflake::sql::session::Session;
use crate::snowflake::state::State;

/// Runs a statement and answers with its result, or that it is still running, or how it failed.
pub fn submit(state: &State, caller: &Caller, request: &mut Request, bytes: &[u8]) -> Result<Reply, Refusal> {
    let body = Body::read(bytes)?;
    request.statement = Some(body.statement.clone());
    request.bindings = body.bound()?;
    request.parameters = body.parameters.clone();
    (request.timeout, request.role, request.warehouse) =
        (body.timeout, body.role.clone(), body.warehouse.clone());
    (request.database, request.schema) = (body.database.clone(), body.schema.clone());
    let session = session(state, caller, &body)?;
    let is = |name: &str, wanted: &str| request.query.get(name).is_some_and(|it| it == wanted);
    if is("retry", "true") {
        let earlier = request.request_id.as_ref().and_then(|id| state.statements().again(&caller.user, id));
        if let Some(handle) = earlier {
            request.handle = Some(handle.clone());
            return again(state, caller, &handle);
        }
    }
    let handle = uuid::Uuid::now_v7().to_string();
    request.handle = Some(handle.clone());
    let ending = ending(state, &session, &body, request, !is("nullable", "false"));
    let take = |wanted: fn(&Fault) -> bool| state.faults().take(wanted);
    let polls = match take(|it| matches!(it, Fault::Running { .. })) {
        Some(Fault::Running { polls }) => Some(polls),
        _ => None,
    };
    let (asked_for, created_on) = (is("async", "true"), state.clock.millis());
    let url = status_url(&handle, request.request_id.as_deref());
    let reply = match (&ending, polls) {
        (_, Some(_)) => Reply::running(&handle, &url, created_on, asked_for),
        _ if asked_for => Reply::running(&handle, &url, created_on, true),
        (Ok(done), None) => Reply::result(done, &handle, &url, created_on),
        (Err(error), None) if error.code == "000630" => Reply::timed_out(error, &handle, created_on),
        (Err(error), None) => Reply::failed(error, &handle, created_on),
    };
    let phase = match polls {
        Some(polls) => Phase::Running(polls, ending),
        None if asked_for => Phase::Running(0, ending),
        None => Phase::Ended(ending),
    };
    let stored =
        Stored { user: caller.user.clone(), created_on, request_id: request.request_id.clone(), phase };
    state.statements().put(&handle, stored);
    Ok(reply)
}

/// The answer to a request that is sent again: that of the first.
fn again(state: &State, caller: &Caller, handle: &str) -> Result<Reply, Refusal> {
    let mut statements = state.statements();
    let stored = statements.get(&caller.user, handle).ok_or_else(|| Refusal::unknown(handle))?;
    let url = status_url(handle, stored.request_id.as_deref());
    Ok(match &stored.phase {
        Phase::Running(..) | Phase::Expired => Reply::running(handle, &url, stored.created_on, true),
        Phase::Ended(Ok(done)) => Reply::result(done, handle, &url, stored.created_on),
        Phase::Ended(Err(error)) => Reply::failed(error, handle, stored.created_on),
    })
}

/// The session of a request: the role must be the user's, and the database must be there.
fn session(state: &State, caller: &Caller, body: &Body) -> Result<Session, Refusal> {
    let no_role = |role: &str| {
        let text = format!(
            "Role '{role}' specified in the connect string does not exist or not authorized. Contact your local system administrator, or attempt to login with another role, e.g. PUBLIC."
        );
        Refusal::new(400, "390189", text)
    };
    state.look(|world| {
        let user = world.users.by_name.get(&caller.user);
        let default = user.and_then(|user| user.default_role.clone());
        let role = body.role.clone().or_else(|| caller.role.clone()).or(default);
        if let Some(role) = &role {
            let granted = user.is_some_and(|user| user.roles.contains(role)) && world.roles.contains(role);
            if !granted || caller.role.as_ref().is_some_and(|only| only != role) {
                return Err(no_role(role));
            }
        }
        let mut session = Session {
            user: caller.user.clone(),
            role,
            schema: body.schema.clone().or_else(|| body.database.is_some().then(|| "PUBLIC".to_owned())),
            database: body.database.clone(),
            rows_per_resultset: user.map_or(0, |user| user.rows_per_resultset),
            ignore_case: user.is_some_and(|user| user.ignore_case),
            ..Session::default()
        };
        if let Some(database) = &body.database
            && !world.uses(&session, Sort::Database, std::slice::from_ref(database))
        {
            let text = format!("The requested database does not exist or not authorized: '{database}'.");
            return Err(Refusal::new(400, "390201", text));
        }
        // A warehouse that is not there is missed only by statements that compute.
        let warehouse =
            body.warehouse.clone().or_else(|| user.and_then(|user| user.default_warehouse.clone()));
        session.warehouse =
            warehouse.filter(|it| world.uses(&session, Sort::Warehouse, std::slice::from_ref(it)));
        body.parameters(&mut session)?;
        Ok(session)
    })
}

fn ending(state: &State, session: &Session, body: &Body, request: &Request, nullable: bool) -> Ending {
    let fault = state.faults().take(|it| matches!(it, Fault::Fails { .. } | Fault::TimesOut));
    match fault {
        Some(Fault::Fails { code, state, message }) => return Err(SqlError { code, state, message }),
        Some(_) => {
            let seconds = body.timeout.unwrap_or(172_800);
            let text = format!(
                "Statement reached its statement or warehouse timeout of {seconds} second(s) and was canceled."
            );
            return Err(SqlError::new("000630", "57014", text));
        }
        None => {}
    }
    let values = request
        .bindings
        .values()
        .map(|it| bound(&it.kind, it.value.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    let answer = state.execute(session, &body.statement, &values)?;
    let (rows, upper_case) = {
        let faults = state.faults();
        (faults.rows_per_partition, faults.upper_case)
    };
    let mut done = Done::new(answer, rows, nullable, upper_case);
    let mut faults = state.faults();
    if let Some(Fault::WrongTotal(lie)) = faults.take(|it| matches!(it, Fault::WrongTotal(_))) {
        done.lie = lie;
    }
    let partitions = done.partitions();
    let short = faults.take(|it| matches!(it, Fault::ShortPartition(number) if *number < partitions));
    if let Some(Fault::ShortPartition(number)) = short {
        done.short = Some(number);
    }
    Ok(Arc::new(done))
}
