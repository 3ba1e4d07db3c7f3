//! The GraphQL API: one file per noun, each with its object, its queries and its mutations.

pub mod context;
pub mod error;
pub mod id;
pub mod limits;
pub mod loaders;
pub mod page;
pub mod payload;
pub mod scalar;
pub mod search;
pub mod window;

mod account;
mod external_id;

use async_graphql::{EmptySubscription, MergedObject, SDLExportOptions, Schema};

/// Everything that can be read. Each field answers within the viewer's organization.
#[derive(Default, MergedObject)]
pub struct Query(account::AccountQuery);

/// Everything that can be changed. Expected refusals come back as `userErrors`.
#[derive(Default, MergedObject)]
pub struct Mutation(account::AccountMutation);

/// The schema that answers requests made ready by [`context::prepare`].
pub type WeirSchema = Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema.
pub fn schema() -> WeirSchema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .extension(limits::Limits)
        .disable_suggestions()
        .limit_directives(5)
        .finish()
}

/// The schema as text, equal to `server/schema.graphql`.
pub fn sdl() -> String {
    let options =
        SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by().use_space_ident();
    schema().sdl_with_options(options)
}
