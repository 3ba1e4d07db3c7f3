//! What goes wrong on the way, told so that people can act, without secrets.

use anyhow::{Result, ensure};
use connector::{ErrorKind, ReadRequest};
use serde_json::json;
use systems::bigquery::{Act, Seen};

use crate::scene::{Scene, numbers};

#[tokio::test]
async fn a_missing_right_to_run_statements_is_told_with_the_grant() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    let words =
        "Access Denied: Project weir-data: User does not have bigquery.jobs.create permission in project";
    scene.place.gate.rule(1, Seen::statement, Act::Refuse(403, "accessDenied", words));
    let check = scene.connector.check(Some(&scene.table("events")), Some("at")).await;
    let last = check.steps.last().expect("a step");
    ensure!(last.name == "run a statement", "{check:?}");
    let hint = last.error.as_ref().and_then(|error| error.action()).unwrap_or_default();
    let email = &scene.place.gate.account().email;
    ensure!(
        hint.contains("--role=roles/bigquery.jobUser") && hint.contains(&format!("serviceAccount:{email}")),
        "{hint}"
    );
    Ok(())
}

#[tokio::test]
async fn a_missing_right_to_read_is_told_with_the_grant() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    let words = "Access Denied: Table weir-data:d.events: User does not have permission to query table";
    scene.place.gate.rule(1, Seen::reading, Act::Refuse(403, "accessDenied", words));
    let error = scene.outcome(scene.request()).await.error.expect("it was refused");
    let dataset = &scene.place.dataset;
    let hint = error.action().unwrap_or_default();
    ensure!(error.kind() == ErrorKind::Permission, "{error:?}");
    ensure!(
        hint.contains(&format!("GRANT `roles/bigquery.dataViewer` ON SCHEMA `weir-data.{dataset}`")),
        "{hint}"
    );
    Ok(())
}

#[tokio::test]
async fn the_check_names_its_steps_and_the_account() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    let check = scene.connector.check(Some(&scene.table("events")), Some("at")).await;
    let names: Vec<&str> = check.steps.iter().map(|step| step.name).collect();
    let wanted =
        ["resolve host", "sign in", "run a statement", "find table", "read table", "read cursor column"];
    ensure!(check.passed() && names == wanted, "{check:?}");
    let notes: Vec<&str> = check.steps.iter().filter_map(|step| step.note.as_deref()).collect();
    ensure!(notes.iter().any(|note| note.contains(&scene.place.gate.account().email)), "{notes:?}");
    ensure!(notes.iter().any(|note| note.contains("its clock says 20")), "{notes:?}");
    // A check costs nothing: but for the clock, all its statements are trials or read the table's storage.
    ensure!(scene.place.gate.count(Seen::reading) == 0, "{:?}", scene.place.gate.seen());
    Ok(())
}

#[tokio::test]
async fn a_web_page_or_half_an_answer_is_an_error_and_the_next_read_heals() -> Result<()> {
    let scene = Scene::with_rows(25_000).await?;
    for (act, kind) in [
        (
            Act::Raw(200, "text/html", b"<html>sign in to the wireless network</html>".to_vec()),
            ErrorKind::Unavailable,
        ),
        (
            Act::Raw(200, "application/json", b"{\"jobComplete\":true,\"rows\":[{\"f\":[".to_vec()),
            ErrorKind::Unavailable,
        ),
        (Act::Answer(200, json!({})), ErrorKind::Unavailable),
    ] {
        scene.place.gate.rule(1, Seen::results, act);
        let outcome = scene.outcome(scene.request()).await;
        let error = outcome.error.expect("it is no page");
        ensure!(error.kind() == kind, "{error:?}");
        ensure!(outcome.ids == numbers(outcome.ids.len() as i64), "{} rows", outcome.ids.len());
        let rest = scene.read(ReadRequest { from: outcome.stood, ..scene.request() }).await?;
        ensure!(rest.last() == Some(&24_999) && rest[0] <= outcome.ids.len() as i64);
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_that_passes_in_mid_result_is_not_noticed() -> Result<()> {
    let scene = Scene::with_rows(25_000).await?;
    for act in [
        Act::Refuse(403, "rateLimitExceeded", "Exceeded rate limits"),
        Act::Refuse(503, "backendError", "try again"),
        Act::Raw(502, "text/html", b"<html>bad gateway</html>".to_vec()),
    ] {
        scene.place.gate.rule(1, Seen::results, act);
        ensure!(scene.read(scene.request()).await? == numbers(25_000));
    }
    Ok(())
}

#[tokio::test]
async fn failures_told_with_status_200_are_failures() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    let failed = json!({
        "jobComplete": true, "jobReference": {"projectId": "weir-data", "jobId": "j"}, "totalRows": "0",
        "errors": [{"reason": "invalidQuery", "message": "Unrecognized name: at [1:8]"}],
    });
    scene.place.gate.rule(2, Seen::reading, Act::Answer(200, failed));
    let error = scene.outcome(scene.request()).await.error.expect("it failed");
    ensure!(error.kind() == ErrorKind::Schema, "{error:?}");
    ensure!(error.system_text() == Some("Unrecognized name: at [1:8]"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn pitfall_34_a_column_whose_type_changed_is_told_by_name() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    scene
        .place
        .gate
        .change(2, Seen::reading, |answer| answer["schema"]["fields"][2]["type"] = json!("BYTES"));
    let error = scene.outcome(scene.request()).await.error.expect("it changed");
    ensure!(error.kind() == ErrorKind::Schema, "{error:?}");
    ensure!(error.message() == "column \"label\" was STRING and is now BYTES", "{error:?}");
    Ok(())
}
