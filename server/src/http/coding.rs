//! Content codings: which one a client wants most, and compressing answers on the way.

use std::io::Write;

use actix_web::http::header::{self, HeaderMap};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies are sent as they are.
const WORTHWHILE: usize = 1024;

/// How a body is coded on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Brotli, for files that were compressed when the web interface was built.
    Brotli,
    /// gzip.
    Gzip,
}

impl Coding {
    /// Its name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// The coding among these that the client wants most, the earlier one of equals; `None` to send the body as it is.
pub fn wanted(headers: &HeaderMap, offered: &[Coding]) -> Option<Coding> {
    let asked = Asked::read(headers);
    let mut best: Option<(Coding, f32)> = None;
    for coding in offered {
        let quality = asked.quality(coding.name()).or(asked.star).unwrap_or(0.0);
        if quality > best.map_or(0.0, |(_, most)| most) {
            best = Some((*coding, quality));
        }
    }
    // Sending as it is needs no mention; only a client that prefers it says so.
    let plain = asked.quality("identity").unwrap_or(0.0);
    best.filter(|(_, quality)| *quality >= plain).map(|(coding, _)| coding)
}

/// What a client takes, each from 0 (never) to 1.
struct Asked<'a> {
    named: Vec<(&'a str, f32)>,
    star: Option<f32>,
}

impl<'a> Asked<'a> {
    fn read(headers: &'a HeaderMap) -> Self {
        let mut asked = Self { named: Vec::new(), star: None };
        let values = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
        for part in values.flat_map(|text| text.split(',')) {
            let mut parts = part.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            // What cannot be read is no wish.
            let quality = quality.map_or(1.0, |text| text.trim().parse::<f32>().unwrap_or(0.0));
            match name {
                "*" => asked.star = Some(quality),
                _ => asked.named.push((name, quality)),
            }
        }
        asked
    }

    fn quality(&self, coding: &str) -> Option<f32> {
        self.named.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding)).map(|(_, quality)| *quality)
    }
}

/// Compresses a body with gzip; `None` when it is not worth it.
pub fn gzip(body: &[u8], level: u32) -> Option<Vec<u8>> {
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

    use super::Coding::{Brotli, Gzip};
    use super::*;

    fn asked(text: &'static str, offered: &[Coding]) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
        wanted(&headers, offered)
    }

    #[test]
    fn only_those_who_ask_get_gzip() {
        for text in ["gzip", "br, GZIP;q=0.5", "*", "deflate, *;q=0.1", "gzip ; q=1.000"] {
            assert_eq!(asked(text, &[Gzip]), Some(Gzip), "{text}");
        }
        for text in ["", "br", "gzip;q=0", "*, gzip;q=0", "identity", "gzip;q=much", "gzip;q=nan"] {
            assert_eq!(asked(text, &[Gzip]), None, "{text}");
        }
        assert_eq!(wanted(&HeaderMap::new(), &[Gzip]), None);
    }

    #[test]
    fn the_client_chooses_and_the_server_settles_ties() {
        let both = [Brotli, Gzip];
        for (text, coding) in [
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("*", Some(Brotli)),
            ("br;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("br;q=0, *", Some(Gzip)),
            ("br;q=0, gzip;q=0", None),
            ("identity, br;q=0.9, gzip;q=0.5", None),
            ("identity;q=0.2, gzip;q=0.5", Some(Gzip)),
            ("identity;q=0, br;q=0.001", Some(Brotli)),
        ] {
            assert_eq!(asked(text, &both), coding, "{text}");
        }
    }
}
