//! The connection test, step by step.

use std::time::Duration;

use super::dialect::{full, quote, table_name};
use super::statement::{Session, Statement};
use super::{Shared, catalog};
use crate::{Batch, Cell, Check, ConnectorError, Cursor, CursorKind, ErrorKind, Rest, Result, TableRef};

/// Differences of clocks from this on, in seconds, are worth a word.
const SKEW: i64 = 5;

/// Tries everything from the host's name to the cursor column, until something fails.
pub async fn check(shared: &Shared, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
    let mut check = Check::default();
    let client = &shared.client;
    check
        .step("resolve host", async {
            Ok(((), Some(format!("{} is {}", client.host(), client.resolve().await?))))
        })
        .await;
    check
        .step("connect and sign in", async {
            // Without role and warehouse, so that what fails here is the user or the way.
            let statement = Statement::new("SELECT CURRENT_VERSION()");
            let batch = client.fetch_as(&statement, Session::User, None).await?;
            Ok(((), Some(format!("Snowflake {} as {}", one(&batch)?, client.config().user))))
        })
        .await;
    check
        .step("compare clocks", async {
            let note = match client.ahead() {
                Some(ahead) if ahead.abs() >= SKEW => {
                    let side = if ahead > 0 { "ahead of" } else { "behind" };
                    format!("Snowflake's clock is {} seconds {side} this machine's", ahead.abs())
                }
                Some(_) => "the same, but for some seconds".to_owned(),
                None => "Snowflake did not tell the time".to_owned(),
            };
            Ok(((), Some(note)))
        })
        .await;
    check
        .step("use role", async {
            let batch = client.fetch(&Statement::new("SELECT CURRENT_ROLE()")).await?;
            Ok(((), Some(one(&batch)?)))
        })
        .await;
    check.rest = check.step("use warehouse", warehouse(shared)).await;
    let Some(table) = table else { return check };
    let known = check
        .step("find table", async {
            let whole = full(table, client.config())?;
            let (known, _) = shared.table(&whole, true).await?;
            let facts = catalog::facts(client, &whole).await?;
            let sort = if facts.view { "view" } else { "table" };
            let rows = facts.rows.map_or_else(String::new, |rows| format!(", {rows} rows"));
            let note = format!("{sort} with {} columns{rows}", known.len());
            Ok(((whole, known), Some(note)))
        })
        .await;
    let Some((whole, known)) = known else { return check };
    check
        .step("read table", async {
            let sql = format!("SELECT 1 FROM {} LIMIT 1", table_name(&whole));
            client.fetch(&Statement::new(sql)).await?;
            Ok(((), None))
        })
        .await;
    let Some(name) = cursor else { return check };
    check
        .step("read cursor column", async {
            let column = known.column(&whole, name)?;
            let Some(kind) = CursorKind::of(column.read.native.kind()) else {
                let message = format!("column {name:?} cannot be a cursor: it is no integer, date or time");
                return Err(ConnectorError::new(ErrorKind::Config, message)
                    .hint("choose an integer, date or time column"));
            };
            let newest = shared.newest(&whole, &Cursor { column: name.to_owned(), kind }).await?;
            let note =
                newest.map_or("no row has one".to_owned(), |newest| format!("newest is {}", newest.text));
            Ok(((), Some(note)))
        })
        .await;
    check
}

/// Whether the warehouse can be used, without starting it, and when it sleeps.
async fn warehouse(shared: &Shared) -> Result<(Rest, Option<String>)> {
    let config = shared.client.config();
    let pattern: String =
        config.warehouse.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    let batch = shared.client.fetch(&Statement::new(format!("SHOW WAREHOUSES LIKE '{pattern}'"))).await?;
    let field = |row: usize, name: &str| {
        let column = batch.columns.iter().find(|column| column.name().eq_ignore_ascii_case(name));
        column.map(|column| column.cell(row).to_string()).unwrap_or_default()
    };
    let row = (0..batch.rows()).find(|row| field(*row, "name") == config.warehouse);
    let name = quote(&config.warehouse);
    let Some(row) = row else {
        let message = format!(
            "there is no warehouse {:?}, or the role {:?} may not use it",
            config.warehouse, config.role
        );
        return Err(ConnectorError::new(ErrorKind::NotFound, message).hint(format!(
            "run GRANT USAGE ON WAREHOUSE {name} TO ROLE {}; the name is exact, and mostly in upper case",
            quote(&config.role)
        )));
    };
    let (state, size, resumes) = (field(row, "state"), field(row, "size"), field(row, "auto_resume"));
    if state.eq_ignore_ascii_case("suspended") && resumes.eq_ignore_ascii_case("false") {
        let message =
            format!("the warehouse {:?} is suspended and does not resume by itself", config.warehouse);
        return Err(ConnectorError::new(ErrorKind::Config, message).hint(format!(
            "run ALTER WAREHOUSE {name} RESUME, and ALTER WAREHOUSE {name} SET AUTO_RESUME = TRUE"
        )));
    }
    // NULL and 0 both mean never.
    let (rest, told) = match field(row, "auto_suspend").parse::<u32>() {
        Ok(0) | Err(_) => (Rest::Never, "and it never suspends itself".to_owned()),
        Ok(seconds) => {
            let rest = Rest::After(Duration::from_secs(seconds.into()));
            (rest, format!("and it suspends itself after {seconds} s"))
        }
    };
    Ok((rest, Some(format!("{size}, {}, {told}", state.to_lowercase()))))
}

fn one(batch: &Batch) -> Result<String> {
    match batch.columns.first().filter(|column| column.len() == 1).map(|column| column.cell(0)) {
        Some(Cell::Null) | None => {
            Err(ConnectorError::new(ErrorKind::Protocol, "Snowflake did not answer with one value"))
        }
        Some(cell) => Ok(cell.to_string()),
    }
}
