//! Limits circles of files that import each other, within each crate.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{code_of, is_test};
use super::source::{Finding, Report, Source};

/// Maximum number of files in a circle.
const MAX_FILES: usize = 3;

/// Path of a module within its crate; empty for the root.
type Module = Vec<String>;

/// Finds circles of more than [`MAX_FILES`] files. Test modules do not count.
pub(super) fn check(sources: &[Source]) -> Report {
    let mut findings = Vec::new();
    for prefix in crate_prefixes(sources) {
        let files = Files::read(sources, &prefix);
        for circle in circles(&files.imports()) {
            if circle.len() > MAX_FILES {
                let names: Vec<_> = circle.iter().map(|module| module.join("/")).collect();
                let text = format!("circle of {} files: {}", names.len(), names.join(", "));
                findings.push(Finding::of_file(&prefix, text));
            }
        }
    }
    Report {
        rule: "circles",
        advice: format!("At most {MAX_FILES} files may import each other in a circle."),
        findings,
    }
}

/// Returns `crates/NAME/src/` of every crate.
fn crate_prefixes(sources: &[Source]) -> BTreeSet<String> {
    let roots = sources.iter().filter_map(|source| {
        let path = source.path.strip_prefix("crates/")?;
        let (name, _) = path.split_once("/src/")?;
        Some(format!("crates/{name}/src/"))
    });
    roots.collect()
}

/// The modules of a crate with a file each.
#[derive(Debug, Default)]
struct Files {
    /// Paths that each module names, outside of re-exports.
    named: BTreeMap<Module, Vec<Vec<String>>>,
    /// Names that a module re-exports, and their paths.
    exported: BTreeMap<(Module, String), Vec<String>>,
}

impl Files {
    fn read(sources: &[Source], prefix: &str) -> Self {
        let mut files = Self::default();
        for source in sources.iter().filter(|source| source.is_rust()) {
            let Some(path) = source.path.strip_prefix(prefix) else {
                continue;
            };
            if is_test(sources, prefix, path) {
                continue;
            }
            let mut module: Module =
                path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            files.add(module, &code_of(&source.text));
        }
        files
    }

    fn add(&mut self, module: Module, code: &str) {
        let mut named = Vec::new();
        let mut rest = String::with_capacity(code.len());
        for statement in code.split_inclusive(';') {
            match statement.rfind("use ").filter(|at| starts_word(statement, *at)) {
                Some(at) if statement.ends_with(';') => {
                    let tree = statement.get(at + 4..).unwrap_or_default();
                    let before = statement.get(..at).unwrap_or_default();
                    rest.push_str(before);
                    let paths = expand(tree.trim_end_matches(';'));
                    let line = before.rsplit('\n').next().unwrap_or_default();
                    if line.trim_start().starts_with("pub") {
                        for path in paths {
                            let name = path.last().cloned().unwrap_or_default();
                            self.exported.insert((module.clone(), name), path);
                        }
                    } else {
                        named.extend(paths);
                    }
                }
                _ => rest.push_str(statement),
            }
        }
        named.extend(inline_paths(&rest));
        self.named.insert(module, named);
    }

    fn imports(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let each = self.named.iter().map(|(module, paths)| {
            let targets = paths.iter().filter_map(|path| self.resolve(module, path, 0));
            (module, targets.filter(|target| *target != module && !target.is_empty()).collect())
        });
        each.collect()
    }

    /// Returns the module that defines the last name of a path which `from` names.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<&Module> {
        let mut path = path;
        let mut module = from.clone();
        match path.first()?.as_str() {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                while let Some((first, rest)) = path.split_first()
                    && first == "super"
                {
                    module.pop();
                    path = rest;
                }
            }
            name if self.child(&module, name).is_some() => {}
            _ => return None,
        }
        if matches!(path.first().map(String::as_str), Some("crate" | "self")) {
            path = path.get(1..)?;
        }
        while let Some((name, rest)) = path.split_first()
            && let Some(child) = self.child(&module, name)
        {
            (module, path) = (child.clone(), rest);
        }
        if let Some(name) = path.first()
            && let Some(exported) = self.exported.get(&(module.clone(), name.clone()))
            && depth < 10
            && let Some(found) = self.resolve(&module, exported, depth + 1)
        {
            return Some(found);
        }
        self.named.get_key_value(&module).map(|(module, _)| module)
    }

    fn child(&self, module: &Module, name: &str) -> Option<&Module> {
        let mut child = module.clone();
        child.push(name.to_owned());
        self.named.get_key_value(&child).map(|(child, _)| child)
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|letter| letter.is_whitespace() || letter == ')')
}

/// Expands the tree of a `use` to its paths.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let names = |path: &str| -> Vec<String> {
        let path = path.split(" as ").next().unwrap_or_default();
        path.split("::")
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect()
    };
    let Some((start, group)) = tree.split_once('{') else {
        return vec![names(tree)];
    };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let mut depth = 0;
    let parts = group.split(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty());
    parts.flat_map(expand).map(|path| [names(start), path].concat()).collect()
}

/// Returns the paths that start with `crate::` or `super::` outside of `use`.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    for word in code.split(|letter: char| !is_part(letter)) {
        if word.starts_with("crate::") || word.starts_with("super::") {
            let names = word.split("::").map(str::to_owned).filter(|name| !name.is_empty());
            paths.push(names.collect());
        }
    }
    paths
}

/// Returns the sets of modules that reach each other, each with more than one module.
fn circles<'m>(imports: &BTreeMap<&'m Module, BTreeSet<&'m Module>>) -> Vec<BTreeSet<&'m Module>> {
    let reachable = |start: &'m Module| {
        let mut seen = BTreeSet::new();
        let mut next = vec![start];
        while let Some(module) = next.pop() {
            let new = imports.get(module).into_iter().flatten();
            next.extend(new.copied().filter(|target| seen.insert(*target)));
        }
        seen
    };
    let reach: BTreeMap<_, _> = imports.keys().map(|module| (*module, reachable(module))).collect();
    let reaches =
        |from: &Module, to: &Module| reach.get(from).is_some_and(|seen| seen.contains(to));
    let mut found: Vec<BTreeSet<&Module>> = Vec::new();
    for module in imports.keys().copied().filter(|module| reaches(module, module)) {
        if found.iter().any(|circle| circle.contains(module)) {
            continue;
        }
        let others = imports.keys().copied();
        found.push(others.filter(|one| reaches(module, one) && reaches(one, module)).collect());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| Source::new(&format!("crates/c/src/{path}"), text))
            .collect();
        check(&sources).findings.into_iter().map(|finding| finding.text).collect()
    }

    const ROOT: (&str, &str) = ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;\npub use d::D as E;\n");

    #[test]
    fn a_circle_of_four_files_is_found() {
        let circle = [
            ROOT,
            ("a.rs", "use crate::{b::B, c};"),
            ("b.rs", "use super::c::{self, C};"),
            ("c.rs", "fn f() -> super::d::D { }"),
            ("d.rs", "// use nothing;\nuse crate::a::{x::Y, Z};"),
        ];
        assert_eq!(found(&circle), ["circle of 4 files: a, b, c, d"]);
        let (d, rest) = circle.split_last().unwrap();
        assert_eq!(d.0, "d.rs");
        assert!(found(rest).is_empty());
        let test = ("d.rs", "#[cfg(test)]\nmod tests {\n use crate::a::Z;\n}");
        assert!(found(&[rest, &[test]].concat()).is_empty());
    }

    #[test]
    fn a_re_export_stands_for_the_file_that_defines_the_name() {
        let circle = [
            ("lib.rs", "mod m;\nmod n;\n"),
            ("m/mod.rs", "mod a;\nmod b;\npub(crate) use a::A;\npub(crate) use b::B;\n"),
            ("m/a.rs", "use crate::m::B;"),
            ("m/b.rs", "use crate::n::N;"),
            ("n/mod.rs", "mod c;\nmod d;\npub use c::N;\npub use d::O;\n"),
            ("n/c.rs", "use super::O;"),
            ("n/d.rs", "use crate::m::A;"),
        ];
        assert_eq!(found(&circle), ["circle of 4 files: m/a, m/b, n/c, n/d"]);
    }
}
