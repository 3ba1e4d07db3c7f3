//! Another site cannot make a signed-in browser do anything.

use anyhow::Result;
use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN};
use serde_json::json;
use server::auth::Permission;
use tests::site::{EMAIL, PASSWORD, Site, send};

#[tokio::test]
async fn a_cookie_counts_only_from_our_own_pages() -> Result<()> {
    let site = Site::sqlite().await?;
    let cookie = site.set_up().await?;
    let query = json!({ "query": "{ __typename }" });
    let post = || site.request(Method::POST, "/graphql").header(COOKIE, &cookie).json(&query);
    let ours = site.url.clone();
    for (origin, fetched_from, passes) in [
        (Some(ours.as_str()), None, true),
        (Some(ours.as_str()), Some("same-origin"), true),
        (None, Some("same-origin"), true),
        (None, None, false),
        (Some("null"), None, false),
        (Some("https://evil.example"), None, false),
        (Some("https://evil.example"), Some("cross-site"), false),
        (Some(ours.as_str()), Some("same-site"), false),
        (None, Some("cross-site"), false),
    ] {
        let mut request = post();
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        if let Some(fetched_from) = fetched_from {
            request = request.header("sec-fetch-site", fetched_from);
        }
        let expected = if passes { (200, String::new()) } else { (403, "CSRF_BLOCKED".to_owned()) };
        assert_eq!(send(request).await?.outcome(), expected, "{origin:?} {fetched_from:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_query_by_get_needs_a_header_no_page_can_send_unasked() -> Result<()> {
    let site = Site::sqlite().await?;
    let cookie = site.set_up().await?;
    let path = "/graphql?query=%7B__typename%7D";
    let get = || site.request(Method::GET, path).header(COOKIE, &cookie).header(ORIGIN, &site.url);
    assert_eq!(send(get()).await?.outcome(), (403, "CSRF_BLOCKED".to_owned()));
    let asked = get().header("apollo-require-preflight", "true");
    assert_eq!(send(asked).await?.outcome(), (200, String::new()));
    assert_eq!(send(site.request(Method::GET, path)).await?.outcome(), (403, "CSRF_BLOCKED".to_owned()));
    let (_, token) = site.token(&[Permission::AccountsRead]).await?;
    let signed = site.request(Method::GET, path).bearer_auth(token);
    assert_eq!(send(signed).await?.outcome(), (200, String::new()));
    Ok(())
}

#[tokio::test]
async fn behind_a_public_url_that_is_the_only_origin() -> Result<()> {
    let site = Site::with(|config| config.http.public_url = "https://weir.example.com".to_owned()).await?;
    let token = site.setup_token().await?;
    let account = tests::site::first_account(&token);
    let foreign = send(site.post("/auth/setup", &account)).await?;
    assert_eq!(foreign.outcome(), (403, "CSRF_BLOCKED".to_owned()));
    let own =
        site.request(Method::POST, "/auth/setup").header(ORIGIN, "https://weir.example.com").json(&account);
    assert_eq!(send(own).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn another_site_cannot_sign_a_browser_in_or_out() -> Result<()> {
    let site = Site::sqlite().await?;
    let cookie = site.set_up().await?;
    let credentials = json!({ "email": EMAIL, "password": PASSWORD });
    let post = |path: &str| site.request(Method::POST, path).header(COOKIE, &cookie);
    for path in ["/auth/sign-in", "/auth/sign-out", "/auth/password", "/auth/setup"] {
        let request = post(path).header(ORIGIN, "https://evil.example").json(&credentials);
        assert_eq!(send(request).await?.outcome(), (403, "CSRF_BLOCKED".to_owned()), "{path}");
    }
    assert_eq!(send(post("/auth/sign-out")).await?.outcome(), (403, "CSRF_BLOCKED".to_owned()));
    assert!(site.signed_in(&cookie).await?);
    let forms = tests::site::body(
        post("/auth/sign-in").header(ORIGIN, &site.url),
        "text/plain",
        credentials.to_string(),
    );
    assert_eq!(send(forms).await?.outcome(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    Ok(())
}
