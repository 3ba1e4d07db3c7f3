//! No secret in any log line or answer, whatever goes right or wrong.

use anyhow::{Context, Result};
use reqwest::Method;
use reqwest::header::COOKIE;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use server::auth::Permission;
use tests::log::Log;
use tests::site::{EMAIL, PASSWORD, Site, first_account, send};

#[tokio::test]
async fn no_secret_is_logged_answered_or_stored_in_clear() -> Result<()> {
    let log = Log::keep()?;
    let site = Site::sqlite().await?;
    let setup = site.setup_token().await?;
    let mut answers = Vec::new();
    let mut ask = async |request| -> Result<String> {
        let answer = send(request).await?;
        let cookie = answer.cookie();
        let headers = answer.headers.iter().filter(|(name, _)| *name != "set-cookie");
        answers.push(format!("{} {headers:?}", answer.text, headers = headers.collect::<Vec<_>>()));
        Ok(cookie)
    };
    ask(site.post("/auth/setup", &first_account(&setup[1..]))).await?;
    let cookie = ask(site.post("/auth/setup", &first_account(&setup))).await?;
    ask(site.post("/auth/setup", &first_account(&setup))).await?;
    ask(site.post("/auth/sign-in", &json!({ "email": EMAIL, "password": "my-wrong-password" }))).await?;
    ask(site.post("/auth/sign-in", &json!({ "email": EMAIL, "passwort": "my-wrong-password" }))).await?;
    let second = ask(site.post("/auth/sign-in", &json!({ "email": EMAIL, "password": PASSWORD }))).await?;
    let (_, token) = site.token(&[Permission::AccountsRead]).await?;
    let query =
        json!({ "query": "query($a: String) { __typename }", "variables": { "a": "a-variable-value" } });
    ask(site.graphql(&token, &query)).await?;
    ask(site.graphql(&format!("{token}0"), &query)).await?;
    ask(site.post("/graphql", &query).header(COOKIE, &second)).await?;
    ask(site.request(Method::GET, &format!("/setup?token={setup}"))).await?;
    ask(site.request(Method::GET, "/graphql?query=%7Ba-variable-value%7D").bearer_auth(&token)).await?;
    let change = json!({ "current": PASSWORD, "new": "my-new-long-password" });
    let third = ask(site.post("/auth/password", &change).header(COOKIE, &second)).await?;
    ask(site.post("/auth/sign-out", &json!({})).header(COOKIE, &third)).await?;

    let cookies =
        [cookie, second, third].map(|cookie| cookie.split_once('=').unwrap_or_default().1.to_owned());
    assert!(cookies.iter().all(|token| token.len() == 43));
    let secret = token.rsplit_once('_').unwrap_or_default().1.to_owned();
    let passwords = [PASSWORD, "my-wrong-password", "my-new-long-password"].map(str::to_owned);
    let log = log.text();
    assert!(log.contains("the first account was made") && log.contains("a sign-in was refused"), "{log}");
    let mut stored = String::new();
    let db = site.app.db.orm();
    for table in ["user", "session", "api_token", "setting", "audit_event"] {
        let sql = format!(
            "SELECT group_concat(quote(t), ' ') AS dump FROM (SELECT json_array({}) AS t FROM \"{table}\")",
            columns(db, table).await?
        );
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        stored.push_str(
            &row.context("an aggregate has a row")?
                .try_get::<Option<String>>("", "dump")?
                .unwrap_or_default(),
        );
    }
    assert!(stored.contains("argon2id"));
    for secret in cookies.iter().chain(&passwords).chain([&secret, &setup]) {
        assert!(!log.contains(secret.as_str()), "{secret} was logged");
        assert!(!stored.contains(secret.as_str()), "{secret} is stored in clear");
        assert!(answers.iter().all(|answer| !answer.contains(secret.as_str())), "{secret} was answered");
    }
    assert!(!log.contains("a-variable-value"), "a variable's value was logged");
    assert!(!log.contains(EMAIL), "an address was logged");
    Ok(())
}

/// The columns of a table that hold text.
async fn columns(db: &sea_orm::DatabaseConnection, table: &str) -> Result<String> {
    let sql = format!(
        "SELECT group_concat('\"' || name || '\"', ', ') AS names FROM pragma_table_info('{table}') WHERE type NOT LIKE '%uuid%'"
    );
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    Ok(row.context("an aggregate has a row")?.try_get("", "names")?)
}
