//! Typed IDs, so that one noun's ID is never taken for another's.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Makes newtypes over UUID version 7: random, unguessable, and in order of their making.
macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a fresh ID.
            #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

/// Makes newtypes over the integer keys of the hot tables.
macro_rules! integer_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

uuid_ids! {
    /// The ID of an account.
    AccountId,
    /// The ID of an API token.
    ApiTokenId,
    /// The ID of an audit event.
    AuditEventId,
    /// The ID of an external ID row (the row, not the outside value).
    ExternalIdId,
    /// The ID of an external ID setting.
    ExternalIdSettingId,
    /// The ID of an ignore rule.
    IgnoreRuleId,
    /// The ID of an input.
    InputId,
    /// The ID of a key pair.
    KeyPairId,
    /// The ID of a metric.
    MetricId,
    /// The ID of a metric link.
    MetricLinkId,
    /// The ID of an opportunity.
    OpportunityId,
    /// The ID of an organization.
    OrganizationId,
    /// The ID of a comparison of a stream with its table.
    ReconcileId,
    /// The ID of a session.
    SessionId,
    /// The ID of a source.
    SourceId,
    /// The ID of a stream.
    StreamId,
    /// The ID of a sync run.
    SyncRunId,
    /// The ID of a user.
    UserId,
    /// The ID of a worker process, fresh with each start.
    WorkerId,
}

integer_ids! {
    /// The ID of a job.
    JobId,
    /// The ID of a measurement revision.
    MeasurementRevisionId,
    /// The ID of a series.
    SeriesId,
    /// The ID of an unmatched group.
    UnmatchedGroupId,
    /// The ID of a waiting row.
    WaitingRowId,
}

impl OrganizationId {
    /// The organization of things that belong to none: install-wide counters.
    pub const NIL: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_json() {
        let id = AccountId::new();
        assert_eq!(id.to_string().parse::<AccountId>(), Ok(id));
        let json = serde_json::to_string(&id).expect("an ID is plain text");
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<AccountId>(&json).expect("own output"), id);
        assert_eq!("41".parse::<SeriesId>(), Ok(SeriesId(41)));
    }

    #[test]
    fn ids_sort_by_their_making() {
        let ids: Vec<_> = (0..1000).map(|_| StreamId::new()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].0.get_version_num(), 7);
    }
}
