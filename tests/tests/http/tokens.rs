//! API tokens: which work, what they may do, and what is noted about their use.

use anyhow::Result;
use entity::{ApiTokenId, api_token};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, COOKIE};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde_json::json;
use server::auth::Permission;
use server::clock::SECOND;
use tests::site::{Site, send};

async fn stored(site: &Site, id: ApiTokenId) -> Result<api_token::Model> {
    let found =
        api_token::Entity::find_by_id((site.organization().await?, id)).one(site.app.db.orm()).await?;
    found.ok_or_else(|| anyhow::anyhow!("the token is stored"))
}

async fn works(site: &Site, token: &str) -> Result<bool> {
    let answer = send(site.graphql(token, &json!({ "query": "{ __typename }" }))).await?;
    if answer.status != 200 {
        assert_eq!(answer.outcome(), (401, "UNAUTHENTICATED".to_owned()));
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    Ok(answer.status == 200)
}

#[tokio::test]
async fn only_the_whole_token_works_on_both_databases() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let (id, token) = site.token(&[Permission::AccountsRead]).await?;
        let (_, other) = site.token(&[]).await?;
        assert!(works(&site, &token).await?);
        let row = stored(&site, id).await?;
        let (head, secret) = token.rsplit_once('_').unwrap_or_default();
        let (other_head, _) = other.rsplit_once('_').unwrap_or_default();
        for wrong in [
            head.to_owned(),
            format!("{head}_"),
            format!("{head}_{}", row.secret_hash.as_str()),
            format!("{head}_{}x", &secret[..secret.len() - 1]),
            format!("{other_head}_{secret}"),
            secret.to_owned(),
            token.to_uppercase(),
            "weir_".to_owned(),
        ] {
            assert!(!works(&site, &wrong).await?, "{wrong}");
        }
        for header in ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", token.as_str()] {
            let request = site.request(Method::POST, "/graphql").header(AUTHORIZATION, header);
            let answer = send(request.json(&json!({ "query": "{ __typename }" }))).await?;
            assert_eq!(answer.outcome(), (401, "UNAUTHENTICATED".to_owned()), "{header}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_revoked_or_expired_token_is_refused() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let (id, token) = site.token(&[]).await?;
        let (other, revoked) = site.token(&[]).await?;
        let organization = site.organization().await?;
        let now = site.app.clock.now();
        let change = |id| api_token::ActiveModel {
            organization_id: Set(organization),
            id: Set(id),
            ..Default::default()
        };
        let ends = api_token::ActiveModel { expires_at: Set(Some(now + 10 * SECOND)), ..change(id) };
        ends.update(site.app.db.orm()).await?;
        let ended = api_token::ActiveModel { revoked_at: Set(Some(now)), ..change(other) };
        ended.update(site.app.db.orm()).await?;
        assert!(works(&site, &token).await? && !works(&site, &revoked).await?);
        site.app.clock.advance(10 * SECOND);
        assert!(!works(&site, &token).await?);
    }
    Ok(())
}

#[tokio::test]
async fn its_use_is_noted_once_a_minute() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let (id, token) = site.token(&[]).await?;
        assert_eq!(stored(&site, id).await?.last_used_at, None);
        assert!(!works(&site, &format!("{token}x")).await?);
        assert_eq!(stored(&site, id).await?.last_used_at, None, "a wrong secret was noted");
        let first = site.app.clock.now();
        works(&site, &token).await?;
        assert_eq!(stored(&site, id).await?.last_used_at, Some(first));
        site.app.clock.advance(59 * SECOND);
        works(&site, &token).await?;
        assert_eq!(stored(&site, id).await?.last_used_at, Some(first));
        site.app.clock.advance(SECOND);
        works(&site, &token).await?;
        assert_eq!(stored(&site, id).await?.last_used_at, Some(first + 60 * SECOND));
    }
    Ok(())
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say() -> Result<()> {
    let site = Site::sqlite().await?;
    site.set_up().await?;
    let (_, reads) = site.token(&[Permission::AccountsRead]).await?;
    let (_, writes) = site.token(&[Permission::AccountsRead, Permission::AccountsWrite]).await?;
    let create = json!({ "query": "mutation { accountCreate(input: {name: \"A\"}) { account { name } userErrors { code } } }" });
    let refused = send(site.graphql(&reads, &create)).await?;
    assert!(refused.text.contains("FORBIDDEN") || refused.text.contains("NOT_PERMITTED"), "{refused:?}");
    let made = send(site.graphql(&writes, &create)).await?;
    assert_eq!(made.json()["data"]["accountCreate"]["account"]["name"], "A", "{made:?}");
    Ok(())
}

#[tokio::test]
async fn a_bearer_makes_the_cookie_count_for_nothing() -> Result<()> {
    let site = Site::sqlite().await?;
    let cookie = site.set_up().await?;
    let query = json!({ "query": "{ __typename }" });
    let wrong = site.graphql("weir_000000000000_0", &query).header(COOKIE, &cookie);
    assert_eq!(send(wrong).await?.outcome(), (401, "UNAUTHENTICATED".to_owned()));
    let (_, token) = site.token(&[Permission::SourcesRead]).await?;
    // The owner's cookie lends a token nothing.
    let text = json!({ "query": "{ accounts { totalCount } }" });
    let answer = send(site.graphql(&token, &text).header(COOKIE, &cookie)).await?;
    assert_eq!(answer.code(), "FORBIDDEN", "{answer:?}");
    // And no page's origin is asked of it.
    let foreign = site.graphql(&token, &query).header("origin", "https://service.example");
    assert_eq!(send(foreign).await?.status, 200);
    Ok(())
}
