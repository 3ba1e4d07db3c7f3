//! What the account refuses, told with the statement that mends it.

use std::time::Duration;

use anyhow::Result;
use connector::{ConnectorError, CursorKind, ErrorKind, Rest};
use serde_json::Value;
use systems::snowflake::{Fault, Who};

use crate::home::{Home, counting, read};

/// The step a check fails at, and why.
async fn failed(home: &Home, config: &Value) -> Result<(&'static str, ConnectorError)> {
    let connector = home.open_with(config, &home.reader.private_key_pem)?;
    let check = connector.check(Some(&home.table("T")), Some("ID")).await;
    let step = check.steps.last().expect("a step");
    Ok((step.name, step.error.clone().expect("the check passed")))
}

#[tokio::test]
async fn the_check_tells_what_was_learnt() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(7).await?;
    let check = home.open()?.check(Some(&table), Some("ID")).await;
    assert!(check.passed(), "{check:?}");
    let names: Vec<_> = check.steps.iter().map(|step| step.name).collect();
    let wanted = [
        "resolve host",
        "connect and sign in",
        "compare clocks",
        "use role",
        "use warehouse",
        "find table",
        "read table",
        "read cursor column",
    ];
    assert_eq!(names, wanted);
    let notes: Vec<_> = check.steps.iter().filter_map(|step| step.note.as_deref()).collect();
    assert!(notes[4].contains("X-Small") && notes[4].contains("after 600 s"), "{notes:?}");
    assert!(notes[5].contains("2 columns, 7 rows"), "{notes:?}");
    assert_eq!(check.steps[7].note.as_deref(), Some("newest is 6"));
    Ok(())
}

#[tokio::test]
async fn the_check_tells_when_the_warehouse_sleeps() -> Result<()> {
    let home = Home::new().await?;
    let warehouse = &home.reader.warehouse;
    for (set, wanted) in
        [("60", Rest::After(Duration::from_secs(60))), ("0", Rest::Never), ("NULL", Rest::Never)]
    {
        home.place.run(&format!("ALTER WAREHOUSE {warehouse} SET AUTO_SUSPEND = {set}")).await?;
        let check = home.open()?.check(None, None).await;
        assert_eq!(check.rest, Some(wanted), "{set}: {check:?}");
    }
    Ok(())
}

#[tokio::test]
async fn roles_and_warehouses_that_cannot_be_used_are_named_with_the_grant() -> Result<()> {
    let home = Home::new().await?;
    home.counted(1).await?;
    let with = |field: &str, value: &str| {
        let mut config = home.config(&home.reader);
        config[field] = value.into();
        config
    };
    let (step, error) = failed(&home, &with("role", "NO_ROLE")).await?;
    assert_eq!((step, error.kind()), ("use role", ErrorKind::Permission), "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("GRANT ROLE \"NO_ROLE\" TO USER")), "{error:?}");
    // Names are exact.
    let (step, _) = failed(&home, &with("role", &home.reader.role.to_lowercase())).await?;
    assert_eq!(step, "use role");
    let (step, error) = failed(&home, &with("warehouse", "NO_WAREHOUSE")).await?;
    assert_eq!((step, error.kind()), ("use warehouse", ErrorKind::NotFound), "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("GRANT USAGE ON WAREHOUSE")), "{error:?}");
    // A read, which asks nothing beforehand, tells it too.
    let connector = home.open_with(&with("warehouse", "NO_WAREHOUSE"), &home.reader.private_key_pem)?;
    let error = read(&*connector, &counting(home.table("T"))).await.expect_err("no warehouse");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("SET AUTO_RESUME = TRUE")), "{error:?}");
    let (_, error) = failed(&home, &with("database", "NO_DATABASE")).await?;
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_warehouse_that_stays_suspended_is_told_with_what_resumes_it() -> Result<()> {
    let home = Home::new().await?;
    home.counted(1).await?;
    let warehouse = &home.reader.warehouse;
    home.place.run(&format!("ALTER WAREHOUSE {warehouse} SET AUTO_RESUME = FALSE")).await?;
    home.place.run(&format!("ALTER WAREHOUSE {warehouse} SUSPEND")).await?;
    let (step, error) = failed(&home, &home.config(&home.reader)).await?;
    assert_eq!((step, error.kind()), ("use warehouse", ErrorKind::Config), "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("RESUME")), "{error:?}");
    let error = read(&*home.open()?, &counting(home.table("T"))).await.expect_err("suspended");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(
        error.action().is_some_and(|hint| hint.contains(&format!("ALTER WAREHOUSE \"{warehouse}\" RESUME")))
    );
    home.place.run(&format!("ALTER WAREHOUSE {warehouse} RESUME")).await?;
    read(&*home.open()?, &counting(home.table("T"))).await?;
    Ok(())
}

#[tokio::test]
async fn a_missing_grant_is_told_with_the_statement() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(1).await?;
    let stranger = home.place.user(Who::Stranger);
    let mut config = home.config(&stranger);
    config.as_object_mut().expect("an object").remove("database");
    let connector = home.open_with(&config, &stranger.private_key_pem)?;
    assert!(connector.discover().await?.is_empty());
    let error = read(&*connector, &counting(table)).await.expect_err("no grant");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    let hint = error.action().expect("a hint");
    let role = &stranger.role;
    assert!(hint.contains(&format!("SHOW GRANTS TO ROLE \"{role}\"")), "{hint}");
    assert!(hint.contains("GRANT SELECT ON TABLE") && hint.contains(".\"T\" TO ROLE"), "{hint}");
    Ok(())
}

#[tokio::test]
async fn failures_of_statements_are_told_by_their_code() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(1).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    for (code, state, kind) in [
        ("003001", "42501", ErrorKind::Permission),
        ("090073", "22000", ErrorKind::Config),
        ("100038", "22018", ErrorKind::Schema),
        ("000604", "57014", ErrorKind::Timeout),
        ("001003", "42000", ErrorKind::Protocol),
        ("999999", "XX000", ErrorKind::Protocol),
    ] {
        // A stale look at the table is one reason for some of them: it is looked at again once.
        for _ in 0..3 {
            home.server.fault(Fault::fails(code, state, "Snowflake's own words"));
        }
        let error = read(&*home.open()?, &counting(table.clone())).await.expect_err(code);
        assert_eq!(error.kind(), kind, "{code}: {error:?}");
        assert!(error.system_text().is_some_and(|text| text.contains("own words")), "{error:?}");
        // What was not met is cleared away.
        while connector.clock().await.is_err() {}
    }
    Ok(())
}

#[tokio::test]
async fn nothing_but_reading_is_ever_sent() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(3).await?;
    let connector = home.open()?;
    connector.check(Some(&table), Some("ID")).await;
    connector.discover().await?;
    connector.describe(&table).await?;
    connector.preview(&table, &["V".to_owned()], 2).await?;
    let cursor = connector::Cursor { column: "ID".to_owned(), kind: CursorKind::Int };
    connector.newest(&table, &cursor).await?;
    read(&*connector, &counting(table)).await?;
    for sql in home.statements() {
        let verb = sql.split_whitespace().next().unwrap_or_default().to_owned();
        assert!(["SELECT", "SHOW", "DESCRIBE"].contains(&verb.as_str()), "{sql}");
    }
    Ok(())
}
