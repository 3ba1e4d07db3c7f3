//! What reads cost at the server, as they count it.

use anyhow::Result;
use connector::{CursorKind, NullCursors};
use systems::clickhouse::{Database, User};

use crate::reading::{column, open, position, read, request, table};

#[tokio::test]
async fn an_empty_poll_is_one_statement_that_is_counted_with_what_it_looked_at() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt64, v UInt64) ENGINE = MergeTree ORDER BY c AS SELECT number, number FROM numbers(100000)").await?;
    database.run("CREATE TABLE n (c Nullable(UInt64), v UInt64) ENGINE = MergeTree ORDER BY v AS SELECT if(number IN (1, 5), NULL, number), number FROM numbers(9)").await?;
    for user in [User::Reader, User::StrictReader] {
        let connector = open(&database, user)?;
        let mut request = request(table(&database, "t"), &["c", "v"], ("c", CursorKind::Int), &[]);
        read(&*connector, &request).await?;
        let spent = request.cost.take();
        // The table was looked up; what settings the user may not change was learnt, and whether the profile cuts results.
        let wanted = if user == User::Reader { 2 } else { 6 };
        assert_eq!(spent.statements, wanted, "{spent:?}");
        assert!(spent.rows >= 100_000 && spent.bytes > 0 && spent.micros > 0, "{spent:?}");

        // Looked at by the way of another read, the table costs one statement more.
        let other = connector::Cost::default();
        other.charge(connector.describe(&table(&database, "t"))).await?;
        other.charge(connector.clock()).await?;
        assert_eq!((other.take().statements, request.cost.take().statements), (2, 0));

        request.from = position(CursorKind::Int, "100000", &[]);
        assert!(read(&*connector, &request).await?.is_empty());
        let spent = request.cost.take();
        assert_eq!(spent.statements, 1, "{spent:?}");
        assert!(spent.rows < 100_000, "the sorting key answers: {spent:?}");

        // Where the cursor may be null, too: rows without one come in the same statement.
        let nullable = table(&database, "n");
        let mut asked = crate::reading::request(nullable, &["c", "v"], ("c", CursorKind::Int), &["v"]);
        asked.nulls = NullCursors::First;
        asked.from = position(CursorKind::Int, "7", &["7"]);
        for wanted in [2, 1] {
            assert_eq!(column(&*connector, &asked, "v").await?, ["1", "5", "7", "8"]);
            assert_eq!(asked.cost.take().statements, wanted, "{user:?}");
        }

        // A small part of the table: what the server read of it, which is more than it gave.
        request.from = position(CursorKind::Int, "99999", &[]);
        assert_eq!(read(&*connector, &request).await?.len(), 1);
        let spent = request.cost.take();
        assert_eq!(spent.statements, 1);
        assert!((2..100_000).contains(&spent.rows) && spent.bytes > 16, "{spent:?}");
    }
    Ok(())
}
