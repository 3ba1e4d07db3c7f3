//! Why rows of a stream may be missing where they are expected: findings from facts, in plain words.

use entity::Normalizer;

use crate::domain::id_shape::IdShape;

/// A part in a hundred of the sample that makes IDs worth speaking of.
const NOTEWORTHY: u32 = 10;
/// How much better, in parts of a hundred, another ID space must know the IDs to be proposed.
const BETTER: u32 = 20;

/// Rows beyond the watermark that are counted at most.
pub const ABOVE: u64 = 10_000;

/// How far a table goes.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Its greatest cursor; none when no row has one.
    pub newest: Option<String>,
    /// Whether that is later than the source's clock allows.
    pub future: bool,
    /// Rows beyond the watermark, up to [`ABOVE`]; none without a watermark.
    pub above: Option<u64>,
}

/// What is known of a stream and its table.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The cursor column.
    pub cursor: String,
    /// The checkpoint's watermark; none before the first run.
    pub watermark: Option<String>,
    /// How far the table goes; none when it could not be asked.
    pub reached: Option<Reached>,
    /// Rows without a cursor, as the last finished run counted them.
    pub null_cursors: i64,
    /// Whether such rows are rejected rather than read at each run.
    pub null_cursors_rejected: bool,
    /// Readings of the last finished runs, and how many of them wait for an account or a link.
    pub readings: i64,
    /// See `readings`.
    pub unmatched: i64,
    /// Readings that ignore rules keep aside now.
    pub ignored: i64,
    /// Rows kept as rejected now.
    pub rejected: i64,
    /// The sample of account IDs.
    pub sample: Sample,
}

/// What the account column of some rows holds.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Different IDs looked at.
    pub ids: u32,
    /// Those of each shape, most frequent first.
    pub shapes: Vec<(IdShape, u32)>,
    /// Each ID space of the organization, with how many of the IDs it knows.
    pub spaces: Vec<SpaceRate>,
}

/// How many IDs of a sample one ID space knows.
#[derive(Clone, Debug)]
pub struct SpaceRate {
    /// The space.
    pub space: String,
    /// Its rule.
    pub normalizer: Normalizer,
    /// Whether the stream's setting tries it.
    pub tried: bool,
    /// IDs that are one account's there.
    pub known: u32,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is wrong.
    Fine,
    /// Worth a look.
    Notice,
    /// Rows are missing because of it.
    Problem,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub action: Option<String>,
}

impl Finding {
    fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), action: None }
    }

    fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }
}

/// Tells what is to be said of a stream, the worst first.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        [reach(facts), null_cursors(facts), matching(&facts.sample), waiting(facts), aside(facts)]
            .into_iter()
            .flatten()
            .collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity as u8));
    found
}

fn reach(facts: &Facts) -> Option<Finding> {
    let Reached { newest, future, above } = facts.reached.as_ref()?;
    let Some(newest) = newest else {
        let message = format!("no row of the table has a value in the cursor column {:?}", facts.cursor);
        return Some(
            Finding::new(Severity::Problem, message).action("choose a cursor column that is filled"),
        );
    };
    if *future {
        let message = format!(
            "the greatest cursor is {newest}, later than the source's own clock: such rows are rejected"
        );
        return Some(
            Finding::new(Severity::Problem, message).action("mend the row, or raise the stream's tolerance"),
        );
    }
    let Some(watermark) = &facts.watermark else {
        return Some(
            Finding::new(Severity::Notice, "nothing has been read yet").action("run the stream once"),
        );
    };
    let rows = match above {
        Some(1) => "1 row is".to_owned(),
        Some(rows) if *rows < ABOVE => format!("{rows} rows are"),
        _ => format!("{ABOVE} rows or more are"),
    };
    match above {
        Some(1..) => Some(
            Finding::new(
                Severity::Notice,
                format!(
                    "the table goes up to {newest}; read is what goes up to {watermark}: {rows} above it"
                ),
            )
            .action("run the stream, or wait for its schedule; if this stays, look at its last runs"),
        ),
        _ => Some(Finding::new(Severity::Fine, format!("everything up to {watermark} has been read"))),
    }
}

fn null_cursors(facts: &Facts) -> Option<Finding> {
    (facts.null_cursors > 0).then(|| {
        let message =
            format!("{} rows have no value in the cursor column {:?}", facts.null_cursors, facts.cursor);
        if facts.null_cursors_rejected {
            Finding::new(Severity::Problem, format!("{message}, and are rejected"))
                .action("fill the column, or choose to read such rows at each run")
        } else {
            Finding::new(Severity::Notice, format!("{message}; they are read at each run"))
        }
    })
}

fn matching(sample: &Sample) -> Option<Finding> {
    if sample.ids == 0 {
        return None;
    }
    let part = |count: u32| percent(count.into(), sample.ids.into());
    // The first space that knows an ID decides, so the best of those tried is the least that is matched.
    let tried = sample.spaces.iter().filter(|space| space.tried).max_by_key(|space| space.known);
    let known = tried.map_or(0, |space| space.known);
    let best = sample.spaces.iter().max_by_key(|space| space.known)?;
    let look = sample.shapes.first().filter(|(_, count)| part(*count) >= 50).map(|(shape, _)| *shape);
    let seen =
        look.map_or_else(String::new, |shape| format!("the account IDs look like {}; ", shape.words()));
    if !best.tried && part(best.known) >= part(known) + BETTER {
        let now = tried.map_or_else(
            || "the stream's setting tries no ID space".to_owned(),
            |space| format!("the setting tries {:?}, which knows {} %", space.space, part(space.known)),
        );
        let message = format!("{seen}{now}, while {:?} knows {} % of them", best.space, part(best.known));
        return Some(
            Finding::new(Severity::Problem, message)
                .action(format!("let the stream's external-ID setting try {:?}", best.space)),
        );
    }
    let unfit =
        look.zip(tried).filter(|(shape, space)| !shape.suits(space.normalizer) && part(known) < NOTEWORTHY);
    if let Some((_, space)) = unfit {
        let message = format!("{seen}the setting tries {:?}, whose IDs look different", space.space);
        return Some(Finding::new(Severity::Problem, message).action(
            "add an ID space for such IDs with the accounts' IDs in it, and let the setting try it, or map another column",
        ));
    }
    let message = format!("{} % of the account IDs in the sample are known", part(known));
    Some(if part(known) >= 100 - NOTEWORTHY {
        Finding::new(Severity::Fine, message)
    } else {
        Finding::new(Severity::Notice, format!("{seen}{message}"))
            .action("import the missing accounts or external IDs; their rows are then taken in by themselves")
    })
}

fn waiting(facts: &Facts) -> Option<Finding> {
    let part = percent(facts.unmatched.unsigned_abs(), facts.readings.unsigned_abs());
    (facts.unmatched > 0).then(|| {
        let message = format!("of the last runs' readings, {part} % wait for an account or a metric link");
        let severity = if part >= NOTEWORTHY { Severity::Problem } else { Severity::Notice };
        Finding::new(severity, message).action("link or ignore them on the Unmatched page")
    })
}

fn aside(facts: &Facts) -> Option<Finding> {
    let mut parts = Vec::new();
    if facts.rejected > 0 {
        parts.push(format!("{} rows are kept as rejected", facts.rejected));
    }
    if facts.ignored > 0 {
        parts.push(format!("ignore rules keep {} readings aside", facts.ignored));
    }
    (!parts.is_empty()).then(|| {
        Finding::new(Severity::Notice, parts.join(", and "))
            .action("see the stream's rejected rows, and the ignore rules on the Unmatched page")
    })
}

/// Whole parts in a hundred, rounded down, so that 100 means all.
fn percent(part: u64, whole: u64) -> u32 {
    (part.min(whole) * 100).checked_div(whole).and_then(|it| it.try_into().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(spaces: &[(&str, Normalizer, bool, u32)], shape: IdShape) -> Facts {
        let spaces = spaces.iter().map(|(space, normalizer, tried, known)| SpaceRate {
            space: (*space).to_owned(),
            normalizer: *normalizer,
            tried: *tried,
            known: *known,
        });
        Facts {
            cursor: "updated_at".to_owned(),
            watermark: Some("5".to_owned()),
            reached: Some(reached("5", 0)),
            sample: Sample { ids: 100, shapes: vec![(shape, 100)], spaces: spaces.collect() },
            ..Facts::default()
        }
    }

    fn reached(newest: &str, above: u64) -> Reached {
        Reached { newest: Some(newest.to_owned()), future: false, above: Some(above) }
    }

    #[test]
    fn what_is_stored_here_is_told_when_the_source_cannot_be_asked() {
        let found = said(&Facts { rejected: 2, ..Facts::default() });
        assert_eq!(found, [(Severity::Notice, "2 rows are kept as rejected".to_owned())]);
    }

    fn said(facts: &Facts) -> Vec<(Severity, String)> {
        findings(facts).into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    #[test]
    fn ids_of_another_crm_are_told_with_the_space_that_knows_them() {
        let spaces =
            [("salesforce", Normalizer::Salesforce, true, 3), ("hubspot", Normalizer::Numeric, false, 96)];
        let found = said(&facts(&spaces, IdShape::Number));
        assert_eq!(
            found[0],
            (
                Severity::Problem,
                "the account IDs look like numbers, like HubSpot's IDs; the setting tries \"salesforce\", which knows \
                 3 %, while \"hubspot\" knows 96 % of them"
                    .to_owned()
            )
        );
    }

    #[test]
    fn ids_that_no_space_knows_are_told_by_their_looks() {
        let spaces = [("salesforce", Normalizer::Salesforce, true, 0)];
        let found = said(&facts(&spaces, IdShape::Email));
        assert!(found[0].1.contains("e-mail addresses") && found[0].0 == Severity::Problem, "{found:?}");
    }

    #[test]
    fn a_healthy_stream_has_nothing_but_good_news() {
        let spaces = [("own", Normalizer::Exact, true, 98)];
        let found = said(&facts(&spaces, IdShape::Other));
        assert!(
            found.iter().all(|(severity, _)| *severity == Severity::Fine) && found.len() == 2,
            "{found:?}"
        );
    }

    #[test]
    fn each_trouble_is_told() {
        let spaces = [("own", Normalizer::Exact, true, 98)];
        let healthy = facts(&spaces, IdShape::Other);
        for (facts, wanted) in [
            (
                Facts { reached: Some(Reached::default()), ..healthy.clone() },
                "no row of the table has a value",
            ),
            (
                Facts { reached: Some(Reached { future: true, ..reached("9", 1) }), ..healthy.clone() },
                "later than the source's own clock",
            ),
            (Facts { watermark: None, ..healthy.clone() }, "nothing has been read yet"),
            (Facts { reached: Some(reached("9", 7)), ..healthy.clone() }, "up to 5: 7 rows are above it"),
            (
                Facts { reached: Some(reached("9", ABOVE)), ..healthy.clone() },
                "10000 rows or more are above it",
            ),
            (
                Facts { null_cursors: 4, null_cursors_rejected: true, ..healthy.clone() },
                "4 rows have no value",
            ),
            (Facts { readings: 50, unmatched: 25, ..healthy.clone() }, "50 % wait"),
            (Facts { rejected: 2, ..healthy.clone() }, "2 rows are kept as rejected"),
        ] {
            let found = said(&facts);
            assert!(found.iter().any(|(_, message)| message.contains(wanted)), "{wanted}: {found:?}");
            assert!(found[0].0 != Severity::Fine, "{found:?}");
        }
    }
}
