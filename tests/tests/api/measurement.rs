//! Measurements: pages, ranges, charts, and values typed by a person.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

async fn series(world: &World, count: i64) -> Result<(String, String)> {
    let rows: Vec<(i64, String)> = (1..=count).map(|id| (id, format!("{id}.5"))).collect();
    let rows: Vec<(i64, &str, &str, &str)> =
        rows.iter().map(|(id, value)| (*id, "a-1", "seats", value.as_str())).collect();
    world.usage(&rows).await?;
    world.identify(&world.account("Acme").await?, "a-1").await?;
    let stream = world.stream(json!({})).await?;
    world.sync_well(&stream).await?;
    let found = world.ask("{ seriesList { nodes { id } } }", json!({})).await?;
    Ok((text(&found["seriesList"]["nodes"][0]["id"]), stream))
}

#[tokio::test]
async fn measurements_come_in_pages_in_both_directions() -> Result<()> {
    let query = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        measurements(seriesId: $id, first: $first, after: $after, last: $last, before: $before) {
            totalCount nodes { value } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    for world in World::both().await? {
        let (id, _) = series(&world, 7).await?;
        for (size, edge, cursor, more) in [
            ("first", "after", "endCursor", "hasNextPage"),
            ("last", "before", "startCursor", "hasPreviousPage"),
        ] {
            let mut values = Vec::new();
            let mut place = Value::Null;
            loop {
                let variables = json!({ "id": id, size: 3, edge: place });
                let page = world.ask(query, variables).await?["measurements"].take();
                assert_eq!(page["totalCount"], 7);
                let nodes = page["nodes"].as_array().into_iter().flatten().map(|node| text(&node["value"]));
                let nodes: Vec<String> = nodes.collect();
                values = if size == "first" { [values, nodes].concat() } else { [nodes, values].concat() };
                if page["pageInfo"][more] == false {
                    break;
                }
                place = page["pageInfo"][cursor].clone();
            }
            assert_eq!(values, ["1.5", "2.5", "3.5", "4.5", "5.5", "6.5", "7.5"], "{size}");
        }
        let span = "query($id: ID!) { measurements(seriesId: $id, since: \"2025-12-01T02:00:00Z\", until: \"2025-12-01T04:00:00Z\") {
            nodes { value measuredAt run { number } rowKey typed } } }";
        let found = world.ask(span, json!({ "id": id })).await?["measurements"]["nodes"].take();
        assert_eq!(found.as_array().map(Vec::len), Some(2), "from, and up to but not at: {found}");
        assert_eq!((text(&found[0]["value"]), text(&found[0]["rowKey"])), ("2.5".into(), "2".into()));
        let chart = "query($id: ID!) { series(id: $id) { latest { value } chart(points: 3) { value } externalAccount account { name } } }";
        let seen = world.ask(chart, json!({ "id": id })).await?["series"].take();
        assert_eq!(
            (text(&seen["latest"]["value"]), text(&seen["account"]["name"])),
            ("7.5".into(), "Acme".into())
        );
        assert!(seen["chart"].as_array().is_some_and(|points| (2..=3).contains(&points.len())), "{seen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_typed_value_stands_against_the_source() -> Result<()> {
    let query = "query($id: ID!) { measurements(seriesId: $id) { nodes { value typed period
        revisions { value reason typed run { number } } } } }";
    for world in World::both().await? {
        let (id, stream) = series(&world, 1).await?;
        let value = "0.1234567890123456789012345678901234567";
        let input = json!({ "seriesId": id, "measuredAt": "2025-12-01T01:00:00Z", "value": value });
        let set = world.act("measurementSet", "measurement { value typed }", input).await?;
        assert_eq!(set["measurement"], json!({ "value": value, "typed": true }));
        world.warehouse("UPDATE usage SET value = '9', updated_at = '2025-12-02 00:00:00'").await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(run["tally"]["superseded"], "1", "{run}");
        let seen = world.ask(query, json!({ "id": id })).await?["measurements"]["nodes"].take();
        assert_eq!(
            (text(&seen[0]["value"]), &seen[0]["typed"]),
            (value.into(), &json!(true)),
            "no digit is lost"
        );
        let mut reasons: Vec<String> = seen[0]["revisions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|old| format!("{} {}", text(&old["reason"]), text(&old["value"])))
            .collect();
        reasons.sort();
        assert_eq!(reasons, ["CONFLICT 9", "REPLACED 1.5"]);
        for value in ["NaN", "one", ""] {
            let input = json!({ "seriesId": id, "measuredAt": "2025-12-01T01:00:00Z", "value": value });
            let query = "mutation($input: MeasurementSetInput!) { measurementSet(input: $input) { userErrors { code } } }";
            let answer = world.send(&world.ours.token, query, json!({ "input": input })).await?;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{value}: {}", answer.text);
        }
    }
    Ok(())
}
