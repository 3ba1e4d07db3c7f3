//! The figures, one JSON object a line.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use serde_json::json;

use super::Figures;

/// The medians of one thing measured several times.
#[derive(Clone, Copy, Debug)]
pub struct Medians {
    /// Weir's seconds on the clock, of the peer's.
    pub wall_ratio: f64,
    /// Weir's CPU seconds, those of PostgreSQL and of the system read included, of the peer's.
    pub cpu_ratio: f64,
    /// CPU seconds of Weir's process.
    pub own: f64,
    /// The most memory the process has had resident, in MiB.
    pub peak_mib: f64,
    /// The peer's CPU seconds.
    pub peer_cpu: f64,
}

/// Prints the medians of one thing measured several times, and how both sides relate.
pub fn medians(what: &str, peer: &str, rows: i64, figures: &[Figures]) -> Medians {
    let of = |pick: fn(&Figures) -> f64| median(figures.iter().map(pick).collect());
    let (wall, cpu) = (of(|it| it.wall), of(|it| it.own + it.database + it.source));
    let (peer_wall, peer_cpu) = (of(|it| it.peer_wall), of(|it| it.peer_cpu));
    let (own, peak_mib) = (of(|it| it.own), of(|it| it.peak_mib));
    let (wall_ratio, cpu_ratio) = (wall / peer_wall, cpu / peer_cpu);
    let rounded = |ratio: f64| (ratio * 100.0).round() / 100.0;
    let line = json!({
        "what": what,
        "rows": rows,
        "weir": {
            "wall": wall, "cpu": cpu, "own_cpu": own, "peak_mib": peak_mib,
        },
        "peer": { "name": peer, "wall": peer_wall, "cpu": peer_cpu },
        "wall_ratio": rounded(wall_ratio),
        "cpu_ratio": rounded(cpu_ratio),
    });
    println!("{line}");
    Medians { wall_ratio, cpu_ratio, own, peak_mib, peer_cpu }
}

/// The medians of each figure.
pub fn middle(figures: &[Figures]) -> Figures {
    let of = |pick: fn(&Figures) -> f64| median(figures.iter().map(pick).collect());
    Figures {
        wall: of(|it| it.wall),
        own: of(|it| it.own),
        database: of(|it| it.database),
        source: of(|it| it.source),
        rows: figures.iter().map(|it| it.rows).max().unwrap_or_default(),
        statements: figures.iter().map(|it| it.statements).max().unwrap_or_default(),
        peak_mib: of(|it| it.peak_mib),
        peer_wall: of(|it| it.peer_wall),
        peer_cpu: of(|it| it.peer_cpu),
    }
}

/// The median of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    match figures.len() {
        0 => 0.0,
        count if count % 2 == 1 => rounded(figures[count / 2]),
        count => rounded((figures[count / 2 - 1] + figures[count / 2]) / 2.0),
    }
}
