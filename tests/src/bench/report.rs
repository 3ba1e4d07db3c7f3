//! The figures, one JSON object a line.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use serde_json::json;

use super::Figures;

/// Prints the medians of one thing measured several times, and how both sides relate.
pub fn medians(what: &str, peer: &str, rows: i64, figures: &[Figures]) {
    let of = |pick: fn(&Figures) -> f64| median(figures.iter().map(pick).collect());
    let (wall, cpu) = (of(|it| it.wall), of(|it| it.own + it.database));
    let (peer_wall, peer_cpu) = (of(|it| it.peer_wall), of(|it| it.peer_cpu));
    let ratio = |ours: f64, theirs: f64| (theirs > 0.0).then(|| (ours / theirs * 100.0).round() / 100.0);
    let line = json!({
        "what": what,
        "rows": rows,
        "weir": {
            "wall": wall, "cpu": cpu, "own_cpu": of(|it| it.own), "peak_mib": of(|it| it.peak_mib),
        },
        "peer": { "name": peer, "wall": peer_wall, "cpu": peer_cpu },
        "wall_ratio": ratio(wall, peer_wall),
        "cpu_ratio": ratio(cpu, peer_cpu),
    });
    println!("{line}");
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
