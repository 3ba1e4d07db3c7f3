//! What Weir stores: one file per table, no behavior.
//!
//! Times are microseconds since the Unix epoch, in columns named `*_at`. JSON columns are text. UUIDs are
//! `uuid` on PostgreSQL and 16-byte blobs on SQLite; bind them as `Uuid` in raw SQL too, never as text.

pub mod account;
pub mod api_token;
pub mod audit_event;
pub mod checkpoint;
pub mod choice;
pub mod counter;
pub mod decimal;
pub mod external_id;
pub mod external_id_setting;
pub mod hidden;
pub mod id;
pub mod id_space;
pub mod idempotency;
pub mod ignore_rule;
pub mod input;
pub mod job;
pub mod key_pair;
pub mod match_state;
pub mod measurement;
pub mod measurement_revision;
pub mod membership;
pub mod metric;
pub mod metric_link;
pub mod opportunity;
pub mod organization;
pub mod reconcile;
pub mod reconcile_setting;
pub mod reconcile_slice;
pub mod series;
pub mod session;
pub mod setting;
pub mod source;
pub mod stream;
pub mod sync_run;
pub mod unmatched_group;
pub mod user;
pub mod waiting_row;
pub mod worker;

pub use choice::*;
pub use decimal::{Decimal, DecimalError};
pub use hidden::Hidden;
pub use id::*;
