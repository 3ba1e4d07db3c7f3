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

use anyhow::Result;
use server::auth::Permission;
use tests::site::Site;

/// The form of an answer that says with its status whether the request was carried out.
const GRAPHQL: &str = "application/graphql-response+json";

/// A server, and a token that reads and writes accounts.
async fn site() -> Result<(Site, String)> {
    let site = Site::sqlite().await?;
    site.set_up().await?;
    let (_, token) = site.token(&[Permission::AccountsRead, Permission::AccountsWrite]).await?;
    Ok((site, token))
}
