//! Connection tests, of sources saved or not.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use connector::{Check, Connector, ConnectorError, ErrorKind, TableRef, kinds};
use entity::{KeyPairId, SourceId, source};
use serde::{Deserialize, Serialize};

use crate::auth::Permission;
use crate::clock::Micros;
use crate::domain::refusal;
use crate::domain::schedule_pace::Rest;
use crate::domain::source::{self as sources, Credential};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, Work, load};
use crate::graphql::error::{UserError, outcome};
use crate::graphql::id::Global;
use crate::graphql::problem::{ConnectorProblem, stepwise};
use crate::graphql::scalar::{DateTime, Json};
use crate::graphql::source::Source;
use crate::graphql::source_config::SourceConfigInput;
use crate::graphql::stream_part::TableRefInput;
use crate::sources::config;

/// How a step of a test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
pub enum SourceCheckStatus {
    /// It worked.
    Passed,
    /// It told less than wanted, which need not hinder reading; the note says why.
    Warned,
    /// It did not.
    Failed,
}

/// One step of a connection test.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
pub struct SourceCheckStep {
    /// What was tried.
    name: String,
    /// How it went.
    status: SourceCheckStatus,
    /// How long it took.
    duration_ms: i32,
    /// What was learnt, such as a version or a clock offset.
    note: Option<String>,
    /// What went wrong.
    problem: Option<ConnectorProblem>,
}

/// A connection test as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    checked_at: Micros,
    steps: Vec<SourceCheckStep>,
    /// When the warehouse sleeps; tests of an older form did not tell.
    #[serde(default)]
    rest: Option<Rest>,
}

/// A connection test.
#[derive(Clone, Debug)]
pub struct SourceCheck(Kept);

impl SourceCheck {
    fn new(check: &Check, warned: bool, checked_at: Micros) -> Self {
        let last = check.steps.len().saturating_sub(1);
        let steps = check.steps.iter().enumerate().map(|(number, step)| SourceCheckStep {
            name: step.name.to_owned(),
            status: match step.error {
                Some(_) => SourceCheckStatus::Failed,
                None if warned && number == last => SourceCheckStatus::Warned,
                None => SourceCheckStatus::Passed,
            },
            duration_ms: i32::try_from(step.took.as_millis()).unwrap_or(i32::MAX),
            note: step.note.clone(),
            problem: step.error.as_ref().map(ConnectorProblem::from),
        });
        Self(Kept { checked_at, steps: steps.collect(), rest: check.rest.map(Rest::from) })
    }

    /// Whether no step failed.
    fn passed(&self) -> bool {
        self.0.steps.iter().all(|step| step.status != SourceCheckStatus::Failed)
    }

    /// When the source's warehouse goes to sleep, where it told.
    pub fn rest(&self) -> Option<Rest> {
        self.0.rest
    }

    /// Reads a kept test; none when it is of an older form.
    pub fn stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }
}

/// A connection test.
#[Object]
impl SourceCheck {
    /// Whether no step failed.
    async fn ok(&self) -> bool {
        self.passed()
    }

    /// When it ended.
    async fn checked_at(&self) -> DateTime {
        DateTime(self.0.checked_at)
    }

    /// The steps in order. A failed step is the last.
    async fn steps(&self) -> &[SourceCheckStep] {
        &self.0.steps
    }
}

/// The input of `sourceCheck`.
#[derive(InputObject)]
struct SourceCheckInput {
    /// The saved source; its stored credential is used where the config has none.
    id: Option<Global<SourceId>>,
    /// Connection details that are not saved yet.
    config: Option<SourceConfigInput>,
    /// A key pair of the saved source to sign with instead of the one in use, as before switching to it.
    key_pair_id: Option<Global<KeyPairId>>,
    /// A table to try too: that it is there, and that it can be read.
    table: Option<TableRefInput>,
    /// Its cursor column, to try too.
    cursor_column: Option<String>,
}

/// The answer of `sourceCheck`.
#[derive(SimpleObject)]
struct SourceCheckPayload {
    /// The result; null when refused.
    source: Option<Source>,
    /// How the test went.
    check: Option<SourceCheck>,
    /// Why the request was refused, if it was.
    user_errors: Vec<UserError>,
}

/// The mutation of connection tests.
#[derive(Default)]
pub struct SourceCheckMutation;

#[Object]
impl SourceCheckMutation {
    /// Tests a connection step by step, saved or not.
    async fn source_check(&self, ctx: &Context<'_>, input: SourceCheckInput) -> Result<SourceCheckPayload> {
        ctx.need(Permission::SourcesWrite)?;
        let stored = match &input.id {
            Some(id) => load(ctx, id.0).await?,
            None => None,
        };
        // A test with another key tells nothing of the source as it is, nor does a table that cannot be read.
        let saved = input.config.is_none() && input.key_pair_id.is_none() && input.table.is_none();
        let check = check(ctx, input, stored.clone()).await;
        let check = match outcome(check)? {
            Ok(check) => check,
            Err(user_errors) => return Ok(SourceCheckPayload { source: None, check: None, user_errors }),
        };
        let source = match stored {
            Some(source) if saved => Some(keep(ctx, &source, &check).await?),
            other => other,
        };
        Ok(SourceCheckPayload {
            source: source.map(Source::from),
            check: Some(check),
            user_errors: Vec::new(),
        })
    }
}

/// Keeps the test of a saved source, unless the source was changed meanwhile.
async fn keep(ctx: &Context<'_>, tested: &source::Model, check: &SourceCheck) -> Result<source::Model> {
    let work = Work::begin(ctx, Permission::SourcesWrite).await?;
    let kept = async {
        let text =
            serde_json::to_string(&check.0).map_err(|error| Error::internal("writing a check", error))?;
        sources::note_check(&work.change(), tested, &text, check.passed()).await?;
        sources::find(&work.change(), tested.id).await
    }
    .await;
    match work.end(kept).await? {
        Ok(source) => Ok(source),
        Err(_) => Err(crate::graphql::error::Fault::from(Error::NotFound("source")).into()),
    }
}

async fn check(
    ctx: &Context<'_>,
    input: SourceCheckInput,
    stored: Option<source::Model>,
) -> DomainResult<SourceCheck> {
    let app = ctx.app();
    if input.id.is_some() && stored.is_none() {
        return Err(refusal::not_found("id", "source"));
    }
    if input.cursor_column.is_some() && input.table.is_none() {
        return Err(refusal::required("table"));
    }
    let key = input.key_pair_id.map(|key| key.0);
    if key.is_some() && stored.is_none() {
        return Err(refusal::required("id"));
    }
    let (connector, kind) = match (input.config, &stored) {
        (None, None) => return Err(refusal::required("id")),
        (None, Some(source)) if key.is_none() => (app.sources.open(app, source).await?, source.kind.as_str()),
        (None, Some(source)) => {
            let config = config(source)?;
            let secret = app.sources.credential(app, source, &config, key).await?;
            (app.sources.unstored(&source.kind, &config, secret)?, source.kind.as_str())
        }
        (Some(config), stored) => {
            let settings = config.settings()?;
            let config = Json::stored(&settings.config).0;
            let secret = match (settings.credential, stored) {
                (Credential::Replace(secret), _) => Some(secret),
                (Credential::Keep, Some(source)) if source.kind == settings.kind => {
                    sources::same_place(source, &settings.config)?;
                    app.sources.credential(app, source, &config, key).await?
                }
                _ => None,
            };
            (app.sources.unstored(settings.kind, &config, secret)?, settings.kind)
        }
    };
    let table = input.table.map(TableRef::from);
    let mut check = stepwise(steps(&*connector, table.as_ref(), input.cursor_column.as_deref())).await;
    let warned = lessened(&mut check, kinds::hides_tables(kind)?);
    Ok(SourceCheck::new(&check, warned, app.clock.now()))
}

/// The name of the step that lists.
const SEE: &str = "see tables";

/// Takes a list that did not come as what it is, no proof that nothing can be read; tells whether it was.
fn lessened(check: &mut Check, hides: bool) -> bool {
    let Some(step) = check.steps.last_mut().filter(|step| step.name == SEE) else { return false };
    let words = match step.error.as_ref().map(ConnectorError::kind) {
        Some(ErrorKind::Timeout) => {
            "listing all tables takes longer than a test waits; tables can be read all the same"
        }
        Some(ErrorKind::NotFound | ErrorKind::Permission) if hides => {
            "no table is listed: where the rights are on single tables, type their names; otherwise run the grant script \
             of the source's page"
        }
        _ => return false,
    };
    (step.error, step.note) = (None, Some(words.to_owned()));
    true
}

/// The steps of a connector and, where no table is named, whether any can be seen.
async fn steps(connector: &dyn Connector, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
    let mut check = connector.check(table, cursor).await;
    if table.is_none() {
        check.step(SEE, async { Ok(((), Some(seen(connector).await?))) }).await;
    }
    check
}

async fn seen(connector: &dyn Connector) -> connector::Result<String> {
    match connector.discover().await?.len() {
        0 => Err(ConnectorError::new(ErrorKind::NotFound, "no table or view can be seen")
            .hint("run the grant script of the source's page, which lets its user see and read tables")),
        1 => Ok("1 table or view".to_owned()),
        many => Ok(format!("{many} tables and views")),
    }
}
