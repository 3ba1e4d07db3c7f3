//! Tests of the engine's statements on SQLite; the suites in `tests` run the same on PostgreSQL.

use secrecy::SecretString;
use uuid::Uuid;

use super::*;

async fn open() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url: SecretString = format!("sqlite:{}", folder.path().join("weir.db").display()).into();
    let db = Db::connect(&url, 2).await.expect("a database");
    (folder, db)
}

#[tokio::test]
async fn rows_go_in_and_come_back_exactly() {
    let (_folder, db) = open().await;
    let mut store = Store::begin(&db).await.expect("a transaction");
    store.execute("CREATE TABLE t (n INTEGER, s TEXT, id BLOB)", &[]).await.expect("a table");
    let id = Uuid::from_u128(7);
    let mut insert = Insert::new(store.backend(), "t", &["n", "s", "id"]);
    for n in 0..2_600_i64 {
        insert.row();
        insert.int(n);
        insert.text((n % 2 == 0).then_some("it's \"fine\"\\"));
        insert.uuid(id);
    }
    insert.write(&mut store).await.expect("rows");
    assert!(insert.is_empty());
    let rows = Rows::new().ints([0, 1, 9_999]).texts(["it's \"fine\"\\", "x", "y"]).uuids([id, id, id]);
    let found = store
        .fetch_rows(
            "SELECT t.n, t.s, t.id FROM {rows} JOIN t ON t.n = b.c0 AND t.id = b.c2 WHERE t.n < $1 ORDER BY 1",
            &[Bind::from(5_i64)],
            &rows,
        )
        .await
        .expect("a join");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].text(1).expect("a text"), "it's \"fine\"\\");
    assert_eq!(found[1].maybe_text(1).expect("a null"), None);
    assert_eq!(found[0].uuid(2).expect("an ID"), id);
    store.commit().await.expect("a commit");
}
