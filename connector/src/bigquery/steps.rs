//! The steps of a check: reach the hosts, sign in, run a statement, find the table, read it, read its cursor.

use std::sync::Arc;

use super::catalog::Known;
use super::dialect::{quote, select_item};
use super::job;
use super::statement::Statement;
use super::{Shared, sample};
use crate::{Cell, Check, ConnectorError, CursorKind, ErrorKind, Moment, Result, TableRef, wall};

/// The step that shows whether the account may run statements where it should.
const RUN: &str = "run a statement";

/// Tries the connection, with the table's steps when one is given.
pub async fn check(shared: &Arc<Shared>, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
    let mut check = Check::default();
    let client = &shared.client;
    check.step("resolve host", async { Ok(((), Some(client.resolve().await?))) }).await;
    check
        .step("sign in", async {
            client.session().token(None).await?;
            Ok(((), Some(format!("as {}", client.session().email()))))
        })
        .await;
    check
        .step(RUN, async {
            let now = super::now(shared).await?;
            Ok(((), Some(format!("billed to {}; {}", client.config().project, offset(now)))))
        })
        .await;
    let Some(table) = table else { return check };
    let known = check
        .step("find table", async {
            let (known, _) = shared.table(table, true).await?;
            let note = described(&known);
            Ok((known, Some(note)))
        })
        .await;
    let Some(known) = known else { return check };
    check.step("read table", async { Ok(((), Some(readable(shared, &known).await?))) }).await;
    if let Some(name) = cursor {
        check
            .step("read cursor column", async {
                let note = cursor_column(shared, &known, table, name).await?;
                Ok(((), Some(note)))
            })
            .await;
    }
    check
}

/// How far the two clocks are apart, for people.
fn offset(theirs: Moment) -> String {
    let ahead = theirs.seconds - wall::seconds();
    let now = Cell::Zoned(theirs);
    if ahead.abs() < 5 {
        format!("its clock says {now}")
    } else {
        format!("its clock says {now}, {ahead} s ahead of ours")
    }
}

fn described(known: &Known) -> String {
    let rows = known.rows.map_or_else(String::new, |rows| format!(", about {rows} rows"));
    let place = known.location.as_ref().map_or_else(String::new, |place| format!(" in {place}"));
    let kind = known.kind.to_lowercase().replace('_', " ");
    format!("{kind}{place} with {} columns{rows}", known.columns.len())
}

/// Reads a row of a table, or has a view's statement checked, neither of which costs anything.
async fn readable(shared: &Shared, known: &Known) -> Result<String> {
    let Some(column) = known.columns.first() else {
        let message = format!("table {} has no columns", known.path.table);
        return Err(ConnectorError::new(ErrorKind::Schema, message));
    };
    if known.stored() {
        match sample::rows(shared, known, std::slice::from_ref(column), 1).await {
            Ok(_) => return Ok("a row was read".to_owned()),
            // Tables with row access policies are only read by statements.
            Err(error) if error.kind() == ErrorKind::Permission => {}
            Err(error) => return Err(error),
        }
    }
    let bytes = job::estimate(&shared.client, &known.select(&select_item(column), None)?).await?;
    Ok(format!("a statement over one column would read {}", size(bytes)))
}

async fn cursor_column(shared: &Shared, known: &Known, table: &TableRef, name: &str) -> Result<String> {
    let chosen = known.choose(table, &[name.to_owned()])?;
    let column =
        chosen.first().filter(|column| CursorKind::of(column.kind()).is_some()).ok_or_else(|| {
            let message = format!("column {name:?} cannot be a cursor: it is no integer, date or time");
            ConnectorError::new(ErrorKind::Config, message)
                .hint("choose a column of type INT64, DATE, DATETIME or TIMESTAMP")
        })?;
    let statement = known.select(&format!("MAX({})", quote(&column.name)), Some(column))?;
    let bytes = job::estimate(&shared.client, &statement).await?;
    let note = format!("reading all of it looks at {}", size(bytes));
    Ok(match known.advice(name) {
        Some(advice) => format!("{note}; {advice}"),
        None => note,
    })
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1_000.0 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}

impl Known {
    /// A statement that selects one expression, filtered by nothing unless the table wants a filter.
    ///
    /// # Errors
    /// `Config` when the table wants a filter by another column than the cursor's.
    pub fn select(&self, item: &str, cursor: Option<&super::types::Native>) -> Result<Statement> {
        use super::bound;
        use super::statement::Parameter;
        let mut statement = Statement {
            location: self.location.clone(),
            ..Statement::new(format!("SELECT {item} FROM {}", self.path.quoted()))
        };
        let wanted = self.partition.as_ref().filter(|partition| partition.required);
        let filter = match (wanted.and_then(|partition| partition.column.as_ref()), cursor) {
            (_, Some(cursor)) => self.wants_filter(&cursor.name)?.then(|| cursor.clone()),
            (Some(name), None) => self.columns.iter().find(|column| column.name == *name).cloned(),
            (None, None) => None,
        };
        if let Some(column) = filter
            && let (Some(kind), Some(value)) = (column.parameter(), bound::least(&column))
        {
            statement.sql.push_str(&format!(" WHERE {} >= @least", quote(&column.name)));
            statement.parameters.push(Parameter { name: "least".to_owned(), kind, value });
        }
        Ok(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, wanted) in
            [(0, "0 bytes"), (999, "999 bytes"), (10_485_760, "10.5 MB"), (u64::MAX, "18446744.1 TB")]
        {
            assert_eq!(size(bytes), wanted);
        }
    }
}
