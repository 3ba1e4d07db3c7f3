//! The GraphQL API: one file per noun, each with its object, its queries and its mutations.

mod account;
mod api_token;
mod audit_event;
mod chart;
pub mod context;
mod csv;
mod cursor;
pub mod error;
mod external_id;
mod external_id_setting;
pub mod id;
mod id_space;
mod ignore_rule;
mod input;
mod key_pair;
pub mod limits;
pub mod loaders;
mod matching;
mod measurement;
mod metric;
mod metric_link;
mod metric_link_mutation;
mod node;
mod opportunity;
mod organization;
mod overview;
pub mod page;
pub mod payload;
mod preview;
mod preview_cost;
mod preview_row;
mod problem;
mod reconcile;
mod reconcile_mutation;
mod rejection;
pub mod scalar;
mod schedule;
mod schedule_pace;
pub mod search;
mod series;
mod source;
mod source_check;
mod source_config;
mod source_cost;
mod source_mutation;
mod source_path;
mod source_setup;
mod source_table;
mod stream;
mod stream_diagnosis;
mod stream_mutation;
mod stream_part;
mod stream_state;
mod stream_table;
mod suggestion;
mod sync_run;
mod sync_run_mutation;
mod sync_run_tally;
mod unmatched_group;
mod unmatched_group_link;
mod unmatched_group_mutation;
mod user;
mod waiting_row;
pub mod window;

use async_graphql::{EmptySubscription, MergedObject, SDLExportOptions, Schema};

/// Everything that can be read. Each field answers within the viewer's organization.
#[derive(Default, MergedObject)]
pub struct Query(FirstQueries, MoreQueries, LastQueries);

/// Everything that can be changed. Expected refusals come back as `userErrors`.
#[derive(Default, MergedObject)]
pub struct Mutation(FirstMutations, MoreMutations, LastMutations);

/// A part of the queries: merging all at once nests too deep for the compiler.
#[derive(Default, MergedObject)]
pub struct FirstQueries(
    account::AccountQuery,
    api_token::ApiTokenQuery,
    audit_event::AuditEventQuery,
    csv::CsvQuery,
    cursor::CursorQuery,
    external_id_setting::ExternalIdSettingQuery,
    id_space::IdSpaceQuery,
    ignore_rule::IgnoreRuleQuery,
    input::InputQuery,
    matching::MatchingQuery,
);

/// A part of the queries: merging all at once nests too deep for the compiler.
#[derive(Default, MergedObject)]
pub struct MoreQueries(
    metric::MetricQuery,
    metric_link::MetricLinkQuery,
    node::NodeQuery,
    opportunity::OpportunityQuery,
    organization::OrganizationQuery,
    overview::OverviewQuery,
    preview::PreviewQuery,
    schedule::ScheduleQuery,
    schedule_pace::SchedulePaceQuery,
);

/// A part of the queries: merging all at once nests too deep for the compiler.
#[derive(Default, MergedObject)]
pub struct LastQueries(
    series::SeriesQuery,
    source::SourceQuery,
    source_path::SourcePathQuery,
    source_setup::AccessQuery,
    source_table::SourceTableQuery,
    stream::StreamQuery,
    stream_diagnosis::DiagnosisQuery,
    sync_run::SyncRunQuery,
    unmatched_group::UnmatchedGroupQuery,
    user::UserQuery,
    waiting_row::WaitingRowQuery,
);

/// A part of the mutations.
#[derive(Default, MergedObject)]
pub struct FirstMutations(
    account::AccountMutation,
    api_token::ApiTokenMutation,
    csv::CsvMutation,
    external_id::ExternalIdMutation,
    external_id_setting::ExternalIdSettingMutation,
    id_space::IdSpaceMutation,
    ignore_rule::IgnoreRuleMutation,
    input::InputMutation,
);

/// A part of the mutations.
#[derive(Default, MergedObject)]
pub struct MoreMutations(
    key_pair::KeyPairMutation,
    measurement::MeasurementMutation,
    metric::MetricMutation,
    metric_link_mutation::MetricLinkMutation,
    opportunity::OpportunityMutation,
    organization::OrganizationMutation,
    reconcile_mutation::ReconcileMutation,
    source_check::SourceCheckMutation,
);

/// A part of the mutations.
#[derive(Default, MergedObject)]
pub struct LastMutations(
    source_mutation::SourceMutation,
    stream_mutation::StreamMutation,
    sync_run_mutation::SyncRunMutation,
    unmatched_group_link::UnmatchedGroupLinkMutation,
    unmatched_group_mutation::UnmatchedGroupMutation,
    user::UserMutation,
    waiting_row::WaitingRowMutation,
);

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

#[cfg(test)]
mod schema_tests;
