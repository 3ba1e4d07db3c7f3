//! The benchmark: Weir beside plain psql and dlt on one warehouse, in one run, every result compared.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

pub mod cpu;
pub mod engine;
pub mod peers;
pub mod report;
pub mod seed;
