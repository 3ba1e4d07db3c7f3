//! Sources: connections, their check, their tables.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

const CHECK: &str = "check { ok steps { name status problem { kind message action } } }";

fn problem(check: &Value) -> Value {
    let steps = check["check"]["steps"].as_array().cloned().unwrap_or_default();
    steps.into_iter().find(|step| step["status"] == "FAILED").unwrap_or_default()["problem"].take()
}

#[tokio::test]
async fn a_source_is_added_checked_renamed_paused_and_deleted() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let id = world.source("Warehouse").await?;
        let twice = json!({ "name": "Warehouse", "config": { "sqlite": { "path": world.file } } });
        assert_eq!(world.refused("sourceCreate", twice).await?, ("TAKEN".into(), "name".into()));
        let checked = world.act("sourceCheck", CHECK, json!({ "id": id })).await?;
        assert_eq!(checked["check"]["ok"], true, "{checked}");
        let input = json!({ "id": id, "name": "Main", "expectedVersion": 1 });
        let fields = "source { name version kind hasSecret state config { ... on SqliteConfig { path } } }";
        let changed = world.act("sourceUpdate", fields, input.clone()).await?["source"].take();
        assert_eq!((text(&changed["name"]), text(&changed["kind"])), ("Main".into(), "SQLITE".into()));
        assert_eq!((&changed["hasSecret"], &changed["config"]["path"]), (&json!(false), &json!(world.file)));
        assert_eq!(world.refused("sourceUpdate", input).await?.0, "STALE_OBJECT");
        let paused = world.act("sourcePause", "source { state }", json!({ "id": id })).await?;
        assert_eq!(paused["source"]["state"], "PAUSED");
        let made = json!({ "externalIdSettingId": world.setting("IDs").await? });
        let made = world.act("streamCreate", "stream { id }", world.stream_input(&id, made)).await?;
        let start = json!({ "streamId": made["stream"]["id"] });
        assert_eq!(world.refused("syncRunStart", start.clone()).await?.0, "CONFLICT");
        world.act("sourceResume", "", json!({ "id": id })).await?;
        world.act("syncRunStart", "", start).await?;
        world.settle().await?;
        let gone = world.act("sourceDelete", "deletedSourceId", json!({ "id": id })).await?;
        assert_eq!(gone["deletedSourceId"], id);
        let left = "{ sources { totalCount } streams { totalCount } syncRuns { totalCount } }";
        let left = world.ask(left, json!({})).await?;
        assert_eq!(left.to_string().matches(":0").count(), 3, "all that hangs on it is gone: {left}");
    }
    Ok(())
}

#[tokio::test]
async fn a_credential_goes_in_and_never_comes_out() -> Result<()> {
    let authority = systems::authority::Authority::new("Elsewhere")?.pem;
    for world in World::both().await? {
        let config = json!({ "host": "db.example.com", "database": "d", "user": "u", "password": "hunter2" });
        let input = json!({ "name": "P", "config": { "postgres": config } });
        let fields = "source { id hasSecret config { ... on PostgresConfig { host user sslMode } } }";
        let made = world.act("sourceCreate", fields, input).await?;
        assert_eq!(made["source"]["hasSecret"], true);
        let id = &made["source"]["id"];
        let moved = json!({ "host": "elsewhere.example.com", "database": "d", "user": "u" });
        let moved = json!({ "id": id, "config": { "postgres": moved } });
        assert_eq!(
            world.refused("sourceUpdate", moved).await?.0,
            "SECRET_REQUIRED",
            "it goes nowhere unseen"
        );
        for less in [json!({ "sslMode": "DISABLE" }), json!({ "caCertificate": authority })] {
            let mut bare = json!({ "host": "db.example.com", "database": "d", "user": "u" });
            bare.as_object_mut().expect("an object").extend(less.as_object().expect("an object").clone());
            let bare = json!({ "id": id, "config": { "postgres": bare } });
            assert_eq!(world.refused("sourceUpdate", bare).await?.0, "SECRET_REQUIRED", "{less}");
        }
        let kept =
            json!({ "host": "db.example.com", "database": "other", "user": "u", "sslMode": "VERIFY_FULL" });
        let kept = json!({ "id": id, "config": { "postgres": kept } });
        assert_eq!(world.act("sourceUpdate", fields, kept).await?["source"]["hasSecret"], true);
        let cleared = json!({ "host": "db.example.com", "database": "d", "user": "u", "password": null });
        let cleared = json!({ "id": id, "config": { "postgres": cleared } });
        assert_eq!(world.act("sourceUpdate", fields, cleared).await?["source"]["hasSecret"], false);
        let all =
            "{ sources { nodes { name config { __typename } } } auditEvents { nodes { action detail } } }";
        let shown = world.ask(all, json!({})).await?.to_string();
        assert!(!shown.contains("hunter2") && shown.contains("source.create"), "{shown}");
    }
    Ok(())
}

#[tokio::test]
async fn what_keeps_a_source_from_being_read_is_said() -> Result<()> {
    for world in World::both().await? {
        let postgres = |host: &str, port: u16| {
            json!({ "config": { "postgres": {
                "host": host, "port": port, "database": "d", "user": "u", "password": "hunter2",
            } } })
        };
        for (input, kind) in [
            (postgres("127.0.0.1", 5432), "CONFIG"),
            (postgres("169.254.169.254", 80), "CONFIG"),
            (postgres("nowhere.invalid", 5432), "UNAVAILABLE"),
            (json!({ "config": { "sqlite": { "path": "/etc/passwd" } } }), "CONFIG"),
            (json!({ "config": { "sqlite": { "path": format!("{}.none", world.file) } } }), "NOT_FOUND"),
        ] {
            let checked = world.act_as(&world.ours.token, "sourceCheck", CHECK, input.clone()).await?;
            let problem = problem(&checked);
            assert_eq!(
                (&checked["check"]["ok"], text(&problem["kind"])),
                (&json!(false), kind.into()),
                "{input}: {checked}"
            );
            assert!(problem["message"].is_string() && !checked.to_string().contains("hunter2"), "{checked}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn tables_are_listed_and_a_mapping_is_proposed() -> Result<()> {
    let tables = "query($id: ID!, $search: String) { sourceTables(sourceId: $id, search: $search) {
        tables { ref { name } kind } truncated problem { kind } } }";
    let table = "query($id: ID!, $name: String!) { sourceTable(sourceId: $id, table: { name: $name }) {
        columns { name type nullable cursorKind key }
        suggestion { shape mapping { account metric value metrics measuredAt zone } cursorColumn cursorKind rowKey }
        problem { kind message } } }";
    for world in World::both().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        world.warehouse("CREATE TABLE weekly (customer TEXT NOT NULL, week DATE NOT NULL, seats INTEGER, nps REAL, PRIMARY KEY (customer, week)); CREATE VIEW latest AS SELECT * FROM usage").await?;
        let id = world.source("Warehouse").await?;
        let found = world.ask(tables, json!({ "id": id })).await?["sourceTables"].take();
        assert_eq!((found["tables"].as_array().map(Vec::len), &found["truncated"]), (Some(3), &json!(false)));
        let found = world.ask(tables, json!({ "id": id, "search": "LAT" })).await?["sourceTables"].take();
        assert_eq!(found["tables"], json!([{ "ref": { "name": "latest" }, "kind": "VIEW" }]));
        let long = world.ask(table, json!({ "id": id, "name": "usage" })).await?["sourceTable"].take();
        assert_eq!(
            long["suggestion"],
            json!({
                "shape": "LONG",
                "mapping": { "account": "account_id", "metric": "metric", "value": "value", "metrics": [],
                    "measuredAt": "measured_at", "zone": "UTC" },
                "cursorColumn": "updated_at", "cursorKind": "NAIVE", "rowKey": ["id"],
            }),
            "{long}"
        );
        let wide = world.ask(table, json!({ "id": id, "name": "weekly" })).await?["sourceTable"].take();
        let suggestion = &wide["suggestion"];
        assert_eq!(
            (&suggestion["shape"], &suggestion["mapping"]["metrics"]),
            (&json!("WIDE"), &json!(["seats", "nps"]))
        );
        assert_eq!(suggestion["rowKey"], json!(["customer", "week"]));
        let none = world.ask(table, json!({ "id": id, "name": "usages" })).await?["sourceTable"].take();
        assert_eq!((text(&none["problem"]["kind"]), &none["columns"]), ("NOT_FOUND".into(), &json!([])));
    }
    Ok(())
}
