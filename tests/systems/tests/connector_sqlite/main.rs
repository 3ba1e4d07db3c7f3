//! The kind `sqlite` over real files, written to by their owner.

mod cells;
mod cursors;
mod errors;
mod pages;
mod replaced;

use std::path::PathBuf;
use std::sync::Arc;

use connector::guard::Policy;
use connector::{
    Batch, Connector, Cursor, CursorKind, NullCursors, Position, ReadRequest, Result, RunTag, TableRef,
    Watermark,
};
use futures::StreamExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

/// A file, its owner's connection, and a source over it.
struct File {
    folder: TempDir,
    path: PathBuf,
    owner: SqliteConnection,
    source: Arc<dyn Connector>,
}

impl File {
    /// Makes a file by these statements.
    async fn new(sql: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("use%41ge?mode=memory.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let owner = SqliteConnection::connect_with(&options).await.expect("the owner opens the file");
        let source = source(&folder, &path);
        let mut file = Self { folder, path, owner, source };
        file.run(sql).await;
        file
    }

    /// Runs the owner's statements.
    async fn run(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.owner)
            .await
            .expect("the owner's statements work");
    }

    /// Reads everything as texts.
    async fn rows(&self, request: ReadRequest) -> Result<Vec<String>> {
        Ok(texts(&self.batches(request).await?))
    }

    async fn batches(&self, request: ReadRequest) -> Result<Vec<Batch>> {
        self.source.read(request).collect::<Vec<_>>().await.into_iter().collect()
    }
}

fn source(folder: &TempDir, path: &std::path::Path) -> Arc<dyn Connector> {
    let policy = Policy { folders: vec![folder.path().to_owned()], ..Policy::default() };
    connector::kinds::open("sqlite", &serde_json::json!({ "path": path }), None, &policy).expect("a source")
}

/// One text per row, cells between bars; `!` stands before what cannot be read, `~` is null.
fn texts(batches: &[Batch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.rows() {
            let cells = batch.columns.iter().map(|column| match column.cell(row) {
                connector::Cell::Null => "~".to_owned(),
                connector::Cell::Unreadable(raw) => format!("!{raw}"),
                cell => cell.to_string(),
            });
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

fn table(name: &str) -> TableRef {
    TableRef { catalog: None, schema: None, name: name.to_owned() }
}

/// A request for some columns, of which the first is the cursor and the second, if any, the key.
fn request(name: &str, kind: CursorKind, columns: &[&str]) -> ReadRequest {
    ReadRequest {
        table: table(name),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        cursor: Cursor { column: columns[0].to_owned(), kind },
        key: columns.iter().skip(1).take(1).map(|name| (*name).to_owned()).collect(),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 1_000,
        batch_bytes: 1 << 20,
        cell_bytes: 1 << 16,
        tag: RunTag::default(),
        cost: connector::Cost::default(),
    }
}

fn mark(kind: CursorKind, text: &str) -> Watermark {
    Watermark::parse(kind, text).expect("a watermark")
}

fn from(kind: CursorKind, text: &str, key: &[&str]) -> Option<Position> {
    Some(Position { watermark: mark(kind, text), key: key.iter().map(|key| (*key).to_owned()).collect() })
}
