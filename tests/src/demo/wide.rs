//! The wide table's rows: one customer in one week each, a column per metric.

use super::{
    account::{Account, Course},
    calendar::Day,
    random::Random,
};

const WEEKS: i64 = 13;

/// A row of the wide table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The customer's ID in HubSpot.
    pub account: String,
    /// The Monday the week begins with.
    pub week: Day,
    /// From 0 to 100, one digit after the point.
    pub health_score: String,
    /// From -100 to 100; not every week has answers.
    pub nps: Option<i64>,
    /// Tickets open at the end of the week.
    pub open_tickets: i64,
    /// Seats paid for.
    pub seats_purchased: i64,
    /// When the row was made or changed, in seconds since the Unix epoch.
    pub updated_at: i64,
}

/// Makes the rows of the last weeks, for customers that HubSpot knows and for two it does not.
pub fn weeks(seed: u64, accounts: &[Account], now: i64) -> Vec<Row> {
    let mut random = Random::of(seed, "weeks");
    let today = Day::of(now);
    let monday = today.plus(-i64::try_from(today.weekday()).expect("a day of the week"));
    let mut rows = Vec::new();
    let known = accounts.iter().filter_map(|account| account.hubspot.clone().map(|id| (id, account)));
    let strangers = ["7700012345", "7700067890"].map(|id| (id.to_owned(), &accounts[0]));
    for (id, account) in known.chain(strangers) {
        let mut health = random.between(62.0, 88.0);
        let mut seats = whole(account.size * random.between(14.0, 24.0));
        for number in (0..WEEKS).rev() {
            let week = monday.plus(-7 * number);
            let drift = match account.course {
                Course::Growing | Course::Joined(_) => 0.9,
                Course::Leaving(_) => -3.1,
                Course::Steady => 0.0,
            };
            health = (health + drift + random.between(-2.5, 2.5)).clamp(4.0, 99.0);
            if matches!(account.course, Course::Growing) && random.chance(0.3) {
                seats += whole(account.size * 2.0).max(1);
            }
            // Spreadsheets turn long numbers into floats on the way.
            let account_id = if random.chance(0.1) { format!("{id}.0") } else { id.clone() };
            rows.push(Row {
                account: account_id,
                week,
                health_score: format!("{health:.1}"),
                nps: random.chance(0.8).then(|| whole(health - 45.0 + random.between(-12.0, 12.0))),
                open_tickets: whole(account.size.sqrt() * random.between(0.0, 5.0) * (130.0 - health) / 40.0),
                seats_purchased: seats,
                updated_at: (week.plus(7).midnight() + 5 * 3600).min(now - 60),
            });
        }
    }
    rows
}

fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the demo's quantities are small")]
    let number = value.round() as i64;
    number
}

#[cfg(test)]
mod tests {
    use super::weeks;
    use crate::demo::account::accounts;

    #[test]
    fn each_customer_has_each_week_once() {
        let rows = weeks(7, &accounts(7), 1_795_176_061);
        let plain = |text: &str| text.trim_end_matches(".0").to_owned();
        let keys = rows.iter().map(|row| (plain(&row.account), row.week.text()));
        assert_eq!(keys.collect::<std::collections::HashSet<_>>().len(), rows.len());
        assert!(rows.len() > 1000);
        assert!(rows.iter().all(|row| row.updated_at < 1_795_176_061));
    }
}
