//! The faults, each met once in the middle of a sync, then for as long as it takes to be told, then gone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use connector::{Connector, ConnectorError, ReadRequest, Retry, patience};
use systems::faults::Fault;

use crate::intake::Intake;
use crate::system::{System, request};

/// Runs of one sync, as the scheduler would begin them again.
const RUNS: usize = 6;
/// Times that are longer than anybody tries.
const ALWAYS: usize = 10_000;

/// The page in the middle of a result, or the answer that goes on with a result that broke off.
fn middle<S: System>() -> usize {
    usize::from(S::PAGED)
}

/// Lets the sync begin well: the fault meets it when some rows are kept.
async fn begun<S: System>(system: &S, intake: &mut Intake, connector: &dyn Connector) -> Result<()> {
    if S::PAGED {
        return Ok(());
    }
    system.faults().plan(0, Fault::Reset, 1);
    let broken = intake.run(connector, &request(system)).await?.context("a reset is an error")?;
    ensure!(matches!(broken.retry(), Retry::Later(_)), "{broken:?}");
    ensure!(intake.rows() > 0, "nothing came before the reset");
    ensure!(system.faults().happened() == [Fault::Reset]);
    Ok(())
}

/// Runs until the source is read to its end, as the scheduler does: again after what may pass, and after what a person
/// has to look at, who finds nothing. Gives the errors on the way.
async fn sync(
    intake: &mut Intake,
    connector: &dyn Connector,
    request: &ReadRequest,
) -> Result<Vec<ConnectorError>> {
    let mut errors = Vec::new();
    for _ in 0..RUNS {
        match intake.run(connector, request).await? {
            None => return Ok(errors),
            Some(error) => errors.push(error),
        }
    }
    anyhow::bail!("{RUNS} runs do not heal: {errors:?}")
}

/// What an error says altogether.
fn words(error: &ConnectorError) -> String {
    let parts = [Some(error.message()), error.action(), error.system_text()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn told<S: System>(system: &S, fault: Fault, error: &ConnectorError) -> Result<()> {
    let (kinds, wanted) = system.told(fault);
    ensure!(kinds.contains(&error.kind()), "{fault:?} is told as {error:?}");
    let said = words(error);
    ensure!(
        wanted.split('|').any(|wanted| said.contains(wanted)),
        "{fault:?} is told without {wanted:?}: {error:?}"
    );
    ensure!(!error.message().is_empty());
    Ok(())
}

/// A fault met once: whatever it does to the run, the sync ends with every row.
async fn once<S: System>(system: &S, fault: Fault, page: usize) -> Result<()> {
    let (connector, mut intake) = (system.connector()?, Intake::default());
    begun(system, &mut intake, &*connector).await?;
    system.faults().plan(page, fault, 1);
    let errors = sync(&mut intake, &*connector, &request(system)).await?;
    ensure!(system.faults().happened() == [fault], "the fault was never met");
    for error in &errors {
        told(system, fault, error)?;
    }
    ensure!(intake.rows() as i128 == S::ROWS, "{} rows of {}", intake.rows(), S::ROWS);
    Ok(())
}

/// A fault that lasts: it is told, nothing is lost, and when it is gone the sync ends with every row, those too that
/// came meanwhile.
async fn lasting<S: System>(system: &S, fault: Fault, page: usize) -> Result<Option<ConnectorError>> {
    let (connector, mut intake) = (system.connector()?, Intake::default());
    begun(system, &mut intake, &*connector).await?;
    system.faults().plan(page, fault, ALWAYS);
    if S::PAGED && !of_a_result(fault) {
        // Nor does it help to begin anew.
        system.faults().plan_again(0, fault);
    }
    let error = intake.run(&*connector, &request(system)).await?;
    let all = intake.rows() as i128 == S::ROWS;
    match &error {
        Some(error) => told(system, fault, error)?,
        // Whoever goes on behind the last row that came gets there all the same.
        None => {
            let way = of_a_result(fault) || in_mid_body(fault);
            ensure!(all && way, "{fault:?} lasts and nothing is told");
        }
    }
    let happened = system.faults().happened();
    ensure!(!happened.is_empty() && happened.iter().all(|met| *met == fault), "met {happened:?}");
    // A total is compared when all has come, and a length that is too large shows when all has come.
    let early = error.is_some() && !matches!(fault, Fault::LyingTotal | Fault::LongLength);
    ensure!(!(all && early), "all rows are kept in spite of {fault:?}");
    let more = S::ROWS + S::ROWS / 10;
    system.grow(S::ROWS..more).await?;
    system.faults().lift();
    let errors = sync(&mut intake, &*connector, &request(system)).await?;
    ensure!(errors.is_empty(), "it is gone and still told: {errors:?}");
    ensure!(intake.rows() as i128 == more, "{} rows of {more}", intake.rows());
    Ok(error)
}

async fn both<S: System>(system: &S, fault: Fault) -> Result<Option<ConnectorError>> {
    system.grow(0..S::ROWS).await?;
    once(system, fault, middle::<S>()).await?;
    lasting(system, fault, middle::<S>()).await
}

/// Whether a fault is of one result alone, so that a new statement may do without it.
fn of_a_result(fault: Fault) -> bool {
    matches!(fault, Fault::RepeatedPage | Fault::SkippedPage | Fault::Expired | Fault::LyingTotal)
}

/// Whether some rows come before the fault.
fn in_mid_body(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::HangInBody
            | Fault::Reset
            | Fault::HalfBody
            | Fault::TruncatedGzip
            | Fault::LongLength
            | Fault::ShortLength
    )
}

async fn statuses<S: System>(system: &S, status: u16) -> Result<()> {
    both(system, Fault::Status(status, None)).await.map(drop)
}

pub async fn a_sync_without_a_fault_takes_every_row_and_then_nothing<S: System>(system: &S) -> Result<()> {
    system.grow(0..S::ROWS).await?;
    let (connector, mut intake) = (system.connector()?, Intake::default());
    ensure!(sync(&mut intake, &*connector, &request(system)).await?.is_empty());
    ensure!(intake.rows() as i128 == S::ROWS, "{} rows", intake.rows());
    let pages = system.faults().pages();
    ensure!((pages.len() > 2) == S::PAGED, "the result came in the pages {pages:?}");
    Ok(())
}

pub async fn a_sign_in_that_ends_in_mid_run_is_told<S: System>(system: &S) -> Result<()> {
    let error = both(system, Fault::Status(401, None)).await?.context("it is told")?;
    ensure!(error.retry() == Retry::Never, "a person must act: {error:?}");
    Ok(())
}

pub async fn a_refusal_in_mid_run_is_told<S: System>(system: &S) -> Result<()> {
    let error = both(system, Fault::Status(403, None)).await?.context("it is told")?;
    ensure!(error.retry() == Retry::Never, "a person must act: {error:?}");
    Ok(())
}

pub async fn a_rate_limit_is_waited_for<S: System>(system: &S) -> Result<()> {
    let error = both(system, Fault::Status(429, None)).await?.context("it is told")?;
    ensure!(error.retry() == Retry::Later(None), "{error:?}");
    Ok(())
}

pub async fn a_rate_limit_that_asks_for_a_short_wait_is_waited_for<S: System>(system: &S) -> Result<()> {
    system.grow(0..S::ROWS).await?;
    let (connector, mut intake) = (system.connector()?, Intake::default());
    begun(system, &mut intake, &*connector).await?;
    system.faults().plan(middle::<S>(), Fault::Status(429, Some(1)), 1);
    let errors = sync(&mut intake, &*connector, &request(system)).await?;
    ensure!(errors.is_empty(), "a second is waited for without a word: {errors:?}");
    ensure!(intake.rows() as i128 == S::ROWS);
    Ok(())
}

pub async fn a_rate_limit_that_asks_for_a_long_wait_is_left_to_the_scheduler<S: System>(
    system: &S,
) -> Result<()> {
    let error = both(system, Fault::Status(429, Some(3_600))).await?.context("it is told")?;
    ensure!(error.retry() == Retry::Later(Some(Duration::from_secs(3_600))), "{error:?}");
    Ok(())
}

pub async fn status_500_is_tried_again<S: System>(system: &S) -> Result<()> {
    statuses(system, 500).await
}

pub async fn status_502_is_tried_again<S: System>(system: &S) -> Result<()> {
    statuses(system, 502).await
}

pub async fn status_503_is_tried_again<S: System>(system: &S) -> Result<()> {
    statuses(system, 503).await
}

pub async fn status_504_is_tried_again<S: System>(system: &S) -> Result<()> {
    statuses(system, 504).await
}

pub async fn a_service_that_hangs_is_told<S: System>(system: &S) -> Result<()> {
    both(system, Fault::Hang).await.map(drop)
}

pub async fn a_body_that_stops_in_the_middle_is_told<S: System>(system: &S) -> Result<()> {
    both(system, Fault::HangInBody).await.map(drop)
}

pub async fn slow_bytes_are_waited_for<S: System>(system: &S) -> Result<()> {
    system.grow(0..S::ROWS).await?;
    once(system, Fault::Slow, middle::<S>()).await
}

pub async fn a_reset_in_mid_body_is_told<S: System>(system: &S) -> Result<()> {
    both(system, Fault::Reset).await.map(drop)
}

pub async fn pitfall_16_half_a_body_is_never_taken_as_whole<S: System>(system: &S) -> Result<()> {
    both(system, Fault::HalfBody).await.map(drop)
}

pub async fn a_truncated_gzip_is_never_taken_as_whole<S: System>(system: &S) -> Result<()> {
    both(system, Fault::TruncatedGzip).await.map(drop)
}

pub async fn a_length_larger_than_the_body_is_told<S: System>(system: &S) -> Result<()> {
    both(system, Fault::LongLength).await.map(drop)
}

pub async fn a_length_smaller_than_the_body_is_told<S: System>(system: &S) -> Result<()> {
    both(system, Fault::ShortLength).await.map(drop)
}

pub async fn a_small_result_that_breaks_off_every_time_is_told<S: System>(system: &S) -> Result<()> {
    // Less than a batch: nobody can go on behind the last row that came.
    let rows = S::ROWS / 40;
    system.grow(0..rows).await?;
    for fault in [
        Fault::HangInBody,
        Fault::Reset,
        Fault::HalfBody,
        Fault::TruncatedGzip,
        Fault::LongLength,
        Fault::ShortLength,
    ] {
        let (connector, mut intake) = (system.connector()?, Intake::default());
        system.faults().plan(0, fault, ALWAYS);
        // Nobody waits for long, so that it is not tried for long.
        let asked = request(system);
        let error = patience::within(Duration::from_secs(3), intake.run(&*connector, &asked)).await?;
        let met = (system.faults().happened(), system.faults().pages(), intake.rows());
        let error = error.with_context(|| format!("{fault:?} lasts and nothing is told: {met:?}"))?;
        told(system, fault, &error)?;
        ensure!(intake.rows() == 0, "{} rows of a broken result are kept", intake.rows());
        system.faults().lift();
        ensure!(sync(&mut intake, &*connector, &request(system)).await?.is_empty());
        ensure!(intake.rows() as i128 == rows, "{} rows of {rows}", intake.rows());
    }
    Ok(())
}

pub async fn a_web_page_instead_of_data_is_told<S: System>(system: &S) -> Result<()> {
    both(system, Fault::Html).await.map(drop)
}

pub async fn a_repeated_page_gives_no_row_twice<S: System>(system: &S) -> Result<()> {
    both(system, Fault::RepeatedPage).await.map(drop)
}

pub async fn a_skipped_page_loses_no_row<S: System>(system: &S) -> Result<()> {
    both(system, Fault::SkippedPage).await.map(drop)
}

pub async fn pitfall_17_a_total_that_lies_is_not_believed<S: System>(system: &S) -> Result<()> {
    system.grow(0..S::ROWS).await?;
    once(system, Fault::LyingTotal, 0).await?;
    lasting(system, Fault::LyingTotal, 0).await.map(drop)
}

pub async fn a_result_thrown_away_between_pages_is_read_on_from_where_it_stood<S: System>(
    system: &S,
) -> Result<()> {
    both(system, Fault::Expired).await.map(drop)
}

/// The most memory this process has held so far, in bytes.
fn peak() -> Result<usize> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    let kilobytes: usize = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kilobytes * 1_024)
}

pub async fn a_bomb_does_not_fill_the_memory<S: System>(system: &S) -> Result<()> {
    system.grow(0..S::ROWS).await?;
    once(system, Fault::Bomb, middle::<S>()).await?;
    let before = peak()?;
    lasting(system, Fault::Bomb, middle::<S>()).await?;
    let grown = peak()?.saturating_sub(before);
    // It holds 256 MB.
    ensure!(grown < 80 << 20, "grew by {} MB", grown >> 20);
    Ok(())
}
