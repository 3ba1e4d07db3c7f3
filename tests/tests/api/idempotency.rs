//! A request that is repeated is done once.

use anyhow::Result;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_key_makes_a_repeated_request_answer_as_the_first_did() -> Result<()> {
    for world in World::both().await? {
        let input = json!({ "name": "Acme", "idempotencyKey": "k1" });
        let fields = "account { id name }";
        let first = world.act("accountCreate", fields, input.clone()).await?;
        let again = world.act("accountCreate", fields, input.clone()).await?;
        assert_eq!(first, again);
        let other = json!({ "name": "Bolt", "idempotencyKey": "k1" });
        let told = world.refused("accountCreate", other).await?;
        assert_eq!(told.0, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
        let elsewhere = json!({ "externalId": "seats", "idempotencyKey": "k1" });
        assert_eq!(world.refused("metricCreate", elsewhere).await?.0, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
        let token = world.token(server::auth::Permission::ALL.iter().copied()).await?;
        let own = world.act_as(&token, "accountCreate", fields, input.clone()).await?;
        assert!(own["account"]["id"] != first["account"]["id"], "each caller has its own keys");
        for key in ["", &"k".repeat(201)] {
            let input = json!({ "name": "Acme", "idempotencyKey": key });
            assert_eq!(
                world.refused("accountCreate", input).await?,
                ("INVALID".into(), "idempotencyKey".into())
            );
        }
        world.site.app.clock.advance(25 * 3_600 * 1_000_000);
        let late = world.act("accountCreate", fields, input).await?;
        assert!(late["account"]["id"] != first["account"]["id"], "a day later it is another request");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() -> Result<()> {
    for world in World::both().await? {
        let bad = json!({ "name": " ", "idempotencyKey": "k" });
        assert_eq!(world.refused("accountCreate", bad).await?.0, "REQUIRED");
        world.act("accountCreate", "", json!({ "name": "Acme", "idempotencyKey": "k" })).await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_requests_at_the_same_time_one_is_done_and_all_get_its_answer() -> Result<()> {
    for world in World::both().await? {
        let input = json!({ "name": "Acme", "idempotencyKey": "k" });
        let ask = || world.act("accountCreate", "account { id }", input.clone());
        let answers = futures::future::try_join_all((0..8).map(|_| ask())).await?;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(world.ask("{ accounts { totalCount } }", json!({})).await?["accounts"]["totalCount"], 1);
    }
    Ok(())
}
