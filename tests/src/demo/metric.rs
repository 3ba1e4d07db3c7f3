//! What the demo's customers are measured by.

/// How many metrics the long table has.
pub const METRICS: usize = 12;

/// Which of the two views of the long table shows a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What contracts are about: read into inputs of opportunities, by metric links.
    Contract,
    /// What people do in the product: read as usage, with no links.
    Product,
}

/// A named quantity.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its ID in the warehouse.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Where it is shown.
    pub view: View,
    /// Whether values are amounts of a day and not levels at a time.
    pub amount: bool,
    /// What a customer of size 1 has on an ordinary day.
    pub base: f64,
    /// Digits after the decimal point.
    pub digits: usize,
    /// The share of an ordinary day that a Saturday or Sunday has.
    pub weekend: f64,
}

const fn metric(id: &'static str, name: &'static str, unit: &'static str, view: View) -> Metric {
    Metric { id, name, unit, view, amount: true, base: 100.0, digits: 0, weekend: 0.35 }
}

/// The metric nobody has linked yet.
pub const UNLINKED: Metric =
    Metric { base: 240.0, ..metric("ai_credits", "AI credits", "credits", View::Contract) };

/// The metrics of the contract view that are linked, in the order customers take them up.
pub const LINKED: [Metric; 7] = [
    Metric { amount: false, base: 14.0, ..metric("active_users", "Active users", "users", View::Contract) },
    Metric { base: 5_200.0, weekend: 0.6, ..metric("api_calls", "API calls", "calls", View::Contract) },
    Metric {
        amount: false,
        base: 22.0,
        digits: 3,
        weekend: 1.0,
        ..metric("storage_gb", "Storage", "GB", View::Contract)
    },
    Metric {
        base: 310.0,
        ..metric("documents_processed", "Documents processed", "documents", View::Contract)
    },
    Metric { base: 1_450.0, ..metric("messages_sent", "Messages sent", "messages", View::Contract) },
    Metric {
        base: 6.5,
        digits: 2,
        weekend: 0.7,
        ..metric("compute_hours", "Compute hours", "h", View::Contract)
    },
    Metric {
        base: 9.0,
        digits: 4,
        weekend: 0.6,
        ..metric("data_transfer_gb", "Data transfer", "GB", View::Contract)
    },
];

/// The metrics of the product view.
pub const PRODUCT: [Metric; 4] = [
    Metric { base: 38.0, ..metric("logins", "Logins", "logins", View::Product) },
    Metric { base: 64.0, weekend: 0.5, ..metric("workflows_run", "Workflows run", "runs", View::Product) },
    Metric {
        base: 12.0,
        weekend: 0.15,
        ..metric("reports_viewed", "Reports viewed", "views", View::Product)
    },
    Metric {
        amount: false,
        base: 2.4,
        weekend: 1.0,
        ..metric("integrations_connected", "Integrations connected", "integrations", View::Product)
    },
];

/// The numeric columns of the wide table: ID, name, unit.
pub const WIDE: [(&str, &str, &str); 4] = [
    ("health_score", "Health score", "points"),
    ("nps", "Net promoter score", "points"),
    ("open_tickets", "Open tickets", "tickets"),
    ("seats_purchased", "Seats purchased", "seats"),
];

/// The metrics a customer may have, in the order it takes them up: one of the product view after every two others.
pub fn ladder() -> Vec<Metric> {
    let mut product = PRODUCT.into_iter();
    let mut all = Vec::new();
    for (place, metric) in LINKED.into_iter().enumerate() {
        all.push(metric);
        if place % 2 == 1 || place == 0 {
            all.extend(product.next());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{METRICS, UNLINKED, ladder};

    #[test]
    fn there_are_twelve() {
        let mut ids = ladder().iter().map(|metric| metric.id).collect::<HashSet<_>>();
        ids.insert(UNLINKED.id);
        assert_eq!(ids.len(), METRICS);
    }
}
