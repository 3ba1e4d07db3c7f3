//! A quoted name is one identifier and says the same name, whatever letters it has.

use connector::{bigquery, clickhouse, databricks, postgres, snowflake, sqlite};
use proptest::prelude::*;
use sqlparser::ast::{Expr, ObjectNamePart, SelectItem, SetExpr, Statement, TableFactor};
use sqlparser::dialect::{
    BigQueryDialect, ClickHouseDialect, DatabricksDialect, Dialect, PostgreSqlDialect, SQLiteDialect,
    SnowflakeDialect,
};
use sqlparser::parser::Parser;

/// How one kind quotes, and who reads it.
struct Quoting {
    kind: &'static str,
    quote: fn(&str) -> String,
    dialect: &'static dyn Dialect,
    /// Whether a backslash escapes inside of quotes, which the parser leaves to whoever reads the name.
    escapes: bool,
    /// Letters no name of the system has.
    never: &'static str,
}

const ALL: [Quoting; 6] = [
    // A backtick is escaped there by a backslash, which this parser does not know; no name has one.
    of("bigquery", bigquery::quote, &BigQueryDialect {}, true, "`."),
    of("clickhouse", clickhouse::quote, &ClickHouseDialect {}, true, ""),
    of("databricks", databricks::quote, &DatabricksDialect {}, false, ""),
    of("postgres", postgres::quote, &PostgreSqlDialect {}, false, ""),
    of("snowflake", snowflake::quote, &SnowflakeDialect {}, false, ""),
    of("sqlite", sqlite::quote, &SQLiteDialect {}, false, ""),
];

const fn of(
    kind: &'static str,
    quote: fn(&str) -> String,
    dialect: &'static dyn Dialect,
    escapes: bool,
    never: &'static str,
) -> Quoting {
    Quoting { kind, quote, dialect, escapes, never }
}

/// The names in `SELECT <first> FROM <second>.<third>`; nothing when the statement is any other.
fn names(dialect: &dyn Dialect, sql: &str) -> Option<[String; 3]> {
    let parsed = Parser::parse_sql(dialect, sql).ok()?;
    let [Statement::Query(query)] = parsed.as_slice() else { return None };
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let [SelectItem::UnnamedExpr(Expr::Identifier(item))] = select.projection.as_slice() else { return None };
    let [from] = select.from.as_slice() else { return None };
    let TableFactor::Table { name, alias: None, args: None, .. } = &from.relation else { return None };
    let [ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(table)] = name.0.as_slice() else {
        return None;
    };
    let plain = from.joins.is_empty() && select.selection.is_none() && query.order_by.is_none();
    plain.then(|| [item, schema, table].map(|name| name.value.clone()))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

fn check(quoting: &Quoting, name: &str) -> Result<(), String> {
    let quoted = (quoting.quote)(name);
    let sql = format!("SELECT {quoted} FROM {quoted}.{quoted}");
    let found = names(quoting.dialect, &sql)
        .ok_or_else(|| format!("{}: {sql} is another statement", quoting.kind))?;
    let read = found.map(|found| if quoting.escapes { unescaped(&found) } else { found });
    if read.iter().all(|read| read == name) {
        Ok(())
    } else {
        Err(format!("{}: {name:?} is read as {read:?}", quoting.kind))
    }
}

/// Names made of what ends, escapes and comments, and of anything else.
fn name() -> impl Strategy<Value = String> {
    let nasty = proptest::sample::select(vec![
        "`",
        "``",
        "\"",
        "\"\"",
        "'",
        "\\",
        "\\`",
        "\\\"",
        "]",
        "[",
        ".",
        ";",
        "--",
        "/*",
        "*/",
        "#",
        "$$",
        "{x:String}",
        "?",
        ":a",
        "@p",
        "\n",
        "\r",
        "\t",
        " ",
        "a",
        "Z",
        "é",
        "日",
        "%",
        "drop table t",
    ]);
    prop_oneof![
        proptest::collection::vec(nasty, 1..8).prop_map(|parts| parts.concat()),
        any::<String>().prop_filter("a name has a letter", |name| !name.is_empty()),
    ]
}

proptest! {
    #[test]
    fn pitfall_20_quoted_then_parsed_is_one_identifier(name in name()) {
        for quoting in ALL.iter().filter(|quoting| !name.contains(|letter| quoting.never.contains(letter))) {
            check(quoting, &name).map_err(TestCaseError::fail)?;
        }
    }
}

#[test]
fn every_kind_is_tried() {
    let tried: Vec<&str> = ALL.iter().map(|quoting| quoting.kind).collect();
    let missing: Vec<&str> = connector::kinds::names().filter(|kind| !tried.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_check_can_fail() {
    let careless = Quoting {
        quote: |name| format!("\"{name}\""),
        ..of("postgres", postgres::quote, &PostgreSqlDialect {}, false, "")
    };
    assert!(check(&careless, "plain").is_ok());
    assert!(check(&careless, "a\" FROM x.y; --").is_err());
    assert!(check(&careless, "a\"b").is_err());
}
