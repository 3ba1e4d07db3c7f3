//! What the product means: one file per noun, rules only. Free functions on a connection, so that a transaction can
//! span several.

pub mod account;
pub mod api_token;
pub mod change;
pub mod external_id;
pub mod external_id_setting;
pub mod id_space;
pub mod idempotency;
pub mod ignore_rule;
pub mod input;
pub mod job;
pub mod mapping;
pub mod matching_change;
pub mod measurement;
pub mod member;
pub mod metric;
pub mod metric_link;
pub mod normalizer;
pub mod opportunity;
pub mod organization;
pub mod refusal;
pub mod schedule;
pub mod text;
pub mod unmatched;
pub mod waiting_row;
