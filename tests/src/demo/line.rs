//! What the long table is about: which customer has which metric, from when to when, and how much of it.

use std::ops::Range;

use super::{
    account::{Account, Course, salesforce_id},
    calendar::{Day, time_text},
    metric::{LINKED, Metric, PRODUCT, UNLINKED, ladder},
    random::Random,
    usage::{CORRECTIONS, DAYS, REJECTED, ROWS, Row, UNKNOWN, UNLINKED_ROWS},
};

/// One metric of one customer, over the days it has it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The customer's ID as the warehouse spells it.
    pub account: String,
    /// The metric.
    pub metric: Metric,
    size: f64,
    course: Course,
    from: i64,
    to: i64,
}

impl Line {
    fn new(account: String, metric: Metric, size: f64, course: Course) -> Self {
        let (from, to) = match course {
            Course::Joined(day) => (day, DAYS),
            Course::Leaving(day) => (0, day),
            Course::Steady | Course::Growing => (0, DAYS),
        };
        Self { account, metric, size, course, from, to }
    }

    /// The days it has rows for, counted from the first day of the table.
    pub fn days(&self) -> Range<i64> {
        self.from..self.to
    }

    fn length(&self) -> usize {
        count(self.to - self.from)
    }

    /// Whether the customer still has it.
    pub fn alive(&self) -> bool {
        self.to == DAYS
    }

    /// The value of a whole day: size, course, weekday and a little chance.
    fn value(&self, day: i64, weekday: usize, random: &mut Random) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "days are small numbers")]
        let (elapsed, lifetime) = ((day - self.from) as f64, (self.to - self.from) as f64);
        let course = match self.course {
            Course::Steady => 1.0 + elapsed * 0.0004,
            Course::Growing => 1.0 + elapsed * 0.011,
            Course::Joined(_) => 0.25 + 0.9 * (elapsed / 30.0).min(1.0),
            Course::Leaving(_) => (1.05 - elapsed / lifetime).max(0.02),
        };
        let week = if weekday >= 5 { self.metric.weekend } else { [0.94, 1.04, 1.06, 1.02, 0.93][weekday] };
        let noise =
            if self.metric.amount { random.between(0.88, 1.12) } else { random.between(0.985, 1.015) };
        self.metric.base * self.size * course * week * noise
    }

    /// The row of a day, counted from the first; of an amount, only the `share` of the day that has passed.
    pub fn row(&self, day: i64, date: Day, share: f64, updated_at: i64, random: &mut Random) -> Row {
        let share = if self.metric.amount { share } else { 1.0 };
        let value = self.value(day, date.weekday(), random) * share;
        Row {
            id: 0,
            view: self.metric.view,
            account: Some(spelling(&self.account, random)),
            metric: Some(self.metric.id.to_owned()),
            value: Some(format!("{:.*}", self.metric.digits, value)),
            measured_at: Some(time_text(date.midnight())),
            updated_at: Some(updated_at),
        }
    }
}

/// First the customers' ordinary lines, then those of the unlinked metric, then those of unknown accounts.
pub fn lines(accounts: &[Account], random: &mut Random) -> Vec<Line> {
    let mut lines = Vec::new();
    for account in accounts {
        // Larger customers use more of the product.
        let reach = if account.size < 3.0 {
            3
        } else if account.size < 10.0 {
            5
        } else {
            11
        };
        for metric in ladder().into_iter().take(reach) {
            lines.push(Line::new(account.salesforce.clone(), metric, account.size, account.course));
        }
    }
    let wanted = ROWS - UNKNOWN - UNLINKED_ROWS - CORRECTIONS - REJECTED;
    adopt_later(&mut lines, wanted, random);

    let whole = |account: &&Account| matches!(account.course, Course::Steady | Course::Growing);
    let unlinked = accounts.iter().filter(whole).take(UNLINKED_ROWS / count(DAYS));
    lines.extend(unlinked.map(|it| Line::new(it.salesforce.clone(), UNLINKED, it.size, it.course)));
    lines.extend(strangers(random));
    lines
}

/// Lets lines begin later, at random, until together they have that many days.
fn adopt_later(lines: &mut [Line], wanted: usize, random: &mut Random) {
    let mut excess =
        lines.iter().map(Line::length).sum::<usize>().checked_sub(wanted).expect("customers use enough");
    while excess > 0 {
        let place = random.below(lines.len());
        let line = &mut lines[place];
        let spare = line.length().saturating_sub(20).min(excess).min(40);
        if spare > 0 {
            let later = 1 + random.below(spare);
            line.from += i64::try_from(later).expect("a small number");
            excess -= later;
        }
    }
}

/// Lines of accounts that no CRM record has, for `UNKNOWN` rows.
fn strangers(random: &mut Random) -> Vec<Line> {
    let mut missing = UNKNOWN;
    let mut lines = Vec::new();
    while missing > 0 {
        let trial = lines.len() % 9 == 6;
        let id = if trial { format!("trial-{}", 4000 + random.below(900)) } else { salesforce_id(random) };
        let size = random.between(1.0, 6.0);
        for metric in [LINKED[0], LINKED[1], PRODUCT[0]] {
            let mut line = Line::new(id.clone(), metric, size, Course::Steady);
            line.from = DAYS - DAYS.min(i64::try_from(missing).expect("a small number"));
            missing -= line.length();
            if line.length() > 0 {
                lines.push(line);
            }
        }
    }
    lines
}

fn count(number: i64) -> usize {
    usize::try_from(number).expect("a positive number of days")
}

/// One ID, as different systems copy it: mostly 18 characters, at times 15, at times with blanks around.
fn spelling(id: &str, random: &mut Random) -> String {
    match random.below(40) {
        0..=5 if id.len() == 18 => id[..15].to_owned(),
        6 => format!(" {id} "),
        _ => id.to_owned(),
    }
}
