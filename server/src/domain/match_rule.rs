//! The rule of matching, apart from where IDs are looked up: spaces are asked in their declared order, the first that
//! knows an ID decides, and what several accounts have there is nobody's.

/// Whose an ID is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    /// No space knows it.
    Unknown,
    /// One account's.
    One(T),
    /// Several have it in the first space that knows it.
    Ambiguous,
}

/// Decides by what each space knows of an ID, in their order: the accounts that have it there, each once.
pub fn decide<T: Copy>(spaces: impl IntoIterator<Item = impl AsRef<[T]>>) -> Decision<T> {
    for accounts in spaces {
        match accounts.as_ref() {
            [] => {}
            [account] => return Decision::One(*account),
            _ => return Decision::Ambiguous,
        }
    }
    Decision::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_space_that_knows_an_id_decides() {
        assert_eq!(decide([vec![], vec![1], vec![2, 3]]), Decision::One(1));
        assert_eq!(decide([vec![2, 3], vec![1]]), Decision::Ambiguous);
        assert_eq!(decide([Vec::<u8>::new(), vec![]]), Decision::Unknown);
    }
}
