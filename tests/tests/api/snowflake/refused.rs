//! Keys that do not sign in: what is said, with the statement that mends it, and that nothing is lost meanwhile.

use anyhow::Result;
use entity::key_pair;
use sea_orm::{EntityTrait, IntoActiveModel, QueryOrder, Set};
use serde_json::json;
use systems::snowflake::{Fault, Pair};

use super::{Home, failed};
use crate::world::text;

#[tokio::test]
async fn pitfall_19_a_wrong_key_is_told_with_the_statement_that_mends_it() -> Result<()> {
    for home in Home::both().await? {
        let source = home.source().await?;
        let pair = home.make(&source).await?;
        let other = Pair::named("nobody")?;
        home.place.run(&format!("ALTER USER {} SET RSA_PUBLIC_KEY = '{}'", home.user, other.public)).await?;
        for reasons in [false, true] {
            home.place.server().fault(Fault::TellReasons(reasons));
            let check = home.check(&source, Some(&pair)).await?;
            let step = failed(&check);
            assert_eq!(
                (&check["ok"], text(&step["name"])),
                (&json!(false), "connect and sign in".into()),
                "{check}"
            );
            let problem = &step["problem"];
            assert_eq!(text(&problem["kind"]), "AUTH", "{problem}");
            let action = text(&problem["action"]);
            for word in [
                text(&pair["fingerprint"]),
                format!("DESC USER \"{}\"", home.user),
                format!("ALTER USER \"{}\" SET RSA_PUBLIC_KEY", home.user),
                // The other slot may hold the key in use.
                "RSA_PUBLIC_KEY_2".to_owned(),
            ] {
                assert!(action.contains(&word), "{word} is not in {action}");
            }
            let message = text(&problem["message"]);
            assert_eq!(message.contains("has another public key"), reasons, "{message}");
        }
        home.paste(&pair).await?;
        assert_eq!(home.check(&source, Some(&pair)).await?["ok"], true);
    }
    Ok(())
}

#[tokio::test]
async fn without_a_key_in_use_there_is_a_sentence_and_no_run_is_lost() -> Result<()> {
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        // A source that read with a token is to sign in with a key pair, and has none.
        let mut config = home.config();
        config["snowflake"]["user"] = json!(home.reader.user);
        config["snowflake"]["signIn"] = json!("TOKEN");
        config["snowflake"]["token"] = json!(home.reader.token);
        let input = json!({ "name": "Warehouse", "config": config });
        let source = text(&world.act("sourceCreate", "source { id }", input).await?["source"]["id"]);
        let stream = home.stream(&source).await?;
        home.add(0..3).await?;
        world.act("sourceUpdate", "", json!({ "id": source, "config": home.config() })).await?;
        let run = world.sync(&stream).await?;
        assert_eq!((text(&run["status"]), text(&run["error"]["kind"])), ("FAILED".into(), "config".into()));
        assert!(text(&run["error"]["message"]).contains("no key pair in use"), "{run}");
        assert!(text(&run["error"]["action"]).contains("make a key pair"), "{run}");
        assert!(home.submitted().is_empty(), "nothing was asked of Snowflake");

        // In use before it is installed: the run says so, and the next one after it takes everything in.
        let pair = home.make(&source).await?;
        home.switch(&pair).await?;
        let run = world.sync(&stream).await?;
        assert_eq!((text(&run["status"]), text(&run["error"]["kind"])), ("FAILED".into(), "auth".into()));
        assert!(text(&run["error"]["action"]).contains(&text(&pair["fingerprint"])), "{run}");
        let shown = "query($id: ID!) { source(id: $id) { problem { kind message action } } }";
        let seen = world.ask(shown, json!({ "id": source })).await?;
        assert!(seen.to_string().contains("SET RSA_PUBLIC_KEY"), "{seen}");
        home.paste(&pair).await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(run["tally"]["written"], "3");
        assert!(world.ask(shown, json!({ "id": source })).await?["source"]["problem"].is_null());
    }
    Ok(())
}

#[tokio::test]
async fn a_key_of_another_source_tests_nothing() -> Result<()> {
    for home in Home::both().await? {
        let source = home.source().await?;
        let input = json!({ "name": "Other", "config": home.config() });
        let other = text(&home.world.act("sourceCreate", "source { id }", input).await?["source"]["id"]);
        let pair = home.make(&other).await?;
        let check = json!({ "id": source, "keyPairId": pair["id"] });
        assert_eq!(home.world.refused("sourceCheck", check).await?.0, "NOT_FOUND");
        let theirs = home
            .world
            .act_as(&home.world.theirs.token, "keyPairActivate", "", json!({ "id": pair["id"] }))
            .await?;
        assert_eq!(theirs["userErrors"][0]["code"], "NOT_FOUND", "{theirs}");
    }
    Ok(())
}

#[tokio::test]
async fn a_private_key_that_was_moved_or_changed_signs_nothing() -> Result<()> {
    let check = "mutation($id: ID!, $pair: ID) { sourceCheck(input: { id: $id, keyPairId: $pair }) { check { ok } } }";
    for home in Home::both().await? {
        let world = &home.world;
        let source = home.source().await?;
        let (first, second) = (home.make(&source).await?, home.make(&source).await?);
        for pair in [&first, &second] {
            home.paste(pair).await?;
            assert_eq!(home.check(&source, Some(pair)).await?["ok"], true);
        }
        let sent = home.submitted().len();
        let db = world.site.app.db.orm();
        let stored = key_pair::Entity::find().order_by_asc(key_pair::Column::Slot).all(db).await?;
        let of = |slot: usize| stored[slot].sealed_private_key.as_str().to_owned();
        let changed = |text: String| format!("{}A{}", &text[..text.len() - 40], &text[text.len() - 40..]);
        for texts in [[of(1), of(0)], [changed(of(0)), changed(of(1))]] {
            for (pair, text) in stored.iter().zip(texts) {
                let mut row = pair.clone().into_active_model();
                row.sealed_private_key = Set(text.into());
                key_pair::Entity::update(row).exec(db).await?;
            }
            for pair in [&first, &second] {
                let asked = json!({ "id": source, "pair": pair["id"] });
                assert_eq!(world.code(&world.ours.token, check, asked).await?, "INTERNAL");
            }
            assert_eq!(home.submitted().len(), sent, "nothing was signed");
        }
    }
    Ok(())
}
