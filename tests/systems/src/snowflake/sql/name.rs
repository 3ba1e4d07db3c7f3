//! Names: folded to upper case without quotes, exact with them; looked up in the session's database and schema.

use sqlparser::ast::{Ident, ObjectName};

use super::error::{Outcome, SqlError};
use super::session::Session;

/// An identifier as it is stored.
pub fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_uppercase() }
}

/// The parts of a name as they are stored. An empty part stands for the schema left out in `db..table`.
pub fn parts(name: &ObjectName) -> Outcome<Vec<String>> {
    let part = |part: &sqlparser::ast::ObjectNamePart| part.as_ident().map(fold);
    name.0.iter().map(part).collect::<Option<_>>().ok_or_else(|| SqlError::unsupported(name))
}

/// Database, schema and name of an object.
pub fn object(parts: &[String], session: &Session) -> Outcome<[String; 3]> {
    let unset = |sort: &str| {
        let text = format!(
            "Cannot perform operation. This session does not have a current {sort}. Call 'USE {}', or use a qualified name.",
            sort.to_uppercase()
        );
        SqlError::new("090105", "22000", text)
    };
    let database = || session.database.clone().ok_or_else(|| unset("database"));
    let schema = || session.schema.clone().ok_or_else(|| unset("schema"));
    Ok(match parts {
        [name] => [database()?, schema()?, name.clone()],
        [schema, name] => [database()?, schema.clone(), name.clone()],
        [database, schema, name] if schema.is_empty() => {
            [database.clone(), "PUBLIC".to_owned(), name.clone()]
        }
        [database, schema, name] => [database.clone(), schema.clone(), name.clone()],
        _ => return Err(SqlError::syntax(format!("unexpected '{}'", parts.join(".")))),
    })
}

/// A name as messages and listings print it: quoted where it must be.
pub fn shown(parts: &[impl AsRef<str>]) -> String {
    let one = |part: &str| {
        let plain = part.starts_with(|it: char| it.is_ascii_uppercase() || it == '_')
            && part
                .chars()
                .all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_' || it == '$');
        if plain { part.to_owned() } else { format!("\"{}\"", part.replace('"', "\"\"")) }
    };
    parts.iter().map(|part| one(part.as_ref())).collect::<Vec<_>>().join(".")
}
