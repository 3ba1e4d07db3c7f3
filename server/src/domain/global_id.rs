//! Global IDs as everyone outside sees them: base64url of `Type:uuid` or `Type:number`.

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Writes the opaque form of an ID of the named type.
pub fn encode(type_name: &str, id: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{type_name}:{id}"))
}

/// Reads an opaque ID as its type's name and the ID inside.
pub fn decode(text: &str) -> Option<(String, String)> {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (name, id) = plain.split_once(':')?;
    Some((name.to_owned(), id.to_owned()))
}

/// Reads an opaque ID of the named type.
pub fn parse<T: std::str::FromStr>(type_name: &str, text: &str) -> Option<T> {
    let (name, id) = decode(text)?;
    (name == type_name).then(|| id.parse().ok())?
}
