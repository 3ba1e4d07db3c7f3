//! The repository's files, and Rust code without its comments and texts.

use std::{fs, path::Path, path::PathBuf, process::Command};

/// One file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path from the root of the repository, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Source {
    /// A made-up file, for tests of checks.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether it is Rust.
    pub fn rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The Rust code line by line, numbered from 1, comments and the insides of texts blanked.
    pub fn code(&self) -> Vec<(usize, String)> {
        let lines = without_comments_and_texts(&self.text);
        (1..).zip(lines.lines().map(str::to_owned)).collect()
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

/// Every text file that git tracks or would track.
pub fn repository() -> Vec<Source> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the repository's files");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let read = |path: &str| {
        // A file may be listed and deleted, and a picture is no text.
        let text = fs::read_to_string(root().join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    };
    let sources = paths.lines().filter_map(read).collect::<Vec<_>>();
    assert!(sources.iter().any(Source::rust), "the repository holds Rust files");
    sources
}

/// The Rust files among them.
pub fn rust_files() -> Vec<Source> {
    repository().into_iter().filter(Source::rust).collect()
}

/// Fails with every violation on a line of its own.
pub fn assert_none(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}:\n{}", violations.join("\n"));
}

fn without_comments_and_texts(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skipped = if rest.starts_with(b"//") {
            rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest, &out) {
            length
        } else if rest[0] == b'"' {
            quoted(rest)
        } else if let Some(length) = character(rest) {
            length
        } else {
            out.push(rest[0]);
            at += 1;
            continue;
        };
        out.extend(rest[..skipped].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
        at += skipped;
    }
    String::from_utf8(out).expect("whole characters are blanked")
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of `r"…"`, `r#"…"#` and so on, unless the `r` ends a longer word.
fn raw_text(rest: &[u8], before: &[u8]) -> Option<usize> {
    let in_word = before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    // `br"` is the one word that may stand before.
    let byte_text =
        before.last() == Some(&b'b') && !before.iter().rev().nth(1).is_some_and(u8::is_ascii_alphanumeric);
    if rest[0] != b'r' || (in_word && !byte_text) {
        return None;
    }
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = 2 + hashes;
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| body + end + close.len()))
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of `'x'`, `'\n'` or `'\u{1b}'`; a lifetime is none.
fn character(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'\'' {
        return None;
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(14)]).unwrap_or_else(|error| {
        std::str::from_utf8(&rest[1..=error.valid_up_to()]).expect("cut at a whole character")
    });
    let mut letters = text.char_indices();
    let (_, first) = letters.next()?;
    if first == '\\' {
        return text[2..].find('\'').map(|end| end + 4);
    }
    let (next, quote) = letters.next()?;
    (quote == '\'').then_some(next + 2)
}

#[test]
fn blanks_comments_and_texts_and_nothing_else() {
    let text =
        "let a = \"x // y\"; // z\nlet b = r#\"q\"u\"#; /* c /* d */ e */ f('\\'', '\"', 'g', h::<'i>());";
    let code = without_comments_and_texts(text);
    assert_eq!(code.len(), text.len());
    for gone in ["x", "y", "z", "q", "u", "c", "d ", "'g'", "\\"] {
        assert!(!code.contains(gone), "{gone} is left in {code}");
    }
    for left in ["let a =", "let b =", "f(", "h::<'i>()"] {
        assert!(code.contains(left), "{left} is missing in {code}");
    }
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn finds_this_file() {
    let files = rust_files();
    assert!(files.iter().any(|file| file.path == "tests/tests/architecture/source.rs"));
    assert!(files.iter().all(|file| !file.path.starts_with("target/")));
}
