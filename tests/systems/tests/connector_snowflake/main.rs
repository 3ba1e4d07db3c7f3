//! The Snowflake kind against the strict server: what the SQL API asks of a client, and known pitfalls.

mod claims;
mod faults;
mod home;
mod names;
mod partitions;
mod refusals;
mod second_opinion;
mod sign_in;
mod slices;
mod statements;
mod times;
mod values;
