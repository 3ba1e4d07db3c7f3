//! What a new customer does on the first day: brings the CRM's accounts and the contracts, connects the warehouse.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    account::Account,
    client::{Client, Founder},
    line::Line,
    metric::{LINKED, Metric, PRODUCT, UNLINKED, View, WIDE},
    warehouse,
};

/// Who signs in to the demo.
pub const FOUNDER: Founder = Founder {
    email: "owner@weir.example",
    password: "a demo password",
    name: "Robin Owner",
    organization: "Riverbend Software",
};
/// One contract in which a link is switched off, so that its rows wait.
const DISABLED_LINK: usize = 17;

/// Two records of one company, and how each spells their common ID: with 15 characters and with 18.
const TWINS: [(&str, &str, usize); 2] =
    [("Wolds Brewing", "woldsbrewing.example", 15), ("Wolds Brewing (merged)", "wolds.example", 18)];

/// The trial account nobody wants to see: the last of them.
pub fn test_account(lines: &[Line]) -> Option<&str> {
    lines.iter().rev().map(|line| line.account.as_str()).find(|id| id.starts_with("trial-"))
}

/// Ignores the rows of an account that is only there for tests.
pub async fn ignore(client: &Client, lines: &[Line]) -> Result<()> {
    let account = test_account(lines).context("the warehouse has rows of trial accounts")?;
    let rule = json!({ "externalAccount": account, "reason": "An account for our own tests" });
    client.change("ignoreRuleCreate", rule, "ignoreRule { id }").await.map(drop)
}

/// A stream the customer has made.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its global ID.
    pub id: String,
    /// Its name.
    pub name: &'static str,
    /// How often it is to be read, as a cron expression.
    pub cron: &'static str,
}

/// Brings accounts, external IDs, metrics, opportunities with inputs, and metric links.
pub async fn bring_records(client: &Client, accounts: &[Account], lines: &[Line], year: i64) -> Result<()> {
    let mut text = String::from("id,name,domain\n");
    for account in accounts {
        writeln!(text, ",{},{}", account.name, account.domain)?;
    }
    for (name, domain, _) in TWINS {
        writeln!(text, ",{name},{domain}")?;
    }
    client.import("ACCOUNTS", &text).await?;

    let mut text = String::from("account_id,account_name,space,value\n");
    for account in accounts {
        writeln!(text, ",{},salesforce,{}", account.name, account.salesforce)?;
        if let Some(hubspot) = &account.hubspot {
            writeln!(text, ",{},hubspot,{hubspot}", account.name)?;
        }
    }
    // The merge left the ID on both records, so nobody can tell whose rows those are.
    let shared = shared_id(accounts, lines).context("the warehouse has rows of unknown accounts")?;
    for (name, _, length) in TWINS {
        writeln!(text, ",{name},salesforce,{}", &shared[..length])?;
    }
    client.import("EXTERNAL_IDS", &text).await?;

    let metrics = LINKED.iter().chain(&PRODUCT).chain([&UNLINKED]).map(|it| (it.id, it.name, it.unit));
    for (id, name, unit) in metrics.chain(WIDE) {
        let input = json!({ "externalId": id, "name": name, "unit": unit });
        client.change("metricCreate", input, "metric { id }").await?;
    }
    bring_contracts(client, accounts, lines, year).await
}

/// The ID in the warehouse that two records of the CRM share: the first that no customer has.
pub fn shared_id<'a>(accounts: &[Account], lines: &'a [Line]) -> Option<&'a str> {
    let known = |id: &str| accounts.iter().any(|account| account.salesforce == id);
    lines.iter().map(|line| line.account.as_str()).find(|id| id.len() == 18 && !known(id))
}

async fn bring_contracts(client: &Client, accounts: &[Account], lines: &[Line], year: i64) -> Result<()> {
    let mut metrics = BTreeMap::<&str, Vec<Metric>>::new();
    let linked = |line: &&Line| line.metric.view == View::Contract && line.metric.id != UNLINKED.id;
    for line in lines.iter().filter(linked) {
        metrics.entry(&line.account).or_default().push(line.metric);
    }
    let mut inputs = String::from(
        "account_id,account_name,opportunity,opportunity_external_id,input,unit,kind,constant_value\n",
    );
    let mut links = String::from("account_id,account_name,metric,opportunity,input,enabled,note\n");
    for (place, account) in accounts.iter().enumerate() {
        let name = account.name;
        let opportunity = format!("{} renewal", year + 1);
        let external = format!("006{}", &account.salesforce[3..15]);
        let price = whole_thousands(account.size);
        writeln!(inputs, ",{name},{opportunity},{external},Contract value,USD,constant,{price}")?;
        for (number, metric) in metrics.get(account.salesforce.as_str()).into_iter().flatten().enumerate() {
            writeln!(inputs, ",{name},{opportunity},{external},{},{},series,", metric.name, metric.unit)?;
            let enabled = place != DISABLED_LINK || number > 0;
            writeln!(links, ",{name},{},{opportunity},{},{enabled},", metric.id, metric.name)?;
        }
    }
    client.import("OPPORTUNITIES", &inputs).await?;
    client.import("METRIC_LINKS", &links).await
}

fn whole_thousands(size: f64) -> String {
    format!("{:.0}000", size * 6.0 + 4.0)
}

/// Connects the warehouse, tests the connection, and makes three streams, to be read only when asked.
pub async fn connect(client: &Client, warehouse: &Path) -> Result<Vec<Stream>> {
    let setting = json!({ "name": "CRM accounts", "spaces": ["salesforce", "hubspot"] });
    let setting = client.change("externalIdSettingCreate", setting, "externalIdSetting { id }").await?;
    let setting = id(&setting, "externalIdSetting")?;

    let path = warehouse.to_str().context("the warehouse's path is not text")?;
    let source = json!({ "name": "Warehouse", "config": { "sqlite": { "path": path } } });
    let source = id(&client.change("sourceCreate", source, "source { id }").await?, "source")?;
    let checked = "check { ok steps { name status note problem { message action } } }";
    let check = client.change("sourceCheck", json!({ "id": source }), checked).await?;
    ensure!(check["check"]["ok"] == true, "the warehouse cannot be read: {}", check["check"]["steps"]);

    let long = json!({
        "account": "account_id", "metric": "metric", "value": "value", "measuredAt": "measured_at", "zone": "UTC",
    });
    let wide = json!({
        "account": "account_id", "metrics": WIDE.map(|(id, _, _)| id), "measuredAt": "week", "zone": "UTC",
    });
    let plans = [
        ("Contract usage", warehouse::CONTRACT, "LONG", "INPUTS", &long, json!(["id"]), "* * * * *"),
        ("Product usage", warehouse::PRODUCT, "LONG", "USAGE", &long, json!(["id"]), "* * * * *"),
        (
            "Account health",
            warehouse::WIDE,
            "WIDE",
            "USAGE",
            &wide,
            json!(["account_id", "week"]),
            "*/5 * * * *",
        ),
    ];
    let mut streams = Vec::new();
    for (name, table, shape, destination, mapping, row_key, cron) in plans {
        let input = json!({
            "sourceId": source,
            "name": name,
            "table": { "name": table },
            "shape": shape,
            "destination": destination,
            "mapping": mapping,
            // An hour back, for rows that other loads of the warehouse commit late.
            "cursor": { "column": "updated_at", "kind": "NAIVE", "zone": "UTC", "lookback": "3600" },
            "rowKey": row_key,
            "externalIdSettingId": setting,
            "schedule": { "manual": true },
        });
        let made = client.change("streamCreate", input, "stream { id }").await?;
        streams.push(Stream { id: id(&made, "stream")?, name, cron });
    }
    Ok(streams)
}

/// Lets the streams be read regularly from now on.
pub async fn schedule(client: &Client, streams: &[Stream]) -> Result<()> {
    for stream in streams {
        let cron = json!({ "cron": { "expression": stream.cron, "zone": "UTC" } });
        client.change("streamUpdate", json!({ "id": stream.id, "schedule": cron }), "stream { id }").await?;
    }
    Ok(())
}

fn id(payload: &Value, object: &str) -> Result<String> {
    let id = payload[object]["id"].as_str();
    id.map(str::to_owned).with_context(|| format!("weir made no {object}: {payload}"))
}
