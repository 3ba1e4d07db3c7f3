//! `cargo xtask test`: everything there is to check, in one go.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    command::{cargo, program, run, run_watched, target_dir},
    lint, setup,
    stage::Stages,
    suite::{Count, Part},
    web,
};

/// What `cargo xtask test` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Runs only this part: lint, unit, web, or a folder of tests/tests such as api. May be repeated.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Runs only Rust tests whose name contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Sets up, lints, builds, tests.
pub fn run_tests(args: &Args) -> Result<()> {
    let parts = args.only.iter().map(|name| Part::named(name)).collect::<Result<Vec<_>>>()?;
    let all = parts.is_empty();
    let lints = all || parts.contains(&Part::Lint);
    let browser = all || parts.contains(&Part::Web);
    let rust =
        parts.iter().filter(|part| !matches!(part, Part::Lint | Part::Web)).cloned().collect::<Vec<_>>();
    let runs_rust = all || !rust.is_empty();

    let mut stages = Stages::new("test");
    let mut count = Count::default();
    stages.run("set up", setup::for_tests)?;
    if lints {
        lint::run_stages(&mut stages)?;
    }
    if runs_rust || browser {
        stages.run("build the web application", web::build)?;
        // The journeys and the whole-product tests start these programs.
        stages.run("build the programs", || run(&mut cargo(&["build", "--bins"])))?;
    }
    if all {
        stages.run("tests of the tasks", || task_tests(&mut count))?;
    }
    if runs_rust {
        stages.run("Rust tests", || rust_tests(&rust, args.filter.as_deref(), &mut count))?;
    }
    if browser {
        stages.run("browser tests", || browser_tests(&mut count))?;
    }
    if (runs_rust || browser) && count.passed == 0 {
        bail!("no test has run: check --only and --filter");
    }
    stages.finish("");
    if count.passed > 0 {
        println!("{} passed, {} failed", count.passed, count.failed);
    }
    Ok(())
}

/// The tests of faults mostly wait, for what hangs and before they ask again: many fit beside each other.
const WAITING: (&str, &str) = ("binary(=faults)", "8");

/// Runs the Rust tests, each in a process of its own: some measure their memory or set what a process has once.
fn rust_tests(parts: &[Part], filter: Option<&str>, count: &mut Count) -> Result<()> {
    let sets = parts.iter().filter_map(nextest_set).collect::<Vec<_>>();
    let chosen = if sets.is_empty() { "all()".to_owned() } else { sets.join(" or ") };
    let (waiting, threads) = WAITING;
    let busy = format!("({chosen}) and not {waiting}");
    let rest = format!("({chosen}) and {waiting}");
    let mut failed = None;
    for (set, more) in [(busy, &[][..]), (rest, &["--test-threads", threads])] {
        let mut command = nextest();
        // Whether any test has run is seen at the end.
        command.args(["--no-tests", "pass", "--filterset", &set]).args(more).args(filter);
        if let Err(error) = run_watched(&mut command, |line| count.see(line)) {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The tests of these tasks. They are no default member: their dependencies' features would change what is built.
fn task_tests(count: &mut Count) -> Result<()> {
    run_watched(nextest().args(["--package", "xtask"]), |line| count.see(line))
}

fn nextest() -> Command {
    let mut command = cargo(&["nextest", "run", "--no-fail-fast"]);
    command.env("PATH", setup::path_with_tools());
    command
}

fn nextest_set(part: &Part) -> Option<String> {
    match part {
        Part::Unit => Some("kind(lib) or kind(bin)".to_owned()),
        Part::Binary(name) => Some(format!("binary(={name})")),
        Part::Lint | Part::Web => None,
    }
}

fn browser_tests(count: &mut Count) -> Result<()> {
    let mut command = program("node", &["--test", "--test-concurrency=1"]);
    // Named one by one: what a folder means here differs between versions of Node.
    for entry in std::fs::read_dir("tests/web")? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            command.arg(path);
        }
    }
    command.env("WEIR_BINARY", std::path::absolute(target_dir().join("debug/weir"))?);
    if let Some(browser) = setup::browser() {
        command.env("CHROMIUM", browser);
    }
    run_watched(&mut command, |line| count.see(line))
}
