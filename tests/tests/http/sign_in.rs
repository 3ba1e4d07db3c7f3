//! Signing in with a password: who is let in, how the others are answered, and how often one may try.

use anyhow::Result;
use entity::{Role, user};
use reqwest::Method;
use sea_orm::{ActiveModelTrait, Set};
use serde_json::json;
use tests::site::{Answer, EMAIL, PASSWORD, Site, send};

#[tokio::test]
async fn the_right_password_gives_a_session_on_both_databases() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let answer = site.sign_in(" Ann@Example.com ", PASSWORD).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.json(),
            json!({
                "signedIn": true, "setupRequired": false, "organization": { "name": "Acme" },
                "user": { "name": "Ann", "email": EMAIL, "role": "owner" },
            })
        );
        assert!(site.signed_in(&answer.cookie()).await?);
    }
    Ok(())
}

/// What of an answer can tell a stranger something.
fn told(answer: &Answer) -> (u16, serde_json::Value, Vec<String>) {
    let mut body = answer.json();
    body["errors"][0]["extensions"]["requestId"] = "".into();
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status.as_u16(), body, headers)
}

#[tokio::test]
async fn whoever_has_no_account_gets_the_answer_of_a_wrong_password() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let gone = site.member("gone@example.com", PASSWORD, Role::Viewer).await?;
        let disabled = user::ActiveModel { id: Set(gone), disabled_at: Set(Some(1)), ..Default::default() };
        disabled.update(site.app.db.orm()).await?;
        let wrong = site.sign_in(EMAIL, "not the password at all").await?;
        assert_eq!(wrong.outcome(), (401, "UNAUTHENTICATED".to_owned()));
        for (email, password) in [
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
            ("gone@example.com", "wrong"),
            ("no address", PASSWORD),
            ("", ""),
            (EMAIL, ""),
        ] {
            let answer = site.sign_in(email, password).await?;
            assert_eq!(told(&answer), told(&wrong), "{email}");
            assert_eq!(answer.cookie(), "");
        }
    }
    Ok(())
}

#[tokio::test]
async fn whoever_has_no_account_waits_as_long() -> Result<()> {
    let site = Site::sqlite().await?;
    site.set_up().await?;
    let gone = site.member("gone@example.com", PASSWORD, Role::Viewer).await?;
    let disabled = user::ActiveModel { id: Set(gone), disabled_at: Set(Some(1)), ..Default::default() };
    disabled.update(site.app.db.orm()).await?;
    // Each is one hash of the same cost: that of the decoy is compared where the decoy is.
    for email in [EMAIL, "nobody@example.com", "gone@example.com", "no address", ""] {
        let before = site.app.passwords.verifications();
        let answer = site.sign_in(email, "not the password at all").await?;
        assert_eq!(answer.outcome(), (401, "UNAUTHENTICATED".to_owned()), "{email}");
        assert_eq!(site.app.passwords.verifications() - before, 1, "{email}");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_can_be_tried_only_so_often() -> Result<()> {
    let site = Site::with(|config| config.http.trusted_proxies = 1).await?;
    site.set_up().await?;
    let attempt = |address: String, email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        site.post("/auth/sign-in", &body).header("x-forwarded-for", address)
    };
    for at in 0..10 {
        let answer = send(attempt(format!("192.0.2.{at}"), EMAIL, "wrong")).await?;
        assert_eq!(answer.outcome(), (401, "UNAUTHENTICATED".to_owned()));
    }
    // From anywhere, even with the right password.
    let answer = send(attempt("192.0.2.99".to_owned(), "ANN@example.com", PASSWORD)).await?;
    assert_eq!(answer.outcome(), (429, "THROTTLED".to_owned()), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "30");
    assert_eq!(answer.json()["errors"][0]["extensions"]["retryAfterMs"], 30_000);
    // An unknown account is throttled as a known one.
    for at in 0..10 {
        send(attempt(format!("198.51.100.{at}"), "nobody@example.com", "wrong")).await?;
    }
    let unknown = send(attempt("198.51.100.99".to_owned(), "nobody@example.com", "wrong")).await?;
    assert_eq!(told(&unknown), told(&answer));
    site.app.clock.advance(30_000_000);
    assert_eq!(send(attempt("192.0.2.99".to_owned(), EMAIL, PASSWORD)).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn an_address_can_try_only_so_often() -> Result<()> {
    let site = Site::sqlite().await?;
    site.set_up().await?;
    // The set-up was one of thirty.
    for at in 0..29 {
        let answer = site.sign_in(&format!("someone{at}@example.com"), "wrong").await?;
        assert_eq!(answer.status, 401);
    }
    let answer = site.sign_in(EMAIL, PASSWORD).await?;
    assert_eq!(answer.outcome(), (429, "THROTTLED".to_owned()));
    // What a proxy claims counts for nothing unless it is trusted.
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let forged = site.post("/auth/sign-in", &body).header("x-forwarded-for", "203.0.113.7");
    assert_eq!(send(forged).await?.status, 429);
    Ok(())
}

#[tokio::test]
async fn malformed_requests_are_refused_without_being_repeated() -> Result<()> {
    let site = Site::sqlite().await?;
    site.set_up().await?;
    for body in [
        json!({}),
        json!({ "email": EMAIL }),
        json!({ "email": 1, "password": "hunter2hunter2" }),
        json!({ "email": EMAIL, "password": "hunter2hunter2", "more": 1 }),
        json!({ "email": ["hunter2hunter2"], "password": {} }),
        json!([]),
    ] {
        let answer = send(site.post("/auth/sign-in", &body)).await?;
        assert_eq!(answer.outcome(), (400, "BAD_USER_INPUT".to_owned()), "{body}");
        assert!(!answer.text.contains("hunter2"), "{answer:?}");
    }
    let long = json!({ "email": EMAIL, "password": "x".repeat(10_000) });
    assert_eq!(
        send(site.post("/auth/sign-in", &long)).await?.outcome(),
        (413, "PAYLOAD_TOO_LARGE".to_owned())
    );
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = send(site.request(method, "/auth/sign-in")).await?;
        assert_eq!(answer.outcome(), (405, "METHOD_NOT_ALLOWED".to_owned()));
        assert_eq!(answer.header("allow"), "POST");
    }
    assert_eq!(send(site.request(Method::GET, "/auth/else")).await?.outcome(), (404, "NOT_FOUND".to_owned()));
    Ok(())
}
