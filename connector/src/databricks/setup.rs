//! What an owner of the catalogs runs so that Weir may read.
//!
//! Source: "Unity Catalog privileges and securable objects"; CAN USE on a warehouse is given by its permissions, for
//! which there is no SQL.

use std::collections::BTreeSet;

use super::config::Config;
use super::dialect::{quote, table_name};
use crate::setup::{Language, Setup, Tables, incomplete, lines, remark};
use crate::{Result, TableRef};

/// The scripts for a principal that reads these tables and nothing else.
///
/// # Errors
/// `Config` when it is not clear where a table lies.
pub fn scripts(config: &Config, tables: Tables<'_>) -> Result<Setup> {
    let principal = config.principal();
    let rights = rights(config, tables)?;
    let warehouse = config.warehouse_id().unwrap_or(&config.warehouse);
    let mut grant = vec![
        remark(&format!(
            "Run as an owner of the catalogs. Give {principal} CAN USE on the SQL warehouse {warehouse}, too:"
        )),
        remark("in the workspace, SQL Warehouses, Permissions."),
    ];
    grant.extend(rights.iter().map(|right| format!("GRANT {right} TO {principal};")));
    let mut revoke = vec![remark(&format!(
        "Run as an owner of the catalogs. Take CAN USE on the SQL warehouse {warehouse} away, too."
    ))];
    revoke.extend(rights.iter().rev().map(|right| format!("REVOKE {right} FROM {principal};")));
    Ok(Setup { language: Language::Sql, grant: lines(grant), revoke: lines(revoke) })
}

/// The rights reading takes, from the outside in, each once.
fn rights(config: &Config, tables: Tables<'_>) -> Result<Vec<String>> {
    let (mut catalogs, mut schemas, mut selects) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for table in tables.0 {
        let missing = |part| incomplete(table, part, "CATALOG.SCHEMA.TABLE");
        let catalog = table.catalog.as_ref().or(config.catalog.as_ref()).ok_or_else(|| missing("catalog"))?;
        let schema = table.schema.as_ref().or(config.schema.as_ref()).ok_or_else(|| missing("schema"))?;
        catalogs.insert(format!("USE CATALOG ON CATALOG {}", quote(catalog)));
        schemas.insert(format!("USE SCHEMA ON SCHEMA {}.{}", quote(catalog), quote(schema)));
        let whole = TableRef {
            catalog: Some(catalog.clone()),
            schema: Some(schema.clone()),
            name: table.name.clone(),
        };
        selects.insert(format!("SELECT ON TABLE {}", table_name(&whole)));
    }
    Ok(catalogs.into_iter().chain(schemas).chain(selects).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_granted_is_taken_back_from_the_inside_out() {
        let config = json!({"host": "dbc-1.cloud.databricks.com", "warehouse": "abc", "catalog": "main",
            "schema": "metrics", "signIn": {"oauth": {"clientId": "b7f7"}}});
        let config: Config = serde_json::from_value(config).expect("a configuration");
        let table = |schema: Option<&str>, name: &str| TableRef {
            catalog: None,
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        };
        let tables = [table(None, "daily"), table(None, "o`dd"), table(Some("other"), "daily")];
        let setup = scripts(&config, Tables(&tables)).expect("scripts");
        let statements: Vec<&str> = setup.grant.lines().filter(|line| !line.starts_with("--")).collect();
        assert_eq!(
            statements,
            [
                "GRANT USE CATALOG ON CATALOG `main` TO `b7f7`;",
                "GRANT USE SCHEMA ON SCHEMA `main`.`metrics` TO `b7f7`;",
                "GRANT USE SCHEMA ON SCHEMA `main`.`other` TO `b7f7`;",
                "GRANT SELECT ON TABLE `main`.`metrics`.`daily` TO `b7f7`;",
                "GRANT SELECT ON TABLE `main`.`metrics`.`o``dd` TO `b7f7`;",
                "GRANT SELECT ON TABLE `main`.`other`.`daily` TO `b7f7`;",
            ]
        );
        let back: Vec<String> =
            setup.revoke.lines().filter(|line| !line.starts_with("--")).map(str::to_owned).collect();
        let wanted: Vec<String> = statements
            .iter()
            .rev()
            .map(|line| line.replace("GRANT ", "REVOKE ").replace(" TO ", " FROM "))
            .collect();
        assert_eq!(back, wanted);
        let bare = Config { catalog: None, ..config };
        let refused = scripts(&bare, Tables(&tables)).expect_err("where does it lie?");
        assert!(refused.message().contains("table daily names no catalog"), "{refused:?}");
    }
}
