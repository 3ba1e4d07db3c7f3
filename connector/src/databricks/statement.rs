//! One statement, the values bound to it, and how it is sent.

use serde_json::{Value, json};

use super::bound::Bound;

/// One statement with the values bound to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// Names and values.
    pub parameters: Vec<(String, Bound)>,
}

/// How a result is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// In the answers of the workspace; results of over 25 MiB fail.
    Inline,
    /// As links to the cloud's object store.
    Links,
}

impl Statement {
    /// A statement without values.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), parameters: Vec::new() }
    }

    /// The same with at most that many rows.
    pub fn limited(&self, rows: u64) -> Self {
        Self { sql: format!("{} LIMIT {rows}", self.sql), parameters: self.parameters.clone() }
    }

    /// The body of the request that runs it. `wait` is how many seconds the answer may be held back.
    ///
    /// The tag is a comment at its end: older workspaces do not know query tags.
    pub fn body(&self, warehouse: &str, disposition: Disposition, wait: u64, tag: &str) -> Value {
        let mut body = json!({
            "warehouse_id": warehouse,
            "statement": format!("{} /* {tag} */", self.sql),
            "wait_timeout": format!("{wait}s"),
            "on_wait_timeout": "CONTINUE",
            "disposition": match disposition {
                Disposition::Inline => "INLINE",
                Disposition::Links => "EXTERNAL_LINKS",
            },
            "format": "JSON_ARRAY",
        });
        if !self.parameters.is_empty() {
            let parameter = |(name, bound): &(String, Bound)| json!({ "name": name, "value": bound.value, "type": bound.kind });
            body["parameters"] = self.parameters.iter().map(parameter).collect();
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sent_beside_the_text() {
        let bound = Bound { kind: "BIGINT".to_owned(), value: "7".to_owned() };
        let statement =
            Statement { sql: "SELECT 1".to_owned(), parameters: vec![("lower".to_owned(), bound)] };
        let body = statement.limited(5).body("abc", Disposition::Inline, 10, "Weir");
        assert_eq!(body["statement"], "SELECT 1 LIMIT 5 /* Weir */");
        assert_eq!(body["parameters"], json!([{"name": "lower", "value": "7", "type": "BIGINT"}]));
        assert_eq!((&body["wait_timeout"], &body["disposition"]), (&json!("10s"), &json!("INLINE")));
        assert!(body.get("row_limit").is_none(), "nothing is ever cut silently");
    }
}
