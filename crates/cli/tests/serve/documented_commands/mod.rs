//! The commands of InfluxDB's documentation, run as printed there.

mod document;
mod run;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use document::Document;

/// One page of the documentation and the commands on it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    file: String,
    mentions: Vec<String>,
    pub(crate) command: Vec<Command>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    pub(crate) name: String,
    command: String,
    #[serde(default)]
    fill: Vec<String>,
    /// The reason for not running it yet.
    pub(crate) later: Option<String>,
}

/// The placeholders of the documentation and their replacements.
const PLACEHOLDERS: [(&str, Filling); 11] = [
    ("http://localhost:8086", Filling::Server),
    ("https://{{< influxdb/host >}}", Filling::Server),
    ("https://cloud2.influxdata.com", Filling::Server),
    ("https://us-west-2-1.aws.cloud2.influxdata.com", Filling::Server),
    ("https://console.influxdata.com", Filling::Server),
    ("API_TOKEN", Filling::Token),
    ("INFLUX_TOKEN", Filling::Token),
    ("AUTHORIZATION_ID", Filling::Id),
    ("{tokenId}", Filling::Id),
    ("DESCRIPTION", Filling::Description),
    ("EXPIRESAT", Filling::Expiry),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Filling {
    Server,
    Token,
    Id,
    Description,
    Expiry,
}

impl Command {
    /// Returns the command with its placeholders filled in. Fails if it lacks one of them.
    pub(crate) fn filled(&self, values: &HashMap<Filling, String>) -> String {
        self.fill.iter().fold(self.command.clone(), |command, name| {
            let known = PLACEHOLDERS.iter().find(|(known, _)| known == name);
            let (_, filling) = known.unwrap_or_else(|| panic!("unknown placeholder `{name}`"));
            assert!(command.contains(name), "no `{name}` in the command: {command}");
            command.replace(name, &values[filling])
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/documented_commands/documents")
}

/// Reads all pages.
pub(crate) fn read() -> Vec<Page> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct All {
        page: Vec<Page>,
    }
    let all: All = toml::from_str(include_str!("commands.toml")).unwrap();
    all.page
}

#[test]
fn the_list_has_every_documented_command() {
    let pages = read();
    let mut listed: Vec<_> = pages.iter().map(|page| page.file.clone()).collect();
    let files = fs::read_dir(folder()).unwrap();
    let mut files: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    listed.sort();
    assert_eq!(listed, files);
    for page in &pages {
        let text = fs::read_to_string(folder().join(&page.file)).unwrap();
        let mut document = Document::new(&text);
        for command in &page.command {
            assert!(document.cover(&command.command), "not in the document: {}", command.name);
        }
        for mention in &page.mentions {
            assert!(document.cover(mention), "not in the document: {mention}");
        }
        let left = document.left();
        assert!(left.is_empty(), "{}: {left:?}", page.file);
    }
}

#[test]
fn every_documented_command_is_run_or_gives_a_reason() {
    for command in read().iter().flat_map(|page| &page.command) {
        let shell = ["curl", "jq", "xargs"].iter();
        let mut shell = shell.filter(|tool| command.command.contains(*tool));
        // Commands for `curl`, `jq` and `xargs` always run.
        assert_eq!(shell.next().is_some(), command.later.is_none(), "{}", command.name);
        assert!(command.later.as_deref().is_none_or(|why| why.len() > 10));
    }
}
