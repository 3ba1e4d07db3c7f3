//! The pages, their headers, and what operators ask.

use anyhow::Result;
use reqwest::Method;
use reqwest::header::IF_NONE_MATCH;
use serde_json::json;
use tests::site::{Site, send};

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[tokio::test]
async fn every_answer_is_guarded() -> Result<()> {
    let site = Site::sqlite().await?;
    for path in
        ["/", "/streams/1", "/assets/none.js", "/graphql", "/auth/session", "/health", "/ready", "/auth/x"]
    {
        let answer = send(site.request(Method::GET, path)).await?;
        for (name, value) in [
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
        assert!(
            !answer.header("cache-control").is_empty() && !answer.header("x-request-id").is_empty(),
            "{path}"
        );
    }
    let https = Site::with(|config| config.http.public_url = "https://weir.example.com".to_owned()).await?;
    let answer = send(https.request(Method::GET, "/health")).await?;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
    Ok(())
}

#[tokio::test]
async fn a_screen_is_the_page_and_a_missing_file_is_missing() -> Result<()> {
    let site = Site::sqlite().await?;
    let page = send(site.request(Method::GET, "/")).await?;
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    for screen in ["/streams", "/accounts/QWNjb3VudDox", "/setup?token=x"] {
        let answer = send(site.request(Method::GET, screen)).await?;
        assert_eq!((answer.status, &answer.text), (page.status, &page.text), "{screen}");
    }
    for missing in
        ["/assets/none.js", "/favicon.ico", "/.env", "/assets/../Cargo.toml", "/assets/..%2f..%2fCargo.toml"]
    {
        let answer = send(site.request(Method::GET, missing)).await?;
        assert_eq!(answer.outcome(), (404, "NOT_FOUND".to_owned()), "{missing}");
    }
    let answer = send(site.request(Method::POST, "/streams")).await?;
    assert_eq!(answer.outcome(), (405, "METHOD_NOT_ALLOWED".to_owned()));
    Ok(())
}

#[tokio::test]
async fn built_or_not_the_page_says_what_is_the_case() -> Result<()> {
    let site = Site::sqlite().await?;
    let page = send(site.request(Method::GET, "/")).await?;
    if !server::http::web_interface_built() {
        assert_eq!(page.status, 503);
        assert!(page.text.contains("cargo xtask web"));
        return Ok(());
    }
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-cache"));
    let tag = page.header("etag").to_owned();
    let again = send(site.request(Method::GET, "/").header(IF_NONE_MATCH, &tag)).await?;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    Ok(())
}

#[tokio::test]
async fn health_and_readiness_are_told_on_both_databases() -> Result<()> {
    for site in Site::both().await? {
        let health = send(site.request(Method::GET, "/health")).await?;
        assert_eq!((health.status.as_u16(), health.json()), (200, json!({ "status": "ok" })));
        let ready = send(site.request(Method::GET, "/ready")).await?;
        let expected = json!({ "database": true, "migrated": true, "workers": 0 });
        assert_eq!((ready.status.as_u16(), ready.json()), (200, expected));
        site.app.db.orm().clone().close().await?;
        site.app.clock.advance(1_000_000);
        let down = send(site.request(Method::GET, "/ready")).await?;
        assert_eq!(down.status, 503, "{down:?}");
        assert_eq!(down.json()["database"], false);
        assert_eq!(send(site.request(Method::GET, "/health")).await?.status, 200);
        let refused = send(site.request(Method::GET, "/auth/session")).await?;
        assert_eq!(refused.outcome(), (500, "INTERNAL".to_owned()));
        assert!(!refused.text.to_lowercase().contains("pool"), "{refused:?}");
    }
    Ok(())
}
