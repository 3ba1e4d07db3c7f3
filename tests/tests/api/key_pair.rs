//! Key pairs: two slots per source, and none is made in vain.

use anyhow::Result;
use serde_json::json;
use server::fault::Faults;
use server::http::{self, State};
use tests::site::{body, send};
use tests::worker::arrange;

use crate::world::{World, text};

const GENERATE: &str = "mutation($id: ID!) { keyPairGenerate(input: { sourceId: $id }) {
    keyPair { id slot state publicKey fingerprint } userErrors { code field } } }";

/// A world on each database whose requests have the time to make a key, which takes long on a busy machine.
async fn worlds() -> Result<Vec<World>> {
    World::both_with(|config| config.http.timeout_seconds = 120).await
}

#[tokio::test]
async fn a_source_has_two_slots_and_a_key_is_made_only_for_a_free_one() -> Result<()> {
    for world in worlds().await? {
        let source = world.source("Warehouse").await?;
        let fields = "keyPair { id slot state fingerprint }";
        let mut pairs = Vec::new();
        for slot in [1, 2] {
            let input = json!({ "sourceId": source });
            let made = world.act("keyPairGenerate", fields, input).await?["keyPair"].take();
            assert_eq!((&made["slot"], &made["state"]), (&json!(slot), &json!("MADE")), "{made}");
            pairs.push(made);
        }
        assert_ne!(pairs[0]["fingerprint"], pairs[1]["fingerprint"]);

        // A server that cannot make keys: whoever is refused by it for another reason was refused in time.
        let mut app = world.site.app.clone();
        app.faults = Faults::when(|place| place == "key_pair.generate");
        let serving = http::serve(State::new(app))?;
        let ask = async |token: &str, id: &str| {
            let question = json!({ "query": GENERATE, "variables": { "id": id } }).to_string();
            let url = format!("http://{}/graphql", serving.address);
            let client = reqwest::Client::builder().no_proxy().build()?;
            send(body(client.post(url).bearer_auth(token), "application/json", question)).await
        };
        let refused = async |token: &str, id: &str| -> Result<(String, String)> {
            let answer = ask(token, id).await?;
            let error = answer.json()["data"]["keyPairGenerate"]["userErrors"][0].take();
            Ok((text(&error["code"]), text(&error["field"][1])))
        };
        let (ours, theirs) = (&world.ours.token, &world.theirs.token);
        assert_eq!(refused(ours, &source).await?, ("CONFLICT".into(), String::new()), "both slots are taken");
        assert_eq!(refused(theirs, &source).await?, ("NOT_FOUND".into(), "sourceId".into()));
        let empty = world.source("Second").await?;
        assert_eq!(ask(ours, &empty).await?.code(), "INTERNAL", "here a key would be made");
        world.act("sourceDelete", "", json!({ "id": empty })).await?;
        assert_eq!(refused(ours, &empty).await?, ("NOT_FOUND".into(), "sourceId".into()));

        // A retired pair gives its slot up.
        world.act("keyPairActivate", fields, json!({ "id": pairs[1]["id"] })).await?;
        assert_eq!(world.refused("keyPairRetire", json!({ "id": pairs[1]["id"] })).await?.0, "CONFLICT");
        world.act("keyPairRetire", fields, json!({ "id": pairs[0]["id"] })).await?;
        assert_eq!(ask(ours, &source).await?.code(), "INTERNAL", "here a key would be made");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_with_the_ring_of_before_stores_no_secret() -> Result<()> {
    for world in worlds().await? {
        let postgres = |secret: &str| {
            json!({ "postgres": {
            "host": "db.example.com", "database": "d", "user": "u", "password": secret,
        } })
        };
        let add = |name: &str, config| json!({ "name": name, "config": config });
        let source = world.act("sourceCreate", "source { id }", add("Before", postgres("one"))).await?;
        let id = text(&source["source"]["id"]);
        // Another server began with a ring that was rotated.
        let db = &world.site.app.db;
        arrange(db, "UPDATE setting SET value = 'newer' WHERE key = 'keyring.primary'").await?;
        let stored = tests::dump::table(db, "source").await?;
        for (mutation, input) in [
            ("sourceCreate", add("After", postgres("two"))),
            ("sourceUpdate", json!({ "id": id, "config": postgres("two") })),
            ("keyPairGenerate", json!({ "sourceId": id })),
        ] {
            let payload = world.act_as(&world.ours.token, mutation, "", input).await?;
            let error = &payload["userErrors"][0];
            assert_eq!(error["code"], "CONFLICT", "{mutation}: {payload}");
            assert!(text(&error["message"]).contains("restart it with the present ring"), "{payload}");
        }
        assert_eq!(tests::dump::table(db, "source").await?, stored, "nothing was stored");
        assert_eq!(tests::dump::table(db, "key_pair").await?, "");
        // What needs no sealing goes on.
        world.act("sourceUpdate", "", json!({ "id": id, "name": "Renamed" })).await?;
    }
    Ok(())
}
