//! The demo: a warehouse that looks like a company's own, and a customer who connects Weir to it.
//!
//! Everything follows from a seed and the present time, so tests can ask for the same warehouse twice.

pub mod account;
pub mod calendar;
pub mod line;
pub mod metric;
pub mod random;
pub mod usage;
pub mod warehouse;
pub mod wide;
