//! What Google refuses, told for people and for the scheduler. The reason decides, not the status, which differs for
//! one and the same thing.
//!
//! Source: "Error messages" in BigQuery's documentation, and what Google's Python client tries again (`retry.py`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::wire::{Failure, Problem};
use crate::http::{self, Answer};
use crate::{ConnectorError, ErrorKind, Retry};

/// How long a used-up quota is left alone: quotas come back over the day.
const QUOTA_WAIT: Duration = Duration::from_secs(3_600);
/// The most of Google's words that is kept.
const WORDS: usize = 1_000;

/// Who is refused, for what to grant to whom.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The account's e-mail address.
    pub email: &'a str,
    /// The project that pays.
    pub project: &'a str,
    /// The project the data is in.
    pub data_project: &'a str,
    /// The dataset, where it is known.
    pub dataset: Option<&'a str>,
}

/// A refusal by its reason.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// BigQuery's own code, such as `rateLimitExceeded`.
    pub reason: String,
    /// Told for people.
    pub error: ConnectorError,
}

impl Refusal {
    /// Reads an answer that is no success.
    pub fn of(answer: &Answer, host: &str, who: Who<'_>) -> Self {
        let failure: Failure = serde_json::from_slice(&answer.body).unwrap_or_default();
        let problem = failure.error.errors.into_iter().find(|problem| !problem.reason.is_empty());
        let Some(problem) = problem else {
            let said = if failure.error.message.is_empty() { answer.words() } else { failure.error.message };
            let error = http::refused(host, answer.status, &answer.headers, &said);
            return Self { reason: failure.error.status, error };
        };
        let message = if problem.message.is_empty() { failure.error.message } else { problem.message };
        let problem = Problem { message, ..problem };
        let told = tell(&problem, who).unwrap_or_else(|| {
            http::refused(host, answer.status, &answer.headers, "").detail(cut(&problem.message))
        });
        Self { reason: problem.reason, error: waiting(told, http::retry_after(&answer.headers)) }
    }

    /// A failure told in an answer that is a success as far as HTTP goes.
    pub fn told(problem: &Problem, who: Who<'_>) -> Self {
        let error = tell(problem, who).unwrap_or_else(|| {
            let message = format!("BigQuery refused the statement ({:.60})", problem.reason);
            ConnectorError::new(ErrorKind::Protocol, message).detail(cut(&problem.message))
        });
        Self { reason: problem.reason.clone(), error }
    }

    /// Whether the same request ID would give the same failure again, so that a new one is needed.
    pub fn needs_new_job(&self) -> bool {
        matches!(
            self.reason.as_str(),
            "jobBackendError" | "jobInternalError" | "jobRateLimitExceeded" | "duplicate"
        )
    }

    /// Whether it may come from a table that is not what it was when it was looked up.
    pub fn stale(&self) -> bool {
        match self.reason.as_str() {
            "" => matches!(self.error.kind(), ErrorKind::Schema | ErrorKind::Config | ErrorKind::NotFound),
            reason => matches!(reason, "notFound" | "invalidQuery" | "invalid"),
        }
    }

    /// Whether the result is too much for one statement, so that less of it may do.
    pub fn too_large(&self) -> bool {
        matches!(self.reason.as_str(), "resourcesExceeded" | "responseTooLarge")
    }
}

impl From<ConnectorError> for Refusal {
    /// A failure that BigQuery gave no reason for.
    fn from(error: ConnectorError) -> Self {
        Self { reason: String::new(), error }
    }
}

/// [`http::patiently`], which keeps the reason of the last failure, and stops where the job itself has failed.
///
/// # Errors
/// The last failure.
pub async fn patiently<T, F>(mut attempt: impl FnMut(u32) -> F) -> Result<T, Refusal>
where
    F: Future<Output = Result<T, Refusal>>,
{
    let reason = &Mutex::new(String::new());
    let outcome = http::patiently(|tried| {
        let next = attempt(tried);
        async move {
            match next.await {
                Err(refusal) if refusal.needs_new_job() || refusal.reason == "stopped" => Ok(Err(refusal)),
                Err(refusal) => {
                    *reason.lock().unwrap_or_else(PoisonError::into_inner) = refusal.reason;
                    Err(refusal.error)
                }
                good => Ok(good),
            }
        }
    });
    outcome.await.unwrap_or_else(|error| {
        let reason = reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(Refusal { reason, error })
    })
}

/// Adds the wait an answer asks for, unless the reason alone asks for a longer one.
fn waiting(told: ConnectorError, asked: Option<Duration>) -> ConnectorError {
    let own = match told.retry() {
        Retry::Later(own) => own,
        Retry::Never => None,
    };
    match asked {
        Some(wait) if told.kind() == ErrorKind::RateLimited && Some(wait) > own => told.after(wait),
        _ => told,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(WORDS).collect()
}

/// The error for a reason; nothing when the reason is not known.
fn tell(problem: &Problem, who: Who<'_>) -> Option<ConnectorError> {
    use ErrorKind::{Auth, Config, NotFound, Permission, RateLimited, Schema, Timeout, Unavailable};
    let (kind, message, hint) = match problem.reason.as_str() {
        "rateLimitExceeded" | "jobRateLimitExceeded" => (
            RateLimited,
            "BigQuery gets too many requests from this account or project",
            "read less often, or spread the streams",
        ),
        "quotaExceeded" => (
            RateLimited,
            "a quota of the project is used up",
            "see IAM & Admin, Quotas in Google Cloud; a day's quota comes back over the day",
        ),
        "backendError" | "internalError" | "badGateway" | "jobBackendError" | "jobInternalError"
        | "tableUnavailable" => {
            (Unavailable, "BigQuery could not finish the request", "it is tried again by itself")
        }
        "duplicate" => (Unavailable, "BigQuery knows this request already", "it is tried again by itself"),
        "stopped" => (Unavailable, "the statement was cancelled", "it is tried again by itself"),
        "timeout" => (
            Timeout,
            "the statement took longer than allowed",
            "make the cursor the table's partition or clustering column, so that less is read",
        ),
        "bytesBilledLimitExceeded" => (
            Config,
            "the statement would bill more bytes than maximumBytesBilled, the limit of the stream or the source",
            "raise it, read fewer columns, or make the cursor the table's partition column",
        ),
        "resourcesExceeded" | "responseTooLarge" => (
            Schema,
            "the result is too large for BigQuery to order or to return",
            "read fewer columns, or make the cursor the table's partition or clustering column",
        ),
        "invalidQuery" => (
            Schema,
            "the table cannot be read as asked",
            "see BigQuery's own words; a view's expression may fail, or a column may have changed",
        ),
        "invalid" | "badRequest" | "required" | "parseError" => (
            Config,
            "BigQuery does not take the request",
            "check project, dataset and location; see BigQuery's own words",
        ),
        "notFound" => (
            NotFound,
            "the project, dataset or table does not exist, is in another location, or may not be seen",
            "names are exact; check project, dataProject, dataset and location",
        ),
        "billingNotEnabled" => {
            (Permission, "the project that should pay has no billing", "enable billing for it")
        }
        "blocked" => (
            Permission,
            "BigQuery has blocked the project for now",
            "ask Google Cloud support, or an administrator of the project",
        ),
        "accessNotConfigured" => (
            Permission,
            "the BigQuery API is not enabled in the project that pays",
            "enable bigquery.googleapis.com in the project",
        ),
        "authError" | "required_auth" | "unauthorized" => {
            (Auth, "BigQuery refused the sign-in", "make a new key for the service account")
        }
        "accessDenied" | "forbidden" | "insufficientPermissions" => {
            let hint = grant(&problem.message, who);
            let message = format!("{} may not do this", who.email);
            return Some(ConnectorError::new(Permission, message).hint(hint).detail(cut(&problem.message)));
        }
        _ => return None,
    };
    let told = ConnectorError::new(kind, message).hint(hint).detail(cut(&problem.message));
    Some(if problem.reason == "quotaExceeded" { told.after(QUOTA_WAIT) } else { told })
}

/// What an administrator should grant. The words of the refusal only choose among hints.
fn grant(said: &str, who: Who<'_>) -> String {
    let Who { email, project, data_project, dataset } = who;
    if said.contains("bigquery.jobs.") {
        return format!(
            "ask an administrator to run: gcloud projects add-iam-policy-binding {project} \
             --member=serviceAccount:{email} --role=roles/bigquery.jobUser"
        );
    }
    if said.contains("vpcServiceControls") || said.contains("VPC Service Controls") {
        return "ask an administrator to let Weir's address into the project's service perimeter".to_owned();
    }
    let dataset = dataset.unwrap_or("DATASET");
    format!(
        "ask an administrator to run: GRANT `roles/bigquery.dataViewer` ON SCHEMA `{data_project}.{dataset}` \
         TO \"serviceAccount:{email}\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Who<'static> = Who {
        email: "weir@acme.iam",
        project: "acme-pays",
        data_project: "acme-data",
        dataset: Some("sales"),
    };

    fn told(reason: &str, message: &str) -> Refusal {
        Refusal::told(&Problem { reason: reason.to_owned(), message: message.to_owned() }, WHO)
    }

    #[test]
    fn the_reason_decides_what_is_tried_again() {
        for (reason, kind, later, new_job) in [
            ("rateLimitExceeded", ErrorKind::RateLimited, true, false),
            ("jobRateLimitExceeded", ErrorKind::RateLimited, true, true),
            ("backendError", ErrorKind::Unavailable, true, false),
            ("internalError", ErrorKind::Unavailable, true, false),
            ("jobBackendError", ErrorKind::Unavailable, true, true),
            ("jobInternalError", ErrorKind::Unavailable, true, true),
            ("duplicate", ErrorKind::Unavailable, true, true),
            ("stopped", ErrorKind::Unavailable, true, false),
            ("timeout", ErrorKind::Timeout, true, false),
            ("bytesBilledLimitExceeded", ErrorKind::Config, false, false),
            ("resourcesExceeded", ErrorKind::Schema, false, false),
            ("invalidQuery", ErrorKind::Schema, false, false),
            ("accessDenied", ErrorKind::Permission, false, false),
            ("billingNotEnabled", ErrorKind::Permission, false, false),
            ("notFound", ErrorKind::NotFound, false, false),
            ("somethingNew", ErrorKind::Protocol, false, false),
        ] {
            let refusal = told(reason, "words");
            assert_eq!(refusal.error.kind(), kind, "{reason}");
            assert_eq!(matches!(refusal.error.retry(), Retry::Later(_)), later, "{reason}");
            assert_eq!(refusal.needs_new_job(), new_job, "{reason}");
            assert_eq!(refusal.error.system_text(), Some("words"), "{reason}");
        }
        assert_eq!(told("quotaExceeded", "").error.retry(), Retry::Later(Some(QUOTA_WAIT)));
    }

    #[test]
    fn a_used_up_quota_is_left_alone_whatever_shorter_wait_is_asked_for() {
        let waits = |reason: &str, asked: Option<u64>| {
            waiting(told(reason, "").error, asked.map(Duration::from_secs)).retry()
        };
        let later = |seconds| Retry::Later(Some(Duration::from_secs(seconds)));
        assert_eq!(waits("quotaExceeded", Some(1)), Retry::Later(Some(QUOTA_WAIT)));
        assert_eq!(waits("quotaExceeded", Some(7_200)), later(7_200));
        assert_eq!(waits("rateLimitExceeded", Some(1)), later(1));
        assert_eq!(waits("rateLimitExceeded", None), Retry::Later(None));
        assert_eq!(waits("backendError", Some(1)), Retry::Later(None));
        assert_eq!(waits("accessDenied", Some(1)), Retry::Never);
    }

    #[test]
    fn a_missing_right_is_told_as_the_statement_to_run() {
        let jobs = "Access Denied: Project acme-pays: User does not have bigquery.jobs.create permission";
        let hint = told("accessDenied", jobs).error.action().unwrap_or_default().to_owned();
        assert!(
            hint.contains("add-iam-policy-binding acme-pays --member=serviceAccount:weir@acme.iam"),
            "{hint}"
        );
        assert!(hint.ends_with("--role=roles/bigquery.jobUser"), "{hint}");
        let data = "Access Denied: Table acme-data:sales.t: User does not have permission to query table";
        let hint = told("accessDenied", data).error.action().unwrap_or_default().to_owned();
        let wanted = "GRANT `roles/bigquery.dataViewer` ON SCHEMA `acme-data.sales` TO \"serviceAccount:weir@acme.iam\"";
        assert!(hint.ends_with(wanted), "{hint}");
    }
}
