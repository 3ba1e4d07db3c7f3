//! The first set-up: once, with a token only the operator has seen.

use anyhow::Result;
use entity::{counter, id_space, membership, organization, setting, user};
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use server::clock::DAY;
use tests::site::{Site, first_account, send};

#[tokio::test]
async fn the_first_account_is_made_once_on_both_databases() -> Result<()> {
    for site in Site::both().await? {
        let before = send(site.request(Method::GET, "/auth/session")).await?;
        assert_eq!(before.json(), json!({ "signedIn": false, "setupRequired": true }));
        let token = site.setup_token().await?;
        let answer = send(site.post("/auth/setup", &first_account(&token))).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["user"]["role"], "owner");
        assert!(site.signed_in(&answer.cookie()).await?);
        let db = site.app.db.orm();
        let organization = site.organization().await?;
        assert_eq!(membership::Entity::find().count(db).await?, 1);
        assert_eq!(counter::Entity::find().count(db).await?, 2);
        assert!(entity::match_state::Entity::find_by_id(organization).one(db).await?.is_some());
        let mut spaces: Vec<String> =
            id_space::Entity::find().all(db).await?.into_iter().map(|space| space.name).collect();
        spaces.sort();
        assert_eq!(spaces, ["account_id", "hubspot", "salesforce", "salesforce_oauth"]);
        let left = setting::Entity::find().all(db).await?;
        assert!(left.iter().all(|row| !row.key.starts_with("setup_token")), "a token was left: {left:?}");

        let again = send(site.post("/auth/setup", &first_account(&token))).await?;
        assert_eq!(again.outcome(), (403, "FORBIDDEN".to_owned()));
        assert!(site.setup_token().await.is_err(), "a new token was made");
        assert_eq!(user::Entity::find().count(db).await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn of_two_at_once_one_succeeds() -> Result<()> {
    for site in Site::both().await? {
        // Servers that start together each have a token, and each works.
        let tokens = [site.setup_token().await?, site.setup_token().await?];
        let attempt = |at: usize| {
            let mut account = first_account(&tokens[at % 2]);
            account["email"] = format!("person{at}@example.com").into();
            send(site.post("/auth/setup", &account))
        };
        let answers = futures::future::try_join_all((0..6).map(attempt)).await?;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403, 403, 403, 403, 403], "{answers:?}");
        let db = site.app.db.orm();
        assert_eq!(user::Entity::find().count(db).await?, 1);
        assert_eq!(organization::Entity::find().count(db).await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_or_old_token_makes_nothing() -> Result<()> {
    for site in Site::both().await? {
        let token = site.setup_token().await?;
        for wrong in ["", "x", &token[1..], &server::auth::random::hash(&token)] {
            let answer = send(site.post("/auth/setup", &first_account(wrong))).await?;
            assert_eq!(answer.outcome(), (403, "FORBIDDEN".to_owned()), "{wrong}");
        }
        site.app.clock.advance(DAY);
        let late = send(site.post("/auth/setup", &first_account(&token))).await?;
        assert_eq!(late.outcome(), (403, "FORBIDDEN".to_owned()));
        assert_eq!(user::Entity::find().count(site.app.db.orm()).await?, 0);
        let fresh = site.setup_token().await?;
        assert_eq!(send(site.post("/auth/setup", &first_account(&fresh))).await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_value_is_named_and_leaves_the_token_good() -> Result<()> {
    let site = Site::sqlite().await?;
    let token = site.setup_token().await?;
    for (field, value) in [
        ("email", "no address"),
        ("name", "  "),
        ("organization", ""),
        ("password", "eleven char"),
        ("password", "ann@example.com"),
    ] {
        let mut account = first_account(&token);
        account[field] = value.into();
        let answer = send(site.post("/auth/setup", &account)).await?;
        assert_eq!(answer.outcome(), (400, "BAD_USER_INPUT".to_owned()), "{field}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["field"], field);
    }
    assert_eq!(send(site.post("/auth/setup", &first_account(&token))).await?.status, 200);
    Ok(())
}
