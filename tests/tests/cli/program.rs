//! Starting the program and reading what it says.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use systems::ports::free_port;

const LIMIT: Duration = Duration::from_secs(60);

/// An install of Weir: its settings and its data folder, gone with this value.
pub struct Install {
    folder: tempfile::TempDir,
    port: u16,
    more: Vec<(String, String)>,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended well.
    pub success: bool,
    /// What it said on standard output.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

/// A server or worker that runs.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// Where it serves.
    pub url: String,
}

impl Install {
    /// On SQLite in a data folder that is not there yet.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, port: free_port()?, more: Vec::new() })
    }

    /// With one more setting.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.more.push((format!("WEIR_{name}"), value.into()));
        self
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The URL it serves at.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let weir = Path::new(env!("CARGO_BIN_EXE_demo")).with_file_name("weir");
        assert!(weir.exists(), "build the server first: cargo build --bins");
        let mut command = Command::new(weir);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEIR_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("WEIR_DATA_DIR", self.data())
            .env("WEIR_HTTP__LISTEN", format!("127.0.0.1:{}", self.port))
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Said> {
        let output = self.command(arguments).output().context("start weir")?;
        let (out, err) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        Ok(Said { success: output.status.success(), out, err })
    }

    /// Starts a command that goes on, given as its words with a blank between them.
    pub fn start(&self, command: &str) -> Result<Running> {
        let words: Vec<&str> = command.split(' ').collect();
        let mut child = self.command(&words).spawn().context("start weir")?;
        let out = child.stdout.take().context("its output is a pipe")?;
        let err = child.stderr.take().context("its log is a pipe")?;
        let (sender, lines) = channel();
        for stream in [Box::new(out) as Box<dyn Read + Send>, Box::new(err)] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Running { child, lines, url: self.url() })
    }
}

impl Running {
    /// Waits for a line that holds this text.
    pub fn line(&self, text: &str) -> Result<String> {
        let mut said = Vec::new();
        let began = Instant::now();
        while let Ok(line) = self.lines.recv_timeout(LIMIT.saturating_sub(began.elapsed())) {
            if line.contains(text) {
                return Ok(line);
            }
            said.push(line);
        }
        bail!("weir has not said {text:?}, but:\n{}", said.join("\n"));
    }

    /// Asks it to stop.
    pub fn terminate(&self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(asked.success(), "weir could not be asked to stop");
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "it had ended before it was killed");
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it has ended, and gives what it said since it was last listened to.
    pub fn ended(mut self) -> Result<(ExitStatus, String)> {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(began.elapsed() < LIMIT, "weir does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        Ok((status, self.lines.iter().collect::<Vec<_>>().join("\n")))
    }

    /// Stops it, which must go well, and gives what it said since it was last listened to.
    pub fn stop(self) -> Result<String> {
        self.terminate()?;
        let (status, said) = self.ended()?;
        ensure!(status.success(), "weir stopped with {status}:\n{said}");
        Ok(said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, or a test failed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
