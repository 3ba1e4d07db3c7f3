//! The other peer: dlt, which copies the table with its quickest reader and merges by key.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::peers::{PeerTook, shell};

/// dlt, installed, with a state folder of its own.
pub struct Peer {
    python: PathBuf,
    destination: String,
    warehouse: String,
    state: tempfile::TempDir,
}

impl Peer {
    /// Installs the locked packages, unless they are there, in a virtual environment of the benchmark's.
    ///
    /// # Errors
    /// When Python or the packages cannot be had.
    pub fn install(destination: &str, warehouse: &str) -> Result<Self> {
        let home = std::env::var_os("HOME").context("HOME is not set")?;
        let cache =
            std::env::var_os("XDG_CACHE_HOME").map_or_else(|| Path::new(&home).join(".cache"), PathBuf::from);
        let environment = cache.join("weir-tests/dlt");
        let (place, wanted) = (environment.display(), files().join("requirements.txt"));
        let wanted = wanted.display();
        shell(&format!(
            "cmp -s {wanted} {place}/.installed || {{ python3 -m venv --clear {place} && \
             {place}/bin/pip install --quiet --disable-pip-version-check -r {wanted} && cp {wanted} {place}/.installed; }}"
        ))?;
        Ok(Self {
            python: environment.join("bin/python"),
            destination: destination.to_owned(),
            warehouse: warehouse.to_owned(),
            state: tempfile::tempdir()?,
        })
    }

    /// Copies what it takes for new.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self) -> Result<PeerTook> {
        let (python, script, state) =
            (self.python.display(), files().join("dlt_copy.py"), self.state.path().display());
        let (script, warehouse, destination) = (script.display(), &self.warehouse, &self.destination);
        shell(&format!("{python} -B {script} '{warehouse}' '{destination}' {state}"))
    }
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench")
}
