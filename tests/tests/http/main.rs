//! The web server over real HTTP, on both databases.

mod assets;
mod audit;
mod cross_site;
mod graphql;
mod interface;
mod limits;
mod secrets;
mod sessions;
mod setup;
mod sign_in;
mod tokens;
