//! Every kind of source through the contract: what it is told, what it tells back, and what is wrong at which field.

use anyhow::Result;
use entity::source;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::dump;
use tests::log::Log;

use crate::world::{World, mutation, text};

/// A source of a kind, as a person fills in its form.
pub struct Case {
    /// The kind, as its input is called.
    pub kind: &'static str,
    /// What is filled in.
    pub config: Value,
    /// The field of the secret, with one.
    pub secret: Option<(&'static str, &'static str)>,
}

impl Case {
    /// The input with the secret in it.
    pub fn input(&self) -> Value {
        let mut config = self.config.clone();
        if let Some((field, secret)) = self.secret {
            config[field] = json!(secret);
        }
        json!({ self.kind: config })
    }
}

/// One of each kind and way to sign in, with names that need quoting.
pub fn cases() -> Vec<Case> {
    let case = |kind, config, secret| Case { kind, config, secret };
    let snowflake = json!({
        "account": "MYORG-ACCOUNT1", "user": "SYNC", "role": "it's \"R\"", "warehouse": "SYNC_WH", "database": "D",
        "schema": "s",
    });
    let mut token = snowflake.clone();
    token["signIn"] = json!("TOKEN");
    vec![
        case(
            "postgres",
            json!({ "host": "db.example.com", "port": 6432, "database": "acme db", "user": "weir \"ro\"", "sslMode": "VERIFY_FULL" }),
            Some(("password", "hunter2-of-postgres")),
        ),
        case("sqlite", json!({ "path": "/srv/usage.db" }), None),
        case(
            "clickhouse",
            json!({ "host": "abc.eu-central-1.aws.clickhouse.cloud", "database": "acme", "user": "weir`ro", "final": true }),
            Some(("password", "hunter2-of-clickhouse")),
        ),
        case("snowflake", snowflake, None),
        case("snowflake", token, Some(("token", "hunter2-of-snowflake"))),
        case(
            "bigquery",
            json!({ "project": "acme-pays", "dataProject": "acme-data-1", "dataset": "sales", "location": "EU",
                    "maximumBytesBilled": "50000000" }),
            Some(("key", "{\"private_key\":\"hunter2-of-bigquery\"}")),
        ),
        case("bigquery", json!({ "project": "acme-pays", "dataset": "sales", "signIn": "WEIR" }), None),
        case(
            "databricks",
            json!({ "host": "dbc-a1b2.cloud.databricks.com", "warehouse": "/sql/1.0/warehouses/abc123",
                    "catalog": "main", "clientId": "9e4ec9d1-7a57-4d63-b1f1-0a2c1f1b6e8a" }),
            Some(("secret", "hunter2-of-databricks")),
        ),
    ]
}

/// Adds a source and gives its ID.
pub async fn add(world: &World, case: &Case, number: usize) -> Result<String> {
    let input = json!({ "name": format!("{} {number}", case.kind), "config": case.input() });
    Ok(text(&world.act("sourceCreate", "source { id }", input).await?["source"]["id"]))
}

#[tokio::test]
async fn each_kind_tells_what_it_was_told_but_for_the_secret() -> Result<()> {
    let log = Log::keep()?;
    for world in World::both().await? {
        for (number, case) in cases().iter().enumerate() {
            let source = add(&world, case, number).await?;
            let fields: Vec<&str> =
                case.config.as_object().into_iter().flatten().map(|(field, _)| field.as_str()).collect();
            let kind = format!("{}{}", case.kind[..1].to_uppercase(), &case.kind[1..]);
            let query = format!(
                "query($id: ID!) {{ source(id: $id) {{ kind hasSecret signIn config {{ ... on {kind}Config {{ {} }} }} }} }}",
                fields.join(" ")
            );
            let told = world.ask(&query, json!({ "id": source })).await?["source"].take();
            assert_eq!(text(&told["kind"]).to_lowercase(), case.kind);
            assert_eq!(told["config"], case.config, "{}", case.kind);
            assert_eq!(told["hasSecret"], json!(case.secret.is_some()), "{told}");
            let sign_in = match (case.kind, case.secret) {
                (_, Some(_)) => "SECRET",
                ("snowflake", None) => "KEY_PAIR",
                _ => "NOTHING",
            };
            assert_eq!(told["signIn"], sign_in, "{told}");
        }
        // Secrets that cannot be what they should be are refused without being repeated.
        let certificate = json!({ "config": { "clickhouse": {
            "host": "abc.eu-central-1.aws.clickhouse.cloud", "signIn": "CERTIFICATE", "password": "hunter2-of-nobody",
        } } });
        let key = json!({ "config": { "bigquery": { "project": "acme-pays", "key": "hunter2-of-nobody" } } });
        for input in [certificate, key] {
            let fields = "check { ok steps { problem { kind } } }";
            let told = world.act_as(&world.ours.token, "sourceCheck", fields, input).await?;
            assert!(told["check"]["ok"] != true, "{told}");
        }
        unseen(&world, &log).await?;
    }
    Ok(())
}

/// Checks that no secret of [`cases`] is in an answer, the log, or plain in the database.
pub async fn unseen(world: &World, log: &Log) -> Result<()> {
    let all = "{ sources(first: 20) { nodes { name config { __typename } instructions } }
        auditEvents(first: 50) { nodes { action detail } } }";
    world.ask(all, json!({})).await?;
    let app = &world.site.app;
    let everything = [
        (world.heard(), "source.create"),
        (log.text(), "TRACE"),
        (dump::all(&app.db).await?, "acme-data-1"),
        (format!("{:?}", source::Entity::find().all(app.db.orm()).await?), "acme-data-1"),
    ];
    for (place, there) in &everything {
        assert!(place.contains(there), "{there} is not where secrets are looked for");
        let found = place.find("hunter2-of");
        assert_eq!(found, None, "a secret came out: {:.80}", &place[found.unwrap_or_default()..]);
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_in_a_request_that_cannot_be_read_is_not_repeated() -> Result<()> {
    let log = Log::keep()?;
    for world in World::both().await? {
        let postgres = |field: &str, value: Value| {
            let mut config = json!({ "host": "db.example.com", "database": "d", "user": "u" });
            config[field] = value;
            json!({ "postgres": config })
        };
        let mut both = postgres("password", json!("hunter2-of-two"));
        both["databricks"] = json!({ "host": "h", "warehouse": "w", "secret": "hunter2-of-two" });
        for config in [
            postgres("password", json!(["hunter2-of-lists"])),
            postgres("password", json!({ "value": "hunter2-of-objects" })),
            postgres("pasword", json!("hunter2-of-typos")),
            postgres("port", json!("hunter2-of-the-wrong-field")),
            postgres("sslMode", json!("hunter2-of-the-wrong-field")),
            json!({ "postgres": "hunter2-of-no-object" }),
            json!({ "bigquery": { "project": "p", "maximumBytesBilled": "hunter2-of-numbers" } }),
            both,
        ] {
            let query = mutation("sourceCreate", "");
            let input = json!({ "input": { "name": "Wrong", "config": config } });
            let answer = world.send(&world.ours.token, &query, input).await?;
            assert_ne!(answer.code(), "", "{config}: {}", answer.text);
        }
        for password in
            ["[\"hunter2-of-lists\"]", "\"hunter2-of-strings", "hunter2-of-names", "\"hunter2-of\" x:"]
        {
            let query = format!(
                "mutation {{ sourceCreate(input: {{ name: \"Wrong\", config: {{ postgres: {{ host: \"h\", \
                 database: \"d\", user: \"u\", password: {password} }} }} }}) {{ userErrors {{ code }} }} }}"
            );
            let answer = world.send(&world.ours.token, &query, json!({})).await?;
            assert_ne!(answer.code(), "", "{password}: {}", answer.text);
        }
        for (place, name) in [(world.heard(), "an answer"), (log.text(), "the log")] {
            let found: Vec<&str> = place.split('{').filter(|part| part.contains("hunter2-of")).collect();
            assert!(found.is_empty(), "{name} repeats a secret: {found:#?}");
        }
        let none = world.ask("{ sources { totalCount } }", json!({})).await?;
        assert_eq!(none["sources"]["totalCount"], 0);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said_at_its_field() -> Result<()> {
    let base = |kind: &str| cases().into_iter().find(|case| case.kind == kind).map(|case| case.config);
    let wrong = [
        ("postgres", json!({ "host": " " }), "host"),
        ("postgres", json!({ "host": "/var/run/postgresql" }), "host"),
        ("postgres", json!({ "port": 0 }), "port"),
        ("postgres", json!({ "port": 70_000 }), "port"),
        ("postgres", json!({ "database": "" }), "database"),
        ("postgres", json!({ "user": "" }), "user"),
        ("postgres", json!({ "caCertificate": "none" }), "caCertificate"),
        ("sqlite", json!({ "path": "usage.db" }), "path"),
        ("clickhouse", json!({ "host": "https://db.example.com" }), "host"),
        ("clickhouse", json!({ "port": 9_000 }), "port"),
        ("clickhouse", json!({ "port": -1 }), "port"),
        ("clickhouse", json!({ "database": "" }), "database"),
        ("clickhouse", json!({ "user": "" }), "user"),
        ("clickhouse", json!({ "caCertificate": "none" }), "caCertificate"),
        ("clickhouse", json!({ "signIn": "TOKEN", "secure": false }), "secure"),
        ("clickhouse", json!({ "signIn": "CERTIFICATE", "secure": false }), "secure"),
        ("clickhouse", json!({ "pathPrefix": "a?b" }), "pathPrefix"),
        ("snowflake", json!({ "account": "https://elsewhere.example.com" }), "account"),
        ("snowflake", json!({ "user": " SYNC" }), "user"),
        ("snowflake", json!({ "role": "" }), "role"),
        ("snowflake", json!({ "warehouse": "\"WH\"" }), "warehouse"),
        ("snowflake", json!({ "database": null }), "schema"),
        ("snowflake", json!({ "token": "pat" }), "token"),
        ("bigquery", json!({ "project": "123456789012" }), "project"),
        ("bigquery", json!({ "dataProject": "Acme" }), "dataProject"),
        ("bigquery", json!({ "dataset": "acme.sales" }), "dataset"),
        ("bigquery", json!({ "location": "EU; DROP" }), "location"),
        ("bigquery", json!({ "maximumBytesBilled": "1000" }), "maximumBytesBilled"),
        ("bigquery", json!({ "maximumBytesBilled": "-1" }), "maximumBytesBilled"),
        ("bigquery", json!({ "signIn": "WEIR", "key": "{}" }), "key"),
        ("databricks", json!({ "host": "db.example.com" }), "host"),
        ("databricks", json!({ "host": "accounts.cloud.databricks.com" }), "host"),
        ("databricks", json!({ "warehouse": "sql/protocolv1/o/1/2" }), "warehouse"),
        ("databricks", json!({ "catalog": null, "schema": "sales" }), "schema"),
        ("databricks", json!({ "clientId": "a:b" }), "clientId"),
    ];
    for world in World::both().await? {
        for (kind, change, field) in &wrong {
            let mut config = base(kind).unwrap_or_default();
            for (name, value) in change.as_object().into_iter().flatten() {
                config[name] = value.clone();
            }
            let input = json!({ "name": "Wrong", "config": { *kind: config } });
            let payload = world.act_as(&world.ours.token, "sourceCreate", "", input.clone()).await?;
            let error = &payload["userErrors"][0];
            assert_eq!(error["field"], json!(["input", "config", kind, field]), "{change}: {payload}");
            assert_eq!(error["code"], "INVALID", "{change}: {payload}");
            let message = text(&error["message"]);
            assert!(message.len() > 10 && !message.starts_with(*field), "{change}: {message}");
            // A test of what is not saved says the same.
            let tested = world.refused("sourceCheck", json!({ "config": input["config"] })).await?;
            assert_eq!(tested, ("INVALID".into(), format!("config.{kind}.{field}")));
        }
        let none = world.ask("{ sources { totalCount } }", json!({})).await?;
        assert_eq!(none["sources"]["totalCount"], 0, "nothing that is wrong was added");
    }
    Ok(())
}
