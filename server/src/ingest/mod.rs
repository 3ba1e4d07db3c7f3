//! The line from row to measurement, files in order of travel.
//!
//! `run` reads batches (plan), maps rows to readings (mapping, paths, time, reject), matches accounts (matching), routes each
//! reading to a series or a group (route, groups), writes (measure, waiting) and moves the checkpoint (checkpoint):
//! one transaction per batch (batch). Reading the next batch overlaps with writing this one. Nothing is held open in
//! our database while the source is waited for.

pub mod batch;
pub mod cells;
pub mod checkpoint;
pub mod columns;
pub mod dictionary;
pub mod groups;
mod held;
mod json_cell;
pub mod json_places;
pub mod lease;
pub mod links;
pub mod mapping;
pub mod matching;
pub mod measure;
pub mod newest;
pub mod opening;
pub mod paths;
pub mod plan;
pub mod preview;
mod read_ahead;
mod realign;
mod rebind;
pub mod reconcile;
pub mod reject;
pub mod rejected;
pub mod replay;
pub mod route;
mod row_identity;
pub mod run;
pub mod scope;
pub mod series;
pub mod store;
pub mod tally;
pub mod time;
mod values;
pub mod waiting;

pub use lease::Lease;
pub use run::{Outcome, Range, follow, run};
