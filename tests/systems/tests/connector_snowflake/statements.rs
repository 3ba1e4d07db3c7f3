//! Statements as the server hears them: one per poll, bound, tagged, in UTC, waited for and cancelled.

use std::time::Duration;

use anyhow::{Context, Result};
use connector::guard::Policy;
use connector::{CursorKind, ErrorKind, NullCursors, Retry, kinds};
use futures::StreamExt;
use secrecy::SecretString;
use systems::snowflake::{Call, Fault};

use crate::home::{Home, column, counting, position, read, request, whole};

#[tokio::test]
async fn a_poll_that_finds_nothing_is_one_statement() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (ID NUMBER(38,0), V VARCHAR)").await?;
    let connector = home.open()?;
    let mut request = counting(home.table("T"));
    request.nulls = NullCursors::First;
    request.from = position(CursorKind::Int, "7", &["7"]);
    assert!(read(&*connector, &request).await?.is_empty());
    let before = home.server.journal().len();
    request.cost.take();
    assert!(read(&*connector, &request).await?.is_empty());
    assert_eq!(home.server.journal().len() - before, 1, "{:?}", home.statements());
    assert_eq!(request.cost.take().statements, 1);
    Ok(())
}

#[tokio::test]
async fn every_statement_of_a_read_is_counted() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE \"t\" (\"id\" NUMBER(38,0))").await?;
    home.place.run("INSERT INTO \"t\" VALUES (1)").await?;
    let connector = home.open()?;
    let asked = request(home.table("t"), &["id"], ("id", CursorKind::Int), &["id"]);
    let mut sent = home.calls(Call::Submit).len();
    let mut more = || {
        let now = home.calls(Call::Submit).len();
        (now - std::mem::replace(&mut sent, now)) as u64
    };
    // What its name means, its columns, its rows; then its rows alone.
    for wanted in [3, 1] {
        read(&*connector, &asked).await?;
        assert_eq!((asked.cost.take().statements, more()), (wanted, wanted), "{:?}", home.statements());
    }
    // By the way of a run: its name, its columns, its size; and the clock.
    asked.cost.charge(connector.describe(&asked.table)).await?;
    assert_eq!((asked.cost.take().statements, more()), (3, 3), "{:?}", home.statements());
    asked.cost.charge(connector.clock()).await?;
    assert_eq!((asked.cost.take().statements, more()), (1, 1));
    // Nobody pays for what is asked by itself.
    connector.describe(&asked.table).await?;
    assert_eq!((asked.cost.take().statements, more()), (0, 3));
    Ok(())
}

#[tokio::test]
async fn a_statement_says_who_reads_and_in_what_session() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(3).await?;
    let mut request = counting(table);
    request.from = position(CursorKind::Int, "2", &["2"]);
    whole(&read(&*home.open()?, &request).await?, 2..3);
    let call = home.calls(Call::Submit).pop().context("a statement")?;
    assert_eq!(call.parameters["query_tag"], "Weir/organization-1/stream-1");
    assert_eq!(call.parameters["timezone"], "UTC");
    assert_eq!(call.timeout, Some(600));
    assert_eq!(call.role.as_deref(), Some(home.reader.role.as_str()));
    assert_eq!(call.warehouse.as_deref(), Some(home.reader.warehouse.as_str()));
    assert_eq!(call.query.get("async").map(String::as_str), Some("false"));
    assert!(!call.query.contains_key("retry") && call.request_id.is_some());
    let bound: Vec<_> = call.bindings.values().map(|it| (it.kind.as_str(), it.value.as_deref())).collect();
    assert_eq!(bound, [("TEXT", Some("2"))]);
    let statement = call.statement.context("a text")?;
    assert!(!statement.contains('2'), "a value stands in {statement}");
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_statement_that_is_still_running_is_waited_for() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(2_500).await?;
    home.server.fault(Fault::RowsPerPartition(1_000));
    let connector = home.open()?;
    whole(&read(&*connector, &counting(table.clone())).await?, 0..2_500);
    home.server.fault(Fault::Running { polls: 2 });
    // Too many questions are no reason to give the statement up.
    home.server.fault(Fault::rate_limit(Call::Poll, None));
    whole(&read(&*connector, &counting(table)).await?, 0..2_500);
    assert_eq!(home.calls(Call::Poll).len(), 4);
    assert!(home.calls(Call::Cancel).is_empty() && home.server.running().is_empty());
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_read_that_is_given_up_is_cancelled() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    home.server.fault(Fault::Running { polls: 1_000 });
    let mut rows = connector.read(counting(table));
    tokio::select! {
        _ = rows.next() => panic!("it runs on and on"),
        heard = home.heard(Call::Poll, 1) => heard?,
    }
    assert_eq!(home.server.running().len(), 1);
    drop(rows);
    home.heard(Call::Cancel, 1).await?;
    assert!(home.server.running().is_empty());
    let (handle, cancel) = (home.calls(Call::Poll).remove(0).handle, home.calls(Call::Cancel).remove(0));
    assert_eq!((cancel.handle, cancel.status), (handle, 200));
    Ok(())
}

#[tokio::test]
async fn a_read_that_is_given_up_before_its_answer_is_cancelled_too() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    let before = home.calls(Call::Submit).len();
    home.server.fault(Fault::Running { polls: 1_000 });
    let mut rows = connector.read(counting(table));
    // One look: the statement goes out, and nobody waits for its answer.
    for _ in 0..3 {
        let looked = futures::poll!(rows.next());
        assert!(looked.is_pending());
        tokio::task::yield_now().await;
    }
    drop(rows);
    home.heard(Call::Submit, before + 1).await?;
    home.heard(Call::Cancel, 1).await?;
    assert!(home.server.running().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_told() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let policy = Policy { statement_timeout: Duration::from_secs(7), ..home.policy() };
    let secret = SecretString::from(home.reader.private_key_pem.as_str());
    let connector = kinds::open("snowflake", &home.config(&home.reader), Some(secret), &policy)?;
    connector.describe(&table).await?;
    for polls in [0, 1] {
        home.server.fault(Fault::TimesOut);
        if polls > 0 {
            home.server.fault(Fault::Running { polls });
        }
        let before = home.calls(Call::Submit).len();
        let error = read(&*connector, &counting(table.clone())).await.expect_err("too long");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Later(None)), "{error:?}");
        assert!(error.action().is_some_and(|hint| hint.contains("AUTO_RESUME")), "{error:?}");
        assert_eq!(home.calls(Call::Submit).len() - before, 1, "it is not tried again at once");
    }
    assert_eq!(home.calls(Call::Submit).pop().and_then(|call| call.timeout), Some(7));
    assert!(home.calls(Call::Cancel).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_statement_is_sent_again_with_its_id_when_its_answer_is_lost() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    for (fault, name) in [
        (Fault::Lost { on: Call::Submit, status: 502 }, "lost"),
        (Fault::status(Call::Submit, 503, "", "busy"), "busy"),
        (Fault::rate_limit(Call::Submit, Some(1)), "limited"),
        (Fault::Cut { on: Call::Submit }, "cut"),
        (Fault::Half { on: Call::Submit }, "half"),
    ] {
        let before = home.calls(Call::Submit).len();
        home.server.fault(fault);
        whole(&read(&*connector, &counting(table.clone())).await?, 0..10);
        let sent = home.calls(Call::Submit).split_off(before);
        let ids: std::collections::BTreeSet<_> = sent.iter().map(|call| call.request_id.clone()).collect();
        let again: Vec<bool> = sent.iter().map(|call| call.query.contains_key("retry")).collect();
        assert_eq!(ids.len(), 1, "{name}: {sent:?}");
        // Where the answer had told the handle, its rows are asked for by that.
        let polled = sent.len() == 1 && ["cut", "half"].contains(&name);
        assert!(polled || again == [false, true], "{name}: {again:?}");
    }
    Ok(())
}

#[tokio::test]
async fn rate_limits_that_last_are_left_to_the_scheduler() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    home.server.fault(Fault::rate_limit(Call::Submit, Some(120)));
    let error = read(&*connector, &counting(table)).await.expect_err("too many requests");
    let wait = Retry::Later(Some(Duration::from_secs(120)));
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, wait), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_users_limit_on_rows_cuts_no_result() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(5_000).await?;
    home.place.run("CREATE TABLE U (ID NUMBER(38,0))").await?;
    home.place.run(&format!("ALTER USER {} SET ROWS_PER_RESULTSET = 1", home.reader.user)).await?;
    let connector = home.open()?;
    whole(&read(&*connector, &counting(table)).await?, 0..5_000);
    // Lists are results too.
    assert_eq!(connector.discover().await?.len(), 2);
    // Each statement says so, as the server cuts what says nothing.
    let call = home.calls(Call::Submit).pop().context("a statement")?;
    assert_eq!(call.parameters["rows_per_resultset"], 0);
    Ok(())
}

#[tokio::test]
async fn views_are_read_like_tables() -> Result<()> {
    let home = Home::new().await?;
    home.counted(5).await?;
    home.place.run("CREATE VIEW W AS SELECT ID, V FROM T WHERE ID > 2").await?;
    let connector = home.open()?;
    let described = connector.describe(&home.table("W")).await?;
    assert!(described.view && described.rows.is_none(), "{described:?}");
    assert_eq!(connector.describe(&home.table("T")).await?.rows, Some(5));
    let read = read(&*connector, &request(home.table("W"), &["ID"], ("ID", CursorKind::Int), &[])).await?;
    assert_eq!(column(&read, "ID"), ["int 3", "int 4"]);
    let listed = connector.discover().await?;
    let listed: Vec<_> = listed.iter().map(|table| (table.table.name.as_str(), table.view)).collect();
    assert_eq!(listed, [("T", false), ("W", true)]);
    Ok(())
}
