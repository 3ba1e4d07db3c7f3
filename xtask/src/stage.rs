//! The stages of a long task: each timed, the first failure ends the task, a summary closes it.

use std::time::{Duration, Instant};

use anyhow::Result;

/// What has run so far.
pub struct Stages {
    task: &'static str,
    began: Instant,
    done: Vec<(String, Duration)>,
}

impl Stages {
    /// Starts the clock of a task.
    pub fn new(task: &'static str) -> Self {
        Self { task, began: Instant::now(), done: Vec::new() }
    }

    /// Runs one stage. A failure prints the summary and ends the task.
    pub fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n── {name}");
        let began = Instant::now();
        let outcome = work();
        self.done.push((name.to_owned(), began.elapsed()));
        outcome.inspect_err(|error| {
            self.table();
            println!(
                "{}: FAILED in stage `{name}` after {}: {error:#}",
                self.task,
                seconds(self.began.elapsed())
            );
        })
    }

    /// Prints the summary of a task whose every stage has passed.
    pub fn finish(&self, note: &str) {
        self.table();
        println!("{}: passed in {}{note}", self.task, seconds(self.began.elapsed()));
    }

    fn table(&self) {
        println!();
        for (name, took) in &self.done {
            println!("{:>10}  {name}", seconds(*took));
        }
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
