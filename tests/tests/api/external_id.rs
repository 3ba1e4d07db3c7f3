//! External IDs, ID spaces and settings.

use anyhow::Result;
use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn pitfall_27_an_external_id_belongs_to_one_account_and_can_be_moved() -> Result<()> {
    for world in World::both().await? {
        let (acme, globex) = (world.account("Acme").await?, world.account("Globex").await?);
        let input = json!({ "accountId": acme, "space": "account_id", "value": "a-1" });
        let made = world.act("externalIdCreate", "externalId { id account { id } }", input.clone()).await?;
        assert_eq!(made["externalId"]["account"]["id"], acme);
        let again = world.act("externalIdCreate", "externalId { id }", input).await?;
        assert_eq!(again["externalId"]["id"], made["externalId"]["id"], "the same ID twice is one");
        let taken = json!({ "accountId": globex, "space": "account_id", "value": "a-1" });
        assert_eq!(world.refused("externalIdCreate", taken).await?, ("TAKEN".to_owned(), "value".to_owned()));
        let id = &made["externalId"]["id"];
        let moved = json!({ "id": id, "accountId": globex });
        let moved = world.act("externalIdUpdate", "externalId { account { id } }", moved).await?;
        assert_eq!(moved["externalId"]["account"]["id"], globex);
        let gone = world.act("externalIdDelete", "deletedExternalIdId", json!({ "id": id })).await?;
        assert_eq!(gone["deletedExternalIdId"], *id);
        let told = world.refused("externalIdDelete", json!({ "id": id })).await?;
        assert_eq!(told.0, "NOT_FOUND");
    }
    Ok(())
}

#[tokio::test]
async fn matching_is_explained_step_by_step() -> Result<()> {
    let query = "query($value: String!) { matchExplain(value: $value) {
        raw outcome account { name } steps { space normalizer normalized note hits { name } } } }";
    for world in World::both().await? {
        let (acme, globex) = (world.account("Acme").await?, world.account("Globex").await?);
        let input = json!({ "accountId": acme, "space": "hubspot", "value": "42" });
        world.act("externalIdCreate", "", input).await?;
        let told = world.ask(query, json!({ "value": " 042.0" })).await?["matchExplain"].take();
        assert_eq!(
            (text(&told["outcome"]), text(&told["account"]["name"])),
            ("MATCHED".into(), "Acme".into())
        );
        let step = told["steps"].as_array().into_iter().flatten().find(|step| step["space"] == "hubspot");
        let step = step.cloned().unwrap_or_default();
        assert_eq!((text(&step["normalized"]), text(&step["hits"][0]["name"])), ("42".into(), "Acme".into()));
        assert!(step["note"].is_string());
        let input = json!({ "accountId": globex, "space": "hubspot", "value": "042" });
        world.act("externalIdCreate", "", input).await?;
        let told = world.ask(query, json!({ "value": "42" })).await?["matchExplain"].take();
        assert_eq!(told["outcome"], "AMBIGUOUS", "two accounts are never a guess");
        assert!(told["account"].is_null());
        let told = world.ask(query, json!({ "value": "x" })).await?["matchExplain"].take();
        assert_eq!(told["outcome"], "UNKNOWN");
    }
    Ok(())
}

#[tokio::test]
async fn spaces_and_settings_know_who_uses_them() -> Result<()> {
    for world in World::both().await? {
        let input = json!({ "name": "tenant", "normalizer": "EXACT" });
        world.act("idSpaceCreate", "idSpace { name normalizer }", input.clone()).await?;
        assert_eq!(world.refused("idSpaceCreate", input).await?.0, "TAKEN");
        let odd = json!({ "name": "Tenant!", "normalizer": "EXACT" });
        assert_eq!(world.refused("idSpaceCreate", odd).await?, ("INVALID".into(), "name".into()));
        let acme = world.account("Acme").await?;
        let input = json!({ "accountId": acme, "space": "tenant", "value": "ABC" });
        world.act("externalIdCreate", "", input).await?;
        assert_eq!(world.refused("idSpaceDelete", json!({ "name": "tenant" })).await?.0, "IN_USE");
        let lower = json!({ "name": "tenant", "normalizer": "LOWERCASE" });
        world.act("idSpaceUpdate", "", lower).await?;
        world.settle().await?;
        let found = world
            .ask(
                "{ idSpaces { name externalIdCount } accounts { nodes { externalIds { normalized } } } }",
                json!({}),
            )
            .await?;
        assert_eq!(found["accounts"]["nodes"][0]["externalIds"][0]["normalized"], "abc");
        let numeric = json!({ "name": "tenant", "normalizer": "NUMERIC" });
        assert_eq!(world.refused("idSpaceUpdate", numeric).await?, ("INVALID".into(), "normalizer".into()));
        let input = json!({ "name": "both", "spaces": ["tenant", "salesforce"] });
        let made =
            world.act("externalIdSettingCreate", "externalIdSetting { id spaces { name } }", input).await?;
        assert_eq!(made["externalIdSetting"]["spaces"][0]["name"], "tenant");
        let id = &made["externalIdSetting"]["id"];
        let twice = json!({ "id": id, "spaces": ["tenant", "tenant"] });
        assert_eq!(
            world.refused("externalIdSettingUpdate", twice).await?,
            ("INVALID".into(), "spaces.1".into())
        );
        let other = json!({ "id": id, "spaces": ["salesforce", "tenant"], "expectedVersion": 1 });
        let changed = world.act("externalIdSettingUpdate", "externalIdSetting { version }", other).await?;
        assert_eq!(changed["externalIdSetting"]["version"], 2);
        world.act("externalIdSettingDelete", "deletedExternalIdSettingId", json!({ "id": id })).await?;
    }
    Ok(())
}
