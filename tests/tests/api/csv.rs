//! CSV in and out.

use std::fmt::Write;

use anyhow::Result;
use entity::external_id;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::world::{World, text};

const REPORT: &str = "report { dryRun rows created updated unchanged failed errors { line column message } }";

const ACCOUNTS: &str = "id,name,domain\n,Acme,acme.com\n,\"Bolt, Inc.\",\n,\"Crux \"\"C\"\"\",crux.io\n";
const EXTERNAL_IDS: &str = "account_name,space,value\nAcme,salesforce,001A0000006Vm9r\nAcme,account_id,a-1\n\
    \"Bolt, Inc.\",account_id,b-1\n";
const OPPORTUNITIES: &str = "account_name,opportunity,opportunity_external_id,input,unit,kind,constant_value\n\
    Acme,Renewal,006-1,Seats,seats,series,\nAcme,Renewal,006-1,Price,USD,constant,1200.50\n\
    \"Bolt, Inc.\",First,,Calls,,series,\n";
const METRIC_LINKS: &str = "account_name,metric,opportunity,input,enabled,note\n\
    Acme,seats,Renewal,Seats,true,\n\"Bolt, Inc.\",calls,First,Calls,false,\"not yet, \"\"really\"\"\"\n";
const ALL: [(&str, &str); 4] = [
    ("ACCOUNTS", ACCOUNTS),
    ("EXTERNAL_IDS", EXTERNAL_IDS),
    ("OPPORTUNITIES", OPPORTUNITIES),
    ("METRIC_LINKS", METRIC_LINKS),
];

impl World {
    async fn import(&self, kind: &str, text: &str, other: Value) -> Result<Value> {
        let mut input = json!({ "kind": kind, "text": text });
        for (name, value) in other.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        Ok(self.act("csvImport", REPORT, input).await?["report"].take())
    }

    async fn export(&self, kind: &str) -> Result<String> {
        let query = "query($kind: CsvKind!) { csvExport(kind: $kind) { text hasNextPage } }";
        Ok(text(&self.ask(query, json!({ "kind": kind })).await?["csvExport"]["text"]))
    }
}

fn counts(report: &Value) -> [i64; 5] {
    ["rows", "created", "updated", "unchanged", "failed"].map(|name| report[name].as_i64().unwrap_or(-1))
}

#[tokio::test]
async fn a_dry_run_tells_and_stores_nothing_and_the_import_then_does_it() -> Result<()> {
    for world in World::both().await? {
        for (kind, text) in ALL {
            if kind == "METRIC_LINKS" {
                world.metric("seats").await?;
                world.metric("calls").await?;
            }
            let before = world.export(kind).await?;
            let told = world.import(kind, text, json!({ "dryRun": true })).await?;
            assert_eq!((counts(&told)[4], &told["dryRun"]), (0, &json!(true)), "{kind}: {told}");
            assert_eq!(world.export(kind).await?, before, "{kind}: a dry run stores nothing");
            let done = world.import(kind, text, json!({})).await?;
            assert_eq!(counts(&done), counts(&told), "{kind}: what was told");
            let rows = counts(&done)[0];
            assert_eq!(counts(&done)[1], rows, "{kind}: all are new");
            let again = world.import(kind, text, json!({})).await?;
            assert_eq!(counts(&again), [rows, 0, 0, rows, 0], "{kind}: nothing twice");
        }
        for (kind, _) in ALL {
            let exported = world.export(kind).await?;
            let back = world.import(kind, &exported, json!({})).await?;
            assert_eq!(counts(&back)[3], counts(&back)[0], "{kind}: {back}\n{exported}");
            assert!(counts(&back)[0] >= 2, "{kind}: {exported}");
            assert_eq!(world.export(kind).await?, exported, "{kind}");
        }
        let changed = world.import("ACCOUNTS", "name,domain\nAcme,acme.org\n", json!({})).await?;
        assert_eq!(counts(&changed), [1, 0, 1, 0, 0], "{changed}");
    }
    Ok(())
}

#[tokio::test]
async fn whatever_a_spreadsheet_writes_is_read() -> Result<()> {
    for world in World::both().await? {
        let text = "\u{feff}Name;Domain\r\n\"Acme; Inc.\";acme.com\r\n\r\n;\r\n\"Two\r\nlines\";\r\n";
        let told = world.import("ACCOUNTS", text, json!({ "errorPolicy": "SKIP_FAILED" })).await?;
        assert_eq!((counts(&told)[1], counts(&told)[4]), (1, 1), "a name is one line: {told}");
        assert_eq!((&told["errors"][0]["line"], &told["errors"][0]["column"]), (&json!(5), &json!("name")));
        let found = world.ask("{ accounts { nodes { name domain } } }", json!({})).await?;
        assert_eq!(found["accounts"]["nodes"], json!([{ "name": "Acme; Inc.", "domain": "acme.com" }]));
        let tabs = world.import("ACCOUNTS", "domain\tname\nbolt.io\tBolt\n", json!({})).await?;
        assert_eq!(counts(&tabs)[1], 1, "{tabs}");
    }
    Ok(())
}

#[tokio::test]
async fn text_that_is_no_such_csv_is_refused_whole() -> Result<()> {
    for world in World::both().await? {
        for text in ["", "\n", "nome\nAcme\n", "id\n1\n", "name,name\na,b\n", "name,color\nAcme,red\n"] {
            let input = json!({ "kind": "ACCOUNTS", "text": text });
            let (code, field) = world.refused("csvImport", input).await?;
            assert!(["INVALID", "REQUIRED"].contains(&code.as_str()) && field == "text", "{text:?}: {code}");
        }
        assert_eq!(world.export("ACCOUNTS").await?.lines().count(), 1, "nothing is stored");
    }
    Ok(())
}

#[tokio::test]
async fn one_bad_row_in_a_hundred_is_told_by_line_and_spoils_nothing() -> Result<()> {
    for world in World::both().await? {
        let mut text = "name,domain\n".to_owned();
        for row in 0..500 {
            match row % 100 {
                50 => writeln!(text, ",nameless{row}.com")?,
                51 if row > 400 => writeln!(text, "Too,many,cells")?,
                _ => writeln!(text, "Account {row},a{row}.com")?,
            }
        }
        let told = world.import("ACCOUNTS", &text, json!({})).await?;
        assert_eq!((counts(&told)[0], counts(&told)[4]), (500, 6), "{told}");
        assert_eq!(world.export("ACCOUNTS").await?.lines().count(), 1, "all or nothing");
        let lines: Vec<i64> =
            told["errors"].as_array().into_iter().flatten().filter_map(|it| it["line"].as_i64()).collect();
        let mut sorted = lines.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [52, 152, 252, 352, 452, 453]);
        let done = world.import("ACCOUNTS", &text, json!({ "errorPolicy": "SKIP_FAILED" })).await?;
        assert_eq!(counts(&done), [500, 494, 0, 0, 6], "{done}");
        assert_eq!(world.export("ACCOUNTS").await?.lines().count(), 495);
    }
    Ok(())
}

#[tokio::test]
async fn each_wrong_cell_is_named() -> Result<()> {
    for world in World::both().await? {
        world.import("ACCOUNTS", ACCOUNTS, json!({})).await?;
        world.import("OPPORTUNITIES", OPPORTUNITIES, json!({})).await?;
        world.metric("seats").await?;
        for (kind, text, column) in [
            ("EXTERNAL_IDS", "account_name,space,value\nNobody,account_id,1\n", "account_name"),
            ("EXTERNAL_IDS", "account_name,space,value\nAcme,nowhere,1\n", "space"),
            ("EXTERNAL_IDS", "account_name,space,value\nAcme,hubspot,one\n", "value"),
            (
                "OPPORTUNITIES",
                "account_name,opportunity,input,kind,constant_value\nAcme,R,P,constant,1e\n",
                "constant_value",
            ),
            ("OPPORTUNITIES", "account_name,opportunity,input,kind\nAcme,R,P,curve\n", "kind"),
            ("METRIC_LINKS", "account_name,metric,opportunity,input\nAcme,seats,None,Seats\n", "opportunity"),
            ("METRIC_LINKS", "account_name,metric,opportunity,input\nAcme,seats,Renewal,None\n", "input"),
            // The opportunity of another account is unknown as well.
            (
                "METRIC_LINKS",
                "account_name,metric,opportunity,input\n\"Bolt, Inc.\",seats,Renewal,Seats\n",
                "opportunity",
            ),
            ("ACCOUNTS", "id,name\nnot-an-id,Acme\n", "id"),
        ] {
            let told = world.import(kind, text, json!({})).await?;
            assert_eq!((counts(&told)[4], &told["errors"][0]["line"]), (1, &json!(2)), "{text}: {told}");
            assert_eq!(told["errors"][0]["column"], column, "{text}: {told}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_long_file_is_stored_whole_and_a_space_normalizes_it_anew() -> Result<()> {
    const ROWS: usize = 2_500;
    for world in World::both().await? {
        let input = json!({ "name": "tenant", "normalizer": "EXACT" });
        world.act("idSpaceCreate", "", input).await?;
        let (mut accounts, mut ids) = ("name\n".to_owned(), "account_name,space,value\n".to_owned());
        for row in 0..ROWS {
            writeln!(accounts, "Account {row}")?;
            writeln!(ids, "Account {row},tenant,T-{row}")?;
        }
        // A row that names again what an earlier part has made.
        accounts.push_str("Account 0\n");
        for (kind, text, unchanged) in [("ACCOUNTS", &accounts, 1), ("EXTERNAL_IDS", &ids, 0)] {
            let told = world.import(kind, text, json!({ "dryRun": true })).await?;
            let all = [ROWS as i64 + unchanged, ROWS as i64, 0, unchanged, 0];
            assert_eq!(counts(&told), all, "{kind}: {told}");
            let key = json!({ "idempotencyKey": kind });
            for _ in 0..2 {
                assert_eq!(counts(&world.import(kind, text, key.clone()).await?), all, "{kind}");
            }
            assert_eq!(
                counts(&world.import(kind, text, json!({})).await?)[3],
                all[0],
                "{kind}: nothing twice"
            );
        }
        let bad = format!("{ids}Account 0,tenant,\n");
        let before = world.ask("{ auditEvents { totalCount } }", json!({})).await?;
        assert_eq!(world.import("EXTERNAL_IDS", &bad.replace("T-", "S-"), json!({})).await?["dryRun"], true);
        assert_eq!(world.ask("{ auditEvents { totalCount } }", json!({})).await?, before, "all or nothing");
        world.act("idSpaceUpdate", "", json!({ "name": "tenant", "normalizer": "LOWERCASE" })).await?;
        world.settle().await?;
        let stored = external_id::Entity::find().all(world.site.app.db.orm()).await?;
        assert_eq!(stored.len(), ROWS, "nothing of the bad file was stored");
        assert!(stored.iter().all(|id| id.normalized == id.value.to_lowercase()), "all are normalized anew");
    }
    Ok(())
}
