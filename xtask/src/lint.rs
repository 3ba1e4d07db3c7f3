//! `cargo xtask lint`: formatting, clippy on both targets, dependency rules.

use anyhow::Result;

use crate::{
    command::{cargo, output_of, run},
    setup,
    stage::Stages,
};

/// Runs every lint.
pub fn run_stages(stages: &mut Stages) -> Result<()> {
    stages.run("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    // Warnings are named here and not in RUSTFLAGS, which would make cargo build everything anew.
    stages.run("clippy", || run(&mut cargo(&["clippy", "--all-targets", "--", "-D", "warnings"])))?;
    stages.run("clippy for xtask", || {
        run(&mut cargo(&["clippy", "--package", "xtask", "--all-targets", "--", "-D", "warnings"]))
    })?;
    stages.run("clippy for WebAssembly", || {
        let target = ["clippy", "--package", "web", "--target", setup::WASM, "--", "-D", "warnings"];
        run(&mut cargo(&target))
    })?;
    if output_of("cargo", &["deny", "--version"]).is_some() {
        // Advisories need a database from the network; `cargo deny check advisories` is for those who have it.
        stages
            .run("dependency rules", || run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"])))?;
    } else {
        eprintln!("note: cargo-deny is not installed, so `deny.toml` was not checked");
    }
    Ok(())
}

/// Runs the lints alone.
pub fn run_alone() -> Result<()> {
    let mut stages = Stages::new("lint");
    stages.run("set up", setup::for_web)?;
    run_stages(&mut stages)?;
    stages.finish("");
    Ok(())
}
