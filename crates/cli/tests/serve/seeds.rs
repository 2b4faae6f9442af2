//! The commands of the documents that the project was made from, run as they stand there.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::document::Document;

/// One document, and what of it is a command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
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
    /// Why it is not run.
    pub(crate) later: Option<String>,
}

/// The placeholders that documents use, and what the tests put there.
const PLACEHOLDERS: [(&str, Filling); 11] = [
    ("http://localhost:8086", Filling::Server),
    ("https://{{< influxdb/host >}}", Filling::Server),
    ("https://cloud2.influxdata.com", Filling::Server),
    (
        "https://us-west-2-1.aws.cloud2.influxdata.com",
        Filling::Server,
    ),
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
    /// The command with its placeholders filled in, each of which must be there.
    pub(crate) fn filled(&self, values: &HashMap<Filling, String>) -> String {
        self.fill
            .iter()
            .fold(self.command.clone(), |command, name| {
                let known = PLACEHOLDERS.iter().find(|(known, _)| known == name);
                let (_, filling) = known.unwrap_or_else(|| panic!("`{name}` is no placeholder"));
                assert!(command.contains(name), "`{name}` is not in it: {command}");
                command.replace(name, &values[filling])
            })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/seeds")
}

/// All documents, in the order of the project's beginning.
pub(crate) fn read() -> Vec<Seed> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct All {
        seed: Vec<Seed>,
    }
    let all: All = toml::from_str(include_str!("seeds.toml")).unwrap();
    all.seed
}

#[test]
fn no_command_of_a_seed_is_missing() {
    let seeds = read();
    let mut listed: Vec<_> = seeds.iter().map(|seed| seed.file.clone()).collect();
    let files = fs::read_dir(folder()).unwrap();
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    listed.sort();
    assert_eq!(listed, files);
    for seed in &seeds {
        let text = fs::read_to_string(folder().join(&seed.file)).unwrap();
        let mut document = Document::new(&text);
        for command in &seed.command {
            assert!(
                document.cover(&command.command),
                "not there: {}",
                command.name
            );
        }
        for mention in &seed.mentions {
            assert!(document.cover(mention), "not there: {mention}");
        }
        let left = document.left();
        assert!(left.is_empty(), "{}: {left:?}", seed.file);
    }
}

#[test]
fn every_command_is_run_or_says_why_not() {
    for command in read().iter().flat_map(|seed| &seed.command) {
        let shell = ["curl", "jq", "xargs"].iter();
        let mut shell = shell.filter(|tool| command.command.contains(*tool));
        // Those of the shell are never left for later.
        assert_eq!(
            shell.next().is_some(),
            command.later.is_none(),
            "{}",
            command.name
        );
        assert!(command.later.as_deref().is_none_or(|why| why.len() > 10));
    }
}
