//! Rows that wait: triage, linking, ignoring, and coming in exactly once.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

const GROUPS: &str =
    "query($where: UnmatchedGroupWhere) { unmatchedGroups(where: $where, orderBy: { field: WAITING }) {
    totalCount nodes { id reason externalAccount externalMetric waiting status note snoozedUntil version
        account { name } assignee { name } ignoreRule { reason } explanation { outcome }
        suggestions { score account { name } input { name } }
        sampleRows { rowKey row } rows { totalCount nodes { value measuredAt } } } } }";

impl World {
    async fn groups(&self, filter: Value) -> Result<Vec<Value>> {
        let data = self.ask(GROUPS, json!({ "where": filter })).await?;
        Ok(data["unmatchedGroups"]["nodes"].as_array().cloned().unwrap_or_default())
    }
}

#[tokio::test]
async fn linking_a_group_brings_its_rows_in_exactly_once() -> Result<()> {
    for world in World::both().await? {
        world
            .usage(&[(1, "acme", "seats", "1"), (2, "acme", "seats", "2"), (3, "bolt", "seats", "3")])
            .await?;
        let acme = world.account("Acme").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let groups = world.groups(json!({ "status": "OPEN" })).await?;
        assert_eq!(groups.len(), 2);
        let group = &groups[0];
        assert_eq!((text(&group["reason"]), text(&group["waiting"])), ("ACCOUNT_UNKNOWN".into(), "2".into()));
        assert_eq!(
            (text(&group["externalAccount"]), text(&group["explanation"]["outcome"])),
            ("acme".into(), "UNKNOWN".into())
        );
        assert_eq!(group["suggestions"][0]["account"]["name"], "Acme", "{group}");
        assert_eq!(
            (group["sampleRows"].as_array().map(Vec::len), &group["rows"]["totalCount"]),
            (Some(2), &json!(2))
        );
        let input = json!({ "ids": [group["id"]], "accountId": acme, "idempotencyKey": "once" });
        let fields = "groups { id } externalIds { space value account { name } }";
        let linked = world.act("unmatchedGroupLink", fields, input.clone()).await?;
        assert_eq!(linked["externalIds"][0]["space"], "account_id");
        let again = world.act("unmatchedGroupLink", fields, input).await?;
        assert_eq!(
            again["externalIds"], linked["externalIds"],
            "a repeated request answers as the first did"
        );
        world.settle().await?;
        assert_eq!(world.measured(&stream).await?, ["acme seats 1", "acme seats 2"]);
        let resolved = world.groups(json!({ "status": "RESOLVED" })).await?;
        assert_eq!(
            (text(&resolved[0]["waiting"]), text(&resolved[0]["externalAccount"])),
            ("0".into(), "acme".into())
        );
        for _ in 0..2 {
            world
                .act("unmatchedGroupReplay", "", json!({ "ids": [groups[0]["id"], groups[1]["id"]] }))
                .await?;
            world.settle().await?;
        }
        world.sync_well(&stream).await?;
        assert_eq!(world.measured(&stream).await?, ["acme seats 1", "acme seats 2"], "nothing twice");
        let revisions =
            "{ seriesList(first: 5) { nodes { measurements(first: 5) { nodes { revisions { value } } } } } }";
        let seen = world.ask(revisions, json!({})).await?.to_string();
        assert!(!seen.contains("value"), "no value was replaced: {seen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_group_without_a_link_is_linked_to_an_input() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "acme", "seats", "1"), (2, "acme", "calls", "2")]).await?;
        let acme = world.account("Acme").await?;
        world.identify(&acme, "acme").await?;
        let (_, inputs) = world.opportunity(&acme, "Renewal", &["Seats", "Other"]).await?;
        let stream = world.stream(json!({ "destination": "INPUTS" })).await?;
        world.sync_well(&stream).await?;
        let groups = world.groups(json!({ "reason": ["METRIC_UNLINKED"], "search": "SEAT" })).await?;
        assert_eq!((groups.len(), text(&groups[0]["account"]["name"])), (1, "Acme".into()));
        let suggested = groups[0]["suggestions"].to_string();
        assert!(suggested.contains("Seats"), "{suggested}");
        let input = json!({ "ids": [groups[0]["id"]], "inputId": inputs[0] });
        let linked = world.act("unmatchedGroupLink", "metricLinks { input { name } }", input).await?;
        assert_eq!(linked["metricLinks"], json!([{ "input": { "name": "Seats" } }]));
        world.settle().await?;
        assert_eq!(world.measured(&stream).await?, ["acme seats 1"]);
        let query = "query($id: ID!) { input(id: $id) { series { measurements { nodes { value } } } } }";
        let seen = world.ask(query, json!({ "id": inputs[0] })).await?;
        assert_eq!(seen["input"]["series"][0]["measurements"]["nodes"][0]["value"], "1");
        let other = world.groups(json!({ "status": "OPEN" })).await?;
        for (input, code, field) in [
            (json!({ "ids": [other[0]["id"]] }), "REQUIRED", "accountId"),
            (json!({ "ids": [other[0]["id"]], "inputId": inputs[0] }), "TAKEN", "inputId"),
            (json!({ "ids": [] , "accountId": acme }), "REQUIRED", "ids"),
        ] {
            assert_eq!(
                world.refused("unmatchedGroupLink", input.clone()).await?,
                (code.into(), field.into()),
                "{input}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn groups_are_ignored_with_a_reason_and_come_back() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "test-1", "seats", "1"), (2, "test-2", "seats", "2")]).await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let groups = world.groups(json!({ "search": "test-1" })).await?;
        let ids = json!([groups[0]["id"]]);
        let no_reason = json!({ "ids": ids, "reason": " " });
        assert_eq!(
            world.refused("unmatchedGroupIgnore", no_reason).await?,
            ("REQUIRED".into(), "reason".into())
        );
        let past = json!({ "ids": ids, "reason": "a test account", "expiresAt": "2020-01-01T00:00:00Z" });
        assert_eq!(
            world.refused("unmatchedGroupIgnore", past).await?,
            ("INVALID".into(), "expiresAt".into())
        );
        let input = json!({ "ids": ids, "reason": "a test account", "expiresAt": "2026-06-01T00:00:00Z" });
        let ignored = world
            .act("unmatchedGroupIgnore", "groups { status ignoreRule { reason expiresAt } }", input)
            .await?;
        assert_eq!(
            (text(&ignored["groups"][0]["status"]), text(&ignored["groups"][0]["ignoreRule"]["reason"])),
            ("IGNORED".into(), "a test account".into())
        );
        world.usage(&[(3, "test-1", "seats", "3"), (4, "test-2", "seats", "4")]).await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(
            (text(&run["tally"]["ignored"]), text(&run["tally"]["unmatched"])),
            ("1".into(), "2".into()),
            "{run}"
        );
        assert_eq!(world.groups(json!({ "status": "OPEN" })).await?.len(), 1);
        let back =
            world.act("unmatchedGroupUnignore", "groups { status waiting }", json!({ "ids": ids })).await?;
        assert_eq!(back["groups"], json!([{ "status": "OPEN", "waiting": "2" }]));
        let rules = world.ask("{ ignoreRules { totalCount } }", json!({})).await?;
        assert_eq!(rules["ignoreRules"]["totalCount"], 0);
        let rule = json!({ "externalAccount": "test-2", "reason": "another" });
        let made = world.act("ignoreRuleCreate", "ignoreRule { id externalAccount }", rule).await?;
        world.settle().await?;
        assert_eq!(world.groups(json!({ "status": "IGNORED" })).await?.len(), 1, "a rule takes what waits");
        world.act("ignoreRuleDelete", "", json!({ "id": made["ignoreRule"]["id"] })).await?;
        world.settle().await?;
        assert_eq!(world.groups(json!({ "status": "OPEN" })).await?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn groups_are_assigned_noted_and_put_off() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "a", "seats", "1"), (2, "b", "seats", "2")]).await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let groups = world.groups(json!({})).await?;
        let ids = json!([groups[0]["id"], groups[1]["id"]]);
        let people = world.ask("{ memberships { nodes { user { id name } } } }", json!({})).await?;
        let person = &people["memberships"]["nodes"][0]["user"];
        let input = json!({ "ids": ids, "assigneeId": person["id"] });
        let done = world.act("unmatchedGroupAssign", "groups { assignee { name } }", input).await?;
        assert_eq!(done["groups"][1]["assignee"]["name"], person["name"]);
        assert_eq!(world.groups(json!({ "unassigned": true })).await?.len(), 0);
        world.act("unmatchedGroupAssign", "", json!({ "ids": [ids[0]], "assigneeId": null })).await?;
        assert_eq!(world.groups(json!({ "unassigned": true })).await?.len(), 1);
        assert_eq!(world.groups(json!({ "assigneeId": person["id"] })).await?.len(), 1);
        let noted = world
            .act("unmatchedGroupNote", "groups { note }", json!({ "ids": ids, "note": "ask Ann" }))
            .await?;
        assert_eq!(noted["groups"][0]["note"], "ask Ann");
        let until = json!({ "ids": [ids[0]], "until": "2026-01-05T00:00:00Z" });
        world.act("unmatchedGroupSnooze", "", until).await?;
        assert_eq!(world.groups(json!({ "snoozed": true })).await?.len(), 1);
        assert_eq!(world.groups(json!({ "snoozed": false })).await?.len(), 1);
        world.act("unmatchedGroupSnooze", "", json!({ "ids": [ids[0]], "until": null })).await?;
        assert_eq!(world.groups(json!({ "snoozed": false })).await?.len(), 2);
    }
    Ok(())
}

const REJECTED: &str =
    "query($id: ID!) { stream(id: $id) { rejectedCount } rejectedRows(where: { streamId: $id }) {
    nodes { row missingColumns rejection { reason raw } } } }";

#[tokio::test]
async fn rejected_rows_are_retried_after_the_mapping_was_mended() -> Result<()> {
    for world in World::both().await? {
        let rows = [(1, "acme", "seats", "0"), (2, "acme", "seats", "eight"), (3, "acme", "seats", "0")];
        world.usage(&rows).await?;
        world
            .warehouse("ALTER TABLE usage ADD COLUMN amount TEXT; UPDATE usage SET amount = '8' WHERE id = 2")
            .await?;
        world.identify(&world.account("Acme").await?, "acme").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let seen = world.ask(REJECTED, json!({ "id": stream })).await?;
        assert_eq!(seen["stream"]["rejectedCount"], "1");
        // The row as it was kept is no more readable than before, and stays as it is.
        let retried = world.act("rejectedRowRetry", "retried", json!({ "streamId": stream })).await?;
        assert_eq!(retried["retried"], 1);
        world.settle().await?;
        assert_eq!(world.ask(REJECTED, json!({ "id": stream })).await?, seen);
        world.remap(&stream, json!({ "value": "amount" })).await?;
        world.settle().await?;
        let runs =
            "query($id: ID!) { syncRuns(where: { streamId: $id }) { nodes { kind trigger status balanced
            since until tally { rowsRead readings written rowsRejected } } } }";
        let run = world.ask(runs, json!({ "id": stream })).await?["syncRuns"]["nodes"][0].take();
        assert_eq!(
            (text(&run["kind"]), text(&run["trigger"])),
            ("BACKFILL".into(), "CHANGE".into()),
            "{run}"
        );
        assert_eq!(
            run["tally"],
            json!({ "rowsRead": "1", "readings": "1", "written": "1", "rowsRejected": "0" }),
            "only the stretch of the rejected row was read again"
        );
        let seen = world.ask(REJECTED, json!({ "id": stream })).await?;
        assert_eq!(
            (text(&seen["stream"]["rejectedCount"]), world.measured(&stream).await?),
            ("0".into(), ["acme seats 0", "acme seats 0", "acme seats 8"].map(str::to_owned).to_vec())
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_kept_row_that_lacks_a_column_is_neither_lost_nor_rewritten() -> Result<()> {
    for mut world in World::both().await? {
        world.usage(&[(1, "acme", "seats", "eight"), (2, "acme", "seats", "nine")]).await?;
        world
            .warehouse("ALTER TABLE usage ADD COLUMN amount TEXT; ALTER TABLE usage ADD COLUMN who TEXT")
            .await?;
        world.warehouse("UPDATE usage SET amount = '8', who = 'acme' WHERE id = 1").await?;
        world.identify(&world.account("Acme").await?, "acme").await?;
        let stream = world.stream(json!({})).await?;
        world.sync_well(&stream).await?;
        let before = world.ask(REJECTED, json!({ "id": stream })).await?;
        // Nobody can read the table while the mapping changes: what is kept is all there is.
        world.rest().await;
        world.remap(&stream, json!({ "value": "amount", "account": "who" })).await?;
        world.warehouse("ALTER TABLE usage RENAME TO away").await?;
        world.work();
        world.settle().await?;
        let seen = world.ask(REJECTED, json!({ "id": stream })).await?;
        assert_eq!(seen["stream"]["rejectedCount"], "2");
        for (row, old) in nodes(&seen).iter().zip(nodes(&before)) {
            assert_eq!((&row["row"], &row["rejection"]), (&old["row"], &old["rejection"]));
            assert_eq!(row["missingColumns"], json!(["who", "amount"]));
        }
        assert_eq!(world.measured(&stream).await?, Vec::<String>::new());
        // Once it can be read again, a retry reads what is needed; a row that is still bad says so with all its columns.
        world.warehouse("ALTER TABLE away RENAME TO usage").await?;
        for _ in 0..2 {
            world.act("rejectedRowRetry", "retried", json!({ "streamId": stream })).await?;
            world.settle().await?;
            let seen = world.ask(REJECTED, json!({ "id": stream })).await?;
            assert_eq!(nodes(&seen).len(), 1, "{seen}");
            assert_eq!(nodes(&seen)[0]["rejection"]["reason"], "NULL_KEY");
            assert_eq!(nodes(&seen)[0]["missingColumns"], json!([]));
            assert_eq!(world.measured(&stream).await?, ["acme seats 8"]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn rows_without_a_key_are_replaced_by_what_is_read_again() -> Result<()> {
    for world in World::both().await? {
        world.usage(&[(1, "acme", "seats", "1"), (2, "acme", "seats", "2")]).await?;
        world
            .warehouse("ALTER TABLE usage ADD COLUMN code TEXT; ALTER TABLE usage ADD COLUMN name TEXT")
            .await?;
        world.warehouse("UPDATE usage SET name = 'a' WHERE id = 1").await?;
        world.identify(&world.account("Acme").await?, "acme").await?;
        let stream = world.stream(json!({ "rowKey": ["code"] })).await?;
        world.sync_well(&stream).await?;
        let seen = world.ask(REJECTED, json!({ "id": stream })).await?;
        assert_eq!(seen["stream"]["rejectedCount"], "2");
        world.act("streamUpdate", "", json!({ "id": stream, "rowKey": ["name"] })).await?;
        world.settle().await?;
        let seen = world.ask(REJECTED, json!({ "id": stream })).await?;
        assert_eq!(seen["stream"]["rejectedCount"], "1", "{seen}");
        assert_eq!(nodes(&seen)[0]["missingColumns"], json!([]));
        assert_eq!(world.measured(&stream).await?, ["acme seats 1"]);
    }
    Ok(())
}

fn nodes(seen: &Value) -> Vec<Value> {
    seen["rejectedRows"]["nodes"].as_array().cloned().unwrap_or_default()
}
