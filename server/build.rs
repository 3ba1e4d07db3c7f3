//! Makes sure the folder of the web interface exists: a server built before `cargo xtask web` says so when asked.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    std::fs::create_dir_all("../web/dist")
}
