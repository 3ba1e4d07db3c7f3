//! Names as Snowflake folds and keeps them.

use anyhow::Result;
use connector::{CursorKind, ErrorKind};

use crate::home::{Home, column, read, request};

#[tokio::test]
async fn pitfall_20_names_of_any_case_are_told_apart() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE folded (id NUMBER(38,0), \"id\" NUMBER(38,0), \"Id\" NUMBER(38,0))").await?;
    home.place.run("INSERT INTO folded VALUES (1, 2, 3)").await?;
    home.place.run("CREATE TABLE \"folded\" (id NUMBER(38,0))").await?;
    let connector = home.open()?;
    let listed = connector.discover().await?;
    let listed: Vec<_> = listed.iter().map(|table| table.table.name.as_str()).collect();
    assert_eq!(listed, ["FOLDED", "folded"]);
    let described = connector.describe(&home.table("FOLDED")).await?;
    let names: Vec<_> = described.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["ID", "id", "Id"]);
    for (name, value) in [("ID", "int 1"), ("id", "int 2"), ("Id", "int 3")] {
        let asked = request(home.table("FOLDED"), &["Id", "ID", "id"], (name, CursorKind::Int), &[name]);
        assert_eq!(column(&read(&*connector, &asked).await?, name), [value]);
    }
    let error = connector.describe(&home.table("Folded")).await.expect_err("another name");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn pitfall_20_a_name_that_means_another_table_is_not_read() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE DAILY (ID NUMBER(38,0))").await?;
    home.place.run("INSERT INTO DAILY VALUES (1)").await?;
    home.place.run("CREATE TABLE \"daily\" (ID NUMBER(38,0))").await?;
    home.place.run("INSERT INTO \"daily\" VALUES (2)").await?;
    let connector = home.open()?;
    let asked = |name: &str| request(home.table(name), &["ID"], ("ID", CursorKind::Int), &["ID"]);
    assert_eq!(column(&read(&*connector, &asked("daily")).await?, "ID"), ["int 2"]);
    let user = &home.reader.user;
    home.place.run(&format!("ALTER USER {user} SET QUOTED_IDENTIFIERS_IGNORE_CASE = TRUE")).await?;
    let connector = home.open()?;
    let errors = [
        read(&*connector, &asked("daily")).await.expect_err("it would be DAILY"),
        connector.describe(&home.table("daily")).await.expect_err("it would be DAILY"),
        connector.preview(&home.table("daily"), &["ID".to_owned()], 1).await.expect_err("it would be DAILY"),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.message().contains("daily")), (ErrorKind::Schema, true), "{error:?}");
        assert!(error.action().is_some_and(|hint| hint.contains("QUOTED_IDENTIFIERS_IGNORE_CASE")));
    }
    let check = connector.check(Some(&home.table("daily")), None).await;
    let last = check.steps.last().expect("a step");
    assert_eq!((last.name, last.error.is_some()), ("find table", true));
    // Names in upper case mean what they spell all the same.
    assert_eq!(column(&read(&*connector, &asked("DAILY")).await?, "ID"), ["int 1"]);
    Ok(())
}

#[tokio::test]
async fn pitfall_20_a_renamed_column_is_noticed() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (C NUMBER(38,0), V NUMBER(38,0))").await?;
    home.place.run("INSERT INTO T VALUES (1, 1)").await?;
    let connector = home.open()?;
    let asked = request(home.table("T"), &["C", "V"], ("C", CursorKind::Int), &[]);
    assert_eq!(column(&read(&*connector, &asked).await?, "V"), ["int 1"]);
    home.place.run("ALTER TABLE T RENAME COLUMN V TO W").await?;
    let error = read(&*connector, &asked).await.expect_err("renamed");
    assert_eq!((error.kind(), error.message().contains("\"V\"")), (ErrorKind::Schema, true), "{error}");
    // A column that has another type now is read as it now is.
    home.place.run("ALTER TABLE T DROP COLUMN W").await?;
    home.place.run("ALTER TABLE T ADD COLUMN V NUMBER(38,5)").await?;
    home.place.run("INSERT INTO T VALUES (2, 1.50000)").await?;
    assert_eq!(column(&read(&*connector, &asked).await?, "V"), ["null", "decimal 1.5"]);
    home.place.run("DROP TABLE T").await?;
    let error = read(&*connector, &asked).await.expect_err("dropped");
    assert_eq!((error.kind(), error.message().contains(".T")), (ErrorKind::NotFound, true), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_connections_database_and_schema_are_meant_where_none_is_named() -> Result<()> {
    let home = Home::new().await?;
    home.counted(2).await?;
    let mut config = home.config(&home.reader);
    config["schema"] = home.reader.schema.as_str().into();
    let connector = home.open_with(&config, &home.reader.private_key_pem)?;
    let bare = connector::TableRef { catalog: None, schema: None, name: "T".to_owned() };
    assert_eq!(connector.describe(&bare).await?.columns.len(), 2);
    let unnamed = home.open()?.describe(&bare).await.expect_err("no schema");
    assert_eq!(unnamed.kind(), ErrorKind::Config, "{unnamed:?}");
    Ok(())
}
