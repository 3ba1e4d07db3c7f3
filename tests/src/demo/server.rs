//! The `weir` program as a customer runs it: started, waited for, stopped.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::{Child, Command};

const START_LIMIT: Duration = Duration::from_secs(60);
/// Longer than the server's own grace for the work in hand.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// What the server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program.
    pub program: PathBuf,
    /// Where it keeps its data, and here its log.
    pub data: PathBuf,
    /// The port to serve on.
    pub port: u16,
    /// A PostgreSQL URL instead of SQLite in the data folder.
    pub database: Option<String>,
    /// A folder whose SQLite files may be sources.
    pub folder: PathBuf,
    /// More settings: names of the environment without `WEIR_`, and their values.
    pub more: Vec<(&'static str, String)>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it serves.
    pub url: String,
    log: PathBuf,
}

impl Server {
    /// Starts the server and waits until it answers.
    pub async fn start(settings: &Settings) -> Result<Self> {
        let mut server = Self::spawn(settings, "serve", "weir.log")?;
        server.answers(settings.port).await?;
        Ok(server)
    }

    /// Starts a process that only works, with a log of this name, and waits until it does.
    pub async fn work(settings: &Settings, log: &str) -> Result<Self> {
        let worker = Self::spawn(settings, "worker", log)?;
        worker.says("Weir works").await?;
        Ok(worker)
    }

    fn spawn(settings: &Settings, role: &str, log: &str) -> Result<Self> {
        fs::create_dir_all(&settings.data).with_context(|| format!("make {}", settings.data.display()))?;
        let log = settings.data.join(log);
        let output = File::create(&log).with_context(|| format!("make {}", log.display()))?;
        let mut command = Command::new(&settings.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WEIR_") {
                command.env_remove(name);
            }
        }
        command
            .arg(role)
            .env("WEIR_DATA_DIR", &settings.data)
            .env("WEIR_HTTP__LISTEN", format!("127.0.0.1:{}", settings.port))
            .env("WEIR_SOURCES__FOLDERS", format!("[{:?}]", settings.folder.display().to_string()))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        if let Some(database) = &settings.database {
            command.env("WEIR_DATABASE__URL", database);
        }
        for (name, value) in &settings.more {
            command.env(format!("WEIR_{name}"), value);
        }
        let child = command.spawn().with_context(|| format!("start {}", settings.program.display()))?;
        Ok(Self { child, url: format!("http://127.0.0.1:{}", settings.port), log })
    }

    async fn answers(&mut self, port: u16) -> Result<()> {
        let began = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("weir ended with {status} before it served:\n{}", self.said());
            }
            ensure!(
                began.elapsed() < START_LIMIT,
                "weir does not serve after {START_LIMIT:?}:\n{}",
                self.said()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The one-time token for making the first account, which it prints once it serves.
    pub async fn setup_token(&self) -> Result<String> {
        let line = self.says("set-up token: ").await?;
        Ok(line.split_once("set-up token: ").map_or(line.as_str(), |(_, token)| token).trim().to_owned())
    }

    /// Waits until it has printed this, and gives the line.
    pub async fn says(&self, text: &str) -> Result<String> {
        let began = Instant::now();
        loop {
            let said = self.said();
            if let Some(line) = said.lines().find(|line| line.contains(text)) {
                return Ok(line.to_owned());
            }
            ensure!(began.elapsed() < START_LIMIT, "weir has not said {text:?}:\n{said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it has printed so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("({}: {error})", self.log.display()))
    }

    /// The number of its process.
    pub fn process(&self) -> Result<u32> {
        self.child.id().context("weir has a process number while it runs")
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.context("wait for weir")
    }

    /// Ends it as a crash would: it learns nothing of it.
    pub async fn kill(mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "weir ended by itself:\n{}", self.said());
        self.child.kill().await.context("kill weir")
    }

    /// Asks it to stop, and waits until the batch in hand is committed and it has ended.
    pub async fn stop(mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        self.terminate().await?;
        self.stopped().await
    }

    /// Asks it to stop.
    pub async fn terminate(&self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.process()?.to_string()]).status().await?;
        ensure!(asked.success(), "weir could not be asked to stop");
        Ok(())
    }

    /// Waits until it has ended well, as it was asked to.
    pub async fn stopped(mut self) -> Result<()> {
        let Ok(status) = tokio::time::timeout(STOP_LIMIT, self.child.wait()).await else {
            self.child.kill().await?;
            bail!("weir did not stop within {STOP_LIMIT:?}:\n{}", self.said());
        };
        let status = status?;
        ensure!(status.success(), "weir stopped with {status}:\n{}", self.said());
        Ok(())
    }
}

/// Whether a folder can take the demo: it is missing or empty.
pub fn vacant(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
