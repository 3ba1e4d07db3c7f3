//! What one GraphQL request may ask, over real HTTP: the largest that is answered, and the next one, which is not.

use anyhow::Result;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use tests::site::{Answer, Site, send};

use crate::{GRAPHQL, site};

async fn asked(site: &Site, token: &str, text: &str, variables: Value) -> Result<Answer> {
    let body = json!({ "query": text, "variables": variables });
    send(site.graphql(token, &body).header(ACCEPT, GRAPHQL)).await
}

/// Answered, with this cost told.
async fn costs(site: &Site, token: &str, text: &str, cost: u64) -> Result<()> {
    let answer = asked(site, token, text, json!({ "n": 40 })).await?;
    let told = answer.json();
    assert_eq!((answer.status.as_u16(), told.get("errors")), (200, None), "{text}: {answer:?}");
    assert_eq!(told["extensions"]["cost"], json!({ "requested": cost, "limit": 1_000 }), "{text}");
    Ok(())
}

/// Refused before anything ran, with the limit in words.
async fn refused(site: &Site, token: &str, text: &str, code: &str, limit: &str) -> Result<()> {
    let answer = asked(site, token, text, json!({ "n": 40 })).await?;
    assert_eq!(answer.outcome(), (400, code.to_owned()), "{text}: {answer:?}");
    let told = answer.json();
    assert!(told.get("data").is_none(), "{answer:?}");
    assert!(told["errors"][0]["message"].as_str().is_some_and(|words| words.contains(limit)), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn cost_counts_objects_and_is_told() -> Result<()> {
    let (site, token) = site().await?;
    let one = |rows: u32| format!("accounts(first: {rows}) {{ nodes {{ id }} }}");
    // One for the list, one for each row it may hold; a nested list once for each row around it.
    costs(&site, &token, "{ __typename }", 0).await?;
    costs(&site, &token, &format!("{{ {} }}", one(10)), 11).await?;
    costs(&site, &token, "{ accounts(last: 10) { edges { cursor node { id name } } } }", 11).await?;
    costs(&site, &token, "{ accounts { nodes { id } } }", 26).await?;
    costs(&site, &token, "query($n: Int) { accounts(first: $n) { nodes { id } } }", 41).await?;
    let nested = "{ accounts(first: 10) { nodes { id opportunities(first: 5) { nodes { id } } } } }";
    costs(&site, &token, nested, 1 + 10 * (1 + 1 + 5)).await?;
    let hidden = "{ ...A } fragment A on Query { accounts(first: 10) { ...B } } fragment B on AccountConnection { nodes { id } }";
    costs(&site, &token, hidden, 11).await?;
    // Nine times 101, and 91 or 92 more.
    let nine: String = (0..9).map(|at| format!("a{at}: {} ", one(100))).collect();
    costs(&site, &token, &format!("{{ {nine} {} }}", one(90)), 1_000).await?;
    let more = format!("{{ {nine} {} }}", one(91));
    refused(&site, &token, &more, "QUERY_TOO_COSTLY", "1000").await?;
    // Never so large that the sum runs over.
    let text = format!(
        "{{ accounts(first: {0}) {{ nodes {{ metricLinks(first: {0}) {{ nodes {{ id }} }} }} }} }}",
        u32::MAX
    );
    refused(&site, &token, &text, "QUERY_TOO_COSTLY", "1000").await
}

#[tokio::test]
async fn depth_ends_at_fifteen() -> Result<()> {
    let (site, token) = site().await?;
    // Two levels, four times three, and the leaf: the fifteenth.
    let around = |inner: &str| {
        let turn = "opportunities(first: 1) { nodes { account { ";
        format!("{{ accounts(first: 1) {{ nodes {{ {}{inner}{} }} }} }}", turn.repeat(4), " } } }".repeat(4))
    };
    let answer = asked(&site, &token, &around("id"), Value::Null).await?;
    assert_eq!((answer.status.as_u16(), answer.json().get("errors")), (200, None), "{answer:?}");
    refused(&site, &token, &around("externalIds { id }"), "QUERY_TOO_DEEP", "15").await?;
    let folded = format!("{} fragment F on Account {{ externalIds {{ id }} }}", around("...F"));
    refused(&site, &token, &folded, "QUERY_TOO_DEEP", "15").await
}

#[tokio::test]
async fn aliases_and_root_fields_are_counted() -> Result<()> {
    let (site, token) = site().await?;
    let aliases = |count: u32| (0..count).map(|at| format!("a{at}: __typename ")).collect::<String>();
    costs(&site, &token, &format!("{{ {} }}", aliases(30)), 0).await?;
    refused(&site, &token, &format!("{{ {} }}", aliases(31)), "QUERY_TOO_COSTLY", "30").await?;
    let inner = format!("{{ accounts(first: 1) {{ nodes {{ {} }} }} }}", aliases(31));
    refused(&site, &token, &inner, "QUERY_TOO_COSTLY", "30 aliases").await?;
    let folded = format!(
        "{{ ...A ...B }} fragment A on Query {{ {} }} fragment B on Query {{ b: __typename }}",
        aliases(30)
    );
    refused(&site, &token, &folded, "QUERY_TOO_COSTLY", "30").await?;
    let roots = |count: usize| format!("{{ {} }}", "__typename ".repeat(count));
    costs(&site, &token, &roots(30), 0).await?;
    refused(&site, &token, &roots(31), "QUERY_TOO_COSTLY", "30 root fields").await
}

#[tokio::test]
async fn five_changes_run_in_a_request_and_of_six_none() -> Result<()> {
    let (site, token) = site().await?;
    let create = |at: usize| {
        format!(
            "m{at}: accountCreate(input: {{ name: \"Company {at}\" }}) {{ account {{ id }} userErrors {{ message }} }} "
        )
    };
    let changes = |count: usize| format!("mutation {{ {} }}", (0..count).map(create).collect::<String>());
    refused(&site, &token, &changes(6), "QUERY_TOO_COSTLY", "5 root fields").await?;
    let count = "{ accounts { totalCount } }";
    let answer = asked(&site, &token, count, Value::Null).await?;
    assert_eq!(answer.json()["data"]["accounts"]["totalCount"], 0, "nothing of it ran");
    let answer = asked(&site, &token, &changes(5), Value::Null).await?;
    assert_eq!((answer.status.as_u16(), answer.json().get("errors")), (200, None), "{answer:?}");
    let answer = asked(&site, &token, count, Value::Null).await?;
    assert_eq!(answer.json()["data"]["accounts"]["totalCount"], 5);
    Ok(())
}

#[tokio::test]
async fn several_requests_in_one_are_not_taken() -> Result<()> {
    let (site, token) = site().await?;
    let batch = json!([{ "query": "{ __typename }" }, { "query": "{ __typename }" }]);
    let answer = send(site.graphql(&token, &batch).header(ACCEPT, GRAPHQL)).await?;
    assert_eq!(answer.status.as_u16(), 400, "{answer:?}");
    assert!(answer.json()["errors"][0]["message"].is_string(), "{answer:?}");
    Ok(())
}
