//! The fields of a source in a cloud warehouse.

use leptos::prelude::*;

use super::source_draft::{Draft, Principal};
use super::source_fields::{Errors, secret_hint};
use crate::components::{Area, Choice, Notice, Text};
use crate::vocabulary::{BigquerySignIn, SnowflakeSignIn, Word};

#[component]
pub(super) fn SnowflakeFields(draft: Draft, errors: Errors, kept_secret: bool) -> impl IntoView {
    let proof = move || {
        match draft.snowflake.get() {
        SnowflakeSignIn::KeyPair => ().into_any(),
        SnowflakeSignIn::Token => view! {
            <Text label="Programmatic access token" value=draft.secret kind="password" autocomplete="new-password" hint=secret_hint(kept_secret) error=errors.of("token")/>
        }
        .into_any(),
    }
    };
    view! {
        <Text label="Account" value=draft.account required=true code=true placeholder="MYORG-ACCOUNT1" hint="The account identifier, or the full host, as for a private link." error=errors.of("account")/>
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="User" value=draft.user required=true code=true placeholder="WEIR_SVC" error=errors.of("user")/>
            <Text label="Role" value=draft.role required=true code=true placeholder="WEIR_ROLE" error=errors.of("role")/>
        </div>
        <Text label="Warehouse" value=draft.warehouse required=true code=true placeholder="WEIR_WH" hint="Names exactly as Snowflake shows them, mostly in capitals." error=errors.of("warehouse")/>
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="Database" value=draft.database code=true hint="Optional. Lists only its tables." error=errors.of("database")/>
            <Text label="Schema" value=draft.schema code=true hint="Optional. Lists only its tables." error=errors.of("schema")/>
        </div>
        <Choice
            label="Sign in with"
            value=Signal::derive(move || draft.snowflake.get().key().to_owned())
            on_change=move |key: String| if let Some(way) = SnowflakeSignIn::from_key(&key) { draft.snowflake.set(way) }
            options=SnowflakeSignIn::choices()
        />
        {proof}
    }
}

#[component]
pub(super) fn BigqueryFields(draft: Draft, errors: Errors, kept_secret: bool) -> impl IntoView {
    let proof = move || {
        match draft.bigquery.get() {
        BigquerySignIn::Key => view! {
            <Area label="Service account key" value=draft.secret code=true rows=6 hint=if kept_secret { "One is stored. Leave this empty to keep it." } else { "The whole JSON file. Kept sealed; it is never shown again." } error=errors.of("key")/>
        }
        .into_any(),
        BigquerySignIn::Weir => view! {
            <Notice>"No key changes hands: once it is saved, the source’s page shows which service account to let in, and how."</Notice>
        }
        .into_any(),
    }
    };
    view! {
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="Project" value=draft.project required=true code=true placeholder="acme-data-1234" hint="Statements run in it and are billed to it." error=errors.of("project")/>
            <Text label="Dataset" value=draft.dataset code=true hint="Optional. Lists only its tables." error=errors.of("dataset")/>
        </div>
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="Project of the data" value=draft.data_project code=true hint="Optional, where another project pays." error=errors.of("dataProject")/>
            <Text label="Location" value=draft.location code=true placeholder="EU" hint="Optional. Else where the table is." error=errors.of("location")/>
        </div>
        <Text label="Most a statement may read" value=draft.most_bytes code=true placeholder="10 GiB" hint="Optional. A statement that would read more fails, and costs nothing." error=errors.of("maximumBytesBilled")/>
        <Choice
            label="Sign in with"
            value=Signal::derive(move || draft.bigquery.get().key().to_owned())
            on_change=move |key: String| if let Some(way) = BigquerySignIn::from_key(&key) { draft.bigquery.set(way) }
            options=BigquerySignIn::choices()
        />
        {proof}
    }
}

#[component]
pub(super) fn DatabricksFields(draft: Draft, errors: Errors, kept_secret: bool) -> impl IntoView {
    let ways = vec![
        ("service".to_owned(), "A service principal (OAuth)".to_owned()),
        ("token".to_owned(), "A personal access token".to_owned()),
    ];
    let hint = secret_hint(kept_secret);
    let proof = move || {
        match draft.databricks.get() {
        Principal::Service => view! {
            <Text label="Application ID" value=draft.client_id required=true code=true hint="The service principal’s, which looks like a UUID." error=errors.of("clientId")/>
            <Text label="OAuth secret" value=draft.secret kind="password" autocomplete="new-password" hint error=errors.of("secret")/>
        }
        .into_any(),
        Principal::Token => view! {
            <Text label="Personal access token" value=draft.secret kind="password" autocomplete="new-password" hint error=errors.of("secret")/>
        }
        .into_any(),
    }
    };
    view! {
        <Text label="Host" value=draft.host required=true code=true placeholder="dbc-a1b2345c-d6e7.cloud.databricks.com" hint="The workspace’s, as in your browser’s address bar." error=errors.of("host")/>
        <Text label="SQL warehouse" value=draft.warehouse required=true code=true hint="Its ID, or the HTTP path from its connection details." error=errors.of("warehouse")/>
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="Catalog" value=draft.catalog code=true hint="Optional. Lists only its tables." error=errors.of("catalog")/>
            <Text label="Schema" value=draft.schema code=true hint="Optional. Lists only its tables." error=errors.of("schema")/>
        </div>
        <Choice
            label="Sign in with"
            value=Signal::derive(move || if draft.databricks.get() == Principal::Service { "service".to_owned() } else { "token".to_owned() })
            on_change=move |key: String| draft.databricks.set(if key == "service" { Principal::Service } else { Principal::Token })
            options=ways
        />
        {proof}
    }
}
