//! What a ClickHouse administrator runs so that Weir may read.

use super::config::{Config, SignIn};
use super::dialect::{quote, table_name};
use crate::TableRef;
use crate::setup::{Language, Setup, Tables, lines, remark};

/// Every server's own administrator, who is neither made nor bound to a profile that only reads.
const OWN: &str = "default";

/// Who reads in place of the server's own administrator.
const INSTEAD: &str = "weir";

/// The scripts for a user that reads these tables and nothing else, within a profile and a quota of its own.
///
/// Profile and quota name the user, and not the other way about: those that a user has already stay.
pub fn scripts(config: &Config, tables: Tables<'_>) -> Setup {
    let name = if config.user == OWN { INSTEAD } else { &config.user };
    let user = quote(name);
    let (profile, quota) = (quote(&format!("{name}_profile")), quote(&format!("{name}_quota")));
    let home = |table: &TableRef| {
        let schema = table.schema.clone().or_else(|| Some(config.database.clone()));
        table_name(&TableRef { schema, ..table.clone() })
    };
    let names: Vec<String> = tables.0.iter().map(home).collect();
    let common_name = name.replace('\\', "\\\\").replace('\'', "\\'");
    let (advice, made) = match config.sign_in {
        SignIn::Password => (
            "Replace the password by a long random one first.",
            Some(format!("CREATE USER {user} IDENTIFIED WITH sha256_password BY 'replace this password';")),
        ),
        SignIn::Certificate => (
            "The client certificate has this common name; the server must trust whoever issued it.",
            Some(format!("CREATE USER {user} IDENTIFIED WITH ssl_certificate CN '{common_name}';")),
        ),
        SignIn::Token => ("The user is the one in the token, which exists already.", None),
    };
    let mut grant = vec![remark(&format!("Run as a user with access management. {advice}"))];
    if config.user == OWN {
        grant.push(remark(&match config.sign_in {
            SignIn::Token => format!("Write the user in the token instead of {INSTEAD}."),
            _ => format!("{OWN} is the server's own administrator: connect as {INSTEAD} instead."),
        }));
    }
    grant.extend(made);
    grant.extend([
        // readonly = 2: reads only, and may set how results are told, which exact values need.
        format!(
            "CREATE SETTINGS PROFILE {profile} SETTINGS readonly = 2, max_execution_time = 600 TO {user};"
        ),
        format!("CREATE QUOTA {quota} FOR INTERVAL 1 hour MAX queries = 20000, errors = 2000 TO {user};"),
    ]);
    grant.extend(names.iter().map(|table| format!("GRANT SELECT ON {table} TO {user};")));
    let mut revoke = vec![remark("Run as a user with access management.")];
    match config.sign_in {
        // Others may use that user: it stays.
        SignIn::Token => {
            revoke.extend(names.iter().map(|table| format!("REVOKE SELECT ON {table} FROM {user};")))
        }
        // Its grants go with it.
        SignIn::Password | SignIn::Certificate => revoke.push(format!("DROP USER IF EXISTS {user};")),
    }
    revoke.push(format!("DROP QUOTA IF EXISTS {quota};"));
    revoke.push(format!("DROP SETTINGS PROFILE IF EXISTS {profile};"));
    Setup { language: Language::Sql, grant: lines(grant), revoke: lines(revoke) }
}
