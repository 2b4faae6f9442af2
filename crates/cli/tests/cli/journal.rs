//! The journal: revoked tokens stay revoked after a restore or a replaced store file.

use std::fs;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Arc;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::{Value, json};
use symbolon::journal::JournalKeys;
use symbolon::{Caller, Engine, Id, Options, Schema, TokenStore, Transition};
use symbolon_files::KeyFile;
use symbolon_journal::FileJournal;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use crate::common::{AUTH, Home, ORG, STORES, err, many, out, row, token};

const TOKENS: usize = 1000;

fn folder(home: &Home) -> PathBuf {
    FileJournal::beside(&home.key())
}

/// Opens an engine on the store, of either kind, with its journal in this process.
fn journaled(home: &Home) -> Engine {
    let path = home.store();
    let store: Arc<dyn TokenStore> = match path.is_dir() {
        true => Arc::new(SledStore::open_existing(path).unwrap()),
        false => Arc::new(SqliteStore::open_existing(path).unwrap()),
    };
    let key = KeyFile::load(&home.key()).unwrap();
    let journal = FileJournal::open(&folder(home), JournalKeys::new(&key)).unwrap();
    let options = Options {
        journal: Some(Arc::new(journal)),
        ..Options::new(Schema::influxdb_v2().and(Schema::databases()))
    };
    Engine::open(store, key, options).unwrap()
}

fn revoke_many(home: &Home) {
    let engine = journaled(home);
    for number in 0..TOKENS as u64 {
        let id = Id::new(0x10_0000 + number).unwrap();
        engine.admin(Caller::Root).authorizations().revoke(id).unwrap();
    }
}

/// Returns the number of tokens of [`many`] with this decision.
fn count(home: &Home, reason: &str) -> usize {
    let ask = |number: usize| {
        json!({
            "token": format!("{number:032}"), "action": "read", "type": "buckets", "org": ORG,
        })
    };
    let lines: Vec<String> = (0..TOKENS).map(|number| ask(number).to_string()).collect();
    let mut command = home.command(&["check", "--stream"]);
    let done = command.write_stdin(lines.join("\n")).assert().success();
    let answers = out(&done);
    let answers = answers.lines().map(|line| {
        let answer: Value = serde_json::from_str(line).unwrap();
        answer["reason"].as_str().unwrap_or("allow").to_owned()
    });
    answers.filter(|answer| answer == reason).count()
}

fn home_with_many(store: &'static str) -> Home {
    let home = Home::with_sample_on(store);
    home.import(&many(TOKENS), &[]).success();
    home
}

#[test]
fn restoring_a_backup_keeps_a_thousand_revoked_tokens_revoked() {
    for store in STORES {
        let home = home_with_many(store);
        home.run(&["backup", "b"]).success();
        assert_eq!(count(&home, "allow"), TOKENS);
        revoke_many(&home);
        let done = home.run(&["restore", "b", "--replace", "--json"]).success();
        let report: Value = serde_json::from_str(&out(&done)).unwrap();
        assert_eq!(report["endedAgain"], TOKENS);
        let refused = count(&home, "revoked");
        println!("{store}: {refused} of {TOKENS} refused");
        assert_eq!(refused, TOKENS);
        assert_eq!(home.reads(&token(1)), "allow");
        let done = home.run(&["restore", "b", "--replace"]).success();
        assert!(
            out(&done).contains("Replayed revocations of 1,000 records from the journal."),
            "{}",
            out(&done)
        );
        assert_eq!(count(&home, "revoked"), TOKENS);
        home.run(&["fsck"]).success();
        home.run(&["audit", "verify"]).success();
    }
}

#[test]
fn replacing_the_store_file_offline_reactivates_no_token() {
    let home = home_with_many(STORES[0]);
    fs::copy(home.store(), home.path("copy")).unwrap();
    revoke_many(&home);
    fs::copy(home.path("copy"), home.store()).unwrap();
    let request = ["check", "--action=read", "--type=buckets", "--org", ORG];
    let asked = home.command(&request).write_stdin(format!("{:032}", 5)).assert().code(1);
    assert!(
        err(&asked).contains("to an earlier copy; replayed revocations of 1,000 records"),
        "{}",
        err(&asked)
    );
    assert_eq!(count(&home, "revoked"), TOKENS);
    let asked = home.command(&request).write_stdin(token(1)).assert().success();
    assert!(!err(&asked).contains("rolled back"), "reported only once: {}", err(&asked));
}

#[test]
fn a_store_without_its_journal_opens_only_when_accepted() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        home.run(&["backup", "b"]).success();
        fs::rename(folder(&home), home.path("away")).unwrap();
        let list = ["auth", "list", "--store", store];
        for arguments in [
            &["check", "--action=read", "--type=buckets"][..],
            &list,
            &["key", "rotate"],
            &["restore", "b", "--replace"],
        ] {
            let before = fs::read(home.key()).unwrap();
            let refused = home.command(arguments).write_stdin(token(1)).assert().failure();
            let error = err(&refused);
            assert!(error.contains("has no entries for the store"), "{error}");
            assert!(
                error.contains("`--accept-restore`") && error.contains("`--revoke-before TIME`"),
                "{error}"
            );
            assert_eq!(fs::read(home.key()).unwrap(), before);
            assert!(!folder(&home).exists(), "nothing was begun");
        }
        let accepted = home.run(&[&list[..], &["--accept-restore"]].concat()).success();
        assert!(err(&accepted).contains("opened without its journal"), "{}", err(&accepted));
        let next = home.run(&list).success();
        assert_eq!(err(&next), "", "from now on there is a journal");
        let ask = ["--action=read", "--type=buckets", "--org", ORG];
        let before = [&["check"], &ask[..], &["--revoke-before", "2100-01-01T00:00:00Z"]].concat();
        let refused = home.command(&before).write_stdin(token(1)).assert().code(1);
        assert!(out(&refused).contains("revoked"), "{}", out(&refused));
        assert_eq!(home.reads(&token(6)), "revoked");
    }
}

#[test]
fn the_journal_of_another_store_is_refused() {
    let home = Home::with_sample();
    let other = Home::with_sample();
    let theirs = folder(&other);
    let arguments = ["check", "--action=read", "--type=buckets", "--journal"];
    let arguments = [&arguments[..], &[theirs.to_str().unwrap()]].concat();
    let refused = home.command(&arguments).write_stdin(token(1)).assert().code(2);
    assert!(err(&refused).contains("the journal"), "{}", err(&refused));
    // Also if both stores have the same key. A restore then creates and moves nothing.
    home.run(&["backup", "b"]).success();
    let key = home.key();
    let second = ["--store=sqlite:second/db", "--key-file", key.to_str().unwrap()];
    let setup = ["setup", "--org=o", "--user=u", "--journal=second.journal"];
    home.run(&[&setup[..], &second[..]].concat()).success();
    let restore = ["restore", "b", "--replace", "--journal=second.journal"];
    let refused = home.run(&restore).code(1);
    assert!(err(&refused).contains("belongs to another store"), "{}", err(&refused));
    home.run(&["fsck"]).success();
}

#[test]
fn revoked_tokens_are_imported_only_on_request() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        home.run(&["backup", "b"]).success();
        home.import(&format!(r#"{{"authorizations":[{}]}}"#, row(8, "")), &[]).success();
        home.operate(&["auth", "delete", "--id", "0000000000000a08"]).success();
        // The restored store never had this authorization, but the journal records it.
        home.run(&["restore", "b", "--replace"]).success();
        let again = format!(r#"{{"authorizations":[{},{}]}}"#, row(1, ""), row(8, ""));
        let refused = home.import(&again, &[]).code(1);
        let error = err(&refused);
        assert!(error.contains("authorizations[1] (id 0000000000000a08)"), "{error}");
        assert!(error.contains("was revoked or deleted"), "{error}");
        assert!(error.contains("`--revive`"), "{error}");
        assert_eq!(home.reads(&token(8)), "unknown");
        // The same token under another id is refused too.
        let other = row(9, "").replace(&token(9), &token(8));
        let refused = home.import(&format!(r#"{{"authorizations":[{other}]}}"#), &[]);
        assert!(err(&refused.code(1)).contains("was revoked or deleted"));
        home.import(&again, &["--revive"]).success();
        assert_eq!(home.reads(&token(8)), "allow");
        home.run(&["fsck"]).success();
        home.run(&["restore", "b", "--replace"]).success();
        assert_eq!(home.reads(&token(8)), "unknown");
        home.import(&again, &[]).success();
        assert_eq!(home.reads(&token(8)), "allow", "it was revived on purpose");
    }
}

/// Runs a command under a limit on file sizes, which the journal exceeds but the store does not.
fn limited(home: &Home, arguments: &[&str]) -> Assert {
    let plain = home.process(arguments);
    let mut limited = Process::new("sh");
    limited
        .current_dir(plain.get_current_dir().unwrap())
        .args(["-c", r#"trap "" XFSZ; ulimit -f 160; exec "$@""#, "sh"])
        .arg(plain.get_program())
        .args(arguments);
    Command::from_std(limited).assert()
}

#[test]
fn an_unwritable_journal_blocks_creation_but_not_revocation() {
    let home = Home::with_sample();
    let engine = journaled(&home);
    let id: Id = AUTH.parse().unwrap();
    for _ in 0..500 {
        for transition in [Transition::Deactivate, Transition::Activate] {
            let edited = engine.admin(Caller::Root).authorizations().edit(id, transition.into());
            edited.unwrap();
        }
    }
    drop(engine);
    let [chain] = symbolon_journal::chains(&folder(&home)).unwrap().try_into().unwrap();
    let length = || fs::metadata(&chain.path).unwrap().len();
    let before = length();
    assert!(before > 160 * 1024 && fs::metadata(home.store()).unwrap().len() < 80 * 1024);
    let create = ["auth", "create", "--org", ORG, "--read-buckets"];
    let refused = limited(&home, &[&create[..], &["--store", STORES[0]]].concat()).code(1);
    let error = err(&refused);
    assert!(error.contains("the journal could not be written"), "{error}");
    assert!(error.contains("chain-0001.jsonl"), "{error}");
    assert_eq!(out(&refused), "");
    let delete = ["auth", "delete", "--id", AUTH, "--store", STORES[0]];
    let done = limited(&home, &delete).success();
    let error = err(&done);
    assert!(error.contains("Warning: ") && error.contains("the journal has a gap"), "{error}");
    assert_eq!(length(), before);
    let verified = home.run(&["audit", "verify"]).code(1);
    assert!(out(&verified).contains("written to without it"), "{}", out(&verified));
    // The next command writes the missing entry to the journal.
    assert_eq!(home.reads(&token(1)), "revoked");
    let shown = home.run(&["audit", "show", "--act", "end_again"]).success();
    assert!(out(&shown).contains(AUTH), "{}", out(&shown));
    home.operate(&create).success();
}

#[test]
fn the_journal_records_who_did_what() {
    let home = Home::with_sample();
    let created = home.operate_json(&["auth", "create", "--org", ORG, "--read-buckets"]);
    let id = created["id"].as_str().unwrap();
    home.operate(&["auth", "inactive", "--id", id]).success();
    home.operate(&["auth", "delete", "--id", id]).success();
    home.run(&["key", "rotate"]).success();
    let shown = home.run(&["audit", "show", "--id", id]).success();
    let text = out(&shown);
    let acts: Vec<&str> =
        text.lines().skip(1).map(|line| line.split_whitespace().nth(2).unwrap()).collect();
    assert_eq!(acts, ["create", "deactivate", "revoke", "reseal"], "{text}");
    assert!(!text.contains(created["token"].as_str().unwrap()));
    assert!(text.lines().skip(1).all(|line| line.contains("root")));
}

#[test]
fn each_damage_is_reported_with_its_file_and_line() {
    let home = Home::with_sample();
    for transition in ["inactive", "active", "inactive"] {
        home.operate(&["auth", transition, "--id", AUTH]).success();
    }
    let [chain] = symbolon_journal::chains(&folder(&home)).unwrap().try_into().unwrap();
    let whole = fs::read_to_string(&chain.path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let mut flipped = whole.clone().into_bytes();
    let at = lines[0].len() + lines[1].len() + 10;
    flipped[at] ^= 1;
    let without: Vec<&str> =
        lines.iter().enumerate().filter(|(at, _)| *at != 3).map(|(_, line)| *line).collect();
    let mut exchanged = lines.clone();
    exchanged.swap(2, 4);
    for (damaged, place) in [
        (flipped, "line 3"),
        (format!("{}\n", without.join("\n")).into(), "line 4"),
        (format!("{}\n", exchanged.join("\n")).into(), "lines 3 to 5"),
    ] {
        fs::write(&chain.path, damaged).unwrap();
        let report = out(&home.run(&["audit", "verify"]).code(1));
        let place = format!("chain-0001.jsonl, {place}");
        assert!(report.contains(&place), "{place}: {report}");
    }
    fs::write(&chain.path, whole).unwrap();
    home.run(&["audit", "verify"]).success();
    let elsewhere = home.run(&["audit", "show", "--journal", "away"]).success();
    assert!(err(&elsewhere).contains("there is no journal in `away`"));
}

#[test]
fn fsck_works_without_the_journal() {
    let home = Home::with_sample();
    fs::rename(folder(&home), home.path("away")).unwrap();
    let examined = home.run(&["fsck"]).success();
    assert!(err(&examined).contains("Warning: the journal"));
    assert!(out(&examined).contains("No problems found."));
    assert!(!folder(&home).exists(), "nothing was accepted");
}
