//! What the product means: one file per noun, rules only. Free functions on a connection, so that a transaction can
//! span several.

pub mod account;
pub mod change;
pub mod external_id;
pub mod idempotency;
pub mod job;
pub mod mapping;
pub mod matching_change;
pub mod normalizer;
pub mod refusal;
pub mod schedule;
pub mod text;
