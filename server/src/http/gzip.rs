//! Compressing answers for clients that take it.

use std::io::Write;

use actix_web::http::header::{self, HeaderMap};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies are sent as they are.
const WORTHWHILE: usize = 1024;

/// Tells whether the client takes gzip.
pub fn taken(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let mut star = false;
    for coding in values.flat_map(|text| text.split(',')) {
        let (name, parameter) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = parameter.trim().strip_prefix("q=").and_then(|text| text.trim().parse::<f32>().ok());
        let wanted = quality.is_none_or(|quality| quality > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return wanted,
            "*" => star = wanted,
            _ => {}
        }
    }
    star
}

/// Compresses a body; `None` when it is not worth it.
pub fn compressed(body: &[u8], level: u32) -> Option<Vec<u8>> {
    if body.len() <= WORTHWHILE {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(level));
    encoder.write_all(body).ok()?;
    encoder.finish().ok().filter(|small| small.len() < body.len())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_those_who_ask_get_gzip() {
        let taken = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            taken(&headers)
        };
        assert!(taken("gzip") && taken("br, GZIP;q=0.5") && taken("*") && taken("deflate, *;q=0.1"));
        assert!(!taken("br") && !taken("gzip;q=0") && !taken("*, gzip;q=0") && !taken("identity"));
    }
}
