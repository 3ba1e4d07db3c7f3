//! The page for a customer's data team: what Weir needs, in their system's own words. It holds no secret, so it can
//! be sent by any way.

use std::fmt::Write;

use connector::setup::{KeySetup, Language, Setup};

/// What the page is made of.
pub struct Instruction<'a> {
    /// The source's name.
    pub source: &'a str,
    /// The system, as people call it.
    pub system: &'a str,
    /// The addresses Weir's connections come from.
    pub egress: &'a [String],
    /// The scripts.
    pub setup: Option<&'a Setup>,
    /// The statements for a key, and its fingerprint.
    pub key: Option<(&'a KeySetup, &'a str)>,
}

impl Instruction<'_> {
    /// Writes the page as Markdown.
    pub fn markdown(&self) -> String {
        let mut page = format!("# Let Weir read {} (source “{}”)\n", self.system, self.source);
        let mut section = |title: &str, text: String| {
            write!(page, "\n## {title}\n\n{text}\n").expect("a text takes any text");
        };
        section(
            "What this is for",
            "Weir reads tables and views, never writes, and needs no other right. Nothing on this page is secret."
                .to_owned(),
        );
        if !self.egress.is_empty() {
            let list: String = self.egress.iter().map(|address| format!("- `{address}`\n")).collect();
            section(
                "Let these addresses in",
                format!(
                    "If a network policy or firewall limits who may connect, allow:\n\n{}",
                    list.trim_end()
                ),
            );
        }
        if let Some(setup) = self.setup {
            section("Grant the right to read", fenced(setup.language, &setup.grant));
        }
        if let Some((key, fingerprint)) = self.key {
            section("Install the public key", fenced(Language::Sql, &key.install));
            let text = format!("The fingerprint shown must be `{fingerprint}`.");
            section("Check it", format!("{}\n\n{text}", fenced(Language::Sql, &key.verify)));
        }
        if let Some(setup) = self.setup {
            section("To take it all back one day", fenced(setup.language, &setup.revoke));
        }
        page
    }
}

/// A block of code. Its fence is longer than any run of backticks in it, which names may hold.
fn fenced(language: Language, code: &str) -> String {
    let word = match language {
        Language::Sql => "sql",
        Language::Shell => "sh",
    };
    let longest = code.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{word}\n{}\n{fence}", code.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_all_that_is_to_be_done() {
        let setup = Setup {
            language: Language::Sql,
            grant: "GRANT SELECT ON `a```;\n".to_owned(),
            revoke: "REVOKE …;\n".to_owned(),
        };
        let key = KeySetup {
            install: "ALTER USER …;\n".to_owned(),
            verify: "DESC USER …;\n".to_owned(),
            remove: String::new(),
        };
        let page = Instruction {
            source: "Usage",
            system: "Example",
            egress: &["192.0.2.1/32".to_owned()],
            setup: Some(&setup),
            key: Some((&key, "SHA256:x")),
        };
        let page = page.markdown();
        for wanted in [
            "# Let Weir read Example",
            "- `192.0.2.1/32`",
            "````sql\nGRANT SELECT ON `a```;\n````",
            "SHA256:x",
        ] {
            assert!(page.contains(wanted), "{wanted} in {page}");
        }
        let bare = Instruction { egress: &[], setup: None, key: None, source: "a", system: "b" }.markdown();
        assert_eq!(bare.matches("\n## ").count(), 1);
    }
}
