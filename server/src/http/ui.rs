//! The web interface, built into the binary: hashed files for ever, the page itself always fresh.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::coding::{self, Coding};
use super::media::Media;
use super::refusal::Refusal;
use super::{edge, no_such_path};

/// The files `cargo xtask web` made.
#[derive(RustEmbed)]
#[folder = "../web/dist/"]
struct Files;

/// The page every screen's URL shows.
const PAGE: &str = "index.html";
/// What a file's name ends in when it is another one, compressed. It has no URL of its own.
const BROTLI: &str = ".br";

/// Shown when the server was built without the web interface.
const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Weir</title>\
    <h1>The web interface is not built</h1>\
    <p>This server works, but was built without its web interface. Run <code>cargo xtask web</code> in the \
    repository and build the server again. The API is at <code>/graphql</code>.</p></html>\n";

/// Tells whether the web interface is built in.
pub fn built() -> bool {
    Files::get(PAGE).is_some()
}

/// Answers every path that is no other route's.
pub async fn handle(request: HttpRequest) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Refusal::method("there is nothing to send here", "GET, HEAD")
            .answer(Media::Json, &edge::request_id(&request));
    }
    let path = request.path().trim_start_matches('/');
    let hidden =
        path.ends_with(BROTLI) || path.split('/').any(|part| part.starts_with('.') || part.contains('\\'));
    if !hidden
        && !path.is_empty()
        && let Some(file) = Files::get(path)
    {
        return serve(&request, path, file);
    }
    // A file that is missing is missing; everything else is a screen, and the page finds its way.
    let last = path.rsplit('/').next().unwrap_or_default();
    if hidden || path.starts_with("assets/") || path.starts_with("graphql/") || last.contains('.') {
        return no_such_path(&request);
    }
    match Files::get(PAGE) {
        Some(page) => serve(&request, PAGE, page),
        None => HttpResponse::ServiceUnavailable().content_type("text/html; charset=utf-8").body(MISSING),
    }
}

fn serve(request: &HttpRequest, path: &str, file: EmbeddedFile) -> HttpResponse {
    let digest = hex::encode(&file.metadata.sha256_hash()[..16]);
    let small = if compressible(path) { smaller(request, path, &digest, &file.data) } else { None };
    // Each coding is another sequence of bytes, so each has a tag of its own.
    let tag = match &small {
        Some((coding, _)) => format!("\"{digest}-{}\"", coding.name()),
        None => format!("\"{digest}\""),
    };
    let caching = if hashed(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| {
        known.split(',').map(|it| it.trim().trim_start_matches("W/")).any(|it| it == tag || it == "*")
    });
    let mut answer = if same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::ETAG, tag))
        .insert_header((header::VARY, "Accept-Encoding"));
    if same {
        return answer.finish();
    }
    answer.content_type(kind(path));
    match small {
        Some((coding, body)) => answer.insert_header((header::CONTENT_ENCODING, coding.name())).body(body),
        None => answer.body(file.data.into_owned()),
    }
}

/// The file in the coding the client wants most, if it wants one. Brotli is there when `cargo xtask web` made it.
fn smaller(request: &HttpRequest, path: &str, digest: &str, data: &[u8]) -> Option<(Coding, Bytes)> {
    let brotli = Files::get(&format!("{path}{BROTLI}"));
    let offered: &[Coding] = if brotli.is_some() { &[Coding::Brotli, Coding::Gzip] } else { &[Coding::Gzip] };
    let coding = coding::wanted(request.headers(), offered)?;
    let body = match coding {
        Coding::Brotli => brotli.map(|file| Bytes::from(file.data.into_owned())),
        Coding::Gzip => gzip(digest, data),
    };
    Some((coding, body?))
}

/// Compresses each file once, well.
fn gzip(digest: &str, data: &[u8]) -> Option<Bytes> {
    static SMALL: OnceLock<Mutex<HashMap<String, Option<Bytes>>>> = OnceLock::new();
    let small = SMALL.get_or_init(Mutex::default);
    if let Some(found) = small.lock().unwrap_or_else(PoisonError::into_inner).get(digest) {
        return found.clone();
    }
    let made = coding::gzip(data, 9).map(Bytes::from);
    small.lock().unwrap_or_else(PoisonError::into_inner).insert(digest.to_owned(), made.clone());
    made
}

/// Tells whether the name holds a hash of the content, as in `weir-0f3a9c21.js`.
fn hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let hash = stem.rsplit(['-', '.']).next().filter(|hash| hash.len() < stem.len());
    hash.is_some_and(|hash| hash.len() >= 8 && hash.bytes().all(|it| it.is_ascii_hexdigit()))
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn compressible(path: &str) -> bool {
    matches!(extension(path), "html" | "js" | "css" | "svg" | "json" | "wasm" | "txt" | "map")
}

fn kind(path: &str) -> &'static str {
    match extension(path) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(hashed("assets/weir-0f3a9c21.js") && hashed("assets/weir_bg.0f3a9c21aa.wasm"));
        for plain in [
            "index.html",
            "assets/weir.js",
            "assets/deadbeef.js",
            "assets/a-decorate.css",
            "assets/x-0f3a.js",
        ] {
            assert!(!hashed(plain), "{plain}");
        }
    }
}
