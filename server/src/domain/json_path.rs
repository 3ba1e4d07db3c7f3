//! Where in a JSON cell a role stands: `usage.seats`, `items[0]."unit price"`.
//!
//! ```text
//! path   = ( name / index ) *( "." name / index )
//! name   = bare / quoted
//! bare   = 1*( letter / digit / "_" / "-" )            any script
//! quoted = DQUOTE *( any character; a DQUOTE twice ) DQUOTE
//! index  = "[" ( "0" / a whole number without leading zeros ) "]"      counted from 0
//! ```
//!
//! Names are exact. A path is bounded by [`MOST_BYTES`] and [`MOST_STEPS`].

use std::fmt;
use std::iter::Peekable;
use std::str::{CharIndices, FromStr};

use connector::{ColumnInfo, Type};

/// The longest path, in bytes: with its column it names a metric, which an index must hold.
pub const MOST_BYTES: usize = 500;
/// The most steps of a path.
pub const MOST_STEPS: usize = 50;

/// A path into a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the member of an object.
    Name(String),
    /// To the element of an array, counted from 0.
    Index(usize),
}

/// What is wrong with a text that is no path, in words that name the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Path {
    /// The steps, of which there is at least one.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path of some steps, written as it is read; `None` when that is beyond the bounds of a path.
    pub fn of(steps: &[Step]) -> Option<Self> {
        let path = Self(steps.to_vec());
        let fits = (1..=MOST_STEPS).contains(&steps.len()) && path.to_string().len() <= MOST_BYTES;
        fits.then_some(path)
    }

    /// The name of what stands there: the column, then the path.
    pub fn in_column(&self, column: &str) -> String {
        match self.0.first() {
            Some(Step::Index(_)) => format!("{column}{self}"),
            _ => format!("{column}.{self}"),
        }
    }
}

impl fmt::Display for Path {
    /// Writes the path as it is read; a name is quoted only where it must be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) => {
                    if place > 0 {
                        f.write_str(".")?;
                    }
                    if !name.is_empty() && name.chars().all(bare) {
                        f.write_str(name)?;
                    } else {
                        write!(f, "\"{}\"", name.replace('"', "\"\""))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

impl FromStr for Path {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if text.is_empty() {
            return Err(Mistake("a path is empty; leave it out to take the whole column".to_owned()));
        }
        if text.len() > MOST_BYTES {
            return Err(Mistake(format!(
                "a path has at most {MOST_BYTES} bytes; this one has {}",
                text.len()
            )));
        }
        let mut rest = Rest { text, chars: text.char_indices().peekable() };
        let mut steps = Vec::new();
        loop {
            let step = match rest.peek() {
                Some('[') => rest.index()?,
                Some('.') if !steps.is_empty() => {
                    rest.chars.next();
                    rest.name("after the point")?
                }
                Some(_) if steps.is_empty() => rest.name("at the beginning")?,
                Some(c) => {
                    let wanted = "write `.` before a name, or `[0]` for an element of an array";
                    return Err(rest.mistake(&format!("{c:?} does not belong here: {wanted}")));
                }
                None => return Ok(Self(steps)),
            };
            if steps.len() == MOST_STEPS {
                return Err(Mistake(format!("a path has at most {MOST_STEPS} steps")));
            }
            steps.push(step);
        }
    }
}

/// What of a path is still to be read.
struct Rest<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Rest<'_> {
    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    /// Says what is wrong at the next character.
    fn mistake(&mut self, what: &str) -> Mistake {
        let at = self.chars.peek().map(|(at, _)| *at);
        self.mistake_at(at, what)
    }

    /// Says what is wrong at a character, which is counted from 1; `None` is the end.
    fn mistake_at(&self, at: Option<usize>, what: &str) -> Mistake {
        match at {
            Some(at) => {
                let place = self.text[..at].chars().count() + 1;
                Mistake(format!("the path {:?} is wrong at character {place}: {what}", self.text))
            }
            None => Mistake(format!("the path {:?} is wrong at its end: {what}", self.text)),
        }
    }

    fn name(&mut self, place: &str) -> Result<Step, Mistake> {
        match self.peek() {
            Some('"') => self.quoted(),
            Some(c) if bare(c) => {
                let mut name = String::new();
                while let Some((_, c)) = self.chars.next_if(|(_, c)| bare(*c)) {
                    name.push(c);
                }
                Ok(Step::Name(name))
            }
            Some(c) => Err(self.mistake(&format!(
                "there is {c:?} {place}, where a name is wanted: letters, digits, `_` and `-`, any other name in double quotes"
            ))),
            None => Err(self.mistake(&format!("a name is missing {place}"))),
        }
    }

    fn quoted(&mut self) -> Result<Step, Mistake> {
        self.chars.next();
        let mut name = String::new();
        loop {
            match self.chars.next() {
                Some((_, '"')) if self.peek() == Some('"') => {
                    self.chars.next();
                    name.push('"');
                }
                Some((_, '"')) => return Ok(Step::Name(name)),
                Some((_, c)) => name.push(c),
                None => return Err(self.mistake("the closing double quote is missing")),
            }
        }
    }

    fn index(&mut self) -> Result<Step, Mistake> {
        self.chars.next();
        let wanted = "an element is named by a whole number from 0 on, without leading zeros, such as `[0]`";
        let first = self.chars.peek().map(|(at, _)| *at);
        let mut digits = String::new();
        while let Some((_, digit)) = self.chars.next_if(|(_, c)| c.is_ascii_digit()) {
            digits.push(digit);
        }
        let plain = digits == "0" || !digits.is_empty() && !digits.starts_with('0');
        match digits.parse::<u32>() {
            Ok(index) if plain && self.peek() == Some(']') => {
                self.chars.next();
                Ok(Step::Index(index as usize))
            }
            Ok(_) if plain => Err(self.mistake("`]` is missing")),
            _ => Err(self.mistake_at(first, wanted)),
        }
    }
}

/// Whether a column can hold JSON documents.
pub fn leads_into(column: &ColumnInfo) -> bool {
    matches!(column.kind, Type::Json | Type::Text | Type::Other)
}

/// The JSON column that a name which is no column was meant to lead into: `usage.seats` or `usage:seats`, with a column
/// `usage`.
pub fn meant<'a>(name: &str, columns: &'a [ColumnInfo]) -> Option<&'a ColumnInfo> {
    columns.iter().find(|column| {
        let rest = name.strip_prefix(column.name.as_str());
        leads_into(column) && rest.is_some_and(|rest| rest.starts_with(['.', '[', ':', '-']))
    })
}

#[cfg(test)]
#[path = "json_path_tests.rs"]
mod tests;
