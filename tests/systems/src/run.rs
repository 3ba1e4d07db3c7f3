//! One server for all tests of a run, although nextest gives each test its own process.
//!
//! A run is named by its *owner*: the nextest process, or this process when something else runs the tests.
//! The first test that needs a server starts a keeper (`tests/systems/servers/`) which watches the owner and takes
//! the server down when it ends, however it ends; later tests find the server by its `ready.json`.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

const START_LIMIT: Duration = Duration::from_secs(300);

/// The process whose end takes the servers down.
fn owner() -> u32 {
    if std::env::var_os("NEXTEST").is_some() { parent_id() } else { std::process::id() }
}

/// Tells a process from a later one with the same number: its start time, in clock ticks since boot.
fn started_at(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(19).map(str::to_owned)
}

/// The folder of all runs of this user.
fn home() -> Result<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let me = fs::metadata("/proc/self").context("cannot read /proc")?.uid();
    Ok(std::env::temp_dir().join(format!("weir-tests-{me}")))
}

/// The folder of this run, which all its tests share; it is removed with the last server.
pub fn folder() -> Result<PathBuf> {
    let owner = owner();
    let started = started_at(owner).context("the process that runs the tests has ended")?;
    let folder = home()?.join(format!("{owner}-{started}"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Removes what runs that were killed together with their keepers left behind.
fn sweep() -> Result<()> {
    for entry in fs::read_dir(home()?)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((pid, started)) = name.split_once('-') else { continue };
        let alive = pid.parse().ok().and_then(started_at).is_some_and(|now| now == started);
        // A keeper may be removing the same folder at this moment.
        let idle = entry.metadata().and_then(|it| it.modified()).ok().and_then(|at| at.elapsed().ok());
        if !alive && idle.is_some_and(|it| it > Duration::from_secs(60)) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(())
}

/// Holds one named lock of this run until dropped; blocks, so never call it on an async thread for long work.
pub fn lock(name: &str) -> Result<File> {
    let file = File::create(folder()?.join(format!("{name}.lock")))?;
    file.lock().with_context(|| format!("cannot lock {name}"))?;
    Ok(file)
}

/// Starts the server `name` with its keeper `script`, or finds the one this run has, and returns its facts.
pub fn server<Facts: DeserializeOwned>(name: &str, script: &str, arguments: &[&str]) -> Result<Facts> {
    let _lock = lock(name)?;
    let folder = folder()?.join(name);
    let mut keeper = None;
    if !folder.exists() {
        sweep()?;
        keeper = Some(start(&folder, script, arguments)?);
    }
    let since = Instant::now();
    loop {
        let ended = keeper.as_mut().map(Child::try_wait).transpose()?.flatten();
        if let Ok(reason) = fs::read_to_string(folder.join("failed")) {
            bail!("the test server {name} failed: {reason}");
        }
        if let Ok(facts) = fs::read_to_string(folder.join("ready.json")) {
            return serde_json::from_str(&facts).context("the keeper wrote a malformed ready.json");
        }
        let said = || fs::read_to_string(folder.join("keeper.log")).unwrap_or_default();
        if let Some(status) = ended {
            // Written down for whoever asks next.
            fs::write(folder.join("failed"), format!("its keeper ended early, {status}: {}", said()))?;
        }
        if since.elapsed() > START_LIMIT {
            bail!("the test server {name} was not ready after {START_LIMIT:?}: {}", said());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start(folder: &Path, script: &str, arguments: &[&str]) -> Result<Child> {
    fs::create_dir_all(folder)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(script);
    let log = File::create(folder.join("keeper.log"))?;
    // Its own process group: signals meant for the tests must not reach it before it has cleaned up.
    Command::new("python3")
        .arg("-B")
        .arg(&script)
        .arg(owner().to_string())
        .arg(folder)
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("cannot start python3, which keeps the test servers")
}

/// Where downloads that outlive runs are kept.
pub fn cache(name: &str) -> Result<PathBuf> {
    let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => bail!("neither XDG_CACHE_HOME nor HOME is set"),
    };
    Ok(base.join("weir-tests").join(name))
}

/// Runs async work to its end from a place that cannot wait, such as `Drop`.
pub fn block_on<F>(work: F)
where
    F: Future<Output = Result<()>> + Send,
{
    std::thread::scope(|scope| {
        let done = scope
            .spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work));
        match done.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("cleaning up after a test failed: {error:#}"),
            Err(_) => eprintln!("cleaning up after a test panicked"),
        }
    });
}
