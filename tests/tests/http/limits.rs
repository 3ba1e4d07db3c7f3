//! What a request may ask for over HTTP: each answer tells its cost and the limit, and what goes beyond never runs.

use anyhow::Result;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use server::auth::Permission;
use tests::site::{Answer, Site, send};

const STRICT: &str = "application/graphql-response+json";

async fn ask(site: &Site, token: &str, query: &str) -> Result<Answer> {
    send(site.graphql(token, &json!({ "query": query })).header(ACCEPT, STRICT)).await
}

fn cost(answer: &Answer) -> Value {
    answer.json()["extensions"]["cost"].clone()
}

#[tokio::test]
async fn each_answer_tells_its_cost_and_what_goes_beyond_is_refused_before_it_runs() -> Result<()> {
    for site in Site::both().await? {
        site.set_up().await?;
        let (_, token) = site.token(&[Permission::AccountsRead, Permission::AccountsWrite]).await?;
        for (query, requested) in [
            ("{ __typename }", 0),
            ("{ accounts(first: 10) { totalCount } }", 1),
            ("{ accounts(first: 10) { nodes { name } } }", 11),
            ("{ accounts(first: 10) { nodes { name opportunities { name } } } }", 21),
        ] {
            let answer = ask(&site, &token, query).await?;
            assert_eq!(answer.outcome(), (200, String::new()), "{query}: {answer:?}");
            assert_eq!(cost(&answer), json!({ "requested": requested, "limit": 1_000 }), "{query}");
        }
        let nested =
            |depth: usize| format!("{{ {} id {} }}", "node(id: \"a\") { ".repeat(depth), "} ".repeat(depth));
        let aliased = |count: usize| (0..count).map(|at| format!("a{at}: __typename ")).collect::<String>();
        let aliased = |count: usize| format!("{{ {} }}", aliased(count));
        let rows = |first: usize| {
            format!(
                "{{ accounts(first: 100) {{ nodes {{ opportunities {{ inputs {{ id }} }} }} }} a: accounts(first: {first}) {{ nodes {{ id }} }} }}"
            )
        };
        for (inside, beyond, code) in [
            (nested(14), nested(15), "QUERY_TOO_DEEP"),
            (aliased(30), aliased(31), "QUERY_TOO_COSTLY"),
            (rows(1), "{ accounts(first: 100) { nodes { opportunities { inputs { series { metric { id } stream { id } account { id } lastRun: id } metricLink { id input { id } } } } } } }".to_owned(), "QUERY_TOO_COSTLY"),
        ] {
            let answer = ask(&site, &token, &inside).await?;
            assert!(!["QUERY_TOO_DEEP", "QUERY_TOO_COSTLY"].contains(&answer.code().as_str()), "{inside}: {answer:?}");
            let answer = ask(&site, &token, &beyond).await?;
            assert_eq!(answer.outcome(), (400, code.to_owned()), "{beyond}: {answer:?}");
            assert!(answer.json().get("data").is_none(), "{beyond}: {answer:?}");
        }
        let create =
            |at: usize| format!("m{at}: accountCreate(input: {{ name: \"A{at}\" }}) {{ account {{ id }} }} ");
        let many = format!("mutation {{ {} }}", (0..6).map(create).collect::<String>());
        assert_eq!(ask(&site, &token, &many).await?.outcome(), (400, "QUERY_TOO_COSTLY".to_owned()));
        let left = ask(&site, &token, "{ accounts { totalCount } }").await?;
        assert_eq!(left.json()["data"]["accounts"]["totalCount"], 0, "none of them ran");
    }
    Ok(())
}
