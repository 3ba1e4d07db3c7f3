//! `SHOW`, `DESCRIBE` and `INFORMATION_SCHEMA`.

use anyhow::Result;
use serde_json::{Value as Json, json};

use crate::client::{Answer, Client};

fn column(answer: &Answer, name: &str) -> Vec<String> {
    let columns = answer.body["resultSetMetaData"]["rowType"].as_array().cloned().unwrap_or_default();
    let at = columns.iter().position(|column| column["name"] == name).expect(name);
    answer.rows().into_iter().map(|row| row[at].clone()).collect()
}

async fn filled() -> Result<Client> {
    let client = Client::reader().await?;
    for statement in [
        "CREATE TABLE ORDERS (ID NUMBER(38,0) PRIMARY KEY, \"Mixed Case\" VARCHAR, AT TIMESTAMP_NTZ(9) NOT NULL)",
        "CREATE TABLE \"odd \"\"name\" (A FLOAT)",
        "CREATE VIEW RECENT AS SELECT ID, AT FROM ORDERS WHERE ID > 1",
        "INSERT INTO ORDERS VALUES (1, 'a', '2024-01-01'), (2, 'b', '2024-01-02')",
        "CREATE SCHEMA HIDDEN",
        "CREATE TABLE HIDDEN.SECRET (ID NUMBER)",
    ] {
        client.place.run(statement).await?;
    }
    Ok(client)
}

#[tokio::test]
async fn tables_and_views_are_listed_with_their_rows() -> Result<()> {
    let client = filled().await?;
    let tables = client.run("SHOW TABLES").await?;
    assert_eq!(column(&tables, "name"), ["ORDERS", "odd \"name"]);
    assert_eq!(column(&tables, "rows"), ["2", "0"]);
    assert_eq!(column(&tables, "schema_name"), ["PUBLIC", "PUBLIC"]);
    assert_eq!(column(&client.run("SHOW VIEWS").await?, "name"), ["RECENT"]);
    let database = &client.account.database;
    let objects = client.run(&format!("SHOW OBJECTS IN DATABASE \"{database}\"")).await?;
    assert_eq!(column(&objects, "name"), ["ORDERS", "RECENT", "odd \"name"]);
    assert_eq!(column(&objects, "kind"), ["TABLE", "VIEW", "TABLE"]);
    for (filter, wanted) in [
        ("LIKE 'ord%'", vec!["ORDERS"]),
        ("LIKE 'ord%' IN ACCOUNT", vec!["ORDERS"]),
        ("STARTS WITH 'o'", vec!["odd \"name"]),
        ("LIMIT 1", vec!["ORDERS"]),
        ("LIMIT 5 FROM 'ORDERS'", vec!["odd \"name"]),
    ] {
        assert_eq!(
            column(&client.run(&format!("SHOW TERSE TABLES {filter}")).await?, "name"),
            wanted,
            "{filter}"
        );
    }
    assert_eq!(column(&client.run("SHOW DATABASES").await?, "name"), [database.as_str()]);
    let schemas = client.run(&format!("SHOW SCHEMAS IN DATABASE {database}")).await?;
    assert_eq!(column(&schemas, "name"), ["INFORMATION_SCHEMA", "PUBLIC"], "the hidden one is not told");
    assert_eq!(client.code("SHOW TABLES IN SCHEMA HIDDEN").await?, "002043");
    Ok(())
}

#[tokio::test]
async fn columns_are_described_in_three_ways() -> Result<()> {
    let client = filled().await?;
    let described = client.run("DESCRIBE TABLE ORDERS").await?;
    assert_eq!(column(&described, "name"), ["ID", "Mixed Case", "AT"]);
    assert_eq!(column(&described, "type"), ["NUMBER(38,0)", "VARCHAR(16777216)", "TIMESTAMP_NTZ(9)"]);
    assert_eq!(column(&described, "null?"), ["N", "Y", "N"]);
    assert_eq!(column(&described, "primary key"), ["Y", "N", "N"]);
    assert_eq!(column(&client.run("DESC VIEW RECENT").await?, "name"), ["ID", "AT"]);
    let shown = client.run("SHOW COLUMNS IN TABLE ORDERS").await?;
    let kinds: Vec<Json> =
        column(&shown, "data_type").iter().map(|it| serde_json::from_str(it)).collect::<Result<_, _>>()?;
    assert_eq!(kinds[0], json!({"type": "FIXED", "precision": 38, "scale": 0, "nullable": false}));
    assert_eq!((&kinds[1]["type"], &kinds[1]["length"]), (&json!("TEXT"), &json!(16_777_216)));
    let keys = client.run("SHOW PRIMARY KEYS IN TABLE ORDERS").await?;
    assert_eq!(
        (column(&keys, "column_name"), column(&keys, "key_sequence")),
        (vec!["ID".to_owned()], vec!["1".to_owned()])
    );
    let schema = "SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE, NUMERIC_SCALE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'ORDERS' ORDER BY ORDINAL_POSITION";
    assert_eq!(
        client.rows(schema).await?,
        [["ID", "NUMBER", "NO", "0"], ["Mixed Case", "TEXT", "YES", "-"], ["AT", "TIMESTAMP_NTZ", "NO", "-"]]
    );
    let tables = format!(
        "SELECT TABLE_NAME, TABLE_TYPE, ROW_COUNT FROM \"{}\".INFORMATION_SCHEMA.TABLES ORDER BY 1",
        client.account.database
    );
    assert_eq!(
        client.rows(&tables).await?,
        [["ORDERS", "BASE TABLE", "2"], ["RECENT", "VIEW", "-"], ["odd \"name", "BASE TABLE", "0"]]
    );
    Ok(())
}

#[tokio::test]
async fn grants_are_shown_to_who_has_them() -> Result<()> {
    let client = filled().await?;
    let (role, user) = (&client.account.role, &client.account.user);
    let grants = client.run(&format!("SHOW GRANTS TO ROLE {role}")).await?;
    let of = |sort: &str| {
        let on = column(&grants, "granted_on");
        let privileges = column(&grants, "privilege");
        on.iter().zip(privileges).filter(|(on, _)| *on == sort).map(|(_, it)| it).collect::<Vec<_>>()
    };
    assert_eq!((of("TABLE"), of("VIEW")), (vec!["SELECT".to_owned(); 2], vec!["SELECT".to_owned()]));
    assert_eq!((of("DATABASE"), of("WAREHOUSE")), (vec!["USAGE".to_owned()], vec!["USAGE".to_owned()]));
    assert_eq!(column(&client.run(&format!("SHOW GRANTS TO USER {user}")).await?, "role"), [role.as_str()]);
    let stranger = client.place.user(systems::snowflake::Who::Stranger);
    assert_eq!(client.code(&format!("SHOW GRANTS TO ROLE {}", stranger.role)).await?, "002003");
    assert_eq!(column(&client.run("SHOW WAREHOUSES").await?, "state"), ["STARTED"]);
    Ok(())
}
