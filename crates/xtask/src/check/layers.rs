//! Requires that imports follow the layers of `crates/xtask/check/layers.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::imports::{self, Import};
use super::source::{Finding, Report, Source};
use crate::failure::Failure;

pub(super) const TABLE: &str = "crates/xtask/check/layers.toml";

/// The layers of the crates, and of the modules of some crates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layers {
    crates: Graph,
    /// Keys are folders of crates.
    modules: BTreeMap<String, Graph>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Graph {
    layers: Vec<Layer>,
    /// Imports against the layers that exist today, as `from -> to`.
    exceptions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    name: String,
    members: Vec<String>,
    /// Layers listed before this one; those that they use are included.
    uses: Vec<String>,
}

impl Layers {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| format!("{TABLE}: {error}").into())
    }

    pub(super) fn check(&self, sources: &[Source]) -> Report {
        let (members, dependencies) = imports::of_crates(sources);
        let mut findings = self.crates.check("crates", &members, &dependencies);
        for (folder, graph) in &self.modules {
            let (members, imports) = imports::of_modules(sources, folder);
            findings.extend(graph.check(folder, &members, &imports));
        }
        Report {
            rule: "layers",
            advice: format!(
                "Import from a lower layer only. After a module was renamed, edit {TABLE}."
            ),
            findings,
        }
    }
}

impl Graph {
    fn check(&self, name: &str, existing: &BTreeSet<String>, imports: &[Import]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut problem =
            |text: String| findings.push(Finding::of_file(TABLE, format!("{name}: {text}")));
        let mut listed = BTreeSet::new();
        let mut reachable: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for layer in &self.layers {
            let mut below = BTreeSet::from([layer.name.as_str()]);
            for used in &layer.uses {
                match reachable.get(used.as_str()) {
                    Some(all) => below.extend(all),
                    None => {
                        problem(format!("layer `{}` uses `{used}`: list it before", layer.name))
                    }
                }
            }
            reachable.insert(&layer.name, below);
            listed.extend(layer.members.iter().cloned());
        }
        for missing in existing.difference(&listed) {
            problem(format!("`{missing}` is in no layer: add it to `members` of one"));
        }
        for absent in listed.difference(existing) {
            problem(format!("`{absent}` does not exist: rename or remove it"));
        }
        let mut used = BTreeSet::new();
        for import in imports {
            let (from, to) = (self.layer_of(&import.from), self.layer_of(&import.to));
            let (Some(from), Some(to)) = (from, to) else {
                continue;
            };
            if reachable.get(from).is_some_and(|below| below.contains(to)) {
                continue;
            }
            let pair = format!("{} -> {}", import.from, import.to);
            if self.exceptions.contains(&pair) {
                used.insert(pair);
            } else {
                let text = format!("{pair} (layer `{from}` does not use `{to}`)");
                let (path, line) = (import.path.clone(), import.line);
                findings.push(Finding { path, line, text });
            }
        }
        for exception in self.exceptions.iter().filter(|one| !used.contains(*one)) {
            findings.push(Finding::of_file(
                TABLE,
                format!("{name}: exception `{exception}` is no longer needed: remove it"),
            ));
        }
        findings
    }

    fn layer_of(&self, member: &str) -> Option<&str> {
        let layer = self.layers.iter().find(|layer| layer.members.iter().any(|one| one == member));
        layer.map(|layer| layer.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE_OF_TWO: &str = "[crates]\nlayers = []\nexceptions = []\n[modules.c]\n\
        layers = [{ name = \"low\", members = [\"a\"], uses = [] },\n\
        { name = \"high\", members = [\"b\"], uses = [\"low\"] }]\nexceptions = []\n";

    fn check(table: &str, a: &str, b: &str) -> Vec<String> {
        let sources = [
            Source::new("c/src/lib.rs", "mod a;\nmod b;\npub use b::{B, Other as C};\n"),
            Source::new("c/src/a.rs", a),
            Source::new("c/src/b.rs", b),
        ];
        let findings = Layers::parse(table).unwrap().check(&sources).findings;
        let show = |one: Finding| format!("{}:{} {}", one.path, one.line, one.text);
        findings.into_iter().map(show).collect()
    }

    #[test]
    fn imports_from_lower_layers_pass() {
        assert!(check(TABLE_OF_TWO, "", "use crate::a::A;\n").is_empty());
    }

    #[test]
    fn an_import_from_a_higher_layer_is_found() {
        for text in
            ["\nuse crate::b::B;", "\nuse crate::B;", "\nuse crate::{B};", "\nuse super::b;"]
        {
            let found = check(TABLE_OF_TWO, text, "");
            assert_eq!(found, ["c/src/a.rs:2 a -> b (layer `low` does not use `high`)"], "{text}");
        }
        assert!(check(TABLE_OF_TWO, "#[cfg(test)]\nmod tests {\n use crate::B;\n}", "").is_empty());
    }

    #[test]
    fn an_exception_must_be_needed() {
        let table = TABLE_OF_TWO.replace("}]\nexceptions = []", "}]\nexceptions = [\"a -> b\"]");
        assert!(check(&table, "use crate::B;", "").is_empty());
        assert!(check(&table, "", "")[0].contains("no longer needed"));
    }

    #[test]
    fn the_table_must_name_the_modules_that_exist() {
        let table = TABLE_OF_TWO.replace("[\"a\"]", "[\"old\"]");
        let found = check(&table, "", "");
        assert!(found[0].contains("`a` is in no layer"), "{found:?}");
        assert!(found[1].contains("`old` does not exist"), "{found:?}");
    }
}
