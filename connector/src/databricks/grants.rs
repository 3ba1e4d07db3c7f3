//! The grants a reader lacks, as statements an owner can run.
//!
//! Source: "Unity Catalog privileges and securable objects".

use super::dialect::{quote, table_name};
use super::failure::Subject;

/// The statements that give what the warehouse says is missing; all that reading needs when it does not say.
pub fn missing(words: &str, subject: Subject<'_>) -> String {
    if let Some(one) = told(words, subject.principal) {
        return one;
    }
    let Some(table) = subject.table else {
        return format!("GRANT SELECT ON TABLE <catalog>.<schema>.<table> TO {}", subject.principal);
    };
    let mut grants = Vec::new();
    if let Some(catalog) = &table.catalog {
        grants.push(format!("GRANT USE CATALOG ON CATALOG {} TO {}", quote(catalog), subject.principal));
        if let Some(schema) = &table.schema {
            let schema = format!("{}.{}", quote(catalog), quote(schema));
            grants.push(format!("GRANT USE SCHEMA ON SCHEMA {schema} TO {}", subject.principal));
        }
    }
    grants.push(format!("GRANT SELECT ON TABLE {} TO {}", table_name(table), subject.principal));
    grants.join("; ")
}

/// Reads `User does not have USE SCHEMA on Schema 'main.metrics'`.
fn told(words: &str, principal: &str) -> Option<String> {
    let (_, rest) = words.split_once("does not have ")?;
    let (privilege, rest) = rest.split_once(" on ")?;
    if !matches!(privilege, "USE CATALOG" | "USE SCHEMA" | "SELECT") {
        return None;
    }
    let (object, rest) = rest.split_once(" '")?;
    if !matches!(object, "Catalog" | "Schema" | "Table" | "View") {
        return None;
    }
    let (name, _) = rest.split_once('\'')?;
    let name: Vec<String> = name.split('.').map(quote).collect();
    let object = if object == "View" { "TABLE".to_owned() } else { object.to_ascii_uppercase() };
    Some(format!("GRANT {privilege} ON {object} {} TO {principal}", name.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableRef;

    #[test]
    fn the_very_grant_that_is_missing_is_told() {
        let words = "[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User does not have USE SCHEMA on Schema 'main.metrics'. SQLSTATE: 42501";
        let subject = Subject { table: None, principal: "`b7f7`" };
        assert_eq!(missing(words, subject), "GRANT USE SCHEMA ON SCHEMA `main`.`metrics` TO `b7f7`");
    }

    #[test]
    fn all_grants_are_told_where_the_system_does_not_say() {
        let table = TableRef {
            catalog: Some("main".to_owned()),
            schema: Some("metrics".to_owned()),
            name: "da`ily".to_owned(),
        };
        let grants = missing("PERMISSION_DENIED", Subject { table: Some(&table), principal: "`b7f7`" });
        assert_eq!(
            grants,
            "GRANT USE CATALOG ON CATALOG `main` TO `b7f7`; GRANT USE SCHEMA ON SCHEMA `main`.`metrics` TO `b7f7`; \
             GRANT SELECT ON TABLE `main`.`metrics`.`da``ily` TO `b7f7`"
        );
    }
}
