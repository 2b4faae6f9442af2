//! The text files of the repository, and the findings of the rules that read them.

use std::fs;
use std::process::Command;

use crate::failure::Failure;
use crate::shell::{read, root};

/// A text file of the repository.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// A violation of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: String,
    /// Counted from 1; 0 stands for the whole file.
    pub(super) line: usize,
    /// The offending line, or a description of the problem.
    pub(super) text: String,
}

impl Finding {
    /// Describes a problem of a whole file.
    pub(super) fn of_file(path: &str, text: String) -> Self {
        let (path, line) = (path.to_owned(), 0);
        Self { path, line, text }
    }
}

/// The result of one rule.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) rule: &'static str,
    /// Advice for resolving a finding.
    pub(super) advice: String,
    pub(super) findings: Vec<Finding>,
}

/// Number of findings that are printed for each rule unless a path is selected.
const PRINTED: usize = 10;

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (path, text) = (path.to_owned(), text.to_owned());
        Self { path, text }
    }

    /// Reads all Rust, Markdown and TOML files that git tracks or would add.
    pub(super) fn read_all() -> Result<Vec<Self>, Failure> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others"]);
        git.args(["--exclude-standard", "--", "*.rs", "*.md", "*.toml"]);
        let listed = read(git.current_dir(root()))?;
        let mut paths: Vec<_> = listed.split_terminator('\0').collect();
        paths.sort_unstable();
        paths.dedup();
        let mut sources = Vec::new();
        for path in paths {
            // Git still lists a file that was deleted but not yet removed from the index.
            if root().join(path).exists() {
                sources.push(Self::new(path, &fs::read_to_string(root().join(path))?));
            }
        }
        Ok(sources)
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }

    /// Returns the lines with their numbers, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    pub(super) fn finding(&self, line: usize, text: &str) -> Finding {
        let text = text.trim().to_owned();
        let path = self.path.clone();
        Finding { path, line, text }
    }
}

impl Report {
    /// Returns the numbers of the lines with a finding.
    #[cfg(test)]
    pub(super) fn lines(&self) -> Vec<usize> {
        self.findings.iter().map(|finding| finding.line).collect()
    }

    /// Prints the findings below `path`, or the first ones of all if no path is given.
    pub(super) fn print(&self, path: Option<&str>) {
        let below = |finding: &&Finding| path.is_none_or(|path| finding.path.starts_with(path));
        let selected: Vec<_> = self.findings.iter().filter(below).collect();
        if selected.is_empty() {
            return;
        }
        let limit = path.map_or(PRINTED, |_| selected.len());
        println!("{}: {} findings", self.rule, selected.len());
        for finding in selected.iter().take(limit) {
            println!("  {}:{}: {}", finding.path, finding.line, finding.text);
        }
        if selected.len() > limit {
            let more = selected.len() - limit;
            println!("  … and {more} more; `--only texts --path PREFIX` lists all below PREFIX");
        }
        println!("  {}", self.advice);
    }
}
