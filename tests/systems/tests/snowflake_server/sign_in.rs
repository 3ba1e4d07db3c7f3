//! Tokens: who gets in, and what the others are told.

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value as Json, json};
use systems::snowflake::{Fault, Pair, Who};

use crate::client::{Answer, Client, now, read};

async fn with(client: &Client, token: &str, kind: Option<&str>) -> Result<Answer> {
    let mut call = client.bare(Method::POST, "").bearer_auth(token);
    call = call.header("User-Agent", "weir-test/1.0").header("Accept", "application/json");
    if let Some(kind) = kind {
        call = call.header("X-Snowflake-Authorization-Token-Type", kind);
    }
    read(call.json(&client.body("SELECT 1")).send().await?).await
}

/// What a token with these claims is refused with, told plainly.
async fn reason(client: &Client, change: impl FnOnce(&mut Json)) -> Result<String> {
    let mut claims = client.claims()?;
    change(&mut claims);
    let answer = with(client, &client.token(&claims)?, Some("KEYPAIR_JWT")).await?;
    assert!(answer.status == 200 || answer.status == 401, "{answer:?}");
    Ok(answer.code().to_owned())
}

#[tokio::test]
async fn a_right_token_signs_in_under_both_names_of_the_account() -> Result<()> {
    let mut client = Client::reader().await?;
    assert_eq!(client.cell("SELECT CURRENT_USER()").await?, client.account.user);
    client.account.account = client.server.locator().to_owned();
    assert_eq!(client.cell("SELECT CURRENT_USER()").await?, client.account.user);
    Ok(())
}

#[tokio::test]
async fn wrong_claims_are_told_by_their_reason() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::TellReasons(true));
    let (account, user) = (client.account.account.clone(), client.account.user.clone());
    let issuer = client.claims()?["iss"].as_str().context("an issuer")?.to_owned();
    let of = |from: &str, to: &str| json!(issuer.replace(from, to));
    assert_eq!(reason(&client, |_| {}).await?, "090001");
    // A region left in, lower case, an account of a URL: what people get wrong.
    assert_eq!(reason(&client, |it| it["iss"] = of(&account, "XY12345.EU-CENTRAL-1")).await?, "394300");
    assert_eq!(reason(&client, |it| it["iss"] = of(&user, &user.to_lowercase())).await?, "394300");
    assert_eq!(reason(&client, |it| it["iss"] = of(&account, &account.to_lowercase())).await?, "394307");
    assert_eq!(reason(&client, |it| it["iss"] = of(&account, "OTHERORG-ACCOUNT")).await?, "394307");
    assert_eq!(reason(&client, |it| it["iss"] = of("SHA256:", "")).await?, "394300");
    assert_eq!(reason(&client, |it| it["sub"] = json!(account)).await?, "394300");
    assert_eq!(
        reason(&client, |it| it["iss"] = json!(format!("{account}.{user}.SHA256:AAAA="))).await?,
        "394304"
    );
    for name in ["iat", "exp"] {
        let gone = |it: &mut Json| drop(it.as_object_mut().and_then(|it| it.remove(name)));
        assert_eq!(reason(&client, gone).await?, "394301", "{name}");
    }
    assert_eq!(reason(&client, |it| it["iat"] = json!(now() + 120)).await?, "394302");
    assert_eq!(reason(&client, |it| it["exp"] = json!(now() - 1)).await?, "394303");
    // The service honours an hour, whatever the token says.
    let old = |it: &mut Json| (it["iat"], it["exp"]) = (json!(now() - 3_700), json!(now() + 3_600));
    assert_eq!(reason(&client, old).await?, "394303");
    Ok(())
}

#[tokio::test]
async fn wrong_signatures_are_told_by_their_reason() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::TellReasons(true));
    let claims = client.claims()?;
    let other = EncodingKey::from_rsa_pem(Pair::named("stranger")?.private_pem.as_bytes())?;
    let own = EncodingKey::from_rsa_pem(client.account.private_key_pem.as_bytes())?;
    let cases = [
        (encode(&Header::new(Algorithm::RS256), &claims, &other)?, "394306"),
        (encode(&Header::new(Algorithm::RS384), &claims, &own)?, "394305"),
        (encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(b"secret"))?, "394305"),
        ("not.a.token".to_owned(), "394306"),
    ];
    for (token, wanted) in cases {
        assert_eq!(with(&client, &token, Some("KEYPAIR_JWT")).await?.code(), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_names_a_uuid_and_keeps_the_reason() -> Result<()> {
    let client = Client::reader().await?;
    let mut claims = client.claims()?;
    claims["iat"] = json!(now() + 500);
    let answer = with(&client, &client.token(&claims)?, Some("KEYPAIR_JWT")).await?;
    assert_eq!((answer.status, answer.code()), (401, "390144"));
    let message = answer.body["message"].as_str().context("a message")?;
    let uuid = message.strip_prefix("JWT token is invalid. [").and_then(|it| it.strip_suffix(']'));
    let uuid = uuid.context("a UUID in brackets")?;
    assert_eq!(client.server.login_failure(uuid).as_deref(), Some("JWT_TOKEN_INVALID_ISSUE_TIME"));
    Ok(())
}

#[tokio::test]
async fn both_slots_hold_a_key_and_unset_takes_it_away() -> Result<()> {
    let mut client = Client::reader().await?;
    client.server.fault(Fault::TellReasons(true));
    let next = Pair::named("next")?;
    let (user, public) = (client.account.user.clone(), next.public.clone());
    let old = std::mem::replace(&mut client.account.private_key_pem, next.private_pem);
    assert_eq!(client.run("SELECT 1").await?.code(), "394304");
    client.place.run(&format!("ALTER USER {user} SET RSA_PUBLIC_KEY_2='{public}'")).await?;
    let described = client.place.query(&format!("DESC USER {user}")).await?;
    let shown = described.iter().find(|row| row[0].as_text() == Some("RSA_PUBLIC_KEY_2_FP"));
    assert_eq!(shown.and_then(|row| row[1].as_text()), Some(next.fingerprint.as_str()));
    assert_eq!(client.run("SELECT 1").await?.status, 200);
    client.place.run(&format!("ALTER USER {user} UNSET RSA_PUBLIC_KEY")).await?;
    assert_eq!(client.run("SELECT 1").await?.status, 200);
    client.account.private_key_pem = old;
    assert_eq!(client.run("SELECT 1").await?.code(), "394304");
    let pasted = format!("ALTER USER {user} SET RSA_PUBLIC_KEY='-----BEGIN PUBLIC KEY-----\n{public}'");
    assert!(client.place.run(&pasted).await.is_err(), "with header lines");
    Ok(())
}

#[tokio::test]
async fn the_token_type_is_taken_at_its_word() -> Result<()> {
    let client = Client::reader().await?;
    let jwt = client.token(&client.claims()?)?;
    assert_eq!(with(&client, &jwt, None).await?.code(), "390303");
    assert_eq!(with(&client, &jwt, Some("OAUTH")).await?.code(), "390303");
    assert_eq!(with(&client, &jwt, Some("PASSWORD")).await?.status, 400);
    let pat = "PROGRAMMATIC_ACCESS_TOKEN";
    assert_eq!(with(&client, &client.account.token, Some(pat)).await?.status, 200);
    assert_eq!(with(&client, &client.account.token, Some("KEYPAIR_JWT")).await?.code(), "390144");
    assert_eq!(with(&client, &jwt, Some(pat)).await?.code(), "390303");
    let none = read(client.bare(Method::POST, "").json(&client.body("SELECT 1")).send().await?).await?;
    assert_eq!((none.status, none.code()), (401, "390101"));
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_off_shows_in_the_date_and_in_the_refusal() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::TellReasons(true));
    for (offset, code) in [(-600, "394302"), (7_200, "394303")] {
        client.server.fault(Fault::ClockOffset(offset));
        let response = client.call(Method::POST, "")?.json(&client.body("SELECT 1")).send().await?;
        let date = response.headers().get("date").context("a date")?.to_str()?.to_owned();
        let date = chrono::DateTime::parse_from_rfc2822(&date)?.timestamp();
        assert!((date - now() - offset).abs() < 5, "{date}");
        assert_eq!(read(response).await?.code(), code);
    }
    Ok(())
}

#[tokio::test]
async fn disabled_users_and_refused_addresses_stay_out() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run(&format!("ALTER USER {} SET DISABLED=TRUE", client.account.user)).await?;
    assert_eq!(client.code("SELECT 1").await?, "390101");
    client.place.run(&format!("ALTER USER {} SET DISABLED=FALSE", client.account.user)).await?;
    client.server.fault(Fault::NetworkPolicy(Some("203.0.113.7".to_owned())));
    let answer = client.run("SELECT 1").await?;
    assert_eq!(answer.status, 403);
    let message = answer.body["message"].as_str().unwrap_or_default();
    assert!(message.contains("203.0.113.7 is not allowed to access Snowflake"), "{message}");
    Ok(())
}

#[tokio::test]
async fn users_of_a_place_have_keys_of_their_own() -> Result<()> {
    let mut client = Client::reader().await?;
    let stranger = client.place.user(Who::Stranger);
    assert_ne!(stranger.private_key_pem, client.account.private_key_pem);
    client.account.user = stranger.user;
    assert_eq!(client.code("SELECT 1").await?, "390144");
    Ok(())
}
