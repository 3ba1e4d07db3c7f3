//! What a PostgreSQL administrator runs so that Weir may read.

use super::config::Config;
use super::dialect::{quote, table_name};
use crate::setup::{Language, Setup, Tables, lines, remark};

/// The scripts for a role that reads these tables and nothing else.
pub fn scripts(config: &Config, tables: Tables<'_>) -> Setup {
    let (user, database) = (quote(&config.user), quote(&config.database));
    let schemas: Vec<String> = tables.schemas().into_iter().map(|(_, schema)| quote(schema)).collect();
    let names: Vec<String> = tables.0.iter().map(table_name).collect();
    let mut grant = vec![
        remark(&format!("Run in the database {database}, as its owner or an administrator.")),
        format!("CREATE ROLE {user} LOGIN CONNECTION LIMIT 20;"),
        remark("Give it a long random password, which no log keeps when set like this in psql:"),
        remark(&format!("  \\password {user}")),
        format!("ALTER ROLE {user} SET default_transaction_read_only = on;"),
        format!("GRANT CONNECT ON DATABASE {database} TO {user};"),
    ];
    grant.extend(schemas.iter().map(|schema| format!("GRANT USAGE ON SCHEMA {schema} TO {user};")));
    grant.extend(names.iter().map(|table| format!("GRANT SELECT ON TABLE {table} TO {user};")));
    let mut revoke = vec![remark(&format!("Run in the database {database}, as whoever granted."))];
    revoke.extend(names.iter().map(|table| format!("REVOKE SELECT ON TABLE {table} FROM {user};")));
    revoke.extend(schemas.iter().map(|schema| format!("REVOKE USAGE ON SCHEMA {schema} FROM {user};")));
    revoke.push(format!("REVOKE CONNECT ON DATABASE {database} FROM {user};"));
    revoke.push(format!("DROP ROLE {user};"));
    Setup { language: Language::Sql, grant: lines(grant), revoke: lines(revoke) }
}
