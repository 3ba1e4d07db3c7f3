//! Mappings that lead into JSON columns: what is refused, what is offered, and a real PostgreSQL read by them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use server::auth::Permission;
use tests::postgres;

use crate::world::{World, text};

const MAPPING: &str = "account accountPath metric metricPath value valuePath measuredAt measuredAtPath zone period \
    periodPath product productPath metrics nestedMetrics { column path }";

/// A mapping whose roles all stand in the column `payload`.
fn inside() -> Value {
    json!({
        "account": "payload", "accountPath": "who.id", "metric": "payload", "metricPath": "what[0]",
        "value": "payload", "valuePath": "\"the value\"", "measuredAt": "payload", "measuredAtPath": "at", "zone": "UTC",
    })
}

fn with(mut mapping: Value, other: Value) -> Value {
    for (name, value) in other.as_object().into_iter().flatten() {
        mapping[name] = value.clone();
    }
    mapping
}

fn payload(account: &str, value: &str, hour: u32) -> String {
    format!(
        r#"{{"who": {{"id": "{account}"}}, "what": ["seats"], "the value": {value}, "at": "2025-12-01T{hour:02}:00:00Z"}}"#
    )
}

impl World {
    /// Makes the table `events` with these documents.
    async fn events(&self, payloads: &[String]) -> Result<()> {
        self.warehouse(
            "CREATE TABLE events (id INTEGER PRIMARY KEY, payload JSON, note TEXT, n INTEGER, \
             updated_at DATETIME NOT NULL)",
        )
        .await?;
        for (id, payload) in payloads.iter().enumerate() {
            self.warehouse(&format!(
                "INSERT INTO events VALUES ({id}, '{payload}', NULL, 1, '2025-12-01 00:00:{id:02}')"
            ))
            .await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_path_is_refused_at_its_field_with_the_place_of_its_mistake() -> Result<()> {
    for world in World::both().await? {
        world.events(&[]).await?;
        let source = world.source("Warehouse").await?;
        let wide = json!({ "account": "note", "measuredAt": "note", "zone": "UTC", "metrics": [] });
        let nested = |metrics: Value| with(wide.clone(), json!({ "nestedMetrics": metrics }));
        let seats = json!({ "column": "payload", "path": "u.seats" });
        for (shape, other, field, words) in [
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "valuePath": "$.v" })) }),
                "mapping.valuePath",
                "\"$.v\" is wrong at character 1",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "accountPath": "who..id" })) }),
                "mapping.accountPath",
                "at character 5",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "measuredAtPath": "at[" })) }),
                "mapping.measuredAtPath",
                "wrong at its end",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "metricPath": "" })) }),
                "mapping.metricPath",
                "leave it out to take the whole column",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "account": "n" })) }),
                "mapping.accountPath",
                "column \"n\" is INTEGER, which holds no JSON",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "account": "payload.who" })) }),
                "mapping.account",
                "name the column \"payload\" here, and the path into it in `accountPath`",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "valuePath": null })) }),
                "mapping.value",
                "a path to one in its JSON",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "measuredAtPath": null })) }),
                "mapping.measuredAt",
                "a path to one in its JSON",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "zone": null })) }),
                "mapping.zone",
                "carries no zone",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "periodPath": "p" })) }),
                "mapping.periodPath",
                "a path needs the column",
            ),
            (
                "LONG",
                json!({ "mapping": with(inside(), json!({ "nestedMetrics": [seats] })) }),
                "mapping.nestedMetrics",
                "leave this empty",
            ),
            ("WIDE", json!({ "mapping": wide }), "mapping.metrics", "at least one"),
            (
                "WIDE",
                json!({ "mapping": nested(json!([seats, { "column": "n", "path": "a" }])) }),
                "mapping.nestedMetrics.1.path",
                "holds no JSON",
            ),
            (
                "WIDE",
                json!({ "mapping": nested(json!([{ "column": "gone", "path": "a" }])) }),
                "mapping.nestedMetrics.0.column",
                "has no column \"gone\"",
            ),
            (
                "WIDE",
                json!({ "mapping": nested(json!([seats, { "column": "payload", "path": "u.\"seats\"" }])) }),
                "mapping.nestedMetrics.1",
                "two metrics would have the name \"payload.u.seats\"",
            ),
            (
                "LONG",
                json!({ "mapping": inside(), "cursor": { "column": "payload.at", "kind": "ZONED" } }),
                "cursor.column",
                "cursor and row key are whole columns",
            ),
            (
                "LONG",
                json!({ "mapping": inside(), "cursor": { "column": "payload", "kind": "ZONED" } }),
                "cursor.column",
                "cursor and row key are whole columns",
            ),
            (
                "LONG",
                json!({ "mapping": inside(), "rowKey": ["payload.id"] }),
                "rowKey.0",
                "cursor and row key are whole columns",
            ),
        ] {
            let other = with(json!({ "table": { "name": "events" }, "shape": shape }), other);
            let input = world.stream_input(&source, other);
            let told =
                world.act_as(&world.ours.token, "streamCreate", "", input).await?["userErrors"][0].take();
            let path = told["field"].as_array().context("a refusal")?;
            let path: Vec<String> = path.iter().skip(1).map(text).collect();
            assert_eq!(path.join("."), field, "{told}");
            assert!(text(&told["message"]).contains(words), "{told}");
        }
        let input = world.stream_input(
            &source,
            json!({ "table": { "name": "events" }, "shape": "WIDE", "mapping": nested(json!([seats])) }),
        );
        let made = world.act("streamCreate", &format!("stream {{ mapping {{ {MAPPING} }} }}"), input).await?;
        let mapping = &made["stream"]["mapping"];
        assert_eq!((&mapping["nestedMetrics"], &mapping["metrics"]), (&json!([seats]), &json!([])));
        assert_eq!(mapping["accountPath"], Value::Null);
    }
    Ok(())
}

#[tokio::test]
async fn the_places_inside_a_column_are_told_with_an_example_and_a_preview_takes_them() -> Result<()> {
    let places = "query($source: ID!, $column: String!) { sourceColumnPaths(sourceId: $source, table: { name: \
        \"events\" }, column: $column) { paths { path example } truncated problem { kind message } } }";
    let look = "query($input: StreamPreviewInput!) { streamPreview(input: $input) { rows { rowKey
        rejection { reason column raw message } readings { externalAccount externalMetric value measuredAt } }
        userErrors { field message } problem { kind } } }";
    for world in World::both().await? {
        world.events(&[payload("a-1", "12345678901234567890.10", 1), payload("a-1", "{}", 2)]).await?;
        let source = world.source("Warehouse").await?;
        let ask = json!({ "source": source, "column": "payload" });
        let told = world.ask(places, ask.clone()).await?["sourceColumnPaths"].take();
        let listed = json!([
            { "path": "at", "example": "2025-12-01T01:00:00Z" },
            { "path": "\"the value\"", "example": "12345678901234567890.10" },
            { "path": "what[0]", "example": "seats" },
            { "path": "who.id", "example": "a-1" },
        ]);
        assert_eq!(told, json!({ "paths": listed, "truncated": false, "problem": null }));
        let told = world.ask(places, json!({ "source": source, "column": "note" })).await?;
        assert_eq!(told["sourceColumnPaths"]["paths"], json!([]), "a column without documents");
        let told = world.ask(places, json!({ "source": source, "column": "gone" })).await?;
        assert!(told["sourceColumnPaths"]["problem"]["kind"].is_string(), "{told}");
        for permission in [Permission::SourcesRead, Permission::AccountsRead] {
            let token = world.token([permission]).await?;
            assert_eq!(world.code(&token, places, ask.clone()).await?, "FORBIDDEN");
        }
        assert_eq!(world.code(&world.theirs.token, places, ask).await?, "NOT_FOUND");

        let mut draft =
            world.stream_input(&source, json!({ "table": { "name": "events" }, "mapping": inside() }));
        draft["destination"] = json!("USAGE");
        for name in ["name", "schedule"] {
            draft.as_object_mut().and_then(|draft| draft.remove(name));
        }
        let seen = world.ask(look, json!({ "input": { "draft": draft } })).await?["streamPreview"].take();
        assert_eq!(seen["userErrors"], json!([]), "{seen}");
        let reading = json!({ "externalAccount": "a-1", "externalMetric": "seats",
            "value": "12345678901234567890.1", "measuredAt": "2025-12-01T01:00:00Z" });
        let row = |key: &str| {
            let rows = seen["rows"].as_array().cloned().unwrap_or_default();
            rows.into_iter().find(|row| row["rowKey"] == key).unwrap_or_default()
        };
        assert_eq!(row("0")["readings"][0]["value"], reading["value"], "{seen}");
        assert_eq!(row("0")["readings"][0]["externalAccount"], reading["externalAccount"]);
        let rejection = row("1")["rejection"].clone();
        assert_eq!(text(&rejection["reason"]), "NOT_SCALAR", "{rejection}");
        assert_eq!(text(&rejection["column"]), "payload.\"the value\"");
        assert_eq!(text(&rejection["raw"]), "{}");
    }
    Ok(())
}

#[tokio::test]
async fn a_real_postgresql_is_read_by_paths_compared_and_diagnosed() -> Result<()> {
    for world in World::reaching().await? {
        let warehouse = postgres::Database::empty().await?;
        let values = ["1.10000000000000000001", "99999999999999999999999999999999999999", "null", "[1]"];
        let rows: Vec<String> = (1_u32..)
            .zip(values)
            .map(|(id, value)| format!("({id}, '{}', '2025-12-01T00:00:0{id}Z')", payload("a-1", value, id)))
            .collect();
        let filled = format!(
            "CREATE TABLE events (id int8 PRIMARY KEY, payload jsonb, updated_at timestamptz NOT NULL); \
             INSERT INTO events VALUES {}",
            rows.join(", ")
        );
        warehouse.run(&filled).await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let server = &warehouse.server;
        let config = json!({ "postgres": {
            "host": "127.0.0.1", "port": server.port, "database": warehouse.name, "user": server.user,
            "password": server.password, "sslMode": "DISABLE",
        } });
        let made =
            world.act("sourceCreate", "source { id }", json!({ "name": "Real", "config": config })).await?;
        let input = world.stream_input(
            &text(&made["source"]["id"]),
            json!({
                "table": { "schema": "public", "name": "events" }, "mapping": inside(),
                "cursor": { "column": "updated_at", "kind": "ZONED", "lookback": "0" },
                "externalIdSettingId": world.setting("IDs").await?,
            }),
        );
        let made =
            world.act("streamCreate", &format!("stream {{ id mapping {{ {MAPPING} }} }}"), input).await?;
        let stream = text(&made["stream"]["id"]);
        for (role, value) in inside().as_object().into_iter().flatten() {
            assert_eq!(&made["stream"]["mapping"][role], value, "{role}");
        }
        let tally = world.sync_well(&stream).await?["tally"].take();
        let told = ["rowsRead", "written", "nullCells", "rowsRejected"].map(|name| text(&tally[name]));
        assert_eq!(told, ["4", "2", "1", "1"], "{tally}");
        let measured =
            ["a-1 seats 1.10000000000000000001", "a-1 seats 99999999999999999999999999999999999999"];
        assert_eq!(world.measured(&stream).await?, measured);

        // A value changed inside its document, under its old cursor, is found by comparing.
        let one = "UPDATE events SET payload = jsonb_set(payload, '{the value}', '7.5') WHERE id = 1";
        warehouse.run(one).await?;
        assert_eq!(world.sync_well(&stream).await?["tally"]["rowsRead"], "1", "no run sees it");
        world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
        let told = crate::reconcile::ended(&world, &stream, 1).await?;
        assert_eq!(
            [&told["sliceCount"], &told["differingCount"], &told["written"], &told["error"]],
            [&json!("1"), &json!("1"), &json!("1"), &Value::Null],
            "{told}"
        );
        assert_eq!(told["slices"][0]["rest"], json!({ "readings": "0", "closed": true }));
        assert_eq!(world.measured(&stream).await?[0], "a-1 seats 7.5");

        let diagnosis = "query($id: ID!) { streamDiagnosis(id: $id) { sampledIds idSpaces { space known }
            problem { message } } }";
        let told = world.ask(diagnosis, json!({ "id": stream })).await?["streamDiagnosis"].take();
        assert_eq!((&told["sampledIds"], &told["problem"]), (&json!(1), &Value::Null), "{told}");
        let spaces = told["idSpaces"].as_array().context("spaces")?;
        assert!(spaces.contains(&json!({ "space": "account_id", "known": 1 })), "{told}");
    }
    Ok(())
}
