//! Links that are switched off and targets that are put away: rows wait under that reason and come back.

use anyhow::Result;
use entity::{AccountId, Destination, InputId, input, metric_link, opportunity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tests::stand::{Shape, Stand};

use crate::{row, table};

/// What is between a reading and its input.
#[derive(Clone, Copy, Debug)]
enum Between {
    Link,
    Input,
    Opportunity,
    Account,
}

impl Between {
    fn reason(self) -> &'static str {
        match self {
            Self::Link => "link_disabled",
            Self::Input | Self::Opportunity | Self::Account => "target_gone",
        }
    }

    /// Takes it away, or brings it back.
    async fn switch(self, stand: &Stand, account: AccountId, made: InputId, gone: bool) -> Result<()> {
        let (db, at) = (stand.app.db.orm(), gone.then(|| stand.app.clock.now()));
        match self {
            Self::Link => return stand.enable(made, !gone).await,
            Self::Account => return stand.put_away(account, gone).await,
            Self::Input => {
                let update = input::Entity::update_many().filter(input::Column::Id.eq(made));
                update.col_expr(input::Column::ArchivedAt, Expr::value(at)).exec(db).await?;
            }
            Self::Opportunity => {
                let update =
                    opportunity::Entity::update_many().filter(opportunity::Column::AccountId.eq(account));
                update.col_expr(opportunity::Column::ArchivedAt, Expr::value(at)).exec(db).await?;
            }
        }
        stand.changed().await
    }
}

#[tokio::test]
async fn rows_wait_while_the_way_to_their_input_is_cut_and_come_in_when_it_is_open_again() -> Result<()> {
    for between in [Between::Link, Between::Input, Between::Opportunity, Between::Account] {
        for stand in Stand::both().await? {
            let acme = stand.account("Acme").await?;
            stand.identify(acme, "acme").await?;
            let input = stand.link(acme, "seats").await?;
            let table = table();
            let inputs = Shape { destination: Destination::Inputs, ..Shape::default() };
            let stream = stand.stream(&table, inputs).await?;
            table.push(row(1, "acme", "seats", "1", 0, -100));
            assert_eq!(stand.sync(stream, &table).await?.written, 1);

            between.switch(&stand, acme, input, true).await?;
            table.push(row(2, "acme", "seats", "2", 60, -50));
            let run = stand.sync(stream, &table).await?;
            assert_eq!((run.written, run.unchanged, run.unmatched), (0, 0, 2), "{between:?}");
            let waiting = [1, 2].map(|id| format!("unmatched {id}/ {}", between.reason()));
            assert_eq!(stand.waiting().await?, waiting);
            assert_eq!(stand.measurements().await?, ["seats/acme/Acme@0=1"], "what is stored stays");
            assert_eq!(stand.replay().await?.readings, 0, "nothing is free yet");
            assert_eq!(stand.waiting().await?, waiting);

            between.switch(&stand, acme, input, false).await?;
            let moved = stand.replay().await?;
            assert_eq!((moved.readings, moved.written, moved.unchanged), (2, 1, 1), "{between:?}");
            assert!(stand.waiting().await?.is_empty());
            assert_eq!(stand.measurements().await?, ["seats/acme/Acme@0=1", "seats/acme/Acme@60000000=2"]);
            stand.groups_add_up().await?;
            assert_eq!(stand.sync(stream, &table).await?.written, 0, "once");
        }
    }
    Ok(())
}

#[tokio::test]
async fn rows_that_wait_go_by_the_link_that_is_there_when_they_are_tried() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let first = stand.link(acme, "seats").await?;
        stand.enable(first, false).await?;
        let table = table();
        let inputs = Shape { destination: Destination::Inputs, ..Shape::default() };
        let stream = stand.stream(&table, inputs).await?;
        table.push(row(1, "acme", "seats", "1", 0, -100));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.waiting().await?, ["unmatched 1/ link_disabled"]);

        metric_link::Entity::delete_many()
            .filter(metric_link::Column::InputId.eq(first))
            .exec(stand.app.db.orm())
            .await?;
        stand.changed().await?;
        assert_eq!(stand.replay().await?.readings, 0);
        assert_eq!(stand.waiting().await?, ["unmatched 1/ metric_unlinked"], "the link is gone");

        stand.link(acme, "seats").await?;
        assert_eq!(stand.replay().await?.written, 1, "by a link to another input");
        assert!(stand.waiting().await?.is_empty());
        stand.groups_add_up().await?;
    }
    Ok(())
}
