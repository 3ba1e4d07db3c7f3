//! Refusals and errors of the engine, told as the closed kinds, without secrets.

use anyhow::Result;
use connector::guard::Policy;
use connector::{CursorKind, ErrorKind, Retry, kinds};
use futures::StreamExt;
use secrecy::SecretString;
use systems::clickhouse::{Database, User};

use crate::reading::{column, config, numbers, open, open_with, policy, read, request, table};

#[tokio::test]
async fn a_wrong_password_is_told_and_never_shown() -> Result<()> {
    let database = Database::empty().await?;
    let config = config(&database, User::Reader, database.server.port);
    for password in ["hunter2-secret", " blanks around ", "colon:and ünïcode"] {
        let connector = kinds::open("clickhouse", &config, Some(SecretString::from(password)), &policy())?;
        let error = connector.discover().await.expect_err("a wrong password");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error:?}");
        assert!(!format!("{error:?}").contains(password));
        let check = connector.check(None, None).await;
        assert_eq!(check.steps.len(), 3);
        assert!(!format!("{check:?}").contains(password));
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_exist_is_named() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt8) ENGINE = Memory").await?;
    let connector = open(&database, User::Reader)?;
    let missing = request(table(&database, "gone"), &["c"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &missing).await.expect_err("no table");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("gone"), "{error}");
    let missing = request(table(&database, "t"), &["c", "gone"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &missing).await.expect_err("no column");
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains("\"gone\""), "{error}");
    let mut other = config(&database, User::Reader, database.server.port);
    other["database"] = "no_such_database".into();
    let error = open_with(&database, User::Reader, &other)?.discover().await.expect_err("no database");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_missing_grant_is_named() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt8) ENGINE = Memory").await?;
    let connector = open(&database, User::Stranger)?;
    assert!(connector.discover().await?.is_empty());
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &request).await.expect_err("no grant");
    assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("GRANT SELECT")), "{error:?}");
    let check = connector.check(Some(&table(&database, "t")), None).await;
    assert_eq!(check.steps.last().map(|step| (step.name, step.error.is_some())), Some(("find table", true)));
    Ok(())
}

#[tokio::test]
async fn users_who_may_change_no_setting_read_too() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt64, a Array(UInt64)) ENGINE = MergeTree ORDER BY c AS SELECT number, [number] FROM numbers(2500)").await?;
    for user in [User::StrictReader, User::Reader, User::Admin] {
        let connector = open(&database, user)?;
        let check = connector.check(Some(&table(&database, "t")), Some("c")).await;
        assert!(check.passed(), "{user:?}: {check:?}");
        let request = request(table(&database, "t"), &["c", "a"], ("c", CursorKind::Int), &[]);
        assert_eq!(column(&*connector, &request, "c").await?, numbers(0..2500), "{user:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_run_can_be_found_in_the_servers_log() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE VIEW t AS SELECT toUInt64(number) AS c, getSetting('log_comment') AS tag, getSetting('readonly') AS guard FROM numbers(1)").await?;
    let connector = open(&database, User::Admin)?;
    let request = request(table(&database, "t"), &["c", "tag", "guard"], ("c", CursorKind::Int), &[]);
    assert_eq!(column(&*connector, &request, "tag").await?, ["Weir/organization-1/stream-1"]);
    assert_eq!(column(&*connector, &request, "guard").await?, ["2"]);
    Ok(())
}

#[tokio::test]
async fn pitfall_16_an_error_in_the_middle_of_a_result_is_an_error() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE src (c UInt64, s String) ENGINE = MergeTree ORDER BY c AS SELECT number, toString(number) FROM numbers(1000000)").await?;
    // At several places, so that the error falls before, into and behind what is held back.
    for bad in [0, 10, 5_000, 300_000, 999_999] {
        let name = format!("v{bad}");
        database
            .run(&format!(
                "CREATE VIEW {name} AS SELECT c, s, throwIf(c = {bad}, 'row {bad} is bad') AS x FROM src"
            ))
            .await?;
        for user in [User::Reader, User::StrictReader] {
            let connector = open(&database, user)?;
            let request = request(table(&database, &name), &["c", "s", "x"], ("c", CursorKind::Int), &[]);
            let mut batches = connector.read(request);
            let mut next = 0;
            let error = loop {
                match batches.next().await {
                    Some(Ok(batch)) => {
                        for row in 0..batch.rows() {
                            assert_eq!(batch.columns[0].cell(row), connector::Cell::Int(next));
                            assert_eq!(batch.columns[1].cell(row), connector::Cell::Text(&next.to_string()));
                            next += 1;
                        }
                    }
                    Some(Err(error)) => break error,
                    None => panic!("{user:?} took half a result as whole: {next} rows before row {bad}"),
                }
            };
            assert!(next <= bad, "{next} rows before row {bad}");
            assert_eq!(error.kind(), ErrorKind::Schema, "{error:?}");
            assert!(error.system_text().is_some_and(|text| text.contains("is bad")), "{error:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE VIEW slow AS SELECT number AS c, sleepEachRow(1) AS x FROM numbers(30) SETTINGS max_block_size = 1").await?;
    let policy = Policy { statement_timeout: std::time::Duration::from_secs(2), ..policy() };
    let config = config(&database, User::Reader, database.server.port);
    let password = SecretString::from(database.server.password(User::Reader));
    let connector = kinds::open("clickhouse", &config, Some(password), &policy)?;
    let request = request(table(&database, "slow"), &["c", "x"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &request).await.expect_err("too slow");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(matches!(error.retry(), Retry::Later(_)));
    Ok(())
}

#[tokio::test]
async fn a_statement_that_needs_too_much_memory_says_what_helps() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt64, s String) ENGINE = MergeTree ORDER BY tuple() AS SELECT number, repeat('x', 1000) FROM numbers(300000)").await?;
    let connector = open(&database, User::SmallReader)?;
    let request = request(table(&database, "t"), &["c", "s"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &request).await.expect_err("too little memory");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("sorting key")), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn pitfall_16_a_profile_that_cuts_results_cuts_none() -> Result<()> {
    let database = Database::empty().await?;
    database
        .run("CREATE TABLE t (c UInt64) ENGINE = MergeTree ORDER BY c AS SELECT number FROM numbers(100)")
        .await?;
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    for user in [User::SmallReader, User::Reader] {
        assert_eq!(column(&*open(&database, user)?, &request, "c").await?, numbers(0..100));
    }
    // Where the profile cannot be overruled it must not be believed.
    for (user, setting) in [(User::CutReader, "result_overflow_mode"), (User::LimitedReader, "limit")] {
        let connector = open(&database, user)?;
        for _ in 0..2 {
            let error = read(&*connector, &request).await.expect_err("cut results");
            assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
            assert!(error.message().contains(setting), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_16_a_profile_that_cuts_what_is_read_cuts_no_result() -> Result<()> {
    let database = Database::empty().await?;
    database
        .run("CREATE TABLE t (c UInt64) ENGINE = MergeTree ORDER BY c AS SELECT number FROM numbers(1000000)")
        .await?;
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    // It may be overruled: then the limit is an error.
    let error = read(&*open(&database, User::LeafReader)?, &request).await.expect_err("too many rows");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(error.message().contains("limits allow"), "{error}");
    let error = read(&*open(&database, User::StrictLeafReader)?, &request).await.expect_err("cut results");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(error.message().contains("read_overflow_mode_leaf"), "{error}");
    Ok(())
}
