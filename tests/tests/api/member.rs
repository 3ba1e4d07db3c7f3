//! Members, their roles, the organization they are in, and the tokens they make.

use anyhow::Result;
use entity::Role;
use serde_json::json;
use server::auth::Permission;

use crate::world::{World, text};

const MEMBER: &str = "membership { role user { id name email } }";

#[tokio::test]
async fn people_are_added_promoted_and_removed_and_an_owner_stays() -> Result<()> {
    for world in World::both().await? {
        let owner = world.session("olga@example.com", Role::Owner).await?;
        let new = |email: &str, role: &str| json!({ "name": "New", "email": email, "password": "correct horse battery staple", "role": role });
        let made = world.act_signed(&owner, "userCreate", MEMBER, new("Sam@Example.com", "SUPPORT")).await?;
        let sam = made["membership"]["user"]["id"].clone();
        assert_eq!(
            (text(&made["membership"]["role"]), text(&made["membership"]["user"]["email"])),
            ("SUPPORT".into(), "sam@example.com".into()),
            "{made}"
        );
        for (input, code) in [
            (new("sam@example.com", "VIEWER"), "TAKEN"),
            (new("no address", "VIEWER"), "INVALID"),
            (
                json!({ "name": "N", "email": "n@example.com", "password": "short", "role": "VIEWER" }),
                "INVALID",
            ),
        ] {
            assert_eq!(world.refused_signed(&owner, "userCreate", input).await?, code);
        }
        // The first password signs in, and the role counts at once when it changes.
        let signed = world.sign_in("sam@example.com").await?;
        let account = json!({ "name": "Acme" });
        let create =
            "mutation($input: AccountCreateInput!) { accountCreate(input: $input) { userErrors { code } } }";
        let denied = world.send_signed(&signed, create, json!({ "input": account })).await?;
        assert_eq!(denied.code(), "FORBIDDEN", "{denied:?}");
        let promoted = json!({ "userId": sam, "role": "ADMIN" });
        let promoted = world.act_signed(&owner, "membershipUpdate", MEMBER, promoted).await?;
        assert_eq!(promoted["membership"]["role"], "ADMIN");
        let allowed = world.send_signed(&signed, create, json!({ "input": account })).await?;
        assert_eq!(allowed.code(), "", "{allowed:?}");

        // An admin manages people, but no owners, and not the organization.
        let people = world.ask("{ memberships { nodes { role user { id email } } } }", json!({})).await?;
        let people = people["memberships"]["nodes"].as_array().cloned().unwrap_or_default();
        let id = |email: &str| {
            let found = people.iter().find(|it| it["user"]["email"] == email);
            found.map(|it| it["user"]["id"].clone()).unwrap_or_default()
        };
        let (olga, founder) = (id("olga@example.com"), id("ours@example.com"));
        for (name, input) in [
            ("userCreate", new("eve@example.com", "OWNER")),
            ("membershipUpdate", json!({ "userId": sam, "role": "OWNER" })),
            ("membershipUpdate", json!({ "userId": founder, "role": "VIEWER" })),
            ("membershipRemove", json!({ "userId": founder })),
            ("organizationUpdate", json!({ "name": "Mine" })),
        ] {
            assert_eq!(
                world.refused_signed(&signed, name, input.clone()).await?,
                "NOT_PERMITTED",
                "{name} {input}"
            );
        }
        let fields = "organization { name ingestionEnabled }";
        let renamed = json!({ "name": "Acme Inc.", "ingestionEnabled": false });
        let renamed = world.act_signed(&owner, "organizationUpdate", fields, renamed).await?;
        assert_eq!(renamed["organization"], json!({ "name": "Acme Inc.", "ingestionEnabled": false }));
        let on = json!({ "ingestionEnabled": true });
        world.act_signed(&owner, "organizationUpdate", fields, on).await?;

        // The last owner can neither leave nor step down.
        let gone = world
            .act_signed(&owner, "membershipRemove", "removedUserId", json!({ "userId": founder }))
            .await?;
        assert_eq!(gone["removedUserId"], founder);
        for (name, input) in [
            ("membershipRemove", json!({ "userId": olga })),
            ("membershipUpdate", json!({ "userId": olga, "role": "ADMIN" })),
        ] {
            assert_eq!(world.refused_signed(&owner, name, input).await?, "CONFLICT", "{name}");
        }
        // Whoever is removed is out at once, and cannot come back.
        world.act_signed(&owner, "membershipRemove", "removedUserId", json!({ "userId": sam })).await?;
        assert!(!world.site.signed_in(&signed).await?);
        let out = world.send_signed(&signed, "{ accounts { totalCount } }", json!({})).await?;
        assert_eq!(out.code(), "UNAUTHENTICATED", "{out:?}");
        let back = world.site.sign_in("sam@example.com", tests::site::PASSWORD).await?;
        assert_eq!(back.outcome(), (401, "UNAUTHENTICATED".to_owned()));
        let told =
            world.ask("{ auditEvents(first: 50) { nodes { action detail } } }", json!({})).await?.to_string();
        for action in ["user.create", "membership.update", "membership.remove", "organization.update"] {
            assert!(told.contains(action), "{action} is not in the audit log: {told}");
        }
        assert!(!told.contains("correct horse"), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_is_shown_once_never_wider_than_its_maker_and_worth_nothing_once_revoked() -> Result<()> {
    for world in World::both().await? {
        let made = world
            .act(
                "apiTokenCreate",
                "secret apiToken { id last4 }",
                json!({ "name": "CI", "scopes": ["ACCOUNTS_READ"] }),
            )
            .await?;
        let (secret, id) = (text(&made["secret"]), &made["apiToken"]["id"]);
        let ask = "{ accounts { totalCount } }";
        assert_eq!(world.code(&secret, ask, json!({})).await?, "");
        let shown =
            world.ask("{ apiTokens { nodes { id name last4 scopes } } }", json!({})).await?.to_string();
        assert!(shown.contains(&text(&made["apiToken"]["last4"])) && !shown.contains(&secret), "{shown}");

        // One that may manage tokens, and read accounts, makes one that reads accounts and no other.
        let narrow = world.token([Permission::Admin, Permission::AccountsRead]).await?;
        let wider = json!({ "name": "More", "scopes": ["ACCOUNTS_READ", "SECRETS_WRITE"] });
        let refused = world.act_as(&narrow, "apiTokenCreate", "secret", wider).await?;
        assert_eq!(
            (text(&refused["userErrors"][0]["code"]), &refused["secret"]),
            ("NOT_PERMITTED".into(), &json!(null)),
            "{refused}"
        );
        let same = json!({ "name": "Same", "scopes": ["ACCOUNTS_READ"] });
        assert!(world.act_as(&narrow, "apiTokenCreate", "secret", same).await?["secret"].is_string());

        let revoked = world.act("apiTokenRevoke", "apiToken { revokedAt }", json!({ "id": id })).await?;
        assert!(revoked["apiToken"]["revokedAt"].is_string(), "{revoked}");
        let answer = world.send(&secret, ask, json!({})).await?;
        assert_eq!(answer.outcome(), (401, "UNAUTHENTICATED".to_owned()));
        let again = world.act("apiTokenRevoke", "apiToken { revokedAt }", json!({ "id": id })).await?;
        assert_eq!(again["apiToken"], revoked["apiToken"], "revoked stays revoked since then");
    }
    Ok(())
}
