//! Builds the browser application into `web/dist`: npm for styles, fonts and icons, cargo for the WebAssembly,
//! `wasm-bindgen` as a library at the version of the lock file, so that no tool fetches anything by itself.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    command::{cargo, program, run, target_dir},
    setup::{self, WASM},
};

const PROFILE: &str = "web";
/// What the compiler is allowed to emit for the target, so that the optimizer accepts it.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];
/// What compresses well; fonts are compressed already.
const COMPRESSIBLE: [&str; 5] = ["html", "js", "css", "svg", "wasm"];
/// The most that brotli can do, and the window it looks back in, as a power of two: enough for all of the WebAssembly.
const BROTLI: (u32, u32) = (11, 22);
const FONTS: [&str; 2] = ["inter-latin-wght-normal", "inter-latin-ext-wght-normal"];

/// What `cargo xtask web` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Builds quickly and large, for working on the pages.
    #[arg(long)]
    quick: bool,
}

/// Builds the application as the arguments say.
pub fn run_web(args: &Args) -> Result<()> {
    build_as(args.quick)
}

/// Builds `web/dist` unless it is already the build of the present sources.
pub fn build() -> Result<()> {
    build_as(false)
}

fn build_as(quick: bool) -> Result<()> {
    setup::for_web()?;
    let web = Path::new("web");
    let compiled = compile(quick)?;
    // One mark for both ways to build, so that the one knows when the other has been here.
    let mark = target_dir().join("web-dist.sha256");
    let fingerprint = fingerprint(web, &compiled)?;
    if web.join("dist/index.html").exists()
        && fs::read_to_string(&mark).is_ok_and(|built| built == fingerprint)
    {
        eprintln!("web: dist is up to date");
        return Ok(());
    }
    let work = compiled.with_file_name("web-bindgen");
    let (script, wasm) = bind(web, &compiled, &work, quick)?;
    let mut css = style(web, &work)?;
    let icons = icons(web)?;

    let dist = web.join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).context("remove the old web/dist")?;
    }
    let assets = Assets { folder: dist.join("assets") };
    fs::create_dir_all(&assets.folder)?;

    for font in FONTS {
        let file = format!("{font}.woff2");
        let bytes = read(&web.join("node_modules/@fontsource-variable/inter/files").join(&file))?;
        css = css.replace(&format!("/assets/{file}"), &format!("/assets/{}", assets.add(&file, &bytes)?));
    }
    let script = assets.add("weir.js", script.as_bytes())?;
    let wasm_name = assets.add("weir.wasm", &wasm)?;
    let start = text(&web.join("start.js"))?.replace("weir.js", &script).replace("weir.wasm", &wasm_name);
    let page = text(&web.join("index.html"))?
        .replace("style.css", &assets.add("style.css", css.as_bytes())?)
        .replace("theme.js", &assets.add("theme.js", &read(&web.join("theme.js"))?)?)
        .replace("start.js", &assets.add("start.js", start.as_bytes())?)
        .replace("weir.js", &script)
        .replace("weir.wasm", &wasm_name)
        .replace("icon.svg", &assets.add("icon.svg", &read(&web.join("style/icon.svg"))?)?)
        .replace("<!-- icons -->", &icons);
    fs::write(dist.join("index.html"), page)?;
    if !quick {
        compress(&dist)?;
        compress(&assets.folder)?;
    }
    fs::write(&mark, fingerprint)?;
    eprintln!("web: built, {} KiB of WebAssembly before compression", wasm.len() / 1024);
    Ok(())
}

/// The folder of files whose names carry their content, so that a browser may keep them for ever.
struct Assets {
    folder: PathBuf,
}

impl Assets {
    fn add(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let (stem, extension) = name.rsplit_once('.').context("an asset needs an extension")?;
        let hash = hex::encode(Sha256::digest(bytes));
        let hashed = format!("{stem}-{}.{extension}", &hash[..12]);
        fs::write(self.folder.join(&hashed), bytes).with_context(|| format!("write {hashed}"))?;
        Ok(hashed)
    }
}

/// Puts a brotli form beside each file of a folder that gets smaller by it; the server sends it to whoever takes it.
fn compress(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if !COMPRESSIBLE.contains(&extension.as_str()) {
            continue;
        }
        let (bytes, mut small) = (read(&path)?, Vec::new());
        let (quality, window) = BROTLI;
        brotli::CompressorWriter::new(&mut small, 1 << 16, quality, window).write_all(&bytes)?;
        if small.len() < bytes.len() {
            fs::write(path.with_extension(extension + ".br"), small)?;
        }
    }
    Ok(())
}

fn compile(quick: bool) -> Result<PathBuf> {
    let (profile, folder) = if quick { ("dev", "debug") } else { (PROFILE, PROFILE) };
    run(&mut cargo(&["build", "--package", "web", "--target", WASM, "--profile", profile]))?;
    Ok(target_dir().join(WASM).join(folder).join("web.wasm"))
}

/// Writes the JavaScript half and shrinks the WebAssembly half.
fn bind(web: &Path, compiled: &Path, work: &Path, quick: bool) -> Result<(String, Vec<u8>)> {
    Bindgen::new()
        .input_path(compiled)
        .web(true)?
        .typescript(false)
        .out_name("weir")
        .generate(work)
        .context("bind the WebAssembly to JavaScript")?;
    let script = text(&work.join("weir.js"))?;
    if quick {
        return Ok((script, read(&work.join("weir_bg.wasm"))?));
    }
    let small = work.join("small.wasm");
    run(program("node", &[])
        .arg(web.join("node_modules/binaryen/bin/wasm-opt"))
        .args(["-Oz", "--strip-debug", "--strip-producers"])
        .args(FEATURES)
        .arg(work.join("weir_bg.wasm"))
        .arg("-o")
        .arg(&small))?;
    Ok((script, read(&small)?))
}

fn style(web: &Path, work: &Path) -> Result<String> {
    let output = work.join("style.css");
    run(program("node", &[])
        .arg("node_modules/@tailwindcss/cli/dist/index.mjs")
        .args(["--minify", "--input", "style/main.css", "--output"])
        .arg(std::path::absolute(&output)?)
        .current_dir(web))?;
    text(&output)
}

/// Collects the icons that `icon.rs` names into one hidden drawing, each to be shown by its name.
fn icons(web: &Path) -> Result<String> {
    let set: serde_json::Value =
        serde_json::from_slice(&read(&web.join("node_modules/@iconify-json/lucide/icons.json"))?)?;
    let mut sprite = String::from("<svg width=\"0\" height=\"0\" aria-hidden=\"true\" hidden>");
    let source = text(&web.join("src/components/icon.rs"))?;
    for line in source.lines().filter(|line| line.contains("=> \"")) {
        let name = line.split('"').nth(1).context("an icon needs a name")?;
        // Some names are aliases of others.
        let original = set["aliases"][name]["parent"].as_str().unwrap_or(name);
        let body = set["icons"][original]["body"].as_str();
        let body = body.with_context(|| format!("the icon set has no icon named {name}"))?;
        sprite.push_str(&format!("<symbol id=\"icon-{name}\" viewBox=\"0 0 24 24\">{body}</symbol>"));
    }
    ensure!(sprite.contains("<symbol"), "no icon is named in src/components/icon.rs");
    Ok(sprite + "</svg>")
}

/// Tells one state of the sources from another.
fn fingerprint(web: &Path, compiled: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(format!("{BROTLI:?}"));
    hasher.update(read(compiled)?);
    let mut files: Vec<PathBuf> =
        ["index.html", "start.js", "theme.js", "package-lock.json"].map(|name| web.join(name)).into();
    for entry in fs::read_dir(web.join("style"))? {
        files.push(entry?.path());
    }
    files.push(web.join("src/components/icon.rs"));
    files.sort();
    for file in files {
        hasher.update(read(&file)?);
    }
    Ok(hex::encode(hasher.finalize()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}

fn text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).with_context(|| format!("{} is not text", path.display()))
}
