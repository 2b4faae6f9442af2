//! The same on sled.

use std::fs;

use serde_json::Value;
use symbolon_sled::SledStore;

use crate::common::{Home, STORES, decides, err, out, sample};

#[test]
fn the_main_flow() {
    let home = Home::on(STORES[1]);
    let setup = ["setup", "--org=first", "--user=operator"];
    home.run(&[&setup[..], &["--write-token=op"]].concat())
        .success();
    assert!(err(&home.run(&setup).code(1)).contains("set-up has been done already"));
    assert!(home.key().exists());
    home.import(&sample(), &[]).success();
    let again = home.import(&sample(), &[]).success();
    assert_eq!(out(&again), "nothing new: 10 already there\n");
    decides(&home);
    let operator = fs::read_to_string(home.path("op")).unwrap();
    home.check(&operator, &["--action=write", "--type=tasks"]);
    let found = home.run(&["fsck", "--json"]).success();
    let report: Value = serde_json::from_str(&out(&found)).unwrap();
    let records = &report["records"]["authorization"];
    assert_eq!((&report["sound"], records), (&true.into(), &7.into()));
}

#[test]
fn one_process_at_a_time() {
    let home = Home::with_sample_on(STORES[1]);
    let held = SledStore::open_existing(home.store()).unwrap();
    for (arguments, code) in [
        (&["fsck"][..], 1),
        (&["import", "-"], 1),
        (&["setup", "--org=o", "--user=u"], 1),
        (&["check", "--stream"], 2),
    ] {
        let refused = home
            .command(arguments)
            .write_stdin(sample())
            .assert()
            .code(code);
        let told = err(&refused);
        assert!(
            told.starts_with("Error: the store is in use by another process"),
            "{told}"
        );
    }
    drop(held);
    home.run(&["fsck"]).success();
}

#[test]
fn a_folder_of_something_else() {
    let home = Home::on(STORES[1]);
    fs::create_dir_all(home.store()).unwrap();
    fs::write(home.store().join("list"), "milk").unwrap();
    let refused = home.import(&sample(), &[]).code(1);
    let told = err(&refused);
    assert!(told.contains("choose an empty folder"), "{told}");
    assert!(!home.key().exists(), "no key for a store that is not made");
}
