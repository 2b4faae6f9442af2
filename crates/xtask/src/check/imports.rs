//! Reads which module or crate imports which, without a full parser.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// One module or crate that names another.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) from: String,
    pub(super) to: String,
}

/// Returns the crates below `crates/`, and their dependencies among each other without those of
/// tests.
pub(super) fn of_crates(sources: &[Source]) -> (BTreeSet<String>, Vec<Import>) {
    let mut names = BTreeSet::new();
    let mut imports = Vec::new();
    for source in sources {
        if !source.path.starts_with("crates/") || !source.path.ends_with("/Cargo.toml") {
            continue;
        }
        let (mut section, mut from) = ("", String::new());
        for (line, text) in source.lines() {
            if text.starts_with('[') {
                section = text.trim();
            }
            let (key, value) = text.split_once(['=', '.']).unwrap_or_default();
            let (key, value) = (key.trim(), value.trim().trim_matches('"'));
            match section {
                "[package]" if key == "name" => from = value.to_owned(),
                "[dependencies]" if key.starts_with("symbolon") => imports.push(Import {
                    path: source.path.clone(),
                    line,
                    from: from.clone(),
                    to: key.to_owned(),
                }),
                _ => {}
            }
        }
        names.insert(from);
    }
    (names, imports)
}

/// Returns the top-level modules of the crate in `folder`, and the imports among them outside of
/// tests.
pub(super) fn of_modules(sources: &[Source], folder: &str) -> (BTreeSet<String>, Vec<Import>) {
    let prefix = format!("{folder}/src/");
    let within = |source: &&Source| source.path.starts_with(&prefix) && source.is_rust();
    let mut modules = BTreeSet::new();
    let mut exported = BTreeMap::new();
    let is_root = |path: &str| path == "lib.rs" || path == "main.rs";
    for source in sources.iter().filter(within) {
        if source.path.strip_prefix(&prefix).is_some_and(is_root) {
            read_root(&code_of(&source.text), &mut modules, &mut exported);
        }
    }
    let mut imports = Vec::new();
    for source in sources.iter().filter(within) {
        let path = source.path.strip_prefix(&prefix).unwrap_or_default();
        if is_root(path) || is_test(sources, &prefix, path) {
            continue;
        }
        let parts: Vec<_> = path.trim_end_matches(".rs").split('/').collect();
        let Some((from, rest)) = parts.split_first() else {
            continue;
        };
        let depth = 1 + rest.iter().filter(|part| **part != "mod").count();
        let code = code_of(&source.text);
        for (line, name) in root_names(&code, depth) {
            let to = exported.get(&name).unwrap_or(&name);
            if modules.contains(to) && to != from {
                let (path, from, to) = (source.path.clone(), (*from).to_owned(), to.clone());
                imports.push(Import { path, line, from, to });
            }
        }
    }
    (modules, imports)
}

/// Reads the modules of a crate root, and the module of each name that it re-exports.
fn read_root(code: &str, modules: &mut BTreeSet<String>, exported: &mut BTreeMap<String, String>) {
    for statement in code.split(';') {
        let statement = statement.trim();
        let words: Vec<_> = statement.split_whitespace().collect();
        if let [.., "mod", name] = words.as_slice() {
            modules.insert((*name).to_owned());
        }
        let Some((_, path)) = statement.split_once("pub use ") else {
            continue;
        };
        let path = path.trim_start_matches("crate::").trim_start_matches("self::");
        let Some((module, names)) = path.split_once("::") else {
            continue;
        };
        for name in names.trim_matches(['{', '}']).split(',') {
            let name = name.trim().rsplit([' ', ':']).next().unwrap_or_default();
            exported.insert(name.to_owned(), module.trim().to_owned());
        }
    }
}

/// Checks whether the file at `path` belongs to a module that is only built for tests.
pub(super) fn is_test(sources: &[Source], prefix: &str, path: &str) -> bool {
    if path.split(['/', '.']).any(|part| part == "tests") {
        return true;
    }
    // `#[cfg(test)] mod NAME;` in a parent of the file.
    path.match_indices(['/', '.']).any(|(end, _)| {
        let module = path.get(..end).unwrap_or_default();
        let (parent, name) = module.rsplit_once('/').unwrap_or(("lib", module));
        let parents = [format!("{prefix}{parent}.rs"), format!("{prefix}{parent}/mod.rs")];
        let mut parents = sources.iter().filter(|source| parents.contains(&source.path));
        parents.any(|source| {
            let mut lines = source.text.lines().zip(source.text.lines().skip(1));
            let declared = format!("mod {name};");
            lines.any(|(first, next)| is_cfg_test(first) && next.trim().ends_with(&declared))
        })
    })
}

fn is_cfg_test(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("#[cfg(test") || line.starts_with("#[cfg(all(test")
}

/// Returns the code with each line in its place, without comments and inline test modules.
pub(super) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or("", |next| next.trim());
        if is_cfg_test(line) && next.starts_with("mod ") && next.ends_with('{') {
            break;
        }
        let line = line.split_once("//").map_or(line, |(code, _)| code);
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// Finds the first name of each path that starts at the root of the crate: behind `crate::`, or
/// behind as many `super::` as the module is deep.
fn root_names(code: &str, depth: usize) -> Vec<(usize, String)> {
    let supers = "super::".repeat(depth);
    let mut names = Vec::new();
    for start in ["crate::", supers.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = code.get(..at).unwrap_or_default();
            let is_within = before.ends_with(|c: char| c.is_alphanumeric() || "_$:".contains(c));
            let rest = code.get(at + start.len()..).unwrap_or_default();
            if is_within || rest.starts_with("super::") {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let first = match rest.strip_prefix('{') {
                Some(group) => names_of_group(group),
                None => vec![identifier(rest)],
            };
            names.extend(first.into_iter().map(|name| (line, name)));
        }
    }
    names
}

/// Returns the first name of each path in a group, up to its closing brace.
fn names_of_group(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut expects) = (0, true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            _ if expects && !letter.is_whitespace() => {
                names.push(identifier(group.get(at..).unwrap_or_default()));
                expects = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_comments_are_read() {
        let code = code_of("use crate::{\n    a::{b, c}, D, // crate::e\n};\ncrate::f::g();\n");
        let names = [(1, "a"), (1, "D"), (4, "f")].map(|(line, name)| (line, name.to_owned()));
        assert_eq!(root_names(&code, 1), names);
    }

    #[test]
    fn super_reaches_the_root_from_its_own_depth_only() {
        let code = "use super::x;\nuse super::super::y;";
        assert_eq!(root_names(code, 1), [(1, "x".to_owned())]);
        assert_eq!(root_names(code, 2), [(2, "y".to_owned())]);
    }

    #[test]
    fn files_of_test_modules_are_left_out() {
        let sources = [Source::new("c/src/a/mod.rs", "#[cfg(test)]\nmod samples;\nmod b;\n")];
        for (path, expected) in [("a/samples.rs", true), ("a/b.rs", false), ("a/tests/b.rs", true)]
        {
            assert_eq!(is_test(&sources, "c/src/", path), expected, "{path}");
        }
    }
}
