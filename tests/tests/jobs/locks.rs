//! On SQLite everyone who writes waits for whoever writes. So whatever Weir does with many rows, it does in transactions
//! of bounded size.

use anyhow::Result;
use tests::bulk::{Bulk, Phase, Size};
use tests::meter::Meter;

/// Row changes in one transaction: a batch stores 1,200 rows, and may make a series or touch a group for each.
const MOST: u64 = 6_500;

/// More rows of each sort than a transaction may change, but for groups, of which it may change 500 at most.
const SIZE: Size = Size { accounts: 14_000, measured: 14_000, waiting: 40_000 };

#[tokio::test]
async fn no_write_transaction_grows_with_the_number_of_rows() -> Result<()> {
    // To bring so many rows takes long on a busy machine.
    let mut bulk = Bulk::start(SIZE, |config| config.http.timeout_seconds = 120).await?;
    let meter = Meter::on(&bulk.site.app.db).await?;
    for phase in Phase::ALL {
        bulk.go(phase).await?;
        let done = meter.take();
        let sums = || done.iter().map(|changes| changes.values().sum::<u64>());
        let (all, largest) = (sums().sum::<u64>(), sums().max().unwrap_or_default());
        let worst = done.iter().max_by_key(|changes| changes.values().sum::<u64>());
        eprintln!("{phase:?}: {} transactions, {all} row changes, at most {worst:?}", done.len());
        assert!(largest <= MOST, "{phase:?} changed {largest} rows in one transaction: {worst:?}");
        assert!(all > 2_000, "{phase:?} changed {all} rows, and should have changed many");
    }
    Ok(())
}
