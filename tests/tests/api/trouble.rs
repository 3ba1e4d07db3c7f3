//! A real PostgreSQL source that is not well: each trouble ends the run in plain words, and the next good run heals.

use anyhow::Result;
use serde_json::{Value, json};
use tests::log::Log;
use tests::postgres;

use crate::world::{World, text};

const RIGHT: &str = "the-right-password-7";
const WRONG: &str = "the-wrong-password-8";

/// Someone else's database, with a user who may read one view.
struct Warehouse {
    database: postgres::Database,
    user: String,
}

impl Warehouse {
    async fn new() -> Result<Self> {
        let database = postgres::Database::empty().await?;
        let user = format!("reader_{}", database.name);
        // This statement is logged too, and is no leak: there it does not look like the password.
        let password = RIGHT.replace('-', "\\x2d");
        database
            .run(&format!(
                "CREATE TABLE usage (id BIGINT PRIMARY KEY, account_id TEXT, metric TEXT, value NUMERIC, \
                 measured_at TIMESTAMPTZ, updated_at TIMESTAMPTZ NOT NULL); \
                 CREATE TABLE rate (factor NUMERIC); INSERT INTO rate VALUES (1); \
                 CREATE VIEW seen AS SELECT id, account_id, metric, value / (SELECT factor FROM rate) AS value, \
                 measured_at, updated_at FROM usage; \
                 CREATE ROLE {user} LOGIN PASSWORD E'{password}'; GRANT SELECT ON seen TO {user}"
            ))
            .await?;
        Ok(Self { database, user })
    }

    async fn add(&self, id: i64) -> Result<()> {
        let of = format!("TIMESTAMPTZ '2025-12-01 00:00Z' + INTERVAL '{id} seconds'");
        self.database.run(&format!("INSERT INTO usage VALUES ({id}, 'a-1', 'seats', {id}, {of}, {of})")).await
    }

    fn config(&self, password: &str) -> Value {
        json!({ "postgres": {
            "host": "127.0.0.1", "port": self.database.server.port, "database": self.database.name,
            "user": self.user, "password": password, "sslMode": "DISABLE",
        } })
    }
}

/// What goes wrong, how it is mended, the kind of trouble, and a word a person needs.
struct Trouble {
    breaks: String,
    mends: String,
    kind: &'static str,
    word: &'static str,
}

fn troubles(user: &str) -> Vec<Trouble> {
    let trouble = |breaks: &str, mends: &str, kind, word| Trouble {
        breaks: breaks.to_owned(),
        mends: mends.to_owned(),
        kind,
        word,
    };
    vec![
        trouble(
            &format!("REVOKE SELECT ON seen FROM {user}"),
            &format!("GRANT SELECT ON seen TO {user}"),
            "permission",
            "seen",
        ),
        trouble("UPDATE rate SET factor = 0", "UPDATE rate SET factor = 1", "schema", "seen"),
        trouble("ALTER VIEW seen RENAME TO away", "ALTER VIEW away RENAME TO seen", "not_found", "seen"),
        trouble(
            "ALTER VIEW seen RENAME COLUMN value TO worth",
            "ALTER VIEW seen RENAME COLUMN worth TO value",
            "schema",
            "value",
        ),
    ]
}

async fn stream(world: &World, source: &str) -> Result<String> {
    let input = world.stream_input(
        source,
        json!({
            "table": { "schema": "public", "name": "seen" },
            "mapping": {
                "account": "account_id", "metric": "metric", "value": "value", "measuredAt": "measured_at",
            },
            "cursor": { "column": "updated_at", "kind": "ZONED", "lookback": "0" },
            "externalIdSettingId": world.setting("IDs").await?,
        }),
    );
    let made = world.act("streamCreate", "stream { id }", input).await?;
    Ok(text(&made["stream"]["id"]))
}

/// Checks that a run failed for this, that it shows where people look, and that it accounts for all it read.
async fn failed(world: &World, stream: &str, kind: &str, word: &str) -> Result<()> {
    let run = world.sync(stream).await?;
    assert_eq!((text(&run["status"]), &run["balanced"]), ("FAILED".into(), &json!(true)), "{kind}: {run}");
    let error = &run["error"];
    assert_eq!(text(&error["kind"]), kind, "{error}");
    assert!(text(&error["message"]).contains(word) && error["action"].is_string(), "{error}");
    let query = "query($id: ID!) { stream(id: $id) { source { problem { kind message action } } } }";
    let shown = world.ask(query, json!({ "id": stream })).await?["stream"]["source"]["problem"].take();
    if ["config", "auth", "rate_limited", "unavailable"].contains(&kind) {
        let told =
            json!({ "kind": kind.to_uppercase(), "message": error["message"], "action": error["action"] });
        assert_eq!(shown, told, "where people look for it");
    } else {
        assert!(shown.is_null(), "one table's trouble is not the source's: {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn each_trouble_of_a_real_source_is_told_and_the_next_good_run_heals() -> Result<()> {
    let log = Log::keep()?;
    for world in World::reaching().await? {
        let warehouse = Warehouse::new().await?;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let add = json!({ "name": "Real", "config": warehouse.config(WRONG) });
        // A source is added whether or not it can be read; the check tells.
        let source = text(&world.act("sourceCreate", "source { id }", add).await?["source"]["id"]);
        let check = "check { ok steps { name status problem { kind message action } } }";
        let told = world.act("sourceCheck", check, json!({ "id": source })).await?;
        assert!(told["check"]["ok"] == false && told.to_string().contains("AUTH"), "{told}");
        let right = json!({ "id": source, "config": warehouse.config(RIGHT) });
        world.act("sourceUpdate", "", right.clone()).await?;
        warehouse.add(1).await?;
        let stream = stream(&world, &source).await?;
        world.sync_well(&stream).await?;

        let mut rows = 1;
        let healed = async |rows: i64| -> Result<()> {
            world.sync_well(&stream).await?;
            let query = "query($id: ID!) { stream(id: $id) { pausedReason source { problem { kind } } } }";
            let seen = world.ask(query, json!({ "id": stream })).await?["stream"].take();
            assert_eq!(seen, json!({ "pausedReason": null, "source": { "problem": null } }));
            let wanted: Vec<String> = (1..=rows).map(|id| format!("a-1 seats {id}")).collect();
            let mut found = world.measured(&stream).await?;
            found.iter_mut().for_each(|line| {
                // PostgreSQL divides with digits after the point.
                if let Some((whole, part)) = line.split_once('.') {
                    assert!(part.chars().all(|digit| digit == '0'), "{line}");
                    *line = whole.to_owned();
                }
            });
            assert_eq!(found, wanted, "what came in the meantime is there, once");
            Ok(())
        };
        let wrong = json!({ "id": source, "config": warehouse.config(WRONG) });
        world.act("sourceUpdate", "", wrong).await?;
        rows += 1;
        warehouse.add(rows).await?;
        failed(&world, &stream, "auth", "password").await?;
        world.act("sourceUpdate", "", right).await?;
        healed(rows).await?;
        for trouble in troubles(&warehouse.user) {
            warehouse.database.run(&trouble.breaks).await?;
            rows += 1;
            warehouse.add(rows).await?;
            failed(&world, &stream, trouble.kind, trouble.word).await?;
            warehouse.database.run(&trouble.mends).await?;
            healed(rows).await?;
        }
        no_password(&world, &log).await?;
    }
    Ok(())
}

/// Checks that no password is in any answer about sources, runs and changes, nor in any table, nor in the log.
async fn no_password(world: &World, log: &Log) -> Result<()> {
    let all = "{ sources { nodes { name problem { message detail } lastCheck { ok steps { note problem { message action } } } } }
        syncRuns(first: 20) { nodes { error { kind message action } } } auditEvents(first: 50) { nodes { action detail } } }";
    let answer = world.send(&world.ours.token, all, json!({})).await?;
    assert_eq!(answer.code(), "", "{answer:?}");
    let mut everything = answer.text;
    for table in ["source", "sync_run", "job", "audit_event", "stream", "idempotency", "setting"] {
        everything.push_str(&tests::dump::table(&world.site.app.db, table).await?);
    }
    assert!(everything.contains("source.update"), "the dump holds the audit log");
    everything.push_str(&log.text());
    assert!(everything.contains("a run failed"), "the log is kept");
    for password in [RIGHT, WRONG] {
        assert!(!everything.contains(password), "a password came out");
    }
    Ok(())
}
