//! The line from row to measurement, files in order of travel.

pub mod dictionary;
pub mod mapping;
pub mod reject;
pub mod store;
mod time;
