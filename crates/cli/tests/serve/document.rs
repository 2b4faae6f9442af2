//! A document as it was gathered from a page, and which of its words belong to a command.

/// What begins a word that can be a part of a command.
const TOOLS: [&str; 4] = ["curl", "influx", "jq", "xargs"];

/// A document without what gathering did to it: the spaces and line breaks, and lines of a single `|`.
pub(crate) struct Document {
    bare: String,
    covered: Vec<bool>,
    /// Words that can be a part of a command, each with its place in `bare`.
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
        Self {
            covered: vec![false; bare.len()],
            bare,
            words,
        }
    }

    /// Marks what stands there as this text does, spaces and line breaks aside. Whether there is any.
    pub(crate) fn cover(&mut self, text: &str) -> bool {
        let text: String = parts(text).collect();
        let mut found = false;
        for (place, _) in self.bare.match_indices(&text) {
            self.covered[place..place + text.len()].fill(true);
            found = true;
        }
        found
    }

    /// The words that can be a part of a command and have not been covered.
    pub(crate) fn left(&self) -> Vec<&str> {
        let left = self.words.iter().filter(|(place, _)| !self.covered[*place]);
        left.map(|(_, word)| &**word).collect()
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| line.trim() != "|");
    lines.flat_map(str::split_whitespace)
}

/// The name of a tool, an option, or something in single quotes.
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
fn what_is_left_out_or_cut_short_is_found() {
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
