//! `/graphql`: every refusal has its status, its code, and the shape of a GraphQL error.

use anyhow::Result;
use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use server::auth::Permission;
use tests::site::{Answer, Site, body, send};

use crate::{GRAPHQL, site};

const JSON: &str = "application/json";

fn query(text: &str) -> Value {
    json!({ "query": text })
}

fn outcome(answer: &Answer) -> (u16, &'static str, bool) {
    let code = answer.code();
    let known: &'static str = Box::leak(code.into_boxed_str());
    (answer.status.as_u16(), known, answer.json().get("data").is_some())
}

#[tokio::test]
async fn a_query_is_answered_on_both_databases() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let (_, token) = site.token(&[Permission::AccountsRead]).await?;
        let answer = send(site.graphql(&token, &query("{ __typename }"))).await?;
        assert_eq!(outcome(&answer), (200, "", true), "{answer:?}");
        assert_eq!(answer.json()["data"], json!({ "__typename": "Query" }));
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        let known = send(site.graphql(&token, &query("{ accounts { totalCount nodes { name } } }"))).await?;
        assert_eq!(known.json()["data"]["accounts"], json!({ "totalCount": 0, "nodes": [] }), "{known:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_form_of_the_answer_is_the_one_asked_for() -> Result<()> {
    let (site, token) = site().await?;
    for (accept, kind) in [
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json, application/graphql-response+json", GRAPHQL),
        ("application/graphql-response+json;q=0.1, application/json", JSON),
    ] {
        let request = site.graphql(&token, &query("{ __typename }")).header(ACCEPT, accept);
        let answer = send(request).await?;
        assert_eq!(answer.header("content-type"), format!("{kind}; charset=utf-8"), "{accept}");
    }
    for accept in ["text/html", "application/xml", "application/json; charset=latin1"] {
        let request = site.graphql(&token, &query("{ __typename }")).header(ACCEPT, accept);
        assert_eq!(outcome(&send(request).await?), (406, "NOT_ACCEPTABLE", false), "{accept}");
    }
    Ok(())
}

#[tokio::test]
async fn the_status_says_whether_the_request_was_carried_out() -> Result<()> {
    let (site, token) = site().await?;
    let deep = format!("{{ {} id {} }}", "node(id: \"a\") { ".repeat(16), "} ".repeat(16));
    let aliases: String = (0..31).map(|at| format!("a{at}: __typename ")).collect();
    let mutations = "accountArchive(input: {id: \"a\"}) { userErrors { code } } ".repeat(6);
    let doubling: String =
        (0..30).map(|at| format!("fragment F{at} on Query {{ ...F{0} ...F{0} }} ", at + 1)).collect();
    let bomb = format!("{{ ...F0 }} {doubling} fragment F30 on Query {{ __typename }}");
    for (text, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nothingOfTheKind }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT"),
        ("query($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        (deep.as_str(), "QUERY_TOO_DEEP"),
        (&format!("{{ {aliases} }}"), "QUERY_TOO_COSTLY"),
        (&format!("mutation {{ {mutations} }}"), "QUERY_TOO_COSTLY"),
        (bomb.as_str(), "QUERY_TOO_COSTLY"),
    ] {
        let strict = send(site.graphql(&token, &query(text)).header(ACCEPT, GRAPHQL)).await?;
        assert_eq!(outcome(&strict), (400, code, false), "{text}: {strict:?}");
        let plain = send(site.graphql(&token, &query(text)).header(ACCEPT, JSON)).await?;
        assert_eq!(outcome(&plain), (200, code, false), "{text}");
        let id = plain.json()["errors"][0]["extensions"]["requestId"].clone();
        assert_eq!(id, plain.header("x-request-id"));
    }
    // Carried out, in part or not at all: the data says.
    let (_, weak) = site.token(&[]).await?;
    let denied = "{ __typename accounts { totalCount } }";
    let answer = send(site.graphql(&weak, &query(denied)).header(ACCEPT, GRAPHQL)).await?;
    assert_eq!(outcome(&answer), (403, "FORBIDDEN", true), "{answer:?}");
    assert_eq!(answer.json()["data"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_body_of_another_form_never_runs() -> Result<()> {
    let (site, token) = site().await?;
    let text = r#"{"query":"mutation { accountCreate(input: {name: \"A\"}) { account { id } } }"}"#;
    let form =
        "query=mutation+%7B+accountCreate(input%3A+%7Bname%3A+%22A%22%7D)+%7B+account+%7B+id+%7D+%7D+%7D";
    let parts = "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{}\r\n--x--\r\n";
    let post = || site.request(Method::POST, "/graphql").bearer_auth(&token);
    for (kind, sent) in [
        ("text/plain", text),
        ("text/plain;charset=UTF-8", text),
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data; boundary=x", parts),
        ("application/graphql", text),
        ("application/json; charset=utf-16", text),
        ("application/jsonx", text),
    ] {
        let answer = send(body(post(), kind, sent)).await?;
        assert_eq!(outcome(&answer), (415, "UNSUPPORTED_MEDIA_TYPE", false), "{kind}");
    }
    assert_eq!(outcome(&send(post().body(text)).await?), (415, "UNSUPPORTED_MEDIA_TYPE", false));
    let squeezed = body(post(), JSON, text).header(CONTENT_ENCODING, "gzip");
    assert_eq!(outcome(&send(squeezed).await?), (415, "UNSUPPORTED_MEDIA_TYPE", false));
    let count = send(site.graphql(&token, &query("{ accounts { totalCount } }"))).await?;
    assert_eq!(count.json()["data"]["accounts"]["totalCount"], 0, "something ran");
    Ok(())
}

#[tokio::test]
async fn malformed_parameters_are_named() -> Result<()> {
    let (site, token) = site().await?;
    let post = || site.request(Method::POST, "/graphql").bearer_auth(&token).header(CONTENT_TYPE, JSON);
    for sent in [
        "",
        "{",
        "null",
        "1",
        "\"{ __typename }\"",
        "{}",
        r#"{"query":null}"#,
        r#"{"query":{}}"#,
        r#"{"query":"{ __typename }","operationName":1}"#,
        r#"{"query":"{ __typename }","variables":"{}"}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
        r#"{"query":"{ __typename }","extensions":1}"#,
        r#"[{"query":"{ __typename }"}]"#,
        "[]",
    ] {
        for accept in [JSON, GRAPHQL] {
            let answer = send(post().header(ACCEPT, accept).body(sent)).await?;
            assert_eq!(outcome(&answer), (400, "BAD_USER_INPUT", false), "{sent}");
            assert_eq!(answer.header("content-type"), format!("{accept}; charset=utf-8"), "{sent}");
        }
    }
    let broken = post().body(vec![b'{', b'"', 0xff, b'"', b'}']);
    assert_eq!(outcome(&send(broken).await?), (400, "BAD_USER_INPUT", false));
    Ok(())
}

#[tokio::test]
async fn the_operation_named_is_the_one_that_runs() -> Result<()> {
    let (site, token) = site().await?;
    let text = "query A { a: __typename } query B { b: __typename }";
    for name in ["A", "B"] {
        let sent = json!({ "query": text, "operationName": name });
        let answer = send(site.graphql(&token, &sent)).await?;
        assert_eq!(answer.json()["data"], json!({ name.to_lowercase(): "Query" }), "{answer:?}");
        let path = format!("/graphql?operationName={name}&query={}", text.replace(' ', "%20"));
        let answer = send(site.request(Method::GET, &path).bearer_auth(&token)).await?;
        assert_eq!(answer.json()["data"], json!({ name.to_lowercase(): "Query" }), "{answer:?}");
    }
    let unknown = json!({ "query": text, "operationName": "C" });
    assert_eq!(send(site.graphql(&token, &unknown)).await?.code(), "BAD_USER_INPUT");
    Ok(())
}

#[tokio::test]
async fn get_reads_and_never_writes() -> Result<()> {
    let (site, token) = site().await?;
    let get = |path: &str| site.request(Method::GET, path);
    let read = "/graphql?query=query(%24id%3A%20ID!)%7Bnode(id%3A%24id)%7Bid%7D%7D&variables=%7B%22id%22%3A%22a%22%7D";
    assert_eq!(send(get(read).bearer_auth(&token)).await?.status, 200);
    let write =
        "/graphql?query=mutation%7BaccountCreate(input%3A%7Bname%3A%22A%22%7D)%7Baccount%7Bid%7D%7D%7D";
    for accept in [JSON, GRAPHQL] {
        let answer = send(get(write).bearer_auth(&token).header(ACCEPT, accept)).await?;
        assert_eq!(outcome(&answer), (405, "METHOD_NOT_ALLOWED", false));
        assert_eq!(answer.header("allow"), "POST");
    }
    let chosen = "/graphql?operationName=B&query=query%20A%7B__typename%7D%20mutation%20B%7B__typename%7D";
    assert_eq!(send(get(chosen).bearer_auth(&token)).await?.status, 405);
    assert_eq!(outcome(&send(get("/graphql").bearer_auth(&token)).await?), (400, "BAD_USER_INPUT", false));
    let count = send(site.graphql(&token, &query("{ accounts { totalCount } }"))).await?;
    assert_eq!(count.json()["data"]["accounts"]["totalCount"], 0, "a mutation ran by GET");
    Ok(())
}

#[tokio::test]
async fn other_methods_are_refused() -> Result<()> {
    let (site, token) = site().await?;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::HEAD] {
        let answer = send(site.request(method.clone(), "/graphql").bearer_auth(&token)).await?;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, POST", "{method}");
        if method != Method::HEAD {
            assert_eq!(answer.code(), "METHOD_NOT_ALLOWED", "{method}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn too_much_is_refused() -> Result<()> {
    let (site, token) = site().await?;
    let long = json!({ "query": "{ __typename }", "variables": { "a": "x".repeat(1_048_576) } });
    assert_eq!(outcome(&send(site.graphql(&token, &long)).await?), (413, "PAYLOAD_TOO_LARGE", false));
    let fits = json!({ "query": "{ __typename }", "variables": { "a": "x".repeat(1_000_000) } });
    assert_eq!(send(site.graphql(&token, &fits)).await?.status, 200);
    // Without a length announced.
    let parts = (0..20).map(|_| Ok::<_, std::io::Error>("x".repeat(65_536)));
    let stream = reqwest::Body::wrap_stream(futures::stream::iter(parts));
    let request = site.request(Method::POST, "/graphql").bearer_auth(&token).header(CONTENT_TYPE, JSON);
    assert_eq!(outcome(&send(request.body(stream)).await?), (413, "PAYLOAD_TOO_LARGE", false));
    let path = format!("/graphql?query=%7B__typename%7D&variables={}", "x".repeat(20_000));
    let answer = send(site.request(Method::GET, &path).bearer_auth(&token)).await?;
    assert_eq!(outcome(&answer), (414, "URI_TOO_LONG", false));
    let heavy = site.graphql(&token, &query("{ __typename }")).header("x-heavy", "x".repeat(40_000));
    assert_eq!(outcome(&send(heavy).await?), (431, "HEADERS_TOO_LARGE", false));
    Ok(())
}

#[tokio::test]
async fn nobody_is_answered_without_signing_in() -> Result<()> {
    let (site, _) = site().await?;
    let post = |text: &str| site.request(Method::POST, "/graphql").json(&query(text));
    for text in ["{ __typename }", "{ __schema { types { name } } }", "{", "mutation { nothing }"] {
        let answer = send(post(text)).await?;
        assert_eq!(outcome(&answer), (401, "UNAUTHENTICATED", false), "{text}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    Ok(())
}

#[tokio::test]
async fn the_schema_can_be_read_unless_the_operator_says_no() -> Result<()> {
    let (site, token) = site().await?;
    let text = "{ __schema { queryType { name } } }";
    let answer = send(site.graphql(&token, &query(text))).await?;
    assert_eq!(answer.json()["data"]["__schema"]["queryType"]["name"], "Query");
    let closed = Site::with(|config| config.http.introspection = false).await?;
    closed.set_up().await?;
    let (_, token) = closed.token(&[]).await?;
    let answer = send(closed.graphql(&token, &query(text))).await?;
    assert_eq!(answer.json()["data"]["__schema"], Value::Null, "{answer:?}");
    let answer = send(closed.graphql(&token, &query("{ __typename }"))).await?;
    assert_eq!(answer.json()["data"]["__typename"], "Query");
    Ok(())
}

#[tokio::test]
async fn a_viewer_has_a_share_of_requests() -> Result<()> {
    let site = Site::with(|config| config.http.requests_per_minute = 5).await?;
    site.set_up().await?;
    let (_, token) = site.token(&[]).await?;
    let (_, other) = site.token(&[]).await?;
    for _ in 0..5 {
        assert_eq!(send(site.graphql(&token, &query("{ __typename }"))).await?.status, 200);
    }
    let answer = send(site.graphql(&token, &query("{ __typename }"))).await?;
    assert_eq!(outcome(&answer), (429, "THROTTLED", false));
    assert_eq!(answer.header("retry-after"), "12");
    assert_eq!(answer.json()["errors"][0]["extensions"]["retryAfterMs"], 12_000);
    assert_eq!(send(site.graphql(&other, &query("{ __typename }"))).await?.status, 200);
    site.app.clock.advance(12_000_000);
    assert_eq!(send(site.graphql(&token, &query("{ __typename }"))).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_undone() -> Result<()> {
    // Enough for the requests that nobody holds up.
    let site = Site::with(|config| config.http.timeout_seconds = 5).await?;
    site.set_up().await?;
    let (_, token) = site.token(&[Permission::AccountsRead, Permission::AccountsWrite]).await?;
    // The token's use is noted now, so that the request below waits inside the mutation.
    send(site.graphql(&token, &query("{ __typename }"))).await?;
    let held = site.app.db.begin().await?;
    held.execute_unprepared("UPDATE setting SET value = value").await?;
    let create = "mutation { accountCreate(input: {name: \"A\"}) { account { id } userErrors { code } } }";
    let answer = send(site.graphql(&token, &query(create))).await?;
    assert_eq!(outcome(&answer), (503, "TIMEOUT", false), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "1");
    held.rollback().await?;
    let count = send(site.graphql(&token, &query("{ accounts { totalCount } }"))).await?;
    assert_eq!(count.json()["data"]["accounts"]["totalCount"], 0);
    Ok(())
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() -> Result<()> {
    let (site, token) = site().await?;
    let long = query("{ __schema { types { name description } } }");
    let answer = send(site.graphql(&token, &long).header(ACCEPT_ENCODING, "gzip")).await?;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(answer.header("vary").contains("Accept-Encoding"));
    let plain = send(site.graphql(&token, &long)).await?;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.text.len() > 1_024);
    let short = send(site.graphql(&token, &query("{ __typename }")).header(ACCEPT_ENCODING, "gzip")).await?;
    assert_eq!(short.header("content-encoding"), "");
    Ok(())
}

#[tokio::test]
async fn every_answer_has_a_request_id() -> Result<()> {
    let (site, token) = site().await?;
    let one = send(site.graphql(&token, &query("{ __typename }"))).await?;
    let two = send(site.graphql(&token, &query("{ __typename }"))).await?;
    assert!(one.header("x-request-id").len() >= 16);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    let given = site.graphql(&token, &query("{")).header("x-request-id", "trace-12345678");
    let answer = send(given).await?;
    assert_eq!(answer.header("x-request-id"), "trace-12345678");
    assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], "trace-12345678");
    let odd = site.graphql(&token, &query("{ __typename }")).header("x-request-id", "a b\"c<d>");
    assert_ne!(send(odd).await?.header("x-request-id"), "a b\"c<d>");
    Ok(())
}
