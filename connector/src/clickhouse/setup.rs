//! What a ClickHouse administrator runs so that Weir may read.

use super::config::Config;
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
    let mut grant = vec![
        "-- Run as a user with access management. Replace the password by a long random one first."
            .to_owned(),
        // readonly = 2: reads only, and may set how results are told, which exact values need.
        format!("CREATE SETTINGS PROFILE {profile} SETTINGS readonly = 2, max_execution_time = 600;"),
        format!(
            "CREATE USER {user} IDENTIFIED WITH sha256_password BY 'replace this password' SETTINGS PROFILE {profile};"
        ),
        format!("CREATE QUOTA {quota} FOR INTERVAL 1 hour MAX queries = 20000, errors = 2000 TO {user};"),
    ];
    grant.extend(names.iter().map(|table| format!("GRANT SELECT ON {table} TO {user};")));
    let revoke = vec![
        "-- Run as a user with access management. The user's grants go with it.".to_owned(),
        format!("DROP QUOTA {quota};"),
        format!("DROP USER {user};"),
        format!("DROP SETTINGS PROFILE {profile};"),
    ];
    Setup { language: Language::Sql, grant: lines(grant), revoke: lines(revoke) }
}
