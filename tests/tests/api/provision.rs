//! What a customer's administrator is sent: scripts with their own names, the page without a secret, our addresses.

use anyhow::Result;
use serde_json::{Value, json};
use tests::log::Log;

use crate::kinds::{add, cases, unseen};
use crate::world::{World, text};

const SETUP: &str = "query($id: ID!, $tables: [TableRefInput!]) { source(id: $id) {
    setup(tables: $tables) { language grant revoke } instructions(tables: $tables) } }";

/// What must stand in the scripts for each of [`cases`]: in the grant, and in the revoke.
const WANTED: [(&[&str], &[&str]); 8] = [
    (
        &[
            "CREATE ROLE \"weir \"\"ro\"\"\" LOGIN",
            "GRANT CONNECT ON DATABASE \"acme db\" TO \"weir \"\"ro\"\"\";",
            "GRANT SELECT ON TABLE \"Sales\".\"usage's\" TO \"weir \"\"ro\"\"\";",
        ],
        &["REVOKE SELECT ON TABLE \"Sales\".\"usage's\" FROM", "DROP ROLE \"weir \"\"ro\"\"\";"],
    ),
    (&[], &[]),
    (
        &[
            "CREATE USER `weir``ro` IDENTIFIED WITH sha256_password",
            "CREATE QUOTA `weir``ro_quota`",
            "readonly = 2",
            "GRANT SELECT ON `Sales`.`usage's` TO `weir``ro`;",
        ],
        &[
            "DROP USER IF EXISTS `weir``ro`;",
            "DROP QUOTA IF EXISTS `weir``ro_quota`;",
            "DROP SETTINGS PROFILE",
        ],
    ),
    (
        &[
            "CREATE ROLE IF NOT EXISTS \"it's \"\"R\"\"\";",
            "WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60",
            "GRANT SELECT ON TABLE \"D\".\"Sales\".\"usage's\" TO ROLE \"it's \"\"R\"\"\";",
            "CREATE USER IF NOT EXISTS \"SYNC\" TYPE = SERVICE",
        ],
        &[
            "REVOKE SELECT ON TABLE \"D\".\"Sales\".\"usage's\" FROM ROLE \"it's \"\"R\"\"\";",
            "ALTER USER \"SYNC\" UNSET RSA_PUBLIC_KEY;",
            "-- DROP ROLE IF EXISTS \"it's \"\"R\"\"\";",
        ],
    ),
    (
        &["ADD PROGRAMMATIC ACCESS TOKEN", "ROLE_RESTRICTION = 'it''s \"R\"'"],
        &["REVOKE ROLE \"it's \"\"R\"\"\" FROM USER \"SYNC\";", "-- DROP USER IF EXISTS \"SYNC\";"],
    ),
    (
        &[
            "gcloud projects add-iam-policy-binding acme-pays",
            "roles/bigquery.jobUser",
            "serviceAccount:weir-reader@acme-pays.iam.gserviceaccount.com",
            "GRANT `roles/bigquery.dataViewer` ON TABLE `acme-data-1`.`Sales`.`usage",
        ],
        &["REVOKE `roles/bigquery.dataViewer`", "remove-iam-policy-binding acme-pays"],
    ),
    (&["serviceAccount:weir@operator.iam.gserviceaccount.com"], &["weir@operator.iam.gserviceaccount.com"]),
    (
        &[
            "CAN USE on the SQL warehouse abc123",
            "GRANT USE CATALOG ON CATALOG `main` TO `9e4ec9d1-7a57-4d63-b1f1-0a2c1f1b6e8a`;",
            "GRANT SELECT ON TABLE `main`.`Sales`.`usage's` TO `9e4ec9d1-7a57-4d63-b1f1-0a2c1f1b6e8a`;",
        ],
        &["REVOKE SELECT ON TABLE `main`.`Sales`.`usage's` FROM"],
    ),
];

#[tokio::test]
async fn each_kind_has_scripts_with_the_customers_names_and_a_page_without_a_secret() -> Result<()> {
    let log = Log::keep()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("google.json");
    let key =
        json!({ "client_email": "weir@operator.iam.gserviceaccount.com", "private_key": "hunter2-of-us" });
    std::fs::write(&file, key.to_string())?;
    let worlds = World::both_with(|config| {
        config.sources.egress_addresses = vec!["192.0.2.1/32".to_owned(), "2001:db8::/64".to_owned()];
        config.sources.google_key_file = file.display().to_string();
    })
    .await?;
    for world in worlds {
        let table = json!([{ "schema": "Sales", "name": "usage's" }]);
        for (number, (case, (grant, revoke))) in cases().iter().zip(WANTED).enumerate() {
            let source = add(&world, case, number).await?;
            let told = world.ask(SETUP, json!({ "id": source, "tables": table })).await?["source"].take();
            let page = text(&told["instructions"]);
            assert!(page.contains(&format!("“{} {number}”", case.kind)), "{page}");
            assert!(page.contains("- `192.0.2.1/32`") && page.contains("- `2001:db8::/64`"), "{page}");
            if grant.is_empty() {
                assert_eq!(told["setup"], Value::Null, "a file needs no grant");
                continue;
            }
            for (script, words) in [("grant", grant), ("revoke", revoke)] {
                let made = text(&told["setup"][script]);
                for word in words {
                    assert!(made.contains(word), "{word} is not in\n{made}");
                }
                assert!(page.contains(made.trim_end()), "the page has the script\n{page}");
            }
            let shell = case.kind == "bigquery";
            assert_eq!(told["setup"]["language"], if shell { "SHELL" } else { "SQL" });
        }
        let access = world.ask("{ access { egressAddresses googleServiceAccount } }", json!({})).await?;
        assert_eq!(
            access["access"],
            json!({
                "egressAddresses": ["192.0.2.1/32", "2001:db8::/64"],
                "googleServiceAccount": "weir@operator.iam.gserviceaccount.com",
            })
        );
        unseen(&world, &log).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_not_named_in_full_is_asked_for_and_not_left_out() -> Result<()> {
    for world in World::both().await? {
        for (kind, config, table, word) in [
            (
                "snowflake",
                json!({ "account": "acme-prod1", "user": "u", "role": "r", "warehouse": "w" }),
                json!({ "schema": "S", "name": "T" }),
                "S.T is named without its database",
            ),
            ("bigquery", json!({ "project": "acme-pays" }), json!({ "name": "T" }), "names no dataset"),
            (
                "databricks",
                json!({ "host": "dbc-a1b2345c-d6e7.cloud.databricks.com", "warehouse": "abc123" }),
                json!({ "schema": "s", "name": "T" }),
                "names no catalog",
            ),
        ] {
            let input = json!({ "name": kind, "config": { kind: config } });
            let source = text(&world.act("sourceCreate", "source { id }", input).await?["source"]["id"]);
            let variables = json!({ "id": source, "tables": [table] });
            let answer = world.send(&world.ours.token, SETUP, variables).await?;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.text);
            assert!(answer.text.contains(word), "{}", answer.text);
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_settings_of_the_operator_there_are_no_addresses_and_no_account() -> Result<()> {
    for world in World::both().await? {
        let access = world.ask("{ access { egressAddresses googleServiceAccount } }", json!({})).await?;
        assert_eq!(access["access"], json!({ "egressAddresses": [], "googleServiceAccount": null }));
        let token = world.token([]).await?;
        let code = world.code(&token, "{ access { egressAddresses } }", json!({})).await?;
        assert_eq!(code, "FORBIDDEN");
    }
    Ok(())
}
