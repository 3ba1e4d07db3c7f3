//! Closed sets of values, stored as lower-case text.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A stored word that names none of the allowed values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    set: &'static str,
    word: String,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no {}", self.word, self.set)
    }
}

impl std::error::Error for UnknownWord {}

/// Makes enums that are one word in the database, in JSON, and on screen.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $(
                $(#[$value_doc])*
                #[sea_orm(string_value = $text)]
                #[serde(rename = $text)]
                $value,
            )*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value),*];

            /// Gives the stored word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($text => Ok(Self::$value),)*
                    _ => Err(UnknownWord { set: stringify!($name), word: word.to_owned() }),
                }
            }
        }
    )*};
}

choices! {
    /// What a member may do in an organization.
    Role {
        /// Everything, including members and the organization itself.
        Owner = "owner",
        /// Connects sources and keeps them healthy.
        Admin = "admin",
        /// Triages rows; never sees or changes credentials.
        Support = "support",
        /// Reads.
        Viewer = "viewer",
    }

    /// Whether a source is read.
    SourceState {
        /// Its streams run.
        Active = "active",
        /// Its streams wait.
        Paused = "paused",
    }

    /// Where a key pair is in its life.
    KeyPairState {
        /// Made, its public half not yet in use outside.
        Made = "made",
        /// Signs the requests of its source.
        Active = "active",
        /// No longer used.
        Retired = "retired",
    }

    /// How the values of an ID space are made comparable.
    Normalizer {
        /// Trimmed, else as they are.
        Exact = "exact",
        /// Trimmed and in lower case.
        Lowercase = "lowercase",
        /// Salesforce IDs of 15 and 18 characters are one.
        Salesforce = "salesforce",
        /// Whole numbers, without leading zeros or `.0`.
        Numeric = "numeric",
    }

    /// How a table holds metrics.
    StreamShape {
        /// A metric column and a value column.
        Long = "long",
        /// A column per metric.
        Wide = "wide",
    }

    /// Where a stream's readings go.
    Destination {
        /// To series made on first sight.
        Usage = "usage",
        /// To inputs, through metric links.
        Inputs = "inputs",
    }

    /// How a cursor column counts.
    CursorKind {
        /// Whole numbers.
        Int = "int",
        /// Days.
        Date = "date",
        /// Times without a zone.
        Naive = "naive",
        /// Times with a zone.
        Zoned = "zoned",
    }

    /// What happens to rows without a cursor.
    NullCursor {
        /// They are rejected.
        Reject = "reject",
        /// They are read with every run.
        Include = "include",
    }

    /// What a run reads.
    RunKind {
        /// What is new since the checkpoint.
        Sync = "sync",
        /// A range asked for.
        Backfill = "backfill",
        /// The rows that wait here.
        Replay = "replay",
    }

    /// What started a run.
    RunTrigger {
        /// The stream's schedule.
        Schedule = "schedule",
        /// A person.
        Manual = "manual",
        /// An API token.
        Api = "api",
        /// The failure of the run before.
        Retry = "retry",
        /// A change of accounts, links, or mapping.
        Change = "change",
        /// A difference between a table and what was taken in.
        Reconcile = "reconcile",
    }

    /// Where a run stands.
    RunStatus {
        /// Waits for a worker.
        Queued = "queued",
        /// A worker holds it.
        Running = "running",
        /// Read everything asked for.
        Succeeded = "succeeded",
        /// Stopped early with what it had stored.
        Incomplete = "incomplete",
        /// Ended by an error.
        Failed = "failed",
        /// Ended by a person.
        Cancelled = "cancelled",
        /// Not needed when its turn came.
        Skipped = "skipped",
    }

    /// What an input holds.
    InputKind {
        /// One number.
        Constant = "constant",
        /// Measurements over time.
        Series = "series",
    }


    /// Why a measurement revision exists.
    RevisionReason {
        /// A newer row replaced the value.
        Replaced = "replaced",
        /// A row disagreed with a value a person typed.
        Conflict = "conflict",
    }

    /// Why a reading waits.
    UnmatchedReason {
        /// No account has the ID.
        AccountUnknown = "account_unknown",
        /// Several accounts have it.
        AccountAmbiguous = "account_ambiguous",
        /// No link says where the metric goes.
        MetricUnlinked = "metric_unlinked",
        /// The link is switched off.
        LinkDisabled = "link_disabled",
        /// The account, opportunity, or input is put away.
        TargetGone = "target_gone",
    }

    /// Where an unmatched group stands.
    GroupStatus {
        /// Someone's work.
        Open = "open",
        /// Covered by an ignore rule.
        Ignored = "ignored",
        /// Nothing waits any more.
        Resolved = "resolved",
    }

    /// Why a row is kept.
    WaitingKind {
        /// It has no account or no link yet.
        Unmatched = "unmatched",
        /// It could not be decoded or mapped.
        Rejected = "rejected",
    }

    /// What kind of actor did something.
    ActorKind {
        /// A person.
        User = "user",
        /// An API token.
        Token = "token",
        /// Weir itself.
        System = "system",
    }

    /// Where a job stands.
    JobStatus {
        /// Waits for its time and a worker.
        Queued = "queued",
        /// A worker holds it.
        Running = "running",
        /// Finished.
        Done = "done",
        /// Given up.
        Dead = "dead",
    }

    /// Where an idempotent request stands.
    IdempotencyStatus {
        /// Being worked on.
        Running = "running",
        /// Answered.
        Done = "done",
        /// Failed; may be sent again.
        Failed = "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::ActiveEnum;

    #[test]
    fn every_word_is_the_same_in_text_json_and_database() {
        for status in RunStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(status.to_value(), status.as_str());
            assert_eq!(serde_json::to_value(status).expect("a word"), status.as_str());
        }
        let error = "sometimes".parse::<Role>().expect_err("no such role");
        assert_eq!(error.to_string(), "\"sometimes\" is no Role");
    }
}
