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

#[cfg(test)]
mod tests {
    use super::{Line, lines};
    use crate::demo::{
        account::{Course, accounts},
        calendar::Day,
        metric::ladder,
        random::Random,
        usage::DAYS,
    };

    /// Two weeks: whole ones, so that the days of the week count alike.
    const WEEKS: i64 = 14;
    const FIRST: i64 = 20_700;

    fn made() -> Vec<Line> {
        lines(&accounts(7), &mut Random::of(7, "usage"))
    }

    /// The values of some days of a line, as its rows have them, with the day of the week.
    fn values(line: &Line, days: impl Iterator<Item = i64>) -> Vec<(usize, f64)> {
        let mut random = Random::of(7, "rows");
        let first = Day::of(FIRST * 86_400);
        let value = |day: i64| {
            let date = first.plus(day);
            let row = line.row(day, date, 1.0, 0, &mut random);
            (date.weekday(), row.value.and_then(|text| text.parse().ok()).expect("a number"))
        };
        days.map(value).collect()
    }

    fn sum(line: &Line, days: impl Iterator<Item = i64>) -> f64 {
        values(line, days).into_iter().map(|(_, value)| value).sum()
    }

    /// How the last two weeks of all lines of a course compare with their first two.
    fn change(of: impl Fn(Course) -> bool) -> f64 {
        let lines: Vec<Line> =
            made().into_iter().filter(|line| of(line.course) && line.days().count() >= 50).collect();
        assert!(lines.len() > 20, "{} lines", lines.len());
        let end = |line: &Line| line.days().end;
        let last: f64 = lines.iter().map(|line| sum(line, end(line) - WEEKS..end(line))).sum();
        let first: f64 = lines.iter().map(|line| sum(line, line.days().take(14))).sum();
        last / first
    }

    #[test]
    fn customers_grow_join_leave_or_stay_as_they_are() {
        let steady = change(|course| course == Course::Steady);
        assert!((0.95..1.1).contains(&steady), "{steady}");
        let growing = change(|course| course == Course::Growing);
        assert!(growing > 1.4, "{growing}");
        let joined = change(|course| matches!(course, Course::Joined(_)));
        assert!(joined > 1.8, "{joined}");
        let leaving = change(|course| matches!(course, Course::Leaving(_)));
        assert!(leaving < 0.35, "{leaving}");
        for line in made() {
            match line.course {
                Course::Joined(day) => assert!(line.days().start >= day, "{line:?}"),
                Course::Leaving(day) => assert!(line.days().end == day && day < DAYS, "{line:?}"),
                Course::Steady | Course::Growing => assert!(line.alive(), "{line:?}"),
            }
        }
    }

    #[test]
    fn weekends_are_as_quiet_as_each_metric_says() {
        for metric in ladder() {
            let lines = made().into_iter().filter(|line| line.metric.id == metric.id);
            let lines: Vec<Line> = lines.filter(|line| line.course == Course::Steady).collect();
            let all =
                lines.iter().flat_map(|line| values(line, line.days().start..line.days().start + WEEKS));
            let (quiet, busy): (Vec<_>, Vec<_>) = all.partition(|(weekday, _)| *weekday >= 5);
            let sum = |some: &[(usize, f64)]| some.iter().map(|(_, value)| value).sum::<f64>();
            // Two days against five.
            let share = sum(&quiet) * 2.5 / sum(&busy);
            assert!((share - metric.weekend).abs() < 0.08, "{}: {share}", metric.id);
        }
    }
}
