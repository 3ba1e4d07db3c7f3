//! Statements as jobs: sent once whatever happens, waited for where they run, cancelled when nobody wants them.

use std::time::Duration;

use anyhow::{Result, ensure};
use connector::{ErrorKind, Retry};
use futures::StreamExt;
use systems::bigquery::gate::REGION;
use systems::bigquery::{Act, Seen};

use crate::scene::{Scene, numbers};

fn ids(scene: &Scene) -> Vec<String> {
    let seen = scene.place.gate.seen();
    let id = |seen: &Seen| seen.body["requestId"].as_str().unwrap_or_default().to_owned();
    seen.iter().filter(|seen| seen.statement()).map(id).collect()
}

/// Waits for something that happens in the background.
async fn eventually(what: &str, true_now: impl Fn() -> bool) -> Result<()> {
    for _ in 0..400 {
        if true_now() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{what} never happened")
}

#[tokio::test]
async fn an_unfinished_job_is_waited_for_where_it_runs() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.rule(1, Seen::reading, Act::Pend(3));
    let request = scene.request();
    ensure!(scene.read(request.clone()).await? == numbers(30));
    let seen = scene.place.gate.seen();
    let asked: Vec<&Seen> = seen.iter().filter(|seen| seen.results()).collect();
    ensure!(asked.len() == 4, "{}", asked.len());
    for seen in asked {
        ensure!(seen.query["location"] == REGION && seen.query.contains_key("timeoutMs"), "{seen:?}");
    }
    ensure!(request.cost.take().statements == 1, "asking again is no statement");
    ensure!(scene.place.gate.count(Seen::cancels) == 0, "a job that ended is not cancelled");
    Ok(())
}

#[tokio::test]
async fn a_job_is_cancelled_when_its_stream_is_dropped() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.rule(1, Seen::reading, Act::Pend(100_000));
    let mut stream = scene.connector.read(scene.request());
    tokio::select! {
        _ = stream.next() => anyhow::bail!("the job has ended"),
        asked = eventually("the question", || scene.place.gate.count(Seen::results) > 0) => asked?,
    }
    drop(stream);
    eventually("the cancelling", || scene.place.gate.count(Seen::cancels) == 1).await?;
    let seen = scene.place.gate.seen();
    let cancel = seen.iter().find(|seen| seen.cancels()).expect("it was seen");
    ensure!(cancel.query["location"] == REGION, "{cancel:?}");
    Ok(())
}

#[tokio::test]
async fn a_job_is_cancelled_even_when_its_stream_is_dropped_before_it_is_known() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.rule(1, Seen::reading, Act::Late(Duration::from_millis(500), 100_000));
    let mut stream = scene.connector.read(scene.request());
    tokio::select! {
        _ = stream.next() => anyhow::bail!("the job has ended"),
        asked = eventually("the statement", || scene.place.gate.count(Seen::reading) > 0) => asked?,
    }
    drop(stream);
    eventually("the cancelling", || scene.place.gate.count(Seen::cancels) == 1).await
}

#[tokio::test]
async fn a_job_is_cancelled_even_when_nobody_looks_at_the_answer_that_names_it() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.rule(1, Seen::reading, Act::Late(Duration::from_millis(500), 100_000));
    let mut stream = scene.connector.read(scene.request());
    tokio::select! {
        _ = stream.next() => anyhow::bail!("the job has ended"),
        asked = eventually("the statement", || scene.place.gate.count(Seen::reading) > 0) => asked?,
    }
    // The answer comes, and the stream is dropped before it looks.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    ensure!(scene.place.gate.count(Seen::results) == 0, "the stream has looked");
    drop(stream);
    eventually("the cancelling", || scene.place.gate.count(Seen::cancels) == 1).await
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_the_same_request() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.rule(1, Seen::reading, Act::Lose);
    let request = scene.request();
    ensure!(scene.read(request.clone()).await? == numbers(30));
    let ids = ids(&scene);
    ensure!(ids.len() == 2 && ids[0] == ids[1] && !ids[0].is_empty(), "{ids:?}");
    ensure!(request.cost.take().statements == 1, "the statement ran once");
    Ok(())
}

#[tokio::test]
async fn the_reason_decides_whether_a_request_is_sent_again() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    // reason, status, requests, whether the last two are the same request
    for (status, reason, same) in [
        (403, "rateLimitExceeded", true),
        (429, "rateLimitExceeded", true),
        (503, "backendError", true),
        (500, "internalError", true),
        (400, "jobRateLimitExceeded", false),
        (400, "jobBackendError", false),
        (409, "duplicate", false),
    ] {
        scene.place.gate.forget();
        scene.place.gate.rule(1, Seen::reading, Act::Refuse(status, reason, "words"));
        ensure!(scene.read(scene.request()).await? == numbers(30), "{reason}");
        let ids = ids(&scene);
        ensure!(ids.len() == 2 && (ids[0] == ids[1]) == same, "{reason}: {ids:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_succeed_is_sent_once_whatever_the_status() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    for (status, reason, kind) in [
        (500, "bytesBilledLimitExceeded", ErrorKind::Config),
        (400, "bytesBilledLimitExceeded", ErrorKind::Config),
        (403, "quotaExceeded", ErrorKind::RateLimited),
        (403, "accessDenied", ErrorKind::Permission),
        (403, "billingNotEnabled", ErrorKind::Permission),
        (400, "timeout", ErrorKind::Timeout),
    ] {
        scene.place.gate.forget();
        scene.place.gate.rule(1, Seen::reading, Act::Refuse(status, reason, "words"));
        let error = scene.outcome(scene.request()).await.error.expect("it was refused");
        ensure!(error.kind() == kind && error.action().is_some(), "{reason}: {error:?}");
        ensure!(scene.place.gate.count(Seen::reading) == 1, "{reason}");
        if reason == "quotaExceeded" {
            ensure!(error.retry() == Retry::Later(Some(Duration::from_secs(3_600))), "{error:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_job_that_fails_while_it_is_waited_for_is_told_by_its_reason() -> Result<()> {
    let scene = Scene::with_rows(30).await?;
    scene.place.gate.rule(1, Seen::reading, Act::Pend(9));
    scene.place.gate.rule(1, Seen::results, Act::Refuse(400, "jobInternalError", "an internal error"));
    ensure!(scene.read(scene.request()).await? == numbers(30), "it is sent as a new job");
    let ids = ids(&scene);
    ensure!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    scene.place.gate.rule(1, Seen::reading, Act::Pend(9));
    scene.place.gate.rule(1, Seen::results, Act::Refuse(400, "stopped", "Job execution was cancelled"));
    let error = scene.outcome(scene.request()).await.error.expect("it was cancelled");
    ensure!(error.kind() == ErrorKind::Unavailable && error.message().contains("cancelled"), "{error:?}");
    Ok(())
}
