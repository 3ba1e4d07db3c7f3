//! The GraphQL API over real HTTP, on SQLite and PostgreSQL: files named like the nouns.

mod account;
mod csv;
mod cursor;
mod external_id;
mod idempotency;
mod key_pair;
mod measurement;
mod metric_link;
mod node;
mod opportunity;
mod overview;
mod pages;
mod roles;
mod scene;
mod schema;
mod shape;
mod source;
mod statements;
mod stream;
mod stream_table;
mod sync_run;
mod tenancy;
mod unmatched;
mod world;
