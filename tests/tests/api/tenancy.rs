//! Another organization's objects are not there: each place that takes an ID, from the schema.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use server::domain::global_id::encode;

use crate::shape::{Schema, nothing, noun};
use crate::world::{World, text};

/// IDs by the type of what they name.
type Ids = BTreeMap<&'static str, String>;

const COUNTS: &str = "{ accounts { nodes { id version archivedAt externalIds { id value } } }
    opportunities { nodes { id version archivedAt } } metrics { nodes { id updatedAt } }
    metricLinks { nodes { id version } } externalIdSettings { nodes { id version } }
    sources { nodes { id version state } } streams { nodes { id version enabled } } ignoreRules { nodes { id } }
    apiTokens { nodes { id revokedAt } } memberships { nodes { user { id } role } } syncRuns { nodes { id status } }
    unmatchedGroups { nodes { id version status waiting } } rejectedRows { nodes { id } } auditEvents { totalCount } }";

/// One object of each type, in the organization that the world's requests act in.
async fn one_of_each(world: &World) -> Result<Ids> {
    let mut ids = Ids::new();
    world.usage(&[(1, "a-1", "seats", "1"), (2, "b-1", "seats", "2"), (3, "a-1", "seats", "x")]).await?;
    let account = world.account("Acme").await?;
    let made = json!({ "accountId": account, "space": "account_id", "value": "a-1" });
    let made = world.act("externalIdCreate", "externalId { id }", made).await?;
    ids.insert("ExternalId", text(&made["externalId"]["id"]));
    let (opportunity, inputs) = world.opportunity(&account, "Renewal", &["Seats"]).await?;
    let metric = world.metric("seats").await?;
    let link = json!({ "accountId": account, "metricId": metric, "inputId": inputs[0] });
    let link = world.act("metricLinkCreate", "metricLink { id }", link).await?;
    ids.insert("MetricLink", text(&link["metricLink"]["id"]));
    let stream = world.stream(json!({})).await?;
    ids.insert("SyncRun", text(&world.sync_well(&stream).await?["id"]));
    let made = world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
    ids.insert("Reconcile", text(&made["reconcile"]["id"]));
    world.settle().await?;
    let rule = json!({ "externalAccount": "zzz", "reason": "none" });
    let rule = world.act("ignoreRuleCreate", "ignoreRule { id }", rule).await?;
    ids.insert("IgnoreRule", text(&rule["ignoreRule"]["id"]));
    let token = json!({ "name": "t", "scopes": ["ACCOUNTS_READ"] });
    let token = world.act("apiTokenCreate", "apiToken { id }", token).await?;
    ids.insert("ApiToken", text(&token["apiToken"]["id"]));
    let lists = "{ seriesList { nodes { id } } unmatchedGroups { nodes { id } } rejectedRows { nodes { id } }
        sources { nodes { id } } externalIdSettings { nodes { id } } memberships { nodes { user { id } } }
        auditEvents(first: 1) { nodes { id } } }";
    let found = world.ask(lists, json!({})).await?;
    for (noun, id) in [
        ("Series", &found["seriesList"]["nodes"][0]["id"]),
        ("UnmatchedGroup", &found["unmatchedGroups"]["nodes"][0]["id"]),
        ("WaitingRow", &found["rejectedRows"]["nodes"][0]["id"]),
        ("Source", &found["sources"]["nodes"][0]["id"]),
        ("ExternalIdSetting", &found["externalIdSettings"]["nodes"][0]["id"]),
        ("User", &found["memberships"]["nodes"][0]["user"]["id"]),
        ("AuditEvent", &found["auditEvents"]["nodes"][0]["id"]),
    ] {
        ids.insert(noun, text(id));
    }
    ids.extend([("Account", account), ("Opportunity", opportunity), ("Input", inputs[0].clone())]);
    ids.extend([("Metric", metric), ("Stream", stream)]);
    ids.insert("KeyPair", world.key_pair(&ids["Source"]).await?);
    // Nothing makes another one yet.
    ids.insert("Organization", encode("Organization", world.ours.organization));
    Ok(ids)
}

/// An answer without what differs between any two.
fn told(answer: &tests::site::Answer, id: &str) -> String {
    let mut body = answer.json();
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"].take();
    }
    format!("{} {body}", answer.status).replace(id, "the ID")
}

#[tokio::test]
async fn an_id_of_another_organization_answers_as_an_unknown_one_everywhere() -> Result<()> {
    for mut world in World::both().await? {
        let schema = Schema::read(&world).await?;
        let ours = one_of_each(&world).await?;
        std::mem::swap(&mut world.ours, &mut world.theirs);
        world.forget_warehouse().await?;
        let theirs = one_of_each(&world).await?;
        world.rest().await;
        let before = world.ask(COUNTS, json!({})).await?;
        std::mem::swap(&mut world.ours, &mut world.theirs);
        let mut places = 0;
        for (root, name) in [("query", "Query"), ("mutation", "Mutation")] {
            for field in schema.fields(name) {
                for place in field.arguments.iter().flat_map(|argument| schema.ids(argument)) {
                    let place = [vec![field.name.clone()], place].concat();
                    places += 1;
                    let mut answers = Vec::new();
                    let foreign = theirs[noun(&place)].clone();
                    for tried in [foreign.clone(), nothing(noun(&place))] {
                        let id = |path: &[String]| {
                            if path == place { tried.clone() } else { ours[noun(path)].clone() }
                        };
                        let (query, variables) = schema.request(root, &field, &place, &id);
                        let answer = world.send(&world.ours.token, &query, variables.clone()).await?;
                        ensure!(!answer.text.contains("this is not the ID of"), "{place:?}: {}", answer.text);
                        ensure!(
                            variables.to_string().contains(&tried),
                            "{place:?} is not asked: {variables}"
                        );
                        let refused =
                            answer.text.contains("\"userErrors\":[{") || answer.json()["errors"].is_array();
                        ensure!(root == "query" || refused, "{place:?} was done: {}", answer.text);
                        answers.push(told(&answer, &tried));
                    }
                    ensure!(answers[0] == answers[1], "{place:?}: {answers:#?}");
                    ensure!(!answers[0].contains(&foreign), "{place:?}: {answers:#?}");
                }
            }
        }
        assert!(places > 80, "{places} places were tried");
        std::mem::swap(&mut world.ours, &mut world.theirs);
        assert_eq!(world.ask(COUNTS, json!({})).await?, before, "nothing of theirs was touched");
    }
    Ok(())
}

#[tokio::test]
async fn no_object_of_another_organization_is_a_node() -> Result<()> {
    for world in World::both().await? {
        let schema = Schema::read(&world).await?;
        let ids = one_of_each(&world).await?;
        let mut nouns = schema.possible("Node");
        nouns.sort();
        assert_eq!(nouns, ids.keys().copied().collect::<Vec<_>>(), "one of each");
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
        let all: Vec<&String> = ids.values().collect();
        let seen = world.ask(query, json!({ "ids": all })).await?["nodes"].take();
        let wanted: Vec<Value> =
            ids.iter().map(|(noun, id)| json!({ "__typename": noun, "id": id })).collect();
        assert_eq!(seen, json!(wanted));
        let seen = world.ask_as(&world.theirs.token, query, json!({ "ids": all })).await?["nodes"].take();
        assert_eq!(seen, json!(vec![Value::Null; all.len()]));
        for id in all {
            let one = "query($id: ID!) { node(id: $id) { id } }";
            let seen = world.ask_as(&world.theirs.token, one, json!({ "id": id })).await?;
            assert!(seen["node"].is_null(), "{id}");
        }
    }
    Ok(())
}
