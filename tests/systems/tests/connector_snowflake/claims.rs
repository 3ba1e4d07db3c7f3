//! Our tokens beside those of Snowflake's own Python library.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use systems::python;
use systems::snowflake::{Call, Fault};

use crate::home::Home;

/// Prints the token that the library makes for an account as a person writes it, and what the token says.
const LIBRARY: &str = "
import json, sys
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from snowflake.connector.auth import AuthByKeyPair
from snowflake.connector.util_text import parse_account
key = load_pem_private_key(sys.argv[1].encode(), None)
for account in sys.argv[3:]:
    token = AuthByKeyPair(private_key=key).prepare(account=parse_account(account), user=sys.argv[2])
    print(json.dumps({
        'token': token,
        'header': jwt.get_unverified_header(token),
        'claims': jwt.decode(token, options={'verify_signature': False}),
    }))
";

async fn library(key: &str, user: &str, accounts: &[&str]) -> Result<Vec<Value>> {
    let printed = python::run("snowflake", LIBRARY, &[&[key, user], accounts].concat()).await?;
    Ok(printed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn claims_are_those_of_snowflakes_own_library() -> Result<()> {
    let home = Home::new().await?;
    let (key, user) = (&home.reader.private_key_pem, home.reader.user.to_lowercase());
    let accounts = [
        "weirorg-test_account",
        "WEIRORG-TEST_ACCOUNT",
        "xy12345",
        "xy12345.eu-central-1",
        "xy12345.west-europe.azure",
        "xy12345.us-east-1.privatelink",
        "otherorg-other_account",
    ];
    let theirs = library(key, &user, &accounts).await?;
    assert_eq!(theirs.len(), accounts.len());
    for (account, theirs) in accounts.iter().zip(theirs) {
        let mut config = home.config(&home.reader);
        (config["account"], config["user"]) = (json!(account), json!(user));
        // An account that is not the server's is refused; what was said is written down all the same.
        let _refused = home.open_with(&config, key)?.clock().await;
        let ours = home.calls(Call::Submit).pop().and_then(|call| call.claims).context("a token")?;
        let theirs = &theirs["claims"];
        for name in ["iss", "sub"] {
            assert_eq!(ours[name], theirs[name], "{name} of {account}");
        }
        let names = |claims: &Value| claims.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names(&ours), names(theirs), "{account}");
        let times =
            |claims: &Value| claims["iat"].as_i64().zip(claims["exp"].as_i64()).context("whole seconds");
        let ((at, until), (their_at, their_until)) = (times(&ours)?, times(theirs)?);
        // The service honours an hour at most.
        assert!((their_until - their_at..=3_600).contains(&(until - at)), "{account}: {ours} and {theirs}");
        assert!((at - their_at).abs() < 300, "{account}: {ours} and {theirs}");
    }
    Ok(())
}

#[tokio::test]
async fn the_strict_server_takes_the_librarys_token() -> Result<()> {
    let home = Home::new().await?;
    home.server.fault(Fault::TellReasons(true));
    let accounts = [home.server.account(), "xy12345.eu-central-1", "other-account"];
    let made = library(&home.reader.private_key_pem, &home.reader.user, &accounts).await?;
    // Plain HTTP needs no provider of cryptography, but the client asks for one.
    rustls::crypto::ring::default_provider().install_default().ok();
    for (made, status) in made.iter().zip([200, 200, 401]) {
        assert_eq!(made["header"], json!({"alg": "RS256", "typ": "JWT"}));
        let answer = reqwest::Client::new()
            .post(format!("{}/api/v2/statements", home.server.url()))
            .bearer_auth(made["token"].as_str().context("a token")?)
            .header("X-Snowflake-Authorization-Token-Type", "KEYPAIR_JWT")
            .header("User-Agent", "library/1.0")
            .header("Accept", "application/json")
            .json(&json!({"statement": "SELECT CURRENT_USER()"}))
            .send()
            .await?;
        assert_eq!(answer.status().as_u16(), status);
        let body: Value = answer.json().await?;
        let wanted = if status == 200 { json!([[home.reader.user]]) } else { Value::Null };
        assert_eq!(body["data"], wanted, "{body}");
    }
    Ok(())
}
