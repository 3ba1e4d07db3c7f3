//! Sessions: their cookie, their end, and a new password.

use anyhow::Result;
use entity::{Role, membership, session};
use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use server::clock::SECOND;
use tests::site::{EMAIL, PASSWORD, Site, first_account, send};

const HOUR: i64 = 3600 * SECOND;
const NEW_PASSWORD: &str = "another long enough password";

#[tokio::test]
async fn no_script_and_no_other_site_gets_the_cookie() -> Result<()> {
    let site = Site::sqlite().await?;
    let token = site.setup_token().await?;
    let answer = send(site.post("/auth/setup", &first_account(&token))).await?;
    let cookie = answer.header("set-cookie");
    let parts: Vec<&str> = cookie.split("; ").collect();
    assert!(parts[0].starts_with("weir-session=") && parts[0].len() > 50, "{cookie}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=1209600"] {
        assert!(parts.contains(&part), "{cookie}");
    }
    assert!(!parts.contains(&"Secure") && !cookie.contains("Domain"), "{cookie}");
    Ok(())
}

#[tokio::test]
async fn with_https_the_cookie_is_bound_to_this_host() -> Result<()> {
    let url = "https://weir.example.com";
    let site = Site::with(|config| config.http.public_url = url.to_owned()).await?;
    let token = site.setup_token().await?;
    let request = site.request(Method::POST, "/auth/setup").header(ORIGIN, url).json(&first_account(&token));
    let answer = send(request).await?;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-weir-session="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|it| it == part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    Ok(())
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_any_case_on_both_databases() -> Result<()> {
    for site in Site::both().await? {
        let cookie = site.set_up().await?;
        site.app.clock.advance(23 * HOUR);
        assert!(site.signed_in(&cookie).await?);
        site.app.clock.advance(23 * HOUR);
        assert!(site.signed_in(&cookie).await?, "using it did not renew it");
        site.app.clock.advance(24 * HOUR);
        assert!(!site.signed_in(&cookie).await?, "it outlived a day without use");

        let cookie = site.sign_in(EMAIL, PASSWORD).await?.cookie();
        for _ in 0..27 {
            site.app.clock.advance(12 * HOUR);
            assert!(site.signed_in(&cookie).await?);
        }
        site.app.clock.advance(12 * HOUR);
        assert!(!site.signed_in(&cookie).await?, "it outlived two weeks");
    }
    Ok(())
}

#[tokio::test]
async fn signing_in_again_replaces_the_session() -> Result<()> {
    let site = Site::sqlite().await?;
    let first = site.set_up().await?;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let second = send(site.post("/auth/sign-in", &body).header(COOKIE, &first)).await?.cookie();
    assert_ne!(first, second);
    assert!(!site.signed_in(&first).await? && site.signed_in(&second).await?);
    // Another browser's stays.
    let third = site.sign_in(EMAIL, PASSWORD).await?.cookie();
    assert!(site.signed_in(&second).await? && site.signed_in(&third).await?);
    Ok(())
}

#[tokio::test]
async fn signing_out_ends_the_session_and_forgets_the_cookie() -> Result<()> {
    for site in Site::both().await? {
        let cookie = site.set_up().await?;
        let answer = send(site.post("/auth/sign-out", &json!({})).header(COOKIE, &cookie)).await?;
        assert_eq!(answer.json(), json!({ "signedIn": false, "setupRequired": false }));
        assert!(answer.header("set-cookie").starts_with("weir-session=; "), "{answer:?}");
        assert!(answer.header("set-cookie").contains("Max-Age=0"));
        assert!(!site.signed_in(&cookie).await?);
        // Once more does no harm.
        let again = send(site.post("/auth/sign-out", &json!({})).header(COOKIE, &cookie)).await?;
        assert_eq!(again.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() -> Result<()> {
    for site in Site::both().await? {
        let first = site.set_up().await?;
        let second = site.sign_in(EMAIL, PASSWORD).await?.cookie();
        let change = |current: &str, new: &str| {
            site.post("/auth/password", &json!({ "current": current, "new": new })).header(COOKIE, &first)
        };
        let wrong = send(change("not the password", NEW_PASSWORD)).await?;
        assert_eq!(wrong.outcome(), (401, "UNAUTHENTICATED".to_owned()));
        for weak in ["short", "eleven char", EMAIL, &"x".repeat(201)] {
            let answer = send(change(PASSWORD, weak)).await?;
            assert_eq!(answer.outcome(), (400, "BAD_USER_INPUT".to_owned()), "{weak}");
            assert_eq!(answer.json()["errors"][0]["extensions"]["field"], "new");
        }
        assert!(site.signed_in(&second).await?);
        let answer = send(change(PASSWORD, NEW_PASSWORD)).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!site.signed_in(&first).await? && !site.signed_in(&second).await?);
        assert!(site.signed_in(&answer.cookie()).await?);
        assert_eq!(session::Entity::find().count(site.app.db.orm()).await?, 1);
        assert_eq!(site.sign_in(EMAIL, PASSWORD).await?.status, 401);
        assert_eq!(site.sign_in(EMAIL, NEW_PASSWORD).await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn whoever_left_is_signed_out() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let member = site.member("bo@example.com", PASSWORD, Role::Support).await?;
        let cookie = site.sign_in("bo@example.com", PASSWORD).await?.cookie();
        let answer = send(site.request(Method::GET, "/auth/session").header(COOKIE, &cookie)).await?;
        assert_eq!(answer.json()["user"]["role"], "support");
        let place = (site.organization().await?, member);
        membership::Entity::delete_by_id(place).exec(site.app.db.orm()).await?;
        assert!(!site.signed_in(&cookie).await?);
        assert_eq!(site.sign_in("bo@example.com", PASSWORD).await?.status, 401);
    }
    Ok(())
}

#[tokio::test]
async fn a_made_up_cookie_is_no_session() -> Result<()> {
    let site = Site::sqlite().await?;
    let cookie = site.set_up().await?;
    for forged in ["weir-session=", "weir-session=x", "weir-session=' OR 1=1 --", "__Host-weir-session=x"] {
        assert!(!site.signed_in(forged).await?, "{forged}");
    }
    let (name, token) = cookie.split_once('=').unwrap_or_default();
    let hash = server::auth::random::hash(token);
    assert!(!site.signed_in(&format!("{name}={hash}")).await?, "the stored hash was taken for the token");
    assert!(site.signed_in(&cookie).await?);
    Ok(())
}
