//! A preview says of rows what a run then makes of them.

use anyhow::Result;
use connector::Connector;
use connector::memory::Owned;
use entity::{Destination, metric};
use sea_orm::{EntityTrait, PaginatorTrait};
use server::ingest::plan::Plan;
use server::ingest::preview::{Fate, Preview, preview};
use tests::stand::{Shape, Stand};

use crate::model::COLUMNS;
use crate::{row, table, wide_row, wide_table};

/// Rows mapped, rejected and repeated; readings that go somewhere, wait and are ignored; empty cells.
fn counts(preview: &Preview) -> [usize; 7] {
    let fate = |wanted: fn(&Fate) -> bool| {
        preview.rows.iter().flat_map(|row| &row.readings).filter(|reading| wanted(&reading.fate)).count()
    };
    let rejected = preview.rows.iter().filter(|row| row.rejection.is_some()).count();
    let repeated = usize::try_from(preview.rows_repeated).unwrap_or(usize::MAX);
    [
        preview.rows.len() - rejected - repeated,
        rejected,
        repeated,
        fate(|fate| matches!(fate, Fate::Written { .. })),
        fate(|fate| matches!(fate, Fate::Waits(_))),
        fate(|fate| matches!(fate, Fate::Ignored(_))),
        usize::try_from(preview.null_cells).unwrap_or(usize::MAX),
    ]
}

#[tokio::test]
async fn the_counts_of_a_preview_are_the_tally_of_the_run() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        stand.link(acme, "seats").await?;
        stand.ignore("sandbox", true).await?;
        let (long, wide) = (table(), wide_table());
        for id in 0..60_i128 {
            let account = ["acme", "nobody", "sandbox"][(id % 3) as usize];
            let metric = if id % 4 == 0 { "calls" } else { "seats" };
            let mut made = row(id, account, metric, &id.to_string(), id as i64, -600 + id as i64);
            match id {
                7 | 8 => made[3] = Owned::Null,
                11 => made[4] = Owned::Null,
                12 => made[5] = Owned::Null,
                13 => made[3] = Owned::Decimal("7".repeat(500)),
                14 => made[5] = Owned::Zoned(crate::at(100_000)),
                20 => long.push(made.clone()),
                _ => {}
            }
            long.push(made);
            let second = (id % 5 > 0).then_some("2");
            wide.push(wide_row(id, account, [Some("1"), second], (id as i64, -600 + id as i64)));
        }
        let inputs = Shape { destination: Destination::Inputs, ..Shape::default() };
        for (table, stream) in [
            (&long, stand.stream(&long, inputs.clone()).await?),
            (&long, stand.stream(&long, Shape::default()).await?),
            (&wide, stand.wide_stream(&wide, &COLUMNS, Shape::default()).await?),
        ] {
            let plan = Plan::load(&stand.app, stand.organization, stream).await?;
            let before = metric::Entity::find().count(stand.app.db.orm()).await?;
            let batch = table.preview(&plan.table, &plan.columns, 1_000).await?;
            let seen = counts(&preview(&stand.app, &plan, &batch).await?);
            let after = metric::Entity::find().count(stand.app.db.orm()).await?;
            assert_eq!(before, after, "looking makes no metric");
            let run = stand.sync(stream, table).await?;
            let made = [
                run.rows_mapped,
                run.rows_rejected,
                run.rows_repeated,
                run.written + run.unchanged + run.superseded,
                run.unmatched,
                run.ignored,
                run.null_cells,
            ];
            assert_eq!(seen.map(|count| count as i64), made, "preview and run");
            assert!(run.written > 0 && run.ignored > 0 && run.unmatched > 0, "{run:?}");
        }
    }
    Ok(())
}
