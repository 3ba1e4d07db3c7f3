//! Accounts from CSV: `id,name,domain`. A row without an ID means the account of that name.

use entity::{AccountId, account};
use sea_orm::ConnectionTrait;

use super::book::Accounts;
use super::table::Row;
use super::{Effect, Report, Wrong};
use crate::domain::change::Change;
use crate::domain::text;
use crate::error::{Error, Result};

/// The columns that must be there, and the others.
pub const COLUMNS: (&[&str], &[&str]) = (&["name"], &["id", "domain"]);

/// Works out what rows do, and does it if it is to be written.
pub async fn import(
    change: &Change<'_, impl ConnectionTrait>,
    rows: &[Row<'_>],
    write: bool,
    report: &mut Report,
) -> Result<()> {
    let mut accounts = Accounts::load(change, rows, "id", "name").await?;
    for row in rows {
        let effect = take(change, &mut accounts, row);
        report.count(row.line, effect);
    }
    if write {
        accounts.shelf.write::<account::Entity, account::ActiveModel>(change.db).await?;
    }
    Ok(())
}

/// Checks a short text of a cell by the rules of the API.
pub fn checked(column: &'static str, made: Result<String>) -> std::result::Result<String, Wrong> {
    made.map_err(|error| match error {
        Error::Invalid { reason, .. } => Wrong::new(column, reason),
        Error::Refused(refusal) => Wrong::new(column, refusal.reason),
        other => Wrong::new(column, other.to_string()),
    })
}

fn take(
    change: &Change<'_, impl ConnectionTrait>,
    accounts: &mut Accounts,
    row: &Row<'_>,
) -> std::result::Result<Effect, Wrong> {
    let name = checked("name", text::name("name", row.cell("name").unwrap_or_default()))?;
    let domain =
        row.filled("domain").map(|domain| checked("domain", text::name("domain", domain))).transpose()?;
    let found = match row.filled("id") {
        Some(id) => Some(accounts.by_id(id, "id")?),
        None => accounts.by_name(&name, "name")?,
    };
    let stored = found.and_then(|id| accounts.shelf.get(id)).cloned();
    let Some(stored) = stored else {
        let id = AccountId::new();
        accounts.name(&name, id);
        let model = account::Model {
            organization_id: change.organization(),
            id,
            name,
            domain,
            archived_at: None,
            version: 1,
            created_at: change.now,
            updated_at: change.now,
        };
        accounts.shelf.put(id, model);
        return Ok(Effect::Created);
    };
    // A file without the column says nothing about domains.
    let domain = if row.cell("domain").is_some() { domain } else { stored.domain.clone() };
    if stored.name == name && stored.domain == domain {
        return Ok(Effect::Unchanged);
    }
    let version = stored.version + 1;
    let next = account::Model { name, domain, version, updated_at: change.now, ..stored };
    accounts.shelf.put(next.id, next);
    Ok(Effect::Updated)
}
