//! The commands on a sled store.

use std::fs;

use serde_json::Value;
use symbolon_sled::SledStore;

use crate::common::{Home, STORES, decides, err, out, sample};

#[test]
fn setup_import_and_check_work_on_sled() {
    let home = Home::on(STORES[1]);
    let setup = ["setup", "--org=first", "--user=operator"];
    home.run(&[&setup[..], &["--write-token=op"]].concat()).success();
    assert!(err(&home.run(&setup).code(1)).contains("set-up has been done already"));
    assert!(home.key().exists());
    home.import(&sample(), &[]).success();
    let again = home.import(&sample(), &[]).success();
    assert_eq!(out(&again), "Nothing to import; 10 items already present.\n");
    decides(&home);
    let operator = fs::read_to_string(home.path("op")).unwrap();
    home.check(&operator, &["--action=write", "--type=tasks"]);
    let found = home.run(&["fsck", "--json"]).success();
    let report: Value = serde_json::from_str(&out(&found)).unwrap();
    let records = &report["records"]["authorization"];
    assert_eq!((&report["sound"], records), (&true.into(), &7.into()));
}

#[test]
fn a_second_process_is_refused() {
    let home = Home::with_sample_on(STORES[1]);
    let held = SledStore::open_existing(home.store()).unwrap();
    for (arguments, code) in [
        (&["fsck"][..], 1),
        (&["import", "-"], 1),
        (&["setup", "--org=o", "--user=u"], 1),
        (&["check", "--stream"], 2),
    ] {
        let refused = home.command(arguments).write_stdin(sample()).assert().code(code);
        let error = err(&refused);
        assert!(error.starts_with("Error: the store is in use by another process"), "{error}");
    }
    drop(held);
    home.run(&["fsck"]).success();
}

#[test]
fn a_folder_with_other_files_is_rejected() {
    let home = Home::on(STORES[1]);
    fs::create_dir_all(home.store()).unwrap();
    fs::write(home.store().join("list"), "milk").unwrap();
    let refused = home.import(&sample(), &[]).code(1);
    let error = err(&refused);
    assert!(error.contains("choose an empty folder"), "{error}");
    assert!(!home.key().exists(), "no key is created without a store");
}
