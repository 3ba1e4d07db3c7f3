//! Pages: limits, cursors, and their stability while rows come and go.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{World, text};

const LIST: &str = "query($first: Int, $after: String, $last: Int, $before: String, $where: AccountWhere) {
    accounts(first: $first, after: $after, last: $last, before: $before, where: $where) {
        nodes { id name } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

#[tokio::test]
async fn a_page_is_as_long_as_asked_within_limits() -> Result<()> {
    for world in World::both().await? {
        for count in 0..30 {
            world.account(&format!("Account {count:02}")).await?;
        }
        let length = async |variables: Value| {
            let data = world.ask(LIST, variables).await?;
            anyhow::Ok(data["accounts"]["nodes"].as_array().map(Vec::len))
        };
        assert_eq!(length(json!({})).await?, Some(25), "the default");
        assert_eq!(length(json!({ "first": 100 })).await?, Some(30));
        assert_eq!(length(json!({ "last": 1 })).await?, Some(1));
        for wrong in [
            json!({ "first": 0 }),
            json!({ "first": 101 }),
            json!({ "last": -1 }),
            json!({ "first": 1, "last": 1 }),
        ] {
            assert_eq!(
                world.code(&world.ours.token, LIST, wrong.clone()).await?,
                "BAD_USER_INPUT",
                "{wrong}"
            );
        }
        let page = world.ask(LIST, json!({ "first": 2 })).await?["accounts"].take();
        let cursor = &page["pageInfo"]["endCursor"];
        assert_eq!(page["edges"][1]["cursor"], *cursor);
        for wrong in [
            json!({ "after": "nonsense" }),
            json!({ "after": "" }),
            json!({ "after": cursor, "where": { "search": "1" } }),
        ] {
            assert_eq!(
                world.code(&world.ours.token, LIST, wrong.clone()).await?,
                "INVALID_CURSOR",
                "{wrong}"
            );
        }
        let other = "query($after: String) { metrics(after: $after) { nodes { id } } }";
        assert_eq!(world.code(&world.ours.token, other, json!({ "after": cursor })).await?, "INVALID_CURSOR");
    }
    Ok(())
}

#[tokio::test]
async fn pages_stay_right_while_rows_come_and_go() -> Result<()> {
    for world in World::both().await? {
        let mut wanted = Vec::new();
        for count in 0..20 {
            wanted.push(world.account(&format!("Account {count:02}")).await?);
        }
        for (size, edge, cursor, more) in [
            ("first", "after", "endCursor", "hasNextPage"),
            ("last", "before", "startCursor", "hasPreviousPage"),
        ] {
            let (mut seen, mut place, mut round) = (Vec::new(), Value::Null, 0);
            loop {
                let page = world.ask(LIST, json!({ size: 3, edge: place })).await?["accounts"].take();
                seen.extend(page["nodes"].as_array().into_iter().flatten().map(|node| text(&node["id"])));
                if page["pageInfo"][more] == false {
                    break;
                }
                place = page["pageInfo"][cursor].clone();
                for name in ["Aaa", "Account 10", "Zzz"] {
                    world.account(&format!("{name} {size} {round}")).await?;
                }
                round += 1;
                anyhow::ensure!(round < 60, "the pages do not end");
            }
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "none comes twice");
            assert!(wanted.iter().all(|id| seen.contains(id)), "none is left out");
        }
    }
    Ok(())
}
