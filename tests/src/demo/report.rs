//! Starts syncs, waits for their end, and adds up what happened to every row.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::{client::Client, customer::Stream};

const LIMIT: Duration = Duration::from_secs(600);

/// What all syncs together did with the rows. Rows read = mapped + rejected + repeated; readings = written +
/// unchanged + superseded + unmatched + ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each is a sum over the runs' tallies, named in the contract")]
pub struct Report {
    pub rows_read: u64,
    pub readings: u64,
    pub written: u64,
    pub unchanged: u64,
    pub superseded: u64,
    pub unmatched: u64,
    pub ignored: u64,
    pub rejected: u64,
    pub repeated: u64,
    /// Whether every run succeeded and its sums add up.
    pub balanced: bool,
    /// From the first start to the last end.
    pub seconds: f64,
}

/// Asks for a sync of every stream and waits until all have ended.
pub async fn sync(client: &Client, streams: &[Stream]) -> Result<Report> {
    let began = Instant::now();
    let mut runs = Vec::new();
    for stream in streams {
        let started =
            client.change("syncRunStart", json!({ "streamId": stream.id }), "syncRun { id }").await?;
        runs.push((stream, started["syncRun"]["id"].as_str().context("a run has an ID")?.to_owned()));
    }
    let mut report = Report { balanced: true, ..Report::default() };
    for (stream, run) in runs {
        let run = ended(client, &run, began).await.with_context(|| format!("sync {}", stream.name))?;
        report.add(&run);
        if run["status"] != "SUCCEEDED" {
            eprintln!("{}: the run ended as {}: {}", stream.name, run["status"], run["error"]);
        }
    }
    report.seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    Ok(report)
}

async fn ended(client: &Client, id: &str, began: Instant) -> Result<Value> {
    const RUN: &str = "query($id: ID!) { syncRun(id: $id) { status balanced error { message action detail } tally {
        rowsRead rowsMapped rowsRejected rowsRepeated readings written unchanged superseded unmatched ignored } } }";
    loop {
        let mut data = client.ask(RUN, json!({ "id": id })).await?;
        let run = data["syncRun"].take();
        match run["status"].as_str() {
            Some("QUEUED" | "RUNNING") if began.elapsed() > LIMIT => bail!("no end after {LIMIT:?}: {run}"),
            Some("QUEUED" | "RUNNING") => tokio::time::sleep(Duration::from_millis(100)).await,
            Some(_) => return Ok(run),
            None => bail!("the run {id} is gone"),
        }
    }
}

impl Report {
    fn add(&mut self, run: &Value) {
        let number =
            |name: &str| run["tally"][name].as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        self.rows_read += number("rowsRead");
        self.readings += number("readings");
        self.written += number("written");
        self.unchanged += number("unchanged");
        self.superseded += number("superseded");
        self.unmatched += number("unmatched");
        self.ignored += number("ignored");
        self.rejected += number("rowsRejected");
        self.repeated += number("rowsRepeated");
        let rows = number("rowsMapped") + number("rowsRejected") + number("rowsRepeated");
        let readings = number("written") + number("unchanged") + number("superseded");
        let readings = readings + number("unmatched") + number("ignored");
        self.balanced &= run["status"] == "SUCCEEDED"
            && run["balanced"] == true
            && rows == number("rowsRead")
            && readings == number("readings");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Report;

    fn run(written: &str, status: &str) -> Value {
        json!({ "status": status, "balanced": true, "tally": {
            "rowsRead": "10", "rowsMapped": "8", "rowsRejected": "1", "rowsRepeated": "1", "readings": "8",
            "written": written, "unchanged": "1", "superseded": "1", "unmatched": "1", "ignored": "0" } })
    }

    fn report(runs: &[Value]) -> Report {
        let mut report = Report { balanced: true, ..Report::default() };
        runs.iter().for_each(|run| report.add(run));
        report
    }

    #[test]
    fn adds_runs_up() {
        let report = report(&[run("5", "SUCCEEDED"), run("5", "SUCCEEDED")]);
        assert_eq!((report.rows_read, report.written, report.rejected, report.repeated), (20, 10, 2, 2));
        assert!(report.balanced);
    }

    #[test]
    fn one_bad_run_unbalances_all() {
        assert!(!report(&[run("5", "SUCCEEDED"), run("4", "SUCCEEDED")]).balanced);
        assert!(!report(&[run("5", "FAILED"), run("5", "SUCCEEDED")]).balanced);
    }
}
