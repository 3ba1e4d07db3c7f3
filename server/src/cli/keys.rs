//! `weir keys`: the ring of keys that protects stored credentials.

use std::path::PathBuf;

use clap::Subcommand;
use secrecy::ExposeSecret;

use crate::app::App;
use crate::config::Config;
use crate::custody::{self, Keyring};
use crate::error::StartError;

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the keys by ID; the first seals, all open.
    List,
    /// Puts a fresh sealing key in the ring's file; the older keys still open. Give all servers the new file, restart
    /// them, then reseal.
    Rotate,
    /// Seals every stored credential by the sealing key.
    Reseal {
        /// Then removes the older keys from the ring's file.
        #[arg(long)]
        drop_older: bool,
    },
    /// Prints a fresh ring, for servers that get it from `keyring.value`.
    Generate,
}

/// Runs a command.
pub async fn run(command: Command, config: Config) -> Result<(), StartError> {
    match command {
        Command::List => list(&ring(&config)?),
        Command::Rotate => rotate(&config)?,
        Command::Reseal { drop_older } => reseal(&config, drop_older).await?,
        Command::Generate => println!("{}", fresh()?.text().expose_secret().trim()),
    }
    Ok(())
}

fn list(ring: &Keyring) {
    println!("{} (seals)", ring.primary().as_str());
    for id in ring.ids().filter(|id| *id != ring.primary()) {
        println!("{} (opens only)", id.as_str());
    }
}

fn rotate(config: &Config) -> Result<(), StartError> {
    let path = file(config)?;
    let rotated = custody::load(&path)?.rotated().map_err(|error| StartError::new(error.to_string()))?;
    custody::save(&path, &rotated)?;
    println!("{} seals from now on.", rotated.primary().as_str());
    println!("Give every server the file {}, restart them all, then run `weir keys reseal`.", path.display());
    Ok(())
}

async fn reseal(config: &Config, drop_older: bool) -> Result<(), StartError> {
    // Before the start makes a ring where one is missing.
    ring(config)?;
    let path = if drop_older { Some(file(config)?) } else { None };
    let db = App::database(config).await?;
    // As a server does: checks that the ring opens everything, and tells the others which key seals.
    let ring = custody::start(config, &db).await?;
    let done = custody::reseal(&db, &ring)
        .await
        .map_err(|error| StartError::new(format!("the stored credentials cannot be sealed anew: {error}")))?;
    println!("{} sealed anew by {}.", done.resealed, ring.primary().as_str());
    if !done.refused.is_empty() {
        let refused = done.refused.join("; ");
        return Err(StartError::new(format!("not all could be opened, and none was lost: {refused}")));
    }
    if let Some(path) = path {
        let alone = ring.without_older_keys();
        // A server that was not restarted may have sealed by an older key behind our back.
        custody::verify(&db, &alone).await.map_err(|error| {
            StartError::new(format!(
                "no key was removed: {error}; restart every server with the ring of {}, then run this again",
                path.display()
            ))
        })?;
        custody::save(&path, &alone)?;
        println!("The older keys are removed from {}.", path.display());
    }
    Ok(())
}

/// The ring as the settings give it; never makes one.
pub(super) fn ring(config: &Config) -> Result<Keyring, StartError> {
    if config.keyring.value.expose_secret().is_empty() {
        return custody::load(&file(config)?);
    }
    Keyring::parse(&config.keyring.value).map_err(|error| StartError::new(error.to_string()))
}

/// The ring's file, which can be changed here.
fn file(config: &Config) -> Result<PathBuf, StartError> {
    if !config.keyring.value.expose_secret().is_empty() {
        let message =
            "the key ring comes from keyring.value; put a key of `weir keys generate` in front of it there";
        return Err(StartError::new(message));
    }
    Ok(match config.keyring.file.as_str() {
        "" => config.data_dir.join("keyring"),
        file => PathBuf::from(file),
    })
}

fn fresh() -> Result<Keyring, StartError> {
    Keyring::generate().map_err(|error| StartError::new(error.to_string()))
}
