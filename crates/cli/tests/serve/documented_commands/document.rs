//! Finds the words of a saved page that belong to a command.

/// Tools whose names start a command.
const TOOLS: [&str; 4] = ["curl", "influx", "jq", "xargs"];

/// A saved page without white space and without lines of a single `|`, which saving added or lost.
pub(crate) struct Document {
    bare: String,
    covered: Vec<bool>,
    /// Words that may belong to a command, each with its position in `bare`.
    words: Vec<(usize, String)>,
}

impl Document {
    pub(crate) fn new(text: &str) -> Self {
        let mut bare = String::new();
        let mut words = Vec::new();
        for word in parts(text) {
            if is_of_a_command(word) {
                words.push((bare.len(), word.to_owned()));
            }
            bare += word;
        }
        Self { covered: vec![false; bare.len()], bare, words }
    }

    /// Marks each occurrence of `text`, ignoring white space. Returns whether there is one.
    pub(crate) fn cover(&mut self, text: &str) -> bool {
        let text: String = parts(text).collect();
        let mut found = false;
        for (place, _) in self.bare.match_indices(&text) {
            self.covered[place..place + text.len()].fill(true);
            found = true;
        }
        found
    }

    /// Returns the words that may belong to a command and are not marked.
    pub(crate) fn left(&self) -> Vec<&str> {
        let left = self.words.iter().filter(|(place, _)| !self.covered[*place]);
        left.map(|(_, word)| &**word).collect()
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| line.trim() != "|");
    lines.flat_map(str::split_whitespace)
}

/// Returns whether a word is the name of a tool, an option or quoted text.
fn is_of_a_command(word: &str) -> bool {
    if word.starts_with('\'') {
        return true;
    }
    let option = word.trim_start_matches('-');
    let dashes = word.len() - option.len();
    if (1..=2).contains(&dashes) && option.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return true;
    }
    let name = word.trim_start_matches(|first: char| !first.is_ascii_alphanumeric());
    let end = name.find(|next: char| !next.is_ascii_alphanumeric());
    TOOLS.contains(&&name[..end.unwrap_or(name.len())])
}

#[test]
fn a_missing_or_shortened_command_is_found() {
    let text =
        "Run `curl`:\n\ncurl --request GET \\\n|\n|\n  URL | jq . \\ \n| xargs -I % curl\n\n%";
    let left = |covers: &[&str]| {
        let mut document = Document::new(text);
        assert!(covers.iter().all(|text| document.cover(text)));
        document.left().join(" ")
    };
    let whole = "curl --request GET \\\n URL \\\n| jq . \\\n| xargs -I % curl %"
        .replace(" URL \\\n", " URL ");
    assert_eq!(left(&[&whole, "`curl`"]), "");
    assert_eq!(left(&[&whole]), "`curl`:");
    assert_eq!(left(&["curl"]), "`curl`: --request jq xargs -I");
    assert_eq!(left(&["`curl`", "curl --request GET"]), "jq xargs -I curl");
    assert!(!Document::new(text).cover("curl --request POST"));
}
