//! Metrics and metric links.

use anyhow::Result;
use serde_json::json;

use crate::world::{World, text};

impl World {
    /// Adds a metric, and gives its ID.
    pub async fn metric(&self, name: &str) -> Result<String> {
        let made = self.act("metricCreate", "metric { id }", json!({ "externalId": name })).await?;
        Ok(text(&made["metric"]["id"]))
    }
}

#[tokio::test]
async fn a_link_joins_a_metric_of_an_account_to_one_input() -> Result<()> {
    for world in World::both().await? {
        let (acme, globex) = (world.account("Acme").await?, world.account("Globex").await?);
        let (seats, calls) = (world.metric("seats").await?, world.metric("calls").await?);
        let (_, inputs) = world.opportunity(&acme, "Renewal", &["Seats", "Calls"]).await?;
        let (_, others) = world.opportunity(&globex, "New", &["Seats"]).await?;
        let link = |account: &str, metric: &str, input: &str| json!({ "accountId": account, "metricId": metric, "inputId": input });
        let fields =
            "metricLink { id enabled account { name } metric { externalId } input { name } version }";
        let made =
            world.act("metricLinkCreate", fields, link(&acme, &seats, &inputs[0])).await?["metricLink"]
                .take();
        assert_eq!((&made["enabled"], &made["metric"]["externalId"]), (&json!(true), &json!("seats")));
        for (input, code, field) in [
            (link(&acme, &seats, &inputs[1]), "TAKEN", "metricId"),
            (link(&acme, &calls, &inputs[0]), "TAKEN", "inputId"),
            (link(&acme, &calls, &others[0]), "INVALID", "inputId"),
        ] {
            assert_eq!(
                world.refused("metricLinkCreate", input.clone()).await?,
                (code.into(), field.into()),
                "{input}"
            );
        }
        let input = json!({ "id": made["id"], "inputId": inputs[1], "enabled": false, "expectedVersion": 1 });
        let changed = world.act("metricLinkUpdate", fields, input).await?["metricLink"].take();
        assert_eq!(
            (changed["enabled"].as_bool(), text(&changed["input"]["name"])),
            (Some(false), "Calls".into())
        );
        for (filter, count) in [
            (json!({ "accountId": acme }), 1),
            (json!({ "accountId": globex }), 0),
            (json!({ "search": "CALL" }), 1),
            (json!({ "search": "acm" }), 1),
            (json!({ "search": "nothing" }), 0),
            (json!({ "enabled": true }), 0),
            (json!({ "metricId": seats, "enabled": false }), 1),
        ] {
            let list =
                "query($where: MetricLinkWhere) { metricLinks(where: $where) { totalCount nodes { id } } }";
            let found = world.ask(list, json!({ "where": filter })).await?;
            assert_eq!(found["metricLinks"]["totalCount"], count, "{filter}");
            assert_eq!(found["metricLinks"]["nodes"].as_array().map(Vec::len), Some(count), "{filter}");
        }
        world.act("metricLinkDelete", "deletedMetricLinkId", json!({ "id": made["id"] })).await?;
        world.act("metricLinkCreate", "", link(&acme, &seats, &inputs[0])).await?;
        let input = json!({ "id": seats, "name": "Seats in use", "unit": "seats" });
        let named = world.act("metricUpdate", "metric { name unit externalId }", input).await?;
        assert_eq!(named["metric"]["externalId"], "seats");
    }
    Ok(())
}
