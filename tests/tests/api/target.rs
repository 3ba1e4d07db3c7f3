//! Links switched off and targets put away: the rows wait, and come in when the way is open again.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

async fn reasons(world: &World) -> Result<Vec<String>> {
    let query = "{ unmatchedGroups(where: { status: OPEN }) { nodes { reason waiting } } }";
    let found = world.ask(query, json!({})).await?["unmatchedGroups"]["nodes"].take();
    let line = |group: &Value| format!("{} {}", text(&group["reason"]), text(&group["waiting"]));
    Ok(found.as_array().into_iter().flatten().map(line).collect())
}

#[tokio::test]
async fn what_is_switched_off_or_put_away_lets_rows_wait_and_back_lets_them_in() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let acme = world.account("Acme").await?;
        world.identify(&acme, "a-1").await?;
        let metric = world.metric("seats").await?;
        let (opportunity, inputs) = world.opportunity(&acme, "Renewal", &["Seats"]).await?;
        let link = json!({ "accountId": acme, "metricId": metric, "inputId": inputs[0] });
        let link = world.act("metricLinkCreate", "metricLink { id }", link).await?["metricLink"]["id"].take();
        let stream = world.stream(json!({ "destination": "INPUTS" })).await?;
        world.sync_well(&stream).await?;
        let mut rows = 1;
        let mut wanted = vec!["a-1 seats 1".to_owned()];
        for (away, back, input, reason) in [
            ("metricLinkUpdate", "metricLinkUpdate", json!({ "id": link }), "LINK_DISABLED"),
            ("inputArchive", "inputRestore", json!({ "id": inputs[0] }), "TARGET_GONE"),
            ("opportunityArchive", "opportunityRestore", json!({ "id": opportunity }), "TARGET_GONE"),
            ("accountArchive", "accountRestore", json!({ "id": acme }), "TARGET_GONE"),
        ] {
            let with = |enabled: bool| match away {
                "metricLinkUpdate" => json!({ "id": link, "enabled": enabled }),
                _ => input.clone(),
            };
            world.act(away, "", with(false)).await?;
            world.settle().await?;
            rows += 1;
            let (id, value) = (rows, rows.to_string());
            world.usage(&[(id, "a-1", "seats", &value)]).await?;
            world.sync_well(&stream).await?;
            // The row at the watermark is read again, and waits with the new one.
            assert_eq!(reasons(&world).await?, [format!("{reason} 2")], "{away}");
            assert_eq!(world.measured(&stream).await?, wanted, "{away}");
            world.act(back, "", with(true)).await?;
            world.settle().await?;
            wanted.push(format!("a-1 seats {value}"));
            assert_eq!(world.measured(&stream).await?, wanted, "after {back} nobody need press anything");
            assert!(reasons(&world).await?.is_empty());
        }
    }
    Ok(())
}
