//! Hands the committed schema to cynic, so that each query is checked against it when the browser half compiles.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    cynic_codegen::register_schema("weir").from_sdl_file("../server/schema.graphql")?.as_default()?;
    Ok(())
}
