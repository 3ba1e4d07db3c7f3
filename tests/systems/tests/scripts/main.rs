//! The scripts that customers' administrators run: every statement is read by sqlglot in its dialect, whatever the names
//! in it, and the scripts are run where there is something to run them.

mod access;
mod cases;
mod clickhouse;
mod looking;
mod postgres;
mod shell;
mod snowflake;
mod sqlglot;
mod statements;
