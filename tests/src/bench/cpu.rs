//! CPU time and memory of processes, from `/proc`.

use std::fs;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection, Row};

use crate::postgres::Server;

/// CPU seconds of a process and all its children, those that have ended and been waited for included.
///
/// # Errors
/// When there is no such process.
pub fn tree_seconds(pid: u32) -> Result<f64> {
    let mut total = own_and_reaped(pid)?;
    for child in children(pid) {
        // A child may end between the listing and the reading; its time is then its parent's.
        total += tree_seconds(child).unwrap_or(0.0);
    }
    Ok(total)
}

/// CPU seconds of one process, its children apart.
///
/// # Errors
/// When there is no such process.
pub fn own_seconds(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    Ok(ticks(&fields, 11) + ticks(&fields, 12))
}

/// The most memory a process has had resident, in MiB.
///
/// # Errors
/// When there is no such process.
pub fn peak_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM in /proc status")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no figure in VmHWM")?.parse()?;
    Ok(kib / 1024.0)
}

/// CPU seconds of the children a process has waited for, and theirs. Servers that go on are not among them.
///
/// # Errors
/// When there is no such process.
pub fn reaped_seconds(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    Ok(ticks(&fields, 13) + ticks(&fields, 14))
}

fn own_and_reaped(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    Ok((11..15).map(|index| ticks(&fields, index)).sum())
}

/// The fields after the command's name; user and system time are at 11 and 12, of waited-for children at 13 and 14.
fn stat(pid: u32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(") ").context("an odd /proc stat")?;
    Ok(rest.split(' ').map(str::to_owned).collect())
}

/// Linux counts 100 ticks a second for user space, whatever the kernel's own rate.
fn ticks(fields: &[String], index: usize) -> f64 {
    fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 100.0
}

fn children(pid: u32) -> Vec<u32> {
    let read = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    read.map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()).unwrap_or_default()
}

/// The process of a PostgreSQL server that all its others descend from.
///
/// # Errors
/// When the server does not say where its files are.
pub async fn postmaster(server: &Server) -> Result<u32> {
    let mut connection = PgConnection::connect(&server.url("postgres")).await?;
    let row =
        sqlx::query("SELECT current_setting('data_directory') AS folder").fetch_one(&mut connection).await?;
    let folder: String = row.try_get("folder")?;
    connection.close().await?;
    let text = fs::read_to_string(format!("{folder}/postmaster.pid"))?;
    text.lines().next().context("an empty postmaster.pid")?.trim().parse().context("an odd postmaster.pid")
}
