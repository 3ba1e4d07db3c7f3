//! Signing in: what is signed, for whom, how long it holds, and what is refused.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use connector::{ErrorKind, kinds};
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Act, Seen};
use tokio::io::AsyncWriteExt;

use crate::scene::{Scene, numbers, policy};

/// What Google's own library signs with a key file.
const GOOGLES: &str = "
import json, sys
from google.auth import jwt
from google.oauth2 import service_account
info = json.load(sys.stdin)
scopes = ['https://www.googleapis.com/auth/bigquery']
made = service_account.Credentials.from_service_account_info(info, scopes=scopes)
assertion = made._make_authorization_grant_assertion()
header, claims = jwt.decode_header(assertion), jwt.decode(assertion, verify=False)
print(json.dumps({'assertion': assertion.decode(), 'header': header, 'claims': claims}))
";

#[tokio::test]
async fn pitfall_19_what_is_signed_is_what_googles_own_library_signs() -> Result<()> {
    let scene = Scene::empty().await?;
    scene.connector.clock().await?;
    let gate = &scene.place.gate;
    let ours = gate.account().signed().pop().context("nothing was signed")?;
    let mut python = tokio::process::Command::new(&scene.place.server.python)
        .args(["-c", GOOGLES])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = python.stdin.take().context("no input")?;
    input.write_all(gate.key_file().as_bytes()).await?;
    drop(input);
    let theirs: Value = serde_json::from_slice(&python.wait_with_output().await?.stdout)?;
    ensure!(theirs["header"] == ours.header, "{} {}", theirs["header"], ours.header);
    let mut claims = serde_json::to_value(&ours.claims)?;
    let lasts =
        |claims: &Value| claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp - iat);
    ensure!(lasts(&claims) == lasts(&theirs["claims"]) && lasts(&claims) == Some(3_600));
    for time in ["iat", "exp"] {
        claims[time] = theirs["claims"][time].clone();
    }
    ensure!(claims == theirs["claims"], "{claims} {}", theirs["claims"]);
    // And the gate, which took ours, takes theirs.
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
        theirs["assertion"].as_str().unwrap_or_default()
    );
    ensure!(gate.account().token(&form).is_ok());
    Ok(())
}

#[tokio::test]
async fn one_sign_in_serves_until_it_wears_off() -> Result<()> {
    let scene = Scene::with_rows(25_000).await?;
    let account = scene.place.gate.account();
    scene.connector.clock().await?;
    let (one, other) = tokio::join!(scene.read(scene.request()), scene.read(scene.request()));
    ensure!(one? == numbers(25_000) && other? == numbers(25_000));
    ensure!(account.signed().len() == 1, "{} sign-ins", account.signed().len());
    account.expire();
    ensure!(scene.read(scene.request()).await? == numbers(25_000));
    ensure!(account.signed().len() == 2, "{} sign-ins", account.signed().len());
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_refused_in_mid_result_is_renewed() -> Result<()> {
    let scene = Scene::with_rows(25_000).await?;
    let refuse = Act::Refuse(401, "authError", "Request had invalid authentication credentials");
    scene.place.gate.rule(1, Seen::results, refuse);
    ensure!(scene.read(scene.request()).await? == numbers(25_000));
    ensure!(scene.place.gate.account().signed().len() == 2);
    Ok(())
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_is_told() -> Result<()> {
    let scene = Scene::with_rows(3).await?;
    scene.place.gate.rule(2, |_| true, Act::Refuse(401, "authError", "Request had invalid credentials"));
    let error = scene.outcome(scene.request()).await.error.expect("it was refused");
    ensure!(error.kind() == ErrorKind::Auth && error.action().is_some(), "{error:?}");
    ensure!(scene.place.gate.account().signed().len() == 2, "a token is renewed once");
    Ok(())
}

fn open(scene: &Scene, file: &Value, config: &Value) -> connector::Result<()> {
    let key = SecretString::from(file.to_string());
    kinds::open("bigquery", config, Some(key), &policy(&scene.place).expect("a policy")).map(drop)
}

#[tokio::test]
async fn a_deleted_key_is_told_with_what_to_do() -> Result<()> {
    let scene = Scene::empty().await?;
    let mut file: Value = serde_json::from_str(&scene.place.gate.key_file())?;
    file["private_key_id"] = json!("deleted");
    let key = SecretString::from(file.to_string());
    let config = json!({"project": PROJECT});
    let connector = kinds::open("bigquery", &config, Some(key), &policy(&scene.place)?)?;
    let check = connector.check(None, None).await;
    let last = check.steps.last().context("a step")?;
    let error = last.error.as_ref().context("it passed")?;
    ensure!(last.name == "sign in" && error.kind() == ErrorKind::Auth, "{check:?}");
    ensure!(error.action().is_some_and(|hint| hint.contains("make a new key")), "{error:?}");
    let secret = scene.place.server.key.lines().nth(1).context("a line of the key")?;
    ensure!(!format!("{check:?}").contains(secret), "the key is in the check");
    Ok(())
}

#[tokio::test]
async fn a_key_that_would_sign_for_somebody_else_is_refused() -> Result<()> {
    let scene = Scene::empty().await?;
    let mut file: Value = serde_json::from_str(&scene.place.gate.key_file())?;
    file["token_uri"] = json!("https://tokens.example.com/token");
    let error = open(&scene, &file, &json!({"project": PROJECT})).expect_err("it must be refused");
    ensure!(error.kind() == ErrorKind::Config && error.message().contains("token_uri"), "{error:?}");
    ensure!(scene.place.gate.account().signed().is_empty());
    Ok(())
}

#[tokio::test]
async fn weirs_own_account_needs_no_credential() -> Result<()> {
    let scene = Scene::empty().await?;
    let config = json!({"project": PROJECT, "signIn": "weir"});
    let mut policy = policy(&scene.place)?;
    let error = kinds::open("bigquery", &config, None, &policy).err().context("there is no account")?;
    ensure!(error.message().starts_with("signIn: "), "{error:?}");
    policy.google_key = Some(scene.place.gate.key_file().into());
    kinds::open("bigquery", &config, None, &policy)?.clock().await?;
    policy.google_key = Some("{}".into());
    let error = kinds::open("bigquery", &config, None, &policy).err().context("it is no key")?;
    ensure!(error.message().starts_with("signIn: "), "{error:?}");
    let error =
        kinds::open("bigquery", &json!({"project": PROJECT}), None, &policy).err().context("no key")?;
    ensure!(error.message().starts_with("key: "), "{error:?}");
    Ok(())
}
