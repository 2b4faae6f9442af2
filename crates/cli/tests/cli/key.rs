//! `symbolon key`: tokens keep working after a rotation.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_files::create_private;
use symbolon_oracle::random::Rng;

use crate::common::{Home, ORG, STORES, err, many, out, token};

/// Creates a home with tokens of every kind, and returns the decision for each.
fn home_with_all(store: &'static str) -> (Home, Vec<(String, String)>) {
    let home = Home::with_sample_on(store);
    let create = ["auth", "create", "--org", ORG, "--read-buckets"];
    let native = || {
        let made = home.operate_json(&create);
        let field = |name: &str| made[name].as_str().unwrap().to_owned();
        (field("id"), field("token"))
    };
    let (_, kept) = native();
    let (gone, revoked) = native();
    home.operate(&["auth", "delete", "--id", &gone]).success();
    // Checked once, so that the imported hash is replaced with a keyed one.
    assert_eq!(home.reads(&token(6)), "allow");
    let texts = (1..=7).map(token).chain([kept, revoked]);
    let answers = texts.map(|text| (home.reads(&text), text));
    let answers: Vec<(String, String)> = answers.map(|(answer, text)| (text, answer)).collect();
    let reasons: Vec<&str> = answers.iter().map(|(_, answer)| &**answer).collect();
    assert_eq!(
        reasons,
        [
            "allow",
            "inactive",
            "expired",
            "revoked",
            "forbidden",
            "allow",
            "unknown",
            "allow",
            "revoked"
        ]
    );
    (home, answers)
}

fn answers_as(home: &Home, answers: &[(String, String)]) {
    for (text, answer) in answers {
        assert_eq!(home.reads(text), *answer);
    }
}

/// Returns the lines of a key file that contain secrets.
fn secrets(key: &Path) -> Vec<String> {
    let text = fs::read_to_string(key).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("symbolon-key-1:"));
    let secrets = lines.map(|line| line.rsplit(':').next().unwrap().to_owned());
    secrets.collect()
}

fn keys(home: &Home) -> Vec<String> {
    let shown = home.run(&["key", "show", "--json"]).success();
    let shown: Value = serde_json::from_str(&out(&shown)).unwrap();
    assert_eq!(shown["rotating"], false);
    let ids = shown["keys"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn rotation_keeps_every_token_valid() {
    for store in STORES {
        let (home, answers) = home_with_all(store);
        let first = keys(&home);
        for round in 1..=2 {
            let old = fs::read(home.key()).unwrap();
            let [secret] = secrets(&home.key()).try_into().unwrap();
            let rotated = home.run(&["key", "rotate"]).success();
            assert!(out(&rotated).starts_with("Key "), "{}", out(&rotated));
            answers_as(&home, &answers);
            let ids = keys(&home);
            assert_eq!((ids.len(), &ids[0]), (round + 1, &first[0]));
            home.run(&["fsck"]).success();
            home.run(&["audit", "verify"]).success();
            for file in home.files() {
                let bytes = fs::read(&file).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(&secret), "{}", file.display());
            }
            let copy = home.path(format!("old-{round}/key"));
            fs::create_dir(copy.parent().unwrap()).unwrap();
            create_private(&copy, &old).unwrap();
            let copy = copy.to_str().unwrap();
            for command in [&["fsck"][..], &["key", "rotate"]] {
                let refused = home.run(&[command, &["--key-file", copy]].concat());
                let refused = refused.failure();
                let error = err(&refused);
                let needed = format!("it needs key {}", ids[round]);
                assert!(error.contains("the key does not belong to this store"), "{error}");
                assert!(error.contains(&needed), "{error}");
                assert_eq!(fs::read(copy).unwrap(), old);
            }
            fs::remove_dir_all(home.path(format!("old-{round}"))).unwrap();
            // New tokens are hashed under the new key.
            home.operate(&["auth", "create", "--org", ORG, "--read-buckets"]).success();
        }
        answers_as(&home, &answers);
    }
}

#[test]
fn key_show_prints_ids_but_no_secret() {
    let home = Home::with_sample();
    home.run(&["key", "rotate"]).success();
    let [secret] = secrets(&home.key()).try_into().unwrap();
    for arguments in [&["key", "show"][..], &["key", "show", "--json"]] {
        let shown = home.run(arguments).success();
        assert!(!out(&shown).contains(&secret));
        for id in keys(&home) {
            assert!(out(&shown).contains(&id), "{}", out(&shown));
        }
    }
    let shown = out(&home.run(&["key", "show"]).success());
    assert!(shown.contains("former; only for the hashes of older tokens\n"));
    assert!(shown.ends_with("current\n"), "{shown}");
}

#[test]
fn a_store_in_use_blocks_key_rotation() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let before = fs::read(home.key()).unwrap();
        let mut stream = home.process(&["check", "--stream"]);
        let stream = stream.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut stream: Child = stream.stderr(Stdio::null()).spawn().unwrap();
        let mut input = stream.stdin.take().unwrap();
        writeln!(input, "{{}}").unwrap();
        let mut answer = [0];
        std::io::Read::read_exact(stream.stdout.as_mut().unwrap(), &mut answer).unwrap();
        let refused = home.run(&["key", "rotate"]).code(1);
        let error = err(&refused);
        assert!(error.contains("another process") && error.contains("stop"), "{error}");
        assert_eq!(fs::read(home.key()).unwrap(), before);
        drop(input);
        stream.wait().unwrap();
        home.run(&["key", "rotate"]).success();
    }
}

/// Each rotates the key that the previous one left: the key of a store is never lost.
#[test]
fn concurrent_rotations_are_serialized() {
    let home = Home::with_sample();
    let rotate = || {
        let mut process = home.process(&["key", "rotate"]);
        let process = process.stdout(Stdio::null()).stderr(Stdio::null());
        process.spawn().unwrap()
    };
    let mut done = 0;
    for _ in 0..10 {
        let children: Vec<Child> = (0..6).map(|_| rotate()).collect();
        for mut child in children {
            done += usize::from(child.wait().unwrap().success());
        }
        assert_eq!(home.reads(&token(1)), "allow");
    }
    assert_eq!(keys(&home).len(), done + 1);
    home.run(&["fsck"]).success();
}

#[test]
fn a_backup_from_before_a_rotation_is_restored_with_the_old_key() {
    for store in STORES {
        let (home, answers) = home_with_all(store);
        home.run(&["backup", "b"]).success();
        create_private(&home.path("old"), &fs::read(home.key()).unwrap()).unwrap();
        home.operate(&["auth", "delete", "--id", "0000000000000a06"]).success();
        home.run(&["key", "rotate"]).success();
        let refused = home.run(&["restore", "b", "--replace"]).code(1);
        assert!(err(&refused).contains("`--old-key-file PATH`"), "{}", err(&refused));
        let restore = ["restore", "b", "--replace", "--old-key-file", "old"];
        home.run(&restore).success();
        let answers: Vec<_> = answers
            .into_iter()
            .map(|(text, answer)| match text == token(6) {
                true => (text, "revoked".to_owned()),
                false => (text, answer),
            })
            .collect();
        answers_as(&home, &answers);
        home.run(&["fsck"]).success();
        home.run(&["audit", "verify"]).success();
    }
}

/// Replaces the store file itself with an old copy.
#[test]
fn a_store_from_before_a_rotation_is_not_reported_as_damaged() {
    let home = Home::with_sample();
    fs::copy(home.store(), home.path("copy")).unwrap();
    create_private(&home.path("old"), &fs::read(home.key()).unwrap()).unwrap();
    home.run(&["key", "rotate"]).success();
    fs::copy(home.path("copy"), home.store()).unwrap();
    let arguments = ["check", "--action=read", "--type=buckets"];
    let refused = home.command(&arguments).write_stdin(token(1)).assert().code(2);
    let error = err(&refused);
    assert!(error.contains("before its key was rotated"), "{error}");
    assert!(error.contains("`symbolon backup`") && error.contains("--old-key-file"), "{error}");
    // The steps in the error message work.
    home.run(&["backup", "b"]).success();
    home.run(&["restore", "b", "--replace", "--old-key-file", "old"]).success();
    assert_eq!(home.reads(&token(1)), "allow");
}

/// `SYMBOLON_CRASH_CYCLES` sets the number of kills, and increases the records to 20,000.
#[test]
fn a_killed_rotation_leaves_all_tokens_valid() {
    let cycles = std::env::var("SYMBOLON_CRASH_CYCLES").ok();
    let cycles: Option<u64> = cycles.map(|cycles| cycles.parse().unwrap());
    let records = if cycles.is_some() { 20_000 } else { 4000 };
    let mut random = Rng::with_seed(1);
    for store in STORES {
        let (home, answers) = home_with_all(store);
        home.import(&many(records), &[]).success();
        let last = format!("{:032}", records - 1);
        let mut under_way = 0;
        for _ in 0..cycles.unwrap_or(5) {
            let mut rotating = home.process(&["key", "rotate"]);
            let rotating = rotating.stdout(Stdio::null()).stderr(Stdio::null());
            let mut rotating = rotating.spawn().unwrap();
            let limit = Instant::now() + Duration::from_secs(60);
            while secrets(&home.key()).len() == 1 && Instant::now() < limit {
                thread::sleep(Duration::from_millis(1));
            }
            let sealing = random.u64(..records as u64 * 20);
            thread::sleep(Duration::from_micros(sealing));
            rotating.kill().unwrap();
            rotating.wait().unwrap();
            for (text, answer) in answers.iter().step_by(3) {
                assert_eq!(home.reads(text), *answer);
            }
            assert_eq!(home.reads(&last), "allow");
            let shown = home.run(&["key", "show", "--json"]).success();
            let shown: Value = serde_json::from_str(&out(&shown)).unwrap();
            under_way += usize::from(shown["rotating"] == true);
        }
        let done = home.run(&["key", "rotate"]).success();
        println!("{store}: {under_way} killed under way; {}", out(&done));
        assert!(under_way > 0, "none was hit");
        keys(&home);
        answers_as(&home, &answers);
        home.run(&["fsck"]).success();
        home.run(&["audit", "verify"]).success();
    }
}
