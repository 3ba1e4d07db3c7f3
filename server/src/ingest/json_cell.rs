//! One JSON document and the places in it that are wanted.
//!
//! Nothing is made of what is not wanted, and a number is never more than its digits: there is no float in between.

use std::borrow::Cow;
use std::fmt;

use rustc_hash::FxHashMap;
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Error};

use super::reject::Reason;
use crate::domain::json_path::Step;

/// A point in a document on the way to places that are wanted.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The place that ends here.
    end: Option<usize>,
    names: FxHashMap<String, Node>,
    indexes: FxHashMap<usize, Node>,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The place is not there, or a JSON null is.
    Nothing,
    /// A text as it reads; a number or a truth value as it is written.
    Scalar(Cow<'a, str>),
    /// Why it cannot be taken, and what is there instead.
    Refused(Reason, &'a str),
}

impl Node {
    /// The place at the end of some steps: the one it has, or else `next`.
    pub fn end(&mut self, steps: &[Step], next: usize) -> usize {
        match steps.split_first() {
            None => *self.end.get_or_insert(next),
            Some((Step::Name(name), rest)) => self.names.entry(name.clone()).or_default().end(rest, next),
            Some((Step::Index(index), rest)) => self.indexes.entry(*index).or_default().end(rest, next),
        }
    }

    /// Takes back what was found here: a member may come again, and the last one counts.
    fn forget(&self, found: &mut [Found<'_>]) {
        if let Some(end) = self.end {
            found[end] = Found::Nothing;
        }
        for node in self.names.values().chain(self.indexes.values()) {
            node.forget(found);
        }
    }
}

/// Finds what a document has at the places of a tree. What leads nowhere is left as it is.
///
/// # Errors
/// When the text is no JSON document.
pub fn seek<'a>(tree: &Node, text: &'a str, found: &mut [Found<'a>]) -> Result<(), Error> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    if !opens(tree, text) {
        serde_json::from_str::<IgnoredAny>(text)?;
    }
    walk(tree, text, found)
}

/// Whether a value is an object or array in which something is wanted.
fn opens(node: &Node, text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'{') => !node.names.is_empty(),
        Some(b'[') => !node.indexes.is_empty(),
        _ => false,
    }
}

fn walk<'a>(node: &Node, text: &'a str, found: &mut [Found<'a>]) -> Result<(), Error> {
    if let Some(end) = node.end {
        found[end] = scalar(text)?;
    }
    if !opens(node, text) {
        return Ok(());
    }
    let mut document = Deserializer::from_str(text);
    if text.starts_with('{') {
        document.deserialize_map(Members { node, found })?;
    } else {
        document.deserialize_seq(Elements { node, found })?;
    }
    document.end()
}

/// Reads a value that is known to begin like one of JSON.
///
/// # Errors
/// When it is a text that cannot be read.
pub fn scalar(text: &str) -> Result<Found<'_>, Error> {
    Ok(match text.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
            Found::Scalar(Cow::Borrowed(&text[1..text.len() - 1]))
        }
        [b'"', ..] => Found::Scalar(Cow::Owned(serde_json::from_str(text)?)),
        [b'{' | b'[', ..] => Found::Refused(Reason::NotScalar, text),
        b"null" => Found::Nothing,
        _ => Found::Scalar(Cow::Borrowed(text)),
    })
}

struct Members<'n, 'f, 'a> {
    node: &'n Node,
    found: &'f mut [Found<'a>],
}

impl<'a> Visitor<'a> for Members<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(wanted) = members.next_key_seed(Member(self.node))? {
            let Some(node) = wanted else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            node.forget(self.found);
            let value = members.next_value::<&'a RawValue>()?;
            walk(node, value.get(), self.found).map_err(M::Error::custom)?;
        }
        Ok(())
    }
}

/// The name of a member: where it leads, if anywhere.
struct Member<'n>(&'n Node);

impl<'n, 'a> DeserializeSeed<'a> for Member<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: serde::Deserializer<'a>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Member<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.names.get(name))
    }
}

struct Elements<'n, 'f, 'a> {
    node: &'n Node,
    found: &'f mut [Found<'a>],
}

impl<'a> Visitor<'a> for Elements<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut elements: S) -> Result<(), S::Error> {
        for index in 0.. {
            match self.node.indexes.get(&index) {
                Some(node) => {
                    let Some(value) = elements.next_element::<&'a RawValue>()? else { break };
                    walk(node, value.get(), self.found).map_err(S::Error::custom)?;
                }
                None if elements.next_element::<IgnoredAny>()?.is_none() => break,
                None => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "json_cell_tests.rs"]
mod tests;
