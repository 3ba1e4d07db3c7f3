//! What `SELECT` returns.

use anyhow::Result;

use crate::client::Client;

async fn filled() -> Result<Client> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (ID NUMBER(38,0), C NUMBER(12,3), NAME VARCHAR)").await?;
    let rows = "(1, 1.5, 'b'), (2, NULL, 'a'), (3, 1.5, 'B'), (4, -2, NULL), (5, 10, 'é')";
    client.place.run(&format!("INSERT INTO T VALUES {rows}")).await?;
    Ok(client)
}

async fn ids(client: &Client, rest: &str) -> Result<String> {
    Ok(client.rows(&format!("SELECT ID FROM T {rest}")).await?.concat().join(" "))
}

#[tokio::test]
async fn order_is_by_bytes_and_puts_null_where_the_service_does() -> Result<()> {
    let client = filled().await?;
    for (order, wanted) in [
        ("ORDER BY C, ID", "4 1 3 5 2"),
        ("ORDER BY C DESC, ID DESC", "2 5 3 1 4"),
        ("ORDER BY C NULLS FIRST, ID", "2 4 1 3 5"),
        ("ORDER BY C DESC NULLS LAST, ID", "5 1 3 4 2"),
        ("ORDER BY NAME, 1", "3 2 1 5 4"),
        ("ORDER BY ID LIMIT 2", "1 2"),
        ("ORDER BY ID DESC LIMIT 2 OFFSET 1", "4 3"),
    ] {
        assert_eq!(ids(&client, order).await?, wanted, "{order}");
    }
    Ok(())
}

#[tokio::test]
async fn conditions_know_three_truths() -> Result<()> {
    let client = filled().await?;
    for (condition, wanted) in [
        ("C = 1.5", "1 3"),
        ("NOT C = 1.5", "4 5"),
        ("C IS NULL", "2"),
        ("C IS NOT NULL", "1 3 4 5"),
        ("C > 1.499 AND C <= 10.000", "1 3 5"),
        ("C < 0 OR NAME = 'a'", "2 4"),
        ("C BETWEEN 1 AND 2", "1 3"),
        ("ID IN (1, 5, NULL)", "1 5"),
        ("ID NOT IN (1, NULL)", ""),
        ("C IS NOT DISTINCT FROM NULL", "2"),
        ("NAME LIKE 'b%'", "1"),
        ("NAME ILIKE 'b'", "1 3"),
        ("(C > 1.5 OR (C = 1.5 AND ID > 1)) OR C IS NULL", "2 3 5"),
        ("C = '1.5'", "1 3"),
        ("\"ID\" = 1 AND t.id = 1", "1"),
    ] {
        assert_eq!(ids(&client, &format!("WHERE {condition} ORDER BY ID")).await?, wanted, "{condition}");
    }
    Ok(())
}

#[tokio::test]
async fn values_are_bound_in_their_order() -> Result<()> {
    let client = filled().await?;
    let page = "SELECT ID FROM T WHERE (C > CAST(? AS NUMBER(12,3)) OR (C = CAST(? AS NUMBER(12,3)) AND ID >= ?)) AND C <= ? ORDER BY C, ID LIMIT ?";
    let values = [
        ("TEXT", Some("1.500")),
        ("TEXT", Some("1.500")),
        ("FIXED", Some("3")),
        ("REAL", Some("10")),
        ("FIXED", Some("9")),
    ];
    assert_eq!(client.bound(page, &values).await?.rows(), [["3"], ["5"]]);
    let wide = "SELECT CAST(? AS NUMBER(38,37)), CAST(? AS NUMBER(38,0))";
    let digits = ["9.9999999999999999999999999999999999999", "-99999999999999999999999999999999999999"];
    let answer = client.bound(wide, &digits.map(|it| ("TEXT", Some(it)))).await?;
    assert_eq!(answer.rows(), [digits]);
    Ok(())
}

#[tokio::test]
async fn aggregates_are_over_all_rows_or_groups() -> Result<()> {
    let client = filled().await?;
    let all = "SELECT COUNT(*), COUNT(C), MIN(C), MAX(C), MAX(NAME), SUM(C), COUNT(DISTINCT C), COUNT_IF(C IS NULL) FROM T";
    assert_eq!(client.rows(all).await?, [["5", "4", "-2.000", "10.000", "é", "11.000", "3", "1"]]);
    assert_eq!(client.rows("SELECT MAX(C), COUNT(*) FROM T WHERE ID > 9").await?, [["-", "0"]]);
    let groups = "SELECT C, COUNT(*) AS N FROM T WHERE C IS NOT NULL GROUP BY C HAVING COUNT(*) > 0 ORDER BY N DESC, C";
    assert_eq!(client.rows(groups).await?, [["1.500", "2"], ["-2.000", "1"], ["10.000", "1"]]);
    assert_eq!(client.code("SELECT ID, COUNT(*) FROM T").await?, "000979");
    let hash = client.cell("SELECT HASH_AGG(*) FROM T").await?;
    assert_eq!(client.cell("SELECT HASH_AGG(*) FROM (SELECT * FROM T ORDER BY ID DESC)").await?, hash);
    Ok(())
}

#[tokio::test]
async fn names_fold_unless_quoted() -> Result<()> {
    let client = Client::reader().await?;
    for odd in ["Mixed Case", "we\"ird", "日本", "semi;--", "select", "it's", "back\\slash", "$1 ?"] {
        let quoted = format!("\"{}\"", odd.replace('"', "\"\""));
        client.place.run(&format!("CREATE TABLE {quoted} ({quoted} NUMBER)")).await?;
        client.place.run(&format!("INSERT INTO {quoted} VALUES (1)")).await?;
        let answer = client
            .run(&format!("SELECT {quoted} FROM {quoted} WHERE {quoted} = 1 ORDER BY {quoted}"))
            .await?;
        assert_eq!(
            (answer.rows(), &answer.body["resultSetMetaData"]["rowType"][0]["name"]),
            (vec![vec!["1".to_owned()]], &odd.into())
        );
    }
    client.place.run("create table lower (id number, \"Id\" number)").await?;
    client.place.run("insert into LOWER (\"Id\", ID) values (2, 1)").await?;
    assert_eq!(client.rows("SELECT Id, \"ID\", \"Id\" FROM Lower").await?, [["1", "1", "2"]]);
    Ok(())
}

#[tokio::test]
async fn views_read_with_their_owners_rights() -> Result<()> {
    let client = filled().await?;
    client.place.run("CREATE VIEW V (N, C) AS SELECT ID, C FROM T WHERE C IS NOT NULL").await?;
    client.place.run(&format!("REVOKE SELECT ON TABLE T FROM ROLE {}", client.account.role)).await?;
    assert_eq!(client.code("SELECT * FROM T").await?, "002003");
    assert_eq!(client.rows("SELECT N FROM V ORDER BY N").await?.concat(), ["1", "3", "4", "5"]);
    Ok(())
}

#[tokio::test]
async fn tables_change_and_earlier_results_do_not() -> Result<()> {
    let client = filled().await?;
    let handle = client.run("SELECT ID FROM T ORDER BY ID").await?.handle();
    for statement in [
        "ALTER TABLE T ADD COLUMN EXTRA VARCHAR",
        "ALTER TABLE T DROP COLUMN NAME",
        "ALTER TABLE T RENAME COLUMN C TO AMOUNT",
        "UPDATE T SET EXTRA = 'x', AMOUNT = AMOUNT + 1 WHERE ID = 1",
        "DELETE FROM T WHERE ID > 2",
    ] {
        client.place.run(statement).await?;
    }
    assert_eq!(client.rows("SELECT * FROM T ORDER BY ID").await?, [["1", "2.500", "x"], ["2", "-", "-"]]);
    assert_eq!(client.get(&format!("/{handle}")).await?.rows().len(), 5);
    client.place.run("ALTER TABLE T RENAME TO U").await?;
    assert_eq!(client.code("SELECT * FROM T").await?, "002003");
    assert_eq!(client.cell("SELECT COUNT(*) FROM U").await?, "2");
    Ok(())
}

#[tokio::test]
async fn a_grant_script_runs_as_it_is_handed_out() -> Result<()> {
    let client = filled().await?;
    let database = client.account.database.clone();
    let script = format!(
        "CREATE ROLE IF NOT EXISTS SYNC_ROLE;
         CREATE WAREHOUSE IF NOT EXISTS SYNC_WH WAREHOUSE_SIZE=XSMALL AUTO_SUSPEND=60 AUTO_RESUME=TRUE INITIALLY_SUSPENDED=TRUE
           STATEMENT_TIMEOUT_IN_SECONDS=300;
         GRANT USAGE ON WAREHOUSE SYNC_WH TO ROLE SYNC_ROLE;
         GRANT USAGE ON DATABASE {database} TO ROLE SYNC_ROLE;
         GRANT USAGE ON SCHEMA {database}.PUBLIC TO ROLE SYNC_ROLE;
         GRANT SELECT ON ALL TABLES IN SCHEMA {database}.PUBLIC TO ROLE SYNC_ROLE;
         CREATE USER SYNC_SVC TYPE=SERVICE DEFAULT_ROLE=SYNC_ROLE DEFAULT_WAREHOUSE=SYNC_WH;
         GRANT ROLE SYNC_ROLE TO USER SYNC_SVC"
    );
    for statement in script.split(';') {
        client.place.run(statement).await?;
    }
    let grants = client.place.query("SHOW GRANTS TO ROLE SYNC_ROLE").await?;
    assert_eq!(grants.len(), 4);
    Ok(())
}
