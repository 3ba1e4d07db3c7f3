//! The tests, each written once for every system.

pub mod cursors;
pub mod limits;
pub mod order;
pub mod places;
pub mod refusals;
pub mod slices;
pub mod values;
