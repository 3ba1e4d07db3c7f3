//! What is stored, on both databases: the same tables, sound keys, and values that come back as they went in.

mod catalog;
mod rules;
mod sqlite;
mod values;
