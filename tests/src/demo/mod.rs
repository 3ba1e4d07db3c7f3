//! The demo: a warehouse that looks like a company's own, and a customer who connects Weir to it.
//!
//! The warehouse follows from a seed and the present time, so tests can ask for the same one twice. The customer
//! uses nothing but the public interface.

pub mod account;
pub mod calendar;
pub mod changes;
pub mod client;
pub mod customer;
pub mod line;
pub mod metric;
pub mod random;
pub mod report;
pub mod server;
pub mod usage;
pub mod warehouse;
pub mod wide;
