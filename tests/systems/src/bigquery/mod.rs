//! BigQuery: two emulators, each behind a gate that is as strict as Google where they are not.
//!
//! The emulators run real SQL over real tables, but take any token, know no regions and never make anyone wait. The
//! [`Gate`] signs in, checks each request against Google's own rules, and does what a test asks of it.

pub mod account;
mod act;
pub mod gate;
mod pages;
pub mod place;
pub mod strict;

use anyhow::Result;
use serde::Deserialize;

pub use account::Account;
pub use act::{Act, Seen};
pub use gate::Gate;
pub use pages::Pages;
pub use place::Place;

use crate::run;

/// Which emulator it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// `local-bigquery`.
    Local,
    /// `bqemulator`.
    Second,
}

impl Emulator {
    /// The name of the program and of the file its versions are pinned in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local-bigquery",
            Self::Second => "bqemulator",
        }
    }
}

/// An emulator of this run.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// The private key of the service account of this run, as PEM.
    pub key: String,
    /// The Python that has Google's own libraries.
    pub python: String,
}

impl Server {
    /// Starts the emulator, or finds the one this run has.
    pub async fn start(emulator: Emulator) -> Result<Self> {
        let folder = run::cache("python")?;
        let start = move || {
            run::server(emulator.name(), "bigquery.py", &[&folder.to_string_lossy(), emulator.name()])
        };
        tokio::task::spawn_blocking(start).await?
    }

    /// Where its REST interface is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
