//! The strict Snowflake server itself: it refuses what the service refuses, and encodes as the documents say.

mod client;
mod encodings;
mod faults;
mod flow;
mod listings;
mod refusals;
mod sign_in;
mod statements;
mod times;
