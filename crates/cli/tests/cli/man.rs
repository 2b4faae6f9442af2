//! `symbolon man`.

use std::fs;

use crate::common::{Home, err, out};

#[test]
fn man_prints_the_page_of_the_program() {
    let home = Home::new();
    let page = out(&home.run(&["man"]).success());
    assert!(page.contains(".TH symbolon 1"), "{page}");
    assert!(page.contains("symbolon\\-auth(1)"), "{page}");
    assert_eq!(home.files().len(), 0);
}

#[test]
fn each_command_has_a_page() {
    let home = Home::new();
    home.run(&["man", "a/man1"]).success().stdout("");
    for (name, text) in [
        ("symbolon.1", "Store API tokens"),
        ("symbolon-check.1", "Check whether a token allows an action"),
        ("symbolon-auth.1", "rotate"),
        ("symbolon-auth-create.1", "read\\-notificationRules"),
        ("symbolon-org-members-add.1", "owner"),
        ("symbolon-purge.1", "dry\\-run"),
        ("symbolon-purge.1", concat!("\"symbolon ", env!("CARGO_PKG_VERSION"))),
    ] {
        let page = fs::read_to_string(home.path("a/man1").join(name)).unwrap();
        assert!(page.contains(text), "{name}: {page}");
    }
    // A second run overwrites the pages.
    home.run(&["man", "a/man1"]).success();
    home.write("file", "");
    let refused = home.run(&["man", "file"]).code(1);
    assert!(err(&refused).starts_with("Error: cannot write `file`"), "{}", err(&refused));
}
