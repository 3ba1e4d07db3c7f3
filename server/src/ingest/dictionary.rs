//! Numbers for repeated texts, so that a batch handles each distinct text once.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

/// Distinct texts, each with a number from 0 in order of first sight.
#[derive(Debug, Default)]
pub struct Dictionary {
    numbers: HashMap<Box<str>, u32, FxBuildHasher>,
    texts: Vec<Box<str>>,
}

impl Dictionary {
    /// The number of a text, new if need be.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).expect("far fewer texts than a batch limit allows");
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The text of a number given by [`Dictionary::number`].
    pub fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
