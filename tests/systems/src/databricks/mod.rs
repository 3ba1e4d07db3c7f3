//! A strict Databricks workspace in this process: sign-in, one SQL warehouse, the Statement Execution API, Unity
//! Catalog, and an object store for large results.
//!
//! It refuses what the service refuses: no token or a wrong one, a body of another type, fields, parameters and query
//! parameters that are not documented, more than one statement, an object the user may not see, and at the object store
//! a request that carries a token. Answers are as the documents and recorded responses have them: every cell a text,
//! numbers that are zero left out, SQL errors with HTTP 200, times in a session zone that is not UTC and to the
//! millisecond only, so that nothing works by chance. Where the documents are silent, the stricter reading is taken.
//!
//! Its SQL is what reading needs, over rows in memory: see [`sql`].

mod catalog;
mod chunks;
mod emulator;
mod fault;
mod http;
mod server;
mod sql;
mod statement;
mod store;

pub use chunks::{Chunks, Storage};
pub use emulator::Emulator;
pub use fault::{Call, Fault};
pub use server::{CLIENT, SECRET, Server, TOKEN, WAREHOUSE};
pub use sql::value::{Type, Value};
pub use statement::Heard;
pub use store::{Column, Table, column, key};
