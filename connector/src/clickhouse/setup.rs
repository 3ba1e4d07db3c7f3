//! What a ClickHouse administrator runs so that Weir may read.

use super::config::{Config, SignIn};
use super::dialect::{quote, table_name};
use crate::TableRef;
use crate::setup::{Language, Setup, Tables, lines};

/// The scripts for a user that reads these tables and nothing else, within a profile and a quota of its own.
pub fn scripts(config: &Config, tables: Tables<'_>) -> Setup {
    let user = quote(&config.user);
    let (profile, quota) =
        (quote(&format!("{}_profile", config.user)), quote(&format!("{}_quota", config.user)));
    let home = |table: &TableRef| {
        let schema = table.schema.clone().or_else(|| Some(config.database.clone()));
        table_name(&TableRef { schema, ..table.clone() })
    };
    let names: Vec<String> = tables.0.iter().map(home).collect();
    let common_name = config.user.replace('\\', "\\\\").replace('\'', "\\'");
    let (advice, made) = match config.sign_in {
        SignIn::Password => (
            "Replace the password by a long random one first.",
            format!(
                "CREATE USER {user} IDENTIFIED WITH sha256_password BY 'replace this password' SETTINGS PROFILE {profile};"
            ),
        ),
        SignIn::Certificate => (
            "The client certificate has this common name; the server must trust whoever issued it.",
            format!(
                "CREATE USER {user} IDENTIFIED WITH ssl_certificate CN '{common_name}' SETTINGS PROFILE {profile};"
            ),
        ),
        SignIn::Token => (
            "The user is the one in the token, which exists already.",
            format!("ALTER USER {user} SETTINGS PROFILE {profile};"),
        ),
    };
    let mut grant = vec![
        format!("-- Run as a user with access management. {advice}"),
        // readonly = 2: reads only, and may set how results are told, which exact values need.
        format!("CREATE SETTINGS PROFILE {profile} SETTINGS readonly = 2, max_execution_time = 600;"),
        made,
        format!("CREATE QUOTA {quota} FOR INTERVAL 1 hour MAX queries = 20000, errors = 2000 TO {user};"),
    ];
    grant.extend(names.iter().map(|table| format!("GRANT SELECT ON {table} TO {user};")));
    let mut revoke =
        vec!["-- Run as a user with access management.".to_owned(), format!("DROP QUOTA {quota};")];
    match config.sign_in {
        // Others may use that user: it stays.
        SignIn::Token => {
            revoke.extend(names.iter().map(|table| format!("REVOKE SELECT ON {table} FROM {user};")))
        }
        // Its grants go with it.
        SignIn::Password | SignIn::Certificate => revoke.push(format!("DROP USER {user};")),
    }
    revoke.push(format!("DROP SETTINGS PROFILE {profile};"));
    Setup { language: Language::Sql, grant: lines(grant), revoke: lines(revoke) }
}
