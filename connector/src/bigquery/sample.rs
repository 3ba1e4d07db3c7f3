//! A few rows of a table: straight from its storage, which costs nothing, or by a statement.

use super::catalog::Known;
use super::client::Call;
use super::decode::{Decoder, First};
use super::dialect::select_item;
use super::job::{self, Order};
use super::types::{Field, Native, Wire};
use super::{PAGE_ROWS, Shared};
use crate::{
    Batch, ConnectorError, Cost, Cursor, CursorKind, ErrorKind, NullCursors, ReadRequest, Result, RunTag,
    TableRef,
};

/// The most bytes of one cell.
const CELL: usize = 1 << 20;

/// Rows of a table, in no order, with the columns asked for.
///
/// # Errors
/// What was refused.
pub async fn preview(shared: &Shared, known: &Known, columns: &[Native], limit: u32) -> Result<Batch> {
    if known.stored() && columns.iter().all(listed) {
        match rows(shared, known, columns, limit).await {
            // Tables with row access policies are only read by statements.
            Err(error) if error.kind() == ErrorKind::Permission => {}
            outcome => return outcome,
        }
    }
    let list: Vec<String> = columns.iter().map(select_item).collect();
    let mut statement = known.select(&list.join(", "), None)?;
    statement.sql.push_str(&format!(" LIMIT {limit}"));
    statement_rows(shared, columns, &statement).await
}

/// Rows of a table's storage.
///
/// # Errors
/// What was refused.
pub async fn rows(shared: &Shared, known: &Known, columns: &[Native], limit: u32) -> Result<Batch> {
    // They come in the table's order, whatever the order asked for.
    let listed: Vec<Native> = known
        .columns
        .iter()
        .filter(|column| columns.iter().any(|it| it.name == column.name))
        .cloned()
        .collect();
    let names: Vec<&str> = listed.iter().map(|column| column.name.as_str()).collect();
    let call = Call::get(&known.path.resource(&["data"]))
        .with("maxResults", Some(limit.min(PAGE_ROWS as u32)))
        .with("selectedFields", Some(names.join(",")))
        .with("formatOptions.useInt64Timestamp", Some(true));
    let answer = shared.client.answer(&call).await.map_err(|refusal| refusal.error)?;
    let batch = decoded(listed, &answer.body)?;
    let column = |wanted: &Native| {
        batch.column(&wanted.name).cloned().ok_or_else(|| {
            ConnectorError::new(ErrorKind::Protocol, format!("column {:?} did not come", wanted.name))
        })
    };
    Ok(Batch { columns: columns.iter().map(column).collect::<Result<_>>()? })
}

/// The rows of a statement with a small result.
///
/// # Errors
/// What was refused.
pub async fn statement_rows(
    shared: &Shared,
    columns: &[Native],
    statement: &super::statement::Statement,
) -> Result<Batch> {
    let order = Order { tag: RunTag::default(), rows: PAGE_ROWS, cost: Cost::current() };
    let (_, page) = job::run(&shared.client, statement, &order).await.map_err(|refusal| refusal.error)?;
    expect(columns, &page.reply.schema.fields)?;
    decoded(columns.to_vec(), &page.body)
}

/// Sees that a result has the columns asked for.
///
/// # Errors
/// `Schema` when it has others.
pub fn expect(columns: &[Native], came: &[Field]) -> Result<()> {
    let came: Vec<Native> = came.iter().map(Native::of).collect();
    if came.len() == columns.len() && columns.iter().zip(&came).all(|(ours, came)| ours.fits(came)) {
        return Ok(());
    }
    let shown = |columns: &[Native]| -> String {
        columns.iter().map(|column| column.shown.as_str()).collect::<Vec<_>>().join(", ")
    };
    let message = "the result has other columns than were asked for";
    let detail = format!("{} instead of {}", shown(&came), shown(columns));
    Err(ConnectorError::new(ErrorKind::Schema, message).hint("look at the table again").detail(detail))
}

/// All rows of a page.
fn decoded(columns: Vec<Native>, body: &[u8]) -> Result<Batch> {
    let request = ReadRequest {
        table: TableRef { catalog: None, schema: None, name: String::new() },
        columns: Vec::new(),
        cursor: Cursor { column: String::new(), kind: CursorKind::Int },
        key: Vec::new(),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: usize::MAX,
        batch_bytes: usize::MAX,
        cell_bytes: CELL,
        tag: RunTag::default(),
        cost: Cost::default(),
    };
    let empty = super::rows::empty(&columns);
    let mut decoder = Decoder::new(columns, &request);
    decoder.page(body, First::New)?;
    Ok(decoder.rest().unwrap_or(empty))
}

/// Tells whether a column can be asked for in the list of fields, where commas and points have a meaning.
fn listed(column: &Native) -> bool {
    let plain = column.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain && !column.name.is_empty() && column.wire != Wire::Picos
}
