//! One statement, from its text to its answer.

use sqlparser::ast::Statement;
use sqlparser::dialect::SnowflakeDialect;
use sqlparser::parser::Parser;

use super::answer::Answer;
use super::error::{Outcome, SqlError};
use super::session::Session;
use super::tokens::Tokens;
use super::value::Value;
use super::{define, describe, grants, insert, select, show};
use crate::snowflake::state::World;
use crate::snowflake::users::ADMIN;

/// A statement that has been looked at: whether it only reads decides how it runs.
#[derive(Debug)]
pub enum Plan {
    /// `SHOW` and `DESCRIBE`.
    Listing(Tokens),
    /// `SELECT`.
    Reading(Box<sqlparser::ast::Query>),
    /// What is read word by word and changes something.
    Words(Tokens),
    /// What the grammar reads and changes something.
    Changing(Box<Statement>),
}

/// Reads a statement. `ignore_case` says that names in quotes mean the same in any case.
pub fn plan(sql: &str, bound: &[Value], ignore_case: bool) -> Outcome<Plan> {
    let tokens = Tokens::of(sql)?;
    let tokens = if ignore_case { tokens.folded() } else { tokens };
    if tokens.is_done() {
        return Err(SqlError::new("000900", "42601", "SQL compilation error:\nEmpty SQL statement."));
    }
    if tokens.statements() > 1 {
        let text = format!(
            "Actual statement count {} did not match the desired statement count 1.",
            tokens.statements()
        );
        return Err(SqlError::new("000008", "0A000", text));
    }
    if bound.len() > tokens.placeholders() {
        // More than are used: the service is not known to refuse it, and no client does it with intent.
        let text = format!(
            "{} values are bound, and the statement has {} bind variables",
            bound.len(),
            tokens.placeholders()
        );
        return Err(SqlError::new("002049", "42601", text));
    }
    let mut words = tokens.clone();
    for word in ["SHOW", "DESCRIBE", "DESC"] {
        if words.take(word) {
            return Ok(Plan::Listing(tokens));
        }
    }
    for word in ["USE", "ALTER SESSION", "BEGIN", "COMMIT", "ROLLBACK", "SET", "UNSET", "PUT", "GET"] {
        if words.take(word) {
            let text = format!("Statement type {word} is not supported by the SQL API.");
            return Err(SqlError::new("391911", "0A000", text));
        }
    }
    for word in ["GRANT", "REVOKE", "ALTER", "DROP", "TRUNCATE"] {
        if words.take(word) {
            return Ok(Plan::Words(tokens));
        }
    }
    let mut after = words.clone();
    if after.take("CREATE") {
        after.take("OR REPLACE");
        if ["DATABASE", "SCHEMA", "WAREHOUSE", "ROLE", "USER"].iter().any(|sort| after.take(sort)) {
            return Ok(Plan::Words(tokens));
        }
    }
    let mut parser = Parser::new(&SnowflakeDialect).with_tokens_with_locations(tokens.all());
    let statement = parser.parse_statement().map_err(SqlError::syntax)?;
    let rest = parser.peek_token();
    if rest.token != sqlparser::tokenizer::Token::EOF {
        let place = rest.span.start;
        let text = format!("line {} at position {} unexpected '{}'.", place.line, place.column, rest.token);
        return Err(SqlError::syntax(text));
    }
    Ok(match statement {
        Statement::Query(query) => Plan::Reading(query),
        other => Plan::Changing(Box::new(other)),
    })
}

/// Runs a statement that only reads.
pub fn read(world: &World, session: &Session, plan: &Plan, bound: &[Value]) -> Outcome<Answer> {
    let mut answer = match plan {
        Plan::Listing(tokens) => {
            let mut tokens = tokens.clone();
            if tokens.take("SHOW") {
                show::show(world, session, &mut tokens)?
            } else {
                let _word = tokens.take("DESCRIBE") || tokens.take("DESC");
                describe::describe(world, session, &mut tokens)?
            }
        }
        Plan::Reading(query) => select::run(world, session, query, bound)?,
        Plan::Words(_) | Plan::Changing(_) => return Err(SqlError::unsupported("a change in a read")),
    };
    if session.rows_per_resultset > 0 {
        answer.limit(session.rows_per_resultset);
    }
    Ok(answer)
}

/// Runs a statement that changes something: only the administrator's role may.
pub fn change(world: &mut World, session: &Session, plan: &Plan, bound: &[Value]) -> Outcome<Answer> {
    if session.role.as_deref() != Some(ADMIN) {
        return Err(SqlError::privilege(format!(
            "schema '{}'",
            session.schema.as_deref().unwrap_or("PUBLIC")
        )));
    }
    match plan {
        Plan::Words(tokens) => {
            let mut tokens = tokens.clone();
            if tokens.take("GRANT") {
                grants::change(world, session, &mut tokens, true)
            } else if tokens.take("REVOKE") {
                grants::change(world, session, &mut tokens, false)
            } else if tokens.take("ALTER") {
                define::alter(world, session, &mut tokens)
            } else if tokens.take("DROP") {
                define::drop_object(world, session, &mut tokens)
            } else if tokens.take("TRUNCATE") {
                tokens.take("TABLE");
                let name = tokens.name()?;
                tokens.end()?;
                insert::truncate(world, session, &name)
            } else {
                tokens.need("CREATE")?;
                define::create(world, session, &mut tokens)?.ok_or_else(|| tokens.unexpected())
            }
        }
        Plan::Changing(statement) => match statement.as_ref() {
            Statement::CreateTable(create) => define::table(world, session, create, bound),
            Statement::CreateView(create) => define::view(world, session, create),
            Statement::Insert(statement) => insert::insert(world, session, statement, bound),
            Statement::Delete(statement) => insert::delete(world, session, statement, bound),
            Statement::Update(statement) => insert::update(world, session, statement, bound),
            other => Err(SqlError::unsupported(other)),
        },
        Plan::Listing(_) | Plan::Reading(_) => Err(SqlError::unsupported("a read in a change")),
    }
}
