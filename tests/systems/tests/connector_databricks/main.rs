//! The Databricks kind: what its documents say against a strict stand-in, and what emulators of other people say.

mod cost;
mod emulators;
mod failures;
mod links;
mod opening;
mod places;
mod results;
mod sign_in;
mod slices;
mod values;
mod warehouse;
