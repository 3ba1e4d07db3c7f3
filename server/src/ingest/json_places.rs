//! The places in JSON cells that a path can name, for whoever is to choose one.

use std::collections::BTreeMap;

use connector::{Cell, Column};
use rustc_hash::FxHashSet;
use serde_json::value::RawValue;

use super::json_cell::{Found, scalar};
use crate::domain::json_path::{MOST_STEPS, Path, Step};

/// Elements of an array that are looked at: the others are like them.
const ELEMENTS: usize = 3;

/// A place, and what stands there in a row that has something there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path to it.
    pub path: String,
    /// The text, number or truth value there.
    pub example: String,
}

/// The places that hold single values, in the order they are met; each once, and at most `most`. Cells that are no JSON
/// documents have none.
pub fn places(column: &Column, most: usize) -> Vec<Place> {
    let mut listing = Listing { most, known: FxHashSet::default(), places: Vec::new() };
    for row in 0..column.len() {
        if let Cell::Json(text) | Cell::Text(text) = column.cell(row) {
            // What was met before the text turned out to be no document is shown all the same.
            _ = listing.value(text.trim(), &mut Vec::new());
        }
    }
    listing.places
}

struct Listing {
    most: usize,
    known: FxHashSet<String>,
    places: Vec<Place>,
}

impl Listing {
    fn value(&mut self, text: &str, steps: &mut Vec<Step>) -> serde_json::Result<()> {
        if self.places.len() == self.most || steps.len() > MOST_STEPS {
            return Ok(());
        }
        match text.as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
                for (name, value) in members {
                    steps.push(Step::Name(name));
                    self.value(value.get(), steps)?;
                    steps.pop();
                }
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text)?;
                for (index, value) in elements.into_iter().take(ELEMENTS).enumerate() {
                    steps.push(Step::Index(index));
                    self.value(value.get(), steps)?;
                    steps.pop();
                }
            }
            Some(_) => {
                if let (Some(path), Found::Scalar(example)) = (Path::of(steps), scalar(text)?) {
                    let path = path.to_string();
                    if self.known.insert(path.clone()) {
                        self.places.push(Place { path, example: example.into_owned() });
                    }
                }
            }
            None => {}
        }
        Ok(())
    }
}
