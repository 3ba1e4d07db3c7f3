//! Accounts.

use anyhow::Result;
use serde_json::json;

use crate::world::{World, text};

impl World {
    /// Adds an account, and gives its ID.
    pub async fn account(&self, name: &str) -> Result<String> {
        let made = self.act("accountCreate", "account { id }", json!({ "name": name })).await?;
        Ok(text(&made["account"]["id"]))
    }
}

#[tokio::test]
async fn an_account_is_added_changed_archived_and_brought_back() -> Result<()> {
    for world in World::both().await? {
        let input = json!({
            "name": " Acme ",
            "domain": "acme.com",
            "externalIds": [{ "space": "salesforce", "value": "001A0000006Vm9r" }],
        });
        let fields = "account { id name domain version externalIds { space value normalized } }";
        let made = world.act("accountCreate", fields, input).await?["account"].take();
        assert_eq!((text(&made["name"]), made["version"].as_i64()), ("Acme".to_owned(), Some(1)));
        assert_eq!(made["externalIds"][0]["normalized"], "001A0000006Vm9rIAC");
        let id = &made["id"];
        let input = json!({ "id": id, "domain": null, "expectedVersion": 1 });
        let changed = world.act("accountUpdate", "account { name domain version }", input.clone()).await?;
        assert_eq!(changed["account"], json!({ "name": "Acme", "domain": null, "version": 2 }));
        let stale = world.refused("accountUpdate", input).await?;
        assert_eq!(stale, ("STALE_OBJECT".to_owned(), "expectedVersion".to_owned()));
        let archived = world.act("accountArchive", "account { archivedAt }", json!({ "id": id })).await?;
        assert!(archived["account"]["archivedAt"].is_string());
        let list = "query($archived: Boolean) { accounts(where: { archived: $archived }) { totalCount nodes { id } } }";
        assert_eq!(world.ask(list, json!({})).await?["accounts"]["totalCount"], 0);
        assert_eq!(world.ask(list, json!({ "archived": true })).await?["accounts"]["nodes"][0]["id"], *id);
        world.act("accountRestore", "", json!({ "id": id })).await?;
        assert_eq!(world.ask(list, json!({})).await?["accounts"]["totalCount"], 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_account_is_found_by_parts_of_its_name_and_ids() -> Result<()> {
    let list = "query($search: String) { accounts(where: { search: $search }) { nodes { name } } }";
    let by_id =
        "query($value: String!) { accountByExternalId(space: \"salesforce\", value: $value) { name } }";
    for world in World::both().await? {
        let acme = world.account("Acme 100%").await?;
        world.account("Globex").await?;
        let input = json!({ "accountId": acme, "space": "salesforce", "value": "001A0000006Vm9rIAC" });
        world.act("externalIdCreate", "", input).await?;
        for (search, found) in [("ACME", 1), ("0%", 1), ("0_", 0), ("vm9r", 1), ("e", 2), ("x\\", 0)] {
            let names = world.ask(list, json!({ "search": search })).await?["accounts"]["nodes"].take();
            assert_eq!(names.as_array().map(Vec::len), Some(found), "{search}: {names}");
        }
        for value in ["001A0000006Vm9r", "001A0000006Vm9rIAC", "001a0000006vm9riac"] {
            let found = world.ask(by_id, json!({ "value": value })).await?;
            assert_eq!(found["accountByExternalId"]["name"], "Acme 100%", "{value}");
        }
        assert!(
            world.ask(by_id, json!({ "value": "001A0000006Vm9s" })).await?["accountByExternalId"].is_null()
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said_at_its_field() -> Result<()> {
    for world in World::both().await? {
        let wrong = [
            (json!({ "name": " " }), "REQUIRED", "name"),
            (json!({ "name": "x".repeat(201) }), "INVALID", "name"),
            (json!({ "name": "a\nb" }), "INVALID", "name"),
            (
                json!({ "name": "Acme", "externalIds": [{ "space": "nowhere", "value": "1" }] }),
                "NOT_FOUND",
                "externalIds.0.space",
            ),
            (
                json!({ "name": "Acme", "externalIds": [
                    { "space": "hubspot", "value": "1" },
                    { "space": "hubspot", "value": "one" },
                ] }),
                "INVALID",
                "externalIds.1.value",
            ),
        ];
        for (input, code, field) in wrong {
            let told = world.refused("accountCreate", input.clone()).await?;
            assert_eq!(told, (code.to_owned(), field.to_owned()), "{input}");
        }
        let count = "{ accounts { totalCount } }";
        assert_eq!(
            world.ask(count, json!({})).await?["accounts"]["totalCount"],
            0,
            "a refusal leaves nothing"
        );
    }
    Ok(())
}
