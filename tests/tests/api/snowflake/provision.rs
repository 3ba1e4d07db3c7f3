//! The scripts a Snowflake administrator is shown, run as they are: afterwards the source reads, and at the end nothing
//! of it is left.

use anyhow::Result;
use serde_json::json;

use super::{Home, failed};
use crate::world::text;

const SETUP: &str = "query($id: ID!) { source(id: $id) { setup { grant revoke } instructions } }";

impl Home {
    /// Runs a script as the account's administrator, a statement at a time.
    async fn script(&self, script: &str) -> Result<()> {
        for line in script.lines().filter(|line| !line.starts_with("--")) {
            self.place.run(line).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_scripts_shown_let_a_source_read_its_tables_and_take_all_of_it_back() -> Result<()> {
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        home.add(0..3).await?;
        let source = home.signed_in().await?;
        let stream = home.stream(&source).await?;
        // The same tables for a user, a role and a warehouse that are not there yet.
        let mut config = home.config();
        let fresh = &mut config["snowflake"];
        for (field, name) in [("user", "NEW_USER"), ("role", "it's \"new\""), ("warehouse", "NEW_WH")] {
            fresh[field] = json!(format!("{name} {}", home.user));
        }
        world.act("sourceUpdate", "", json!({ "id": source, "config": config })).await?;
        let ask = async || world.ask(SETUP, json!({ "id": source })).await;
        let told = ask().await?["source"].take();
        let grant = text(&told["setup"]["grant"]);
        let page = text(&told["instructions"]);
        assert!(page.contains(grant.trim_end()), "{page}");
        let check = home.check(&source, None).await?;
        assert_eq!((&check["ok"], text(&failed(&check)["problem"]["kind"])), (&json!(false), "AUTH".into()));

        home.script(&grant).await?;
        let check = home.check(&source, None).await?;
        assert_eq!(check["ok"], true, "{check}");
        let run = world.sync_well(&stream).await?;
        assert_eq!(run["tally"]["written"], "3");
        // That role reads this table and no other.
        home.place.run("CREATE TABLE \"other\" (\"id\" NUMBER(38,0))").await?;
        let tables =
            "query($id: ID!) { sourceTables(sourceId: $id) { tables { ref { name } } problem { kind } } }";
        let seen = world.ask(tables, json!({ "id": source })).await?["sourceTables"].take();
        assert_eq!(seen, json!({ "tables": [{ "ref": { "name": "usage" } }], "problem": null }));

        home.script(&text(&told["setup"]["revoke"])).await?;
        let check = home.check(&source, None).await?;
        assert_eq!(text(&failed(&check)["name"]), "connect and sign in", "{check}");
        let run = world.sync(&stream).await?;
        assert_eq!((text(&run["status"]), text(&run["error"]["kind"])), ("FAILED".into(), "auth".into()));
    }
    Ok(())
}

#[tokio::test]
async fn the_page_for_the_data_team_has_the_key_to_install_and_its_fingerprint() -> Result<()> {
    for home in Home::both().await? {
        let source = home.source().await?;
        let bare = home.world.ask(SETUP, json!({ "id": source })).await?["source"].take();
        assert!(!bare.to_string().contains("RSA_PUBLIC_KEY ="), "{bare}");
        home.stream(&source).await.expect_err("a table is looked at with a key");
        let first = home.make(&source).await?;
        home.world.site.app.clock.advance(1_000_000);
        let second = home.make(&source).await?;
        for (pair, other) in [(&second, &first), (&first, &second)] {
            let page = home.world.ask(SETUP, json!({ "id": source })).await?;
            let page = text(&page["source"]["instructions"]);
            for words in [
                text(&pair["setup"]["install"]),
                text(&pair["setup"]["verify"]),
                format!("`{}`", text(&pair["fingerprint"])),
            ] {
                assert!(page.contains(&words), "{words} is not on\n{page}");
            }
            assert!(!page.contains(&text(&other["publicKey"])), "one key is to be installed\n{page}");
            home.world.act("keyPairRetire", "", json!({ "id": second["id"] })).await?;
        }
    }
    Ok(())
}
