//! The schema that is served is the committed one.

use anyhow::Result;
use serde_json::json;

use crate::world::World;

#[test]
fn the_schema_is_the_committed_file() {
    let committed = include_str!("../../../server/schema.graphql");
    assert!(
        server::graphql::sdl().trim_end() == committed.trim_end(),
        "run `weir schema > server/schema.graphql`"
    );
}

#[tokio::test]
async fn a_signed_in_caller_reads_the_schema_and_every_type_is_described() -> Result<()> {
    let query = "{ __schema { types { name description fields { name description } } } }";
    for world in World::both().await? {
        let data = world.ask(query, json!({})).await?;
        let types = data["__schema"]["types"].as_array().cloned().unwrap_or_default();
        assert!(types.len() > 200);
        for kind in &types {
            let name = kind["name"].as_str().unwrap_or_default();
            let own = !name.starts_with("__") && !["String", "Int", "Float", "Boolean", "ID"].contains(&name);
            assert!(!own || kind["description"].is_string(), "{name} has no description");
            for field in kind["fields"].as_array().into_iter().flatten().filter(|_| own) {
                assert!(field["description"].is_string(), "{name}.{} has no description", field["name"]);
            }
        }
    }
    Ok(())
}
