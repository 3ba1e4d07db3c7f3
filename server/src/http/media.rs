//! Media types: what a client takes, and what it sent.

use actix_web::http::header::{self, HeaderMap};

use super::refusal::{Code, Outcome, Refusal};

/// The two forms of a GraphQL answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`: well-formed requests are answered with 200.
    Json,
    /// `application/graphql-response+json`: the status tells whether the request was carried out.
    GraphqlResponse,
}

impl Media {
    /// The value of the answer's `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

/// Chooses the form of the answer: the one the client likes best, JSON when it does not say.
///
/// # Errors
/// `NotAcceptable` when it takes neither.
pub fn accepted(headers: &HeaderMap) -> Outcome<Media> {
    let mut said = false;
    let mut best: Option<(f32, u8, Media)> = None;
    let mut refused = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        let Ok(text) = value.to_str() else { continue };
        for range in text.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            said = true;
            let Some((media, exactness, quality)) = understood(range) else { continue };
            if quality <= 0.0 {
                refused.push((exactness, media));
                continue;
            }
            let better = best.is_none_or(|(so_far, exact, _)| (quality, exactness) > (so_far, exact));
            if better {
                best = Some((quality, exactness, media));
            }
        }
    }
    match best {
        // `*/*, application/json;q=0` takes anything but JSON.
        Some((_, exactness, media))
            if refused.iter().any(|(exact, it)| *it == media && *exact > exactness) =>
        {
            let other = if media == Media::Json { Media::GraphqlResponse } else { Media::Json };
            if refused.iter().any(|(exact, it)| *it == other && *exact > exactness) {
                Err(refusal())
            } else {
                Ok(other)
            }
        }
        Some((_, _, media)) => Ok(media),
        None if said => Err(refusal()),
        None => Ok(Media::Json),
    }
}

fn refusal() -> Refusal {
    Refusal::new(
        Code::NotAcceptable,
        "answers are application/json or application/graphql-response+json in utf-8; send an Accept header with one of them",
    )
}

/// What a media range means to us, how exact it is, and how much the client likes it.
fn understood(range: &str) -> Option<(Media, u8, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?.to_ascii_lowercase();
    let mut quality = 1.0;
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = value.trim().parse().ok()?,
            "charset" if !utf8(value) => return None,
            _ => {}
        }
    }
    let (media, exactness) = match kind.as_str() {
        "application/graphql-response+json" => (Media::GraphqlResponse, 3),
        "application/json" => (Media::Json, 2),
        "application/*" => (Media::Json, 1),
        "*/*" => (Media::Json, 0),
        _ => return None,
    };
    Some((media, exactness, quality))
}

/// Checks that a body is plain JSON in utf-8.
///
/// # Errors
/// `UnsupportedMediaType` for everything else: forms and text can be sent by any site without asking first.
pub fn sent_json(headers: &HeaderMap) -> Outcome<()> {
    let refuse = |message| Err(Refusal::new(Code::UnsupportedMediaType, message));
    let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return refuse("send the body as application/json and say so in the Content-Type header");
    };
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return refuse("send the body as application/json");
    }
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("charset")
            && !utf8(value)
        {
            return refuse("send the body in utf-8");
        }
    }
    match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => Ok(()),
        Some(_) => refuse("send the body without a Content-Encoding"),
    }
}

fn utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn accept(text: &'static str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(text));
        accepted(&headers).ok()
    }

    #[test]
    fn the_client_gets_what_it_likes_best() {
        let (json, graphql) = (Some(Media::Json), Some(Media::GraphqlResponse));
        assert_eq!(accepted(&HeaderMap::new()).ok(), json);
        for (text, expected) in [
            ("*/*", json),
            ("application/*", json),
            ("application/json", json),
            ("application/graphql-response+json", graphql),
            ("application/json, application/graphql-response+json", graphql),
            ("application/graphql-response+json;q=0.5, application/json", json),
            ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", graphql),
            ("text/html, */*;q=0.8", json),
            ("*/*, application/json;q=0", graphql),
            ("application/json; charset=latin1", None),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(accept(text), expected, "{text}");
        }
    }

    #[test]
    fn only_json_in_utf_8_is_taken() {
        let sent = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(text));
            sent_json(&headers).is_ok()
        };
        assert!(sent("application/json") && sent("Application/JSON; charset=UTF-8"));
        for wrong in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
        {
            assert!(!sent(wrong), "{wrong}");
        }
        assert!(sent_json(&HeaderMap::new()).is_err());
    }
}
