//! What the product means: one file per noun, rules only.

pub mod job;
pub mod mapping;
pub mod schedule;
