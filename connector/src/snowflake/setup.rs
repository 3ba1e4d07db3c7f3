//! What a Snowflake administrator runs so that Weir may read.

use super::config::{Config, Method};
use super::dialect::{full, quote, quote_user, table_name};
use crate::setup::{KeySetup, Language, Setup, Tables, lines, remark};
use crate::{Result, TableRef};

/// Settings of the user that reading hangs on, whatever the account has for others: names mean what they spell, bounds
/// are read as they are written, and no result is cut.
const SETTINGS: [&str; 5] = [
    "QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE",
    "TIMESTAMP_INPUT_FORMAT = 'AUTO'",
    "DATE_INPUT_FORMAT = 'AUTO'",
    "TIME_INPUT_FORMAT = 'AUTO'",
    "ROWS_PER_RESULTSET = 0",
];

/// The scripts for a service user with a role that reads these tables and nothing else, and a small warehouse. User,
/// role and warehouse are made where they are missing; they may have been there before, and be others' too. So what is
/// taken back is what was granted, and dropping them is left to a person.
///
/// # Errors
/// `Config` when it is not clear where a table lies.
pub fn scripts(config: &Config, tables: Tables<'_>, public_key: Option<&str>) -> Result<Setup> {
    let (user, role, warehouse) = (quote_user(&config.user), quote(&config.role), quote(&config.warehouse));
    let tables: Vec<TableRef> = tables.0.iter().map(|table| full(table, config)).collect::<Result<_>>()?;
    let key = match (config.sign_in, public_key) {
        (Method::KeyPair, Some(key)) => format!(" RSA_PUBLIC_KEY = '{}'", base64(key)),
        _ => String::new(),
    };
    let mut grant = vec![
        remark("Run as ACCOUNTADMIN, or as a role that may create users, roles and warehouses."),
        format!("CREATE ROLE IF NOT EXISTS {role};"),
        format!(
            "CREATE WAREHOUSE IF NOT EXISTS {warehouse} WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 \
             AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;"
        ),
    ];
    let (outer, reading) = rights(&warehouse, &tables);
    grant.extend(outer.iter().map(|right| format!("GRANT {right} TO ROLE {role};")));
    if !reading.is_empty() {
        grant.push(remark("For a view, write VIEW instead of TABLE."));
    }
    grant.extend(reading.iter().map(|right| format!("GRANT {right} TO ROLE {role};")));
    grant.push(format!(
        "CREATE USER IF NOT EXISTS {user} TYPE = SERVICE DEFAULT_ROLE = {role} DEFAULT_WAREHOUSE = {warehouse}{key};"
    ));
    grant.extend(SETTINGS.iter().map(|setting| format!("ALTER USER {user} SET {setting};")));
    grant.push(format!("GRANT ROLE {role} TO USER {user};"));
    if config.sign_in == Method::Token {
        grant.push(remark(&format!(
            "Then make the token, restricted to the role: ALTER USER {user} ADD PROGRAMMATIC ACCESS TOKEN WEIR \
             ROLE_RESTRICTION = {};",
            text(&config.role)
        )));
    }
    let mut revoke = vec![remark("Run as ACCOUNTADMIN, or as whoever granted.")];
    revoke.extend(
        reading.iter().chain(outer.iter().rev()).map(|right| format!("REVOKE {right} FROM ROLE {role};")),
    );
    revoke.push(format!("REVOKE ROLE {role} FROM USER {user};"));
    if config.sign_in == Method::KeyPair {
        revoke.extend([1, 2].map(|slot| format!("ALTER USER {user} UNSET {};", property(slot))));
    }
    revoke.push(remark("Where the other script made them and nothing else uses them, these drop the rest:"));
    revoke.extend([
        remark(&format!("DROP USER IF EXISTS {user};")),
        remark(&format!("DROP ROLE IF EXISTS {role};")),
        remark(&format!("DROP WAREHOUSE IF EXISTS {warehouse};")),
    ]);
    Ok(Setup { language: Language::Sql, grant: lines(grant), revoke: lines(revoke) })
}

/// What the role is granted: to come to the tables, each once, from the outside in, and to read them.
fn rights(warehouse: &str, tables: &[TableRef]) -> (Vec<String>, Vec<String>) {
    let mut databases: Vec<String> =
        tables.iter().filter_map(|table| table.catalog.as_deref()).map(quote).collect();
    databases.sort_unstable();
    databases.dedup();
    let mut outer = vec![format!("USAGE ON WAREHOUSE {warehouse}")];
    outer.extend(databases.iter().map(|database| format!("USAGE ON DATABASE {database}")));
    outer.extend(Tables(tables).schemas().into_iter().map(|(database, schema)| {
        let database = database.map(|name| format!("{}.", quote(name))).unwrap_or_default();
        format!("USAGE ON SCHEMA {database}{}", quote(schema))
    }));
    (outer, tables.iter().map(|table| format!("SELECT ON TABLE {}", table_name(table))).collect())
}

/// The user's property that holds the public key of a slot.
fn property(slot: u8) -> &'static str {
    if slot == 2 { "RSA_PUBLIC_KEY_2" } else { "RSA_PUBLIC_KEY" }
}

/// The statements for the key pair in slot 1 or 2: a user has two keys, so that one can be changed while the other is
/// in use.
pub fn key(config: &Config, slot: u8, public_key: &str) -> KeySetup {
    let (user, property) = (quote_user(&config.user), property(slot));
    KeySetup {
        install: format!("ALTER USER {user} SET {property} = '{}';", base64(public_key)),
        verify: format!("DESC USER {user};"),
        remove: format!("ALTER USER {user} UNSET {property};"),
    }
}

/// A text in quotes; a backslash is special in Snowflake's.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// A key on one line, and nothing but the key.
fn base64(key: &str) -> String {
    key.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snowflake::config::tests::right;

    fn config(method: &str) -> Config {
        let mut json = right();
        json["signIn"] = method.into();
        json["user"] = "sync_svc".into();
        json["database"] = "D".into();
        json["role"] = "it's \"R\"".into();
        serde_json::from_value(json).expect("a configuration")
    }

    #[test]
    fn the_script_has_the_customers_own_names_and_the_key() {
        let table = |name: &str| TableRef { catalog: None, schema: Some("s".into()), name: name.into() };
        let tables = [table("T"), table("v\"1")];
        let made = scripts(&config("keyPair"), Tables(&tables), Some("MIIB+/==")).expect("scripts");
        for line in [
            "CREATE ROLE IF NOT EXISTS \"it's \"\"R\"\"\";",
            "GRANT USAGE ON DATABASE \"D\" TO ROLE \"it's \"\"R\"\"\";",
            "GRANT USAGE ON SCHEMA \"D\".\"s\" TO ROLE \"it's \"\"R\"\"\";",
            "GRANT SELECT ON TABLE \"D\".\"s\".\"v\"\"1\" TO ROLE \"it's \"\"R\"\"\";",
            "CREATE USER IF NOT EXISTS \"SYNC_SVC\" TYPE = SERVICE DEFAULT_ROLE = \"it's \"\"R\"\"\" \
             DEFAULT_WAREHOUSE = \"SYNC_WH\" RSA_PUBLIC_KEY = 'MIIB+/==';",
            "ALTER USER \"SYNC_SVC\" SET QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE;",
        ] {
            assert!(made.grant.lines().any(|found| found == line), "{line} is not in\n{}", made.grant);
        }
        for line in [
            "REVOKE SELECT ON TABLE \"D\".\"s\".\"v\"\"1\" FROM ROLE \"it's \"\"R\"\"\";",
            "REVOKE ROLE \"it's \"\"R\"\"\" FROM USER \"SYNC_SVC\";",
            "ALTER USER \"SYNC_SVC\" UNSET RSA_PUBLIC_KEY_2;",
            "-- DROP WAREHOUSE IF EXISTS \"SYNC_WH\";",
        ] {
            assert!(made.revoke.lines().any(|found| found == line), "{line} is not in\n{}", made.revoke);
        }
        assert!(!made.revoke.lines().any(|line| line.starts_with("DROP")), "{}", made.revoke);
        let token = scripts(&config("token"), Tables(&tables), Some("MIIB")).expect("scripts");
        assert!(!token.grant.contains("MIIB") && token.grant.contains("ROLE_RESTRICTION = 'it''s \"R\"'"));
    }

    #[test]
    fn a_table_that_is_nowhere_is_not_left_out() {
        let table = TableRef { catalog: None, schema: Some("S".into()), name: "T".into() };
        let nowhere = Config { database: None, ..config("keyPair") };
        let refused = scripts(&nowhere, Tables(&[table]), None).expect_err("which database?");
        assert!(refused.message().contains("S.T"), "{refused:?}");
    }

    #[test]
    fn a_key_has_a_slot_of_its_own() {
        let first = key(&config("keyPair"), 1, "MI'IB");
        assert_eq!(first.install, "ALTER USER \"SYNC_SVC\" SET RSA_PUBLIC_KEY = 'MIIB';");
        let second = key(&config("keyPair"), 2, "MIIB");
        assert_eq!(second.remove, "ALTER USER \"SYNC_SVC\" UNSET RSA_PUBLIC_KEY_2;");
        assert_eq!(second.verify, "DESC USER \"SYNC_SVC\";");
    }
}
