//! Lists ask the database as often for many rows as for few, whatever hangs on the rows.

use anyhow::Result;
use serde_json::json;

use crate::shape::{Kind, Schema, Slot};
use crate::world::World;

/// Lists that other tests see to: what they hold is made only by people who sign in.
const ELSEWHERE: &[&str] = &["memberships"];

/// Adds what lists hold: some of each, none of them with the parents of another.
async fn grow(world: &World, from: i64, to: i64) -> Result<()> {
    for count in from..to {
        let account = world.account(&format!("Account {count}")).await?;
        world.identify(&account, &format!("a-{count}")).await?;
        let metric = world.metric(&format!("m-{count}")).await?;
        let (_, inputs) = world.opportunity(&account, &format!("Case {count}"), &["Seats"]).await?;
        let link = json!({ "accountId": account, "metricId": metric, "inputId": inputs[0] });
        world.act("metricLinkCreate", "", link).await?;
        let (known, unknown) = (format!("a-{count}"), format!("b-{count}"));
        let metric = format!("m-{count}");
        world
            .usage(&[
                (count * 10, &known, &metric, "1"),
                (count * 10 + 1, &unknown, &metric, "1"),
                (count * 10 + 2, &known, &metric, "x"),
            ])
            .await?;
        let rule = json!({ "externalAccount": format!("c-{count}"), "reason": "none" });
        world.act("ignoreRuleCreate", "", rule).await?;
        let token = json!({ "name": format!("Token {count}"), "scopes": ["ACCOUNTS_READ"] });
        world.act("apiTokenCreate", "", token).await?;
        let stream = world.stream(json!({ "name": format!("Stream {count}") })).await?;
        world.sync_well(&stream).await?;
    }
    world.settle().await
}

/// One query of a list for each relation of its rows.
fn queries(schema: &Schema, list: &Slot) -> Vec<String> {
    let node = schema.fields(&list.kind.name).into_iter().find(|field| field.name == "nodes");
    let node = node.map_or_else(|| panic!("{} has nodes", list.name), |field| field.kind);
    let inside = |kind: &Kind| match kind.name.ends_with("Connection") {
        true => "(first: 2) { totalCount nodes { __typename } }".to_owned(),
        false => schema.plain(kind),
    };
    let ask = |field: &Slot| {
        format!("{{ {}(first: 12) {{ nodes {{ {}{} }} }} }}", list.name, field.name, inside(&field.kind))
    };
    let fields = schema.fields(&node.name);
    fields.iter().filter(|field| !field.arguments.iter().any(|slot| slot.required)).map(ask).collect()
}

#[tokio::test]
async fn no_list_sends_more_statements_for_more_rows() -> Result<()> {
    for mut world in World::both().await? {
        let schema = Schema::read(&world).await?;
        let lists: Vec<Slot> = schema
            .fields("Query")
            .into_iter()
            .filter(|field| {
                field.kind.name.ends_with("Connection") && !ELSEWHERE.contains(&field.name.as_str())
            })
            .filter(|field| !field.arguments.iter().any(|slot| slot.required))
            .collect();
        let mut counts = Vec::new();
        for (from, to) in [(1, 3), (3, 9)] {
            grow(&world, from, to).await?;
            world.rest().await;
            let mut sent = Vec::new();
            for query in lists.iter().flat_map(|list| queries(&schema, list)) {
                let before = world.site.app.db.statements();
                let data = world.ask(&query, json!({})).await?;
                let rows =
                    data.as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default();
                let rows = rows["nodes"].as_array().map_or(0, Vec::len);
                sent.push((query, rows, world.site.app.db.statements() - before));
            }
            world.work();
            counts.push(sent);
        }
        for ((query, few, before), (_, many, after)) in counts[0].iter().zip(&counts[1]) {
            assert!(*few > 0 && (many > few || *many == 12), "{query} found {few}, then {many}");
            assert!(after <= before, "{before} statements for {few} rows, {after} for {many}: {query}");
        }
        assert!(counts[0].len() > 60, "{} queries", counts[0].len());
    }
    Ok(())
}
