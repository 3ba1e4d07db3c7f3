//! From an executed request to a status and a body: every error coded, nothing told that only we may know.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use serde::Serialize;

use crate::graphql::error::INTERNAL;
use crate::http::media::Media;
use crate::http::refusal::{Code, Refusal};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    extensions: &'a std::collections::BTreeMap<String, Value>,
}

/// Answers a well-formed request whose document is refused. To those who take only plain JSON the status says no
/// more than that the request was understood.
pub fn refused(refusal: Refusal, media: Media, request_id: &str) -> HttpResponse {
    let mut answer = refusal.answer(media, request_id);
    if media == Media::Json {
        *answer.status_mut() = StatusCode::OK;
    }
    answer
}

/// Codes the errors of a response and chooses its status.
pub fn weigh(mut response: Response, media: Media, request_id: &str) -> (StatusCode, Vec<u8>) {
    // A fault on the way to a field has its path; without one nothing was executed.
    let executed = response.errors.iter().all(|error| !error.path.is_empty());
    for error in &mut response.errors {
        code(error, request_id);
    }
    let data = executed.then_some(&response.data);
    let body = Body { errors: &response.errors, data, extensions: &response.extensions };
    let body = match serde_json::to_vec(&body) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(request.id = request_id, %error, "an answer could not be written");
            return (StatusCode::INTERNAL_SERVER_ERROR, Vec::new());
        }
    };
    let forbidden = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| word(error) == Some(Code::Forbidden.as_str()));
    let status = match media {
        Media::Json => StatusCode::OK,
        Media::GraphqlResponse if !executed => StatusCode::BAD_REQUEST,
        Media::GraphqlResponse if forbidden => StatusCode::FORBIDDEN,
        Media::GraphqlResponse => StatusCode::OK,
    };
    (status, body)
}

fn word(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(word) => Some(word),
        _ => None,
    }
}

/// Gives an error its code and the request's ID where the schema has not. An error of a field without a code is a
/// fault of ours, whose text is not for the client.
fn code(error: &mut ServerError, request_id: &str) {
    if word(error).is_none() {
        let code = if error.path.is_empty() { Code::GraphqlValidationFailed } else { Code::Internal };
        if code == Code::Internal {
            tracing::error!(request.id = request_id, error = error.message, path = ?error.path, "a field failed");
            INTERNAL.clone_into(&mut error.message);
        } else {
            error.message.truncate(unquoted(&error.message));
        }
        extensions(error).set("code", code.as_str());
    }
    extensions(error).set("requestId", request_id);
}

/// Where the library begins to quote the value that was sent, which may be a secret in the wrong place.
fn unquoted(message: &str) -> usize {
    let quotes = ["\", found ", "\" does not contain the value \""];
    // The quotation mark before it belongs to the type's name.
    quotes.iter().filter_map(|words| message.find(words)).map(|at| at + 1).min().unwrap_or(message.len())
}

fn extensions(error: &mut ServerError) -> &mut ErrorExtensionValues {
    error.extensions.get_or_insert_default()
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, ErrorExtensions, Object, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn fine(&self, number: Option<i32>) -> i32 {
            number.unwrap_or(1)
        }

        async fn secret(&self) -> Result<Option<i32>, Error> {
            Err(Error::new("password authentication failed for user weir"))
        }

        async fn denied(&self) -> Result<i32, Error> {
            Err(Error::new("no").extend_with(|_, it| it.set("code", "FORBIDDEN")))
        }
    }

    async fn answer(query: &str, media: Media) -> (u16, serde_json::Value) {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
        let (status, body) = weigh(schema.execute(query).await, media, "request-1");
        (status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn the_status_depends_on_what_was_executed_and_on_the_form() {
        for (query, status, word, data) in [
            ("{fine}", 200, None, true),
            ("{fine secret}", 200, Some("INTERNAL"), true),
            ("{denied}", 403, Some("FORBIDDEN"), true),
            ("{unknown}", 400, Some("GRAPHQL_VALIDATION_FAILED"), false),
            ("{fine(number: true)}", 400, Some("GRAPHQL_VALIDATION_FAILED"), false),
            ("query A {fine} query B {fine}", 400, Some("GRAPHQL_VALIDATION_FAILED"), false),
            ("subscription {fine}", 400, Some("GRAPHQL_VALIDATION_FAILED"), false),
        ] {
            let (found, body) = answer(query, Media::GraphqlResponse).await;
            assert_eq!(found, status, "{query}: {body}");
            assert_eq!(body["errors"][0]["extensions"]["code"].as_str(), word, "{query}: {body}");
            assert_eq!(body.get("data").is_some(), data, "{query}: {body}");
            if word.is_some() {
                assert_eq!(body["errors"][0]["extensions"]["requestId"], "request-1");
            }
            assert_eq!(answer(query, Media::Json).await.0, 200, "{query}");
        }
    }

    #[test]
    fn a_value_that_was_sent_is_not_quoted() {
        for (told, left) in [
            (
                "Expected input type \"A\", found \"x\". (occurred while parsing \"B\")",
                "Expected input type \"A\"",
            ),
            (
                "for argument \"a\", enumeration type \"E\" does not contain the value \"x\"",
                "for argument \"a\", enumeration type \"E\"",
            ),
            ("Unknown field \"a\" on type \"B\"", "Unknown field \"a\" on type \"B\""),
        ] {
            assert_eq!(&told[..unquoted(told)], left);
        }
    }

    #[tokio::test]
    async fn a_fault_of_ours_is_not_told() {
        let (_, body) = answer("{secret}", Media::Json).await;
        assert!(!body.to_string().contains("password"), "{body}");
        assert_eq!(body["data"]["secret"], serde_json::Value::Null);
    }
}
