//! The figures, one JSON object a line.

use serde_json::{Value, json};

/// One comparison: ours, theirs, and how they relate.
pub fn line(what: &str, ours: &Value, theirs: &Value) {
    let ratio = |key: &str| match (ours[key].as_f64(), theirs[key].as_f64()) {
        (Some(a), Some(b)) if b > 0.0 => json!((a / b * 100.0).round() / 100.0),
        _ => Value::Null,
    };
    println!(
        "{}",
        json!({"what": what, "weir": ours, "peer": theirs, "wall_ratio": ratio("wall"), "cpu_ratio": ratio("cpu")})
    );
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
