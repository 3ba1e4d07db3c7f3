//! What an organization has and nobody has deleted.
//!
//! A deleted stream is out of everyone's sight at once, with all it stored, long before the last of its rows has been
//! discarded. So whoever looks for rows of a stream begins here and not at the table.

use entity::{
    OrganizationId, ignore_rule, reconcile, series, source, stream, sync_run, unmatched_group, waiting_row,
};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

/// A table of which rows may wait to be discarded.
pub trait Kept: EntityTrait {
    /// The rows of an organization that are not deleted.
    fn kept(organization: OrganizationId) -> Select<Self>;
}

/// Streams that are deleted and not gone; there is an index of just these.
fn deleted_streams() -> SelectStatement {
    Query::select()
        .column(stream::Column::Id)
        .from(stream::Entity)
        .and_where(Expr::col((stream::Entity, stream::Column::DeletedAt)).is_not_null())
        .to_owned()
}

macro_rules! marked {
    ($($noun:ident),*) => {$(
        impl Kept for $noun::Entity {
            fn kept(organization: OrganizationId) -> Select<Self> {
                Self::find()
                    .filter($noun::Column::OrganizationId.eq(organization))
                    .filter($noun::Column::DeletedAt.is_null())
            }
        }
    )*};
}

macro_rules! of_streams {
    ($($noun:ident),*) => {$(
        impl Kept for $noun::Entity {
            fn kept(organization: OrganizationId) -> Select<Self> {
                Self::find()
                    .filter($noun::Column::OrganizationId.eq(organization))
                    .filter($noun::Column::StreamId.not_in_subquery(deleted_streams()))
            }
        }
    )*};
}

marked!(source, stream);
of_streams!(reconcile, series, sync_run, unmatched_group, waiting_row);

/// A rule may be of no stream.
impl Kept for ignore_rule::Entity {
    fn kept(organization: OrganizationId) -> Select<Self> {
        let stream = ignore_rule::Column::StreamId;
        Self::find()
            .filter(ignore_rule::Column::OrganizationId.eq(organization))
            .filter(stream.is_null().or(stream.not_in_subquery(deleted_streams())))
    }
}
