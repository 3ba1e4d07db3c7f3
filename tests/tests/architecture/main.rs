//! Rules about the sources themselves. Each check reads the repository as text, and each has a test that makes it fail.

mod arrows;
mod clock;
mod kinds;
mod pitfalls;
mod shape;
mod source;
mod words;
