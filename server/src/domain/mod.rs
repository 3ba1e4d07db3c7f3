//! What the product means: one file per noun, rules only.

pub mod mapping;
