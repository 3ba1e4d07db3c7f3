//! Opportunities and inputs.

use anyhow::Result;
use serde_json::json;

use crate::world::{World, text};

impl World {
    /// Adds an opportunity with inputs of series, and gives its ID and theirs.
    pub async fn opportunity(
        &self,
        account: &str,
        name: &str,
        inputs: &[&str],
    ) -> Result<(String, Vec<String>)> {
        let input = json!({ "accountId": account, "name": name });
        let made = self.act("opportunityCreate", "opportunity { id }", input).await?;
        let id = text(&made["opportunity"]["id"]);
        let mut ids = Vec::new();
        for name in inputs {
            let input = json!({ "opportunityId": id, "name": name });
            let made = self.act("inputCreate", "input { id }", input).await?;
            ids.push(text(&made["input"]["id"]));
        }
        Ok((id, ids))
    }
}

#[tokio::test]
async fn opportunities_hold_constants_and_series() -> Result<()> {
    for world in World::both().await? {
        let acme = world.account("Acme").await?;
        let (id, inputs) = world.opportunity(&acme, "Renewal", &["Seats"]).await?;
        let value = "12345678901234567890123456789012345678.1234567890123456789012345678901234567";
        let input =
            json!({ "opportunityId": id, "name": "Price", "kind": "CONSTANT", "constantValue": value });
        world.act("inputCreate", "", input).await?;
        let query = "query($id: ID!) { opportunity(id: $id) { name inputs { name kind constantValue series { id } metricLink { id } } account { name } } }";
        let found = world.ask(query, json!({ "id": id })).await?["opportunity"].take();
        assert_eq!(found["inputs"][0]["constantValue"], value, "no digit is lost");
        assert_eq!(
            (text(&found["inputs"][1]["name"]), text(&found["account"]["name"])),
            ("Seats".into(), "Acme".into())
        );
        for (input, code, field) in [
            (json!({ "opportunityId": id, "name": "Seats" }), "TAKEN", "name"),
            (json!({ "opportunityId": id, "name": "x", "kind": "CONSTANT" }), "REQUIRED", "constantValue"),
            (json!({ "opportunityId": id, "name": "x", "constantValue": "1" }), "INVALID", "constantValue"),
        ] {
            assert_eq!(world.refused("inputCreate", input).await?, (code.into(), field.into()));
        }
        let input = json!({ "id": inputs[0], "name": "Users", "unit": "people" });
        let changed = world.act("inputUpdate", "input { name unit version }", input).await?;
        assert_eq!(changed["input"], json!({ "name": "Users", "unit": "people", "version": 2 }));
        for act in ["inputArchive", "inputRestore"] {
            world.act(act, "input { archivedAt }", json!({ "id": inputs[0] })).await?;
        }
        let named = json!({ "id": id, "externalId": "006-1" });
        world.act("opportunityUpdate", "opportunity { externalId }", named).await?;
        let again = json!({ "accountId": acme, "name": "Other", "externalId": "006-1" });
        assert_eq!(world.refused("opportunityCreate", again).await?, ("TAKEN".into(), "externalId".into()));
        world.act("opportunityArchive", "", json!({ "id": id })).await?;
        let list = "{ opportunities { totalCount } accounts { nodes { opportunities { totalCount nodes { id } } } } }";
        let found = world.ask(list, json!({})).await?;
        assert_eq!(found["opportunities"]["totalCount"], 0);
        assert_eq!(found["accounts"]["nodes"][0]["opportunities"]["totalCount"], 1, "an account shows all");
        world.act("opportunityRestore", "", json!({ "id": id })).await?;
    }
    Ok(())
}
