//! Answers that are here as a whole: a pure function over bytes.

use super::{Decoder, Expected, Limits};
use crate::{Batch, Result};

/// Decodes a whole answer at once.
///
/// # Errors
/// Those of [`Decoder::decode`].
pub fn whole(answer: &[u8], expected: Option<Vec<Expected>>, limits: Limits) -> Result<Vec<Batch>> {
    in_pieces(answer, answer.len(), expected, limits)
}

/// Decodes a whole answer that arrives in pieces of that size: the decoder alone, for tests that feed it anything.
///
/// # Errors
/// Those of [`Decoder::decode`].
pub fn in_pieces(
    answer: &[u8],
    piece: usize,
    expected: Option<Vec<Expected>>,
    limits: Limits,
) -> Result<Vec<Batch>> {
    let mut decoder = Decoder::new(expected, limits);
    let mut batches = Vec::new();
    for piece in answer.chunks(piece.max(1)) {
        decoder.push(piece);
        while decoder.decode()? {
            batches.push(decoder.take());
        }
    }
    decoder.end();
    while decoder.decode()? {
        batches.push(decoder.take());
    }
    if decoder.ready() > 0 {
        batches.push(decoder.take());
    }
    Ok(batches)
}
