//! A warehouse that lives: rows of today come in, values are corrected, some rows come late, a few are strange.

use std::time::Duration;

use anyhow::Result;

use super::{
    account::salesforce_id,
    calendar::Day,
    line::Line,
    random::Random,
    usage::{DAYS, Row, scaled},
    warehouse::Warehouse,
};

/// How often the warehouse changes.
pub const PAUSE: Duration = Duration::from_secs(4);
const NEW_ROWS: usize = 14;
const CORRECTED_ROWS: usize = 20;
const LATE_ROWS: usize = 2;
/// Late rows carry a time this far back: less than the streams' lookback.
const LATE_BY: i64 = 25 * 60;

/// What changes, and what has changed so far.
pub struct Changes {
    random: Random,
    waiting: Vec<Line>,
    lines: Vec<Line>,
    today: Day,
    posted: Vec<(i64, String)>,
    steps: usize,
}

impl Changes {
    /// Prepares the changes of today.
    pub fn new(seed: u64, lines: &[Line], now: i64) -> Self {
        let alive = lines.iter().filter(|line| line.alive()).cloned().collect::<Vec<_>>();
        let mut changes = Self {
            random: Random::of(seed, "changes"),
            waiting: Vec::new(),
            lines: alive,
            today: Day::of(now),
            posted: Vec::new(),
            steps: 0,
        };
        changes.refill();
        changes
    }

    fn refill(&mut self) {
        self.waiting = self.lines.clone();
        self.random.shuffle(&mut self.waiting);
        self.posted.clear();
    }

    /// Makes one round of changes.
    pub async fn step(&mut self, warehouse: &Warehouse, now: i64) -> Result<()> {
        if Day::of(now) != self.today {
            self.today = Day::of(now);
            self.refill();
        }
        self.steps += 1;
        let (today, late) = self.rows(now);
        let values = today.iter().filter_map(|row| row.value.clone()).collect::<Vec<_>>();
        let ids = warehouse.add(&today).await?;
        self.posted.extend(ids.into_iter().zip(values));
        warehouse.add(&late).await?;
        warehouse.change(&self.corrections(), now).await
    }

    /// The rows of today that come in now, and rows of days before with an earlier time of update.
    fn rows(&mut self, now: i64) -> (Vec<Row>, Vec<Row>) {
        #[expect(clippy::cast_precision_loss, reason = "a day has few seconds")]
        let share = ((now - self.today.midnight()) as f64 / 86_400.0).max(0.04);
        let first = self.today.plus(-DAYS);
        let mut today = Vec::new();
        for _ in 0..NEW_ROWS {
            let Some(line) = self.waiting.pop() else { break };
            today.push(line.row(self.today.since(first), self.today, share, now, &mut self.random));
        }
        if self.steps % 20 == 5
            && let Some(row) = today.first_mut()
        {
            row.account = Some(salesforce_id(&mut self.random));
        }
        let mut late = Vec::new();
        for _ in 0..LATE_ROWS {
            let line = self.random.pick(&self.lines).clone();
            let day = DAYS - 1 - i64::try_from(self.random.below(6)).expect("a small number");
            let mut row = line.row(day, first.plus(day), 1.0, now - LATE_BY, &mut self.random);
            if self.steps % 15 == 7 {
                row.value = Some("NaN".to_owned());
            }
            late.push(row);
        }
        (today, late)
    }

    /// New values for rows of today: the day goes on.
    fn corrections(&mut self) -> Vec<(i64, String)> {
        let mut corrections = Vec::new();
        for _ in 0..CORRECTED_ROWS.min(self.posted.len() / 2) {
            let place = self.random.below(self.posted.len());
            let factor = self.random.between(1.0, 1.03);
            let (id, value) = &mut self.posted[place];
            *value = scaled(value, factor);
            corrections.push((*id, value.clone()));
        }
        corrections
    }
}
