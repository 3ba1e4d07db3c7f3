//! The `weir` program as an operator runs it.

mod doctor;
mod keys;
mod program;
mod reseal;
mod serve;
