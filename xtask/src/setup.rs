//! What the tasks need on the machine: looked for first, installed where that is possible, named where it is not.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, output_of, program, run, target_dir};

/// The target the browser application is built for.
pub const WASM: &str = "wasm32-unknown-unknown";
const NODE_AT_LEAST: u32 = 20;
const POSTGRES_AT_LEAST: u32 = 15;
const NEXTEST: &str = "0.9.143";

/// A program the tests need: how to see that it is there, and the Debian package that brings it.
struct Need {
    package: &'static str,
    purpose: &'static str,
    present: fn() -> bool,
}

const TEST_NEEDS: [Need; 3] = [
    Need { package: "chromium", purpose: "browser tests", present: || browser().is_some() },
    Need {
        package: "postgresql",
        purpose: "tests on PostgreSQL 15 or newer",
        present: || postgres().is_some(),
    },
    Need {
        package: "python3",
        purpose: "the servers tests start",
        present: || output_of("python3", &["--version"]).is_some(),
    },
];

/// Sets up the browser build: Node, the WebAssembly target, npm packages.
pub fn for_web() -> Result<()> {
    node()?;
    wasm_target()?;
    npm_ci(Path::new("web"))
}

/// Sets up everything the tests need.
pub fn for_tests() -> Result<()> {
    for_web()?;
    packages(&TEST_NEEDS)?;
    npm_ci(Path::new("tests/audit"))?;
    npm_ci(Path::new("tests/web"))?;
    clickhouse_engine()?;
    emulators()?;
    nextest()
}

/// Builds the test runner into the target folder where the machine has none.
fn nextest() -> Result<()> {
    let mut look = program("cargo", &["nextest", "--version"]);
    let found = look.env("PATH", path_with_tools()).stdin(Stdio::null()).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    eprintln!("cargo-nextest is missing and will be built: some minutes, once");
    let mut install = cargo(&["install", "--locked", "cargo-nextest", "--version", NEXTEST]);
    // A folder of its own for what is built on the way: it is removed with the end of the installation.
    run(install.arg("--root").arg(tools()).env_remove("CARGO_TARGET_DIR"))
        .context("cargo-nextest could not be built; install it and try again")
}

/// Where tools are built that the machine does not have.
fn tools() -> PathBuf {
    target_dir().join("tools")
}

/// PATH, with our own tools behind the machine's.
pub fn path_with_tools() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let tools = std::path::absolute(tools().join("bin")).unwrap_or_default();
    env::join_paths(env::split_paths(&path).chain([tools])).unwrap_or(path)
}

/// Installs the ClickHouse engine where the tests look for it, so that no test waits for the download.
fn clickhouse_engine() -> Result<()> {
    let folder = cache("clickhouse")?;
    run(program("python3", &["-B", "tests/systems/servers/clickhouse.py", "install"]).arg(folder))
}

/// Installs the emulators that are Python programs, likewise.
fn emulators() -> Result<()> {
    let folder = cache("python")?;
    run(program("python3", &["-B", "tests/systems/servers/environment.py"]).arg(folder))
        .context("the emulators that tests read from could not be installed")
}

/// Where the tests keep what outlives a run.
fn cache(name: &str) -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("weir-tests").join(name))
}

/// Tells where a Chromium is.
pub fn browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| find_program(name))
}

/// Installs the packages of a folder's lock file, unless that very lock file is what is installed.
pub fn npm_ci(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| format!("read {}", lock.display()))?;
    let stamp = folder.join("node_modules/.installed-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(program("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::create_dir_all(folder.join("node_modules")).with_context(|| format!("make {}", stamp.display()))?;
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}

fn node() -> Result<()> {
    let version = output_of("node", &["--version"]).as_deref().and_then(major);
    match version {
        Some(found) if found >= NODE_AT_LEAST && find_program("npm").is_some() => Ok(()),
        Some(found) => bail!("Node {NODE_AT_LEAST} or newer with npm is needed, found Node {found}"),
        None => bail!("Node {NODE_AT_LEAST} or newer with npm is needed and was not found"),
    }
}

fn wasm_target() -> Result<()> {
    let installed = output_of("rustc", &["--print", "target-libdir", "--target", WASM]);
    if installed.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    run(&mut program("rustup", &["target", "add", WASM]))
        .context("the WebAssembly target is missing and rustup could not add it")
}

fn packages(needs: &[Need]) -> Result<()> {
    let missing = needs.iter().filter(|need| !(need.present)()).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|need| need.package).collect::<Vec<_>>();
    let root = output_of("id", &["-u"]).is_some_and(|id| id == "0");
    if root && find_program("apt-get").is_some() {
        let mut install = program("apt-get", &["install", "--yes", "--no-install-recommends"]);
        install.args(&names).env("DEBIAN_FRONTEND", "noninteractive");
        run(program("apt-get", &["update"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
        run(&mut install)?;
    }
    let still = missing.iter().filter(|need| !(need.present)()).collect::<Vec<_>>();
    if still.is_empty() {
        return Ok(());
    }
    for need in &still {
        eprintln!("missing: {} (for {})", need.package, need.purpose);
    }
    let names = still.iter().map(|need| need.package).collect::<Vec<_>>().join(" ");
    bail!("install what is missing and try again; on Debian or Ubuntu: sudo apt-get install {names}")
}

/// The folder of PostgreSQL's server programs, which distributions keep out of PATH.
fn postgres() -> Option<PathBuf> {
    let mut folders =
        output_of("pg_config", &["--bindir"]).map(PathBuf::from).into_iter().collect::<Vec<_>>();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.into_iter().find(|folder| {
        let server = folder.join("postgres");
        let version = output_of(&server.to_string_lossy(), &["--version"]);
        let version = version.as_deref().and_then(|text| text.split_whitespace().nth(2)).and_then(major);
        version.is_some_and(|found| found >= POSTGRES_AT_LEAST) && folder.join("initdb").is_file()
    })
}

/// The first number of a version such as `v20.20.2` or `15.18`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn major_reads_the_first_number() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("15.18"), Some(15));
        assert_eq!(major("16devel"), None);
    }
}
