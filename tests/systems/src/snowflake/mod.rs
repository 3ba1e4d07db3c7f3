//! A strict Snowflake that speaks the SQL API (version 2), in this process.
//!
//! It refuses what the service refuses: a token that is not signed by a registered key, a header, field, parameter,
//! binding or query parameter that is not documented, a statement it does not know, an object the role may not see.
//! Answers are encoded to the letter of the documents: strings for every cell, gzip for every partition but the first,
//! 202 for what takes long. What is not documented (the numbers of a few refusals) is marked as such where it is made;
//! nothing may depend on it.
//!
//! Its SQL is the part of Snowflake's that reading needs, over rows in memory, exact to the last digit, with names
//! folded, time zones and grants as in the service. The session's time zone is America/Los_Angeles unless the request
//! says otherwise, as in a new account.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use systems::snowflake::{Fault, Server, Who};
//! let server = Server::start().await?;
//! let place = server.place().await?;
//! place.run("CREATE TABLE T (ID NUMBER(38,0), AT TIMESTAMP_NTZ(9))").await?;
//! let account = place.user(Who::Reader);
//! server.fault(Fault::Running { polls: 2 });
//! # Ok(())
//! # }
//! ```

mod clock;
mod fault;
mod http;
mod journal;
mod keys;
mod partitions;
mod place;
mod server;
mod sql;
mod state;
mod users;

pub use fault::{Call, Fault};
pub use journal::{Bound, Request};
pub use keys::{Pair, fingerprint};
pub use partitions::Partitions;
pub use place::{Account, Place, Who};
pub use server::Server;
pub use sql::number::Number;
pub use sql::types::{Column, Type};
pub use sql::value::Value;
