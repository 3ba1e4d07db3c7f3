//! The commands. What they print on standard output is for whoever runs them; the log goes to standard error.
#![expect(clippy::print_stdout, reason = "commands answer on standard output")]

mod doctor;
mod keys;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::StartError;
use crate::{graphql, telemetry};

/// Weir: warehouse rows in, exact measurements on the right account out.
#[derive(Debug, Parser)]
#[command(name = "weir", version, about)]
pub struct Cli {
    /// A file of settings; `server/config.default.toml` lists them all.
    #[arg(long, global = true, value_name = "FILE", env = "WEIR_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the API and the web interface, and does the work of syncing.
    Serve,
    /// Only does the work of syncing; any number of workers may share one PostgreSQL database.
    Worker,
    /// Brings the database up to date and ends.
    Migrate,
    /// Prints the GraphQL schema.
    Schema,
    /// Looks after the keys that protect stored credentials.
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Checks that everything Weir needs is there and works.
    Doctor,
}

impl Cli {
    /// Runs the command and gives the exit code of the process.
    pub fn run(self) -> ExitCode {
        // Before anything that may open a TLS connection. It fails only when it was done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        match self.command() {
            Ok(code) => code,
            Err(error) => {
                eprintln!("weir: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn command(self) -> Result<ExitCode, StartError> {
        if matches!(self.command, Command::Schema) {
            print!("{}", graphql::sdl());
            return Ok(ExitCode::SUCCESS);
        }
        let config = Config::load(self.config.as_deref());
        if matches!(self.command, Command::Doctor) {
            return runtime()?.block_on(doctor::run(config));
        }
        let config = config?;
        telemetry::start(&config.log)?;
        runtime()?.block_on(async move {
            match self.command {
                Command::Serve => serve::serve(config, Clock::system()).await,
                Command::Worker => serve::worker(config, Clock::system()).await,
                Command::Migrate => serve::migrate(config).await,
                Command::Keys { command } => keys::run(command, config).await,
                Command::Schema | Command::Doctor => Ok(()),
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, StartError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::new(format!("the runtime cannot start: {error}")))
}
