//! The text of a key file.

use symbolon::StoreKey;

/// An accepted key has one spelling, except for the case of digits, spaces around lines, and
/// comments.
pub fn key_file(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(key) = text.parse::<StoreKey>() else {
        return false;
    };
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let one: String = lines.map(|line| line.to_ascii_lowercase() + "\n").collect();
    let written = key.to_text();
    assert_eq!(*written, one);
    let again: StoreKey = written.parse().unwrap();
    assert!(again.ids().eq(key.ids()));
    let shown = format!("{key:?}");
    assert!(key.ids().all(|id| shown.contains(&id.to_string())));
    let secrets = written.lines().filter_map(|line| line.split(':').nth(2));
    assert!(secrets.into_iter().all(|secret| !shown.contains(secret)));
    true
}
