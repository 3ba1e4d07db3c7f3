//! The files of the web interface: every coding says the same, and the first visit stays within its budget.
//!
//! These tests need `cargo xtask web`, as `cargo xtask test` does it.

use std::collections::BTreeSet;
use std::io::Read;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_NONE_MATCH};
use tests::site::{Site, send};

/// What a browser with an empty cache may have to load before the first page works, in bytes.
const BUDGET: usize = 900 * 1024;
/// What the WebAssembly alone may take of it.
const PROGRAM: usize = 700 * 1024;

/// A file as it came.
struct Sent {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as it was before it was coded.
    fn plain(&self) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        match self.header("content-encoding") {
            "" => plain.clone_from(&self.body),
            "br" => drop(brotli_decompressor::Decompressor::new(&*self.body, 4096).read_to_end(&mut plain)?),
            "gzip" => drop(GzDecoder::new(&*self.body).read_to_end(&mut plain)?),
            other => anyhow::bail!("nobody asked for {other}"),
        }
        Ok(plain)
    }
}

async fn get(site: &Site, path: &str, encodings: &str) -> Result<Sent> {
    let answer = site.request(Method::GET, path).header(ACCEPT_ENCODING, encodings).send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Ok(Sent { status, headers, body: answer.bytes().await?.into() })
}

/// The page and every file that it, its scripts and its styles name.
async fn files(site: &Site) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec!["/".to_owned()];
    while let Some(path) = open.pop() {
        let sent = get(site, &path, "identity").await?;
        ensure!(sent.status == 200, "{path} is {}: run `cargo xtask web` first", sent.status);
        let text = String::from_utf8_lossy(&sent.body);
        let inside = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if !path.ends_with(".wasm") && !path.ends_with(".woff2") {
            for (at, name) in text.match_indices("/assets/") {
                let rest = &text[at + name.len()..];
                let end = rest.find(|letter| !inside(letter)).unwrap_or(rest.len());
                open.push(format!("{name}{}", &rest[..end]));
            }
        }
        found.insert(path);
        open.retain(|path| !found.contains(path));
    }
    Ok(found)
}

#[tokio::test]
async fn each_coding_holds_the_same_bytes_and_has_its_own_tag() -> Result<()> {
    let site = Site::sqlite().await?;
    for path in files(&site).await? {
        let plain = get(&site, &path, "identity").await?;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        let mut tags = BTreeSet::from([plain.header("etag").to_owned()]);
        let large = plain.body.len() > 1024 && !path.ends_with(".woff2");
        for (encodings, expected) in
            [("gzip, deflate, br, zstd", "br"), ("br;q=0.1, gzip", "gzip"), ("br;q=0, *;q=0.5", "gzip")]
        {
            let sent = get(&site, &path, encodings).await?;
            let coding = sent.header("content-encoding");
            assert_eq!((sent.status, sent.header("vary")), (200, "Accept-Encoding"), "{path} as {encodings}");
            assert_eq!(sent.header("content-type"), plain.header("content-type"), "{path} as {encodings}");
            assert!(sent.plain()? == plain.body, "{path} as {encodings} is another file");
            if large {
                assert_eq!(coding, expected, "{path} as {encodings}");
                assert!(sent.body.len() < plain.body.len(), "{path} as {encodings} is no smaller");
            }
            let tag = sent.header("etag").to_owned();
            assert_eq!(tag == plain.header("etag"), coding.is_empty(), "{path} as {encodings}");
            // The tag of one coding is not the tag of another, so no cache mixes them up.
            for (known, status) in [(tag.as_str(), 304), ("W/\"other\", *", 304), (plain.header("etag"), 200)]
            {
                if known == plain.header("etag") && coding.is_empty() {
                    continue;
                }
                let request = site.request(Method::GET, &path).header(ACCEPT_ENCODING, encodings);
                let again = send(request.header(IF_NONE_MATCH, known)).await?;
                assert_eq!((again.status.as_u16(), again.header("etag")), (status, tag.as_str()), "{path}");
            }
            tags.insert(tag);
        }
        assert_eq!(tags.len(), if large { 3 } else { tags.len() }, "{path}");
        let forever = plain.header("cache-control").contains("immutable");
        assert_eq!(forever, path != "/", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_first_visit_stays_within_its_budget() -> Result<()> {
    let site = Site::sqlite().await?;
    let (mut sum, mut program) = (0, None);
    for path in files(&site).await? {
        let sent = get(&site, &path, "gzip, deflate, br").await?;
        sum += sent.body.len();
        if path.ends_with(".wasm") {
            assert_eq!(sent.header("content-type"), "application/wasm");
            program = Some(sent.body.len());
        }
    }
    let program = program.context("the page loads WebAssembly")?;
    assert!(sum <= BUDGET, "a first visit loads {sum} bytes of {BUDGET}");
    assert!(program <= PROGRAM, "the WebAssembly is {program} bytes of {PROGRAM}");
    Ok(())
}

#[tokio::test]
async fn what_is_compressed_has_no_url_of_its_own() -> Result<()> {
    let site = Site::sqlite().await?;
    for path in files(&site).await? {
        let path = if path == "/" { "/index.html.br".to_owned() } else { format!("{path}.br") };
        assert_eq!(get(&site, &path, "br").await?.status, 404, "{path}");
    }
    Ok(())
}
