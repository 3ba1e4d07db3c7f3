//! Any object by its global ID.

use anyhow::Result;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn what_is_no_id_of_something_here_is_null_and_too_many_are_refused() -> Result<()> {
    for world in World::both().await? {
        let acme = world.account("Acme").await?;
        let query = "query($id: ID!) { node(id: $id) { __typename ... on Account { name } } }";
        let seen = world.ask(query, json!({ "id": acme })).await?;
        assert_eq!(seen["node"], json!({ "__typename": "Account", "name": "Acme" }));
        for id in ["", "x", "QWNjb3VudDp4", "Tm90aGluZzox", "VXNlcjoxMjM"] {
            assert!(world.ask(query, json!({ "id": id })).await?["node"].is_null(), "{id}");
        }
        let many = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let seen = world.ask(many, json!({ "ids": [acme, "x", acme] })).await?;
        assert_eq!(seen["nodes"], json!([{ "id": acme }, null, { "id": acme }]));
        let ids = vec![acme.clone(); 101];
        assert_eq!(world.code(&world.ours.token, many, json!({ "ids": ids })).await?, "BAD_USER_INPUT");
        let wrong = "query($id: ID!) { stream(id: $id) { id } }";
        let answer = world.send(&world.ours.token, wrong, json!({ "id": acme })).await?;
        assert!(answer.text.contains("not the ID of a Stream"), "{}", answer.text);
    }
    Ok(())
}

#[tokio::test]
async fn a_token_sees_only_the_nodes_of_its_scopes() -> Result<()> {
    for world in World::both().await? {
        let acme = world.account("Acme").await?;
        let token = world.token([server::auth::Permission::SourcesRead]).await?;
        let query = "query($id: ID!) { node(id: $id) { id } }";
        assert!(world.ask_as(&token, query, json!({ "id": acme })).await?["node"].is_null());
    }
    Ok(())
}
