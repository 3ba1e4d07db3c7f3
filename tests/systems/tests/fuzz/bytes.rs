//! Bytes that are almost right.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change to some bytes.
#[derive(Clone, Debug)]
pub enum Change {
    /// A byte is another one.
    Set(Index, u8),
    /// A bit is flipped.
    Flip(Index, u8),
    /// Bytes are put in.
    Insert(Index, Vec<u8>),
    /// Bytes are taken out.
    Remove(Index, u8),
    /// A part is sent once more.
    Repeat(Index, u8),
    /// The rest is missing.
    Cut(Index),
}

/// Some changes.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), 1..20_u8).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), 1..60_u8).prop_map(|(at, count)| Change::Repeat(at, count)),
        any::<Index>().prop_map(Change::Cut),
    ];
    vec(change, 1..6)
}

/// The bytes with the changes made.
pub fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            return bytes;
        }
        let length = bytes.len();
        let part = |at: usize, count: u8| at..(at + usize::from(count)).min(length);
        match change {
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Change::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                bytes.drain(part(at.index(length), *count));
            }
            Change::Repeat(at, count) => {
                let part = part(at.index(length), *count);
                let again = bytes[part.clone()].to_vec();
                bytes.splice(part.start..part.start, again);
            }
            Change::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}
