//! Databricks: the strict stand-in, which knows all that is documented, and the two emulators as far as they go.

pub mod brickhouse;
pub mod minilake;
pub mod stand_in;
