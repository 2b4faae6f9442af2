//! A database that somebody without the key has written to: what they changed is refused, and `fsck` names it.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::world::{World, id, row, token};

/// Number 2 is inactive.
const ROWS: u64 = 6;
const STORE: &str = "sqlite:./data/store.db";

fn store() -> (World, Connection) {
    let mut rows: Vec<Value> = (0..ROWS).map(row).collect();
    rows[2]["status"] = json!("inactive");
    let world = World::with(STORE, &rows);
    let database = Connection::open(world.path("data/store.db")).unwrap();
    (world, database)
}

/// The ids that `fsck` reports.
fn reported(world: &World) -> Vec<String> {
    let output = world.run(&["fsck", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    let ids: Vec<String> = problems
        .iter()
        .map(|one| one["id"].as_str().unwrap().into())
        .collect();
    assert_eq!(output.status.code(), Some(i32::from(!ids.is_empty())));
    assert_eq!(report["sound"], json!(ids.is_empty()));
    ids
}

/// The row of the authorization with this number, as SQLite has its id.
fn place(database: &Connection, number: u64) -> i64 {
    let select = "SELECT id FROM record WHERE kind = 1 ORDER BY id LIMIT 1 OFFSET ?1";
    database
        .query_row(select, [i64::try_from(number).unwrap()], |row| row.get(0))
        .unwrap()
}

fn change(database: &Connection, number: u64, assignment: &str) {
    let statement = format!("UPDATE record SET {assignment} WHERE kind = 1 AND id = ?1");
    assert_eq!(
        database
            .execute(&statement, [place(database, number)])
            .unwrap(),
        1
    );
}

/// Changes the row, and expects that its token is refused as unknown, that it is reported, and that the others work.
fn refuses(number: u64, tamper: impl Fn(&Connection)) {
    let (world, database) = store();
    assert_eq!(reported(&world), [""; 0]);
    tamper(&database);
    let unknown = json!({"allow": false, "reason": "unknown"});
    assert_eq!(world.check(&token(number)), (1, unknown));
    assert_eq!(reported(&world), [id(number)]);
    assert_eq!(world.check(&token(0)).0, 0);
}

#[test]
fn a_flipped_status_is_refused() {
    refuses(2, |database| change(database, 2, "status = 1"));
}

#[test]
fn a_changed_column_is_refused() {
    let other = "organization = organization + 1";
    refuses(1, |database| change(database, 1, other));
    refuses(1, |database| change(database, 1, "user = 5"));
    refuses(1, |database| change(database, 1, "face = 2"));
}

#[test]
fn a_widened_permission_is_refused() {
    refuses(3, |database| {
        let row = place(database, 3);
        let select = "SELECT bytes FROM record WHERE kind = 1 AND id = ?1";
        let mut bytes: Vec<u8> = database.query_row(select, [row], |row| row.get(0)).unwrap();
        let at = bytes
            .windows(7)
            .position(|part| part == b"buckets")
            .unwrap();
        bytes[at..at + 7].copy_from_slice(b"secrets");
        let update = "UPDATE record SET bytes = ?1 WHERE kind = 1 AND id = ?2";
        database.execute(update, params![bytes, row]).unwrap();
    });
}

#[test]
fn a_hash_in_the_place_of_another_is_refused() {
    refuses(4, |database| change(database, 4, "uniq = randomblob(33)"));
}

#[test]
fn a_record_moved_to_another_id_is_refused() {
    let (world, database) = store();
    let (from, to) = (place(&database, 5), place(&database, 5) + 100);
    let update = "UPDATE record SET id = ?1 WHERE kind = 1 AND id = ?2";
    database.execute(update, [to, from]).unwrap();
    assert_eq!(world.check(&token(5)).0, 1);
    assert_eq!(reported(&world), [id(105)]);
}

#[test]
fn a_planted_record_is_refused_and_hides_no_other() {
    let (world, database) = store();
    let insert = "INSERT INTO record SELECT kind, id + 100, revision + 1, randomblob(33), \
                  organization, user, status, face, bytes FROM record WHERE kind = 1 AND id = ?1";
    database.execute(insert, [place(&database, 1)]).unwrap();
    assert_eq!(reported(&world), [id(101)]);
    for number in [0, 1, 3, 4, 5] {
        assert_eq!(world.check(&token(number)).0, 0);
    }
}

#[test]
fn no_token_is_in_any_file() {
    let (world, database) = store();
    let operator = world.operator();
    // With the log that a reader keeps open.
    let _rows: i64 = database
        .query_row("SELECT count(*) FROM record", [], |row| row.get(0))
        .unwrap();
    let mut files = 0;
    let mut folders = vec![world.path("data")];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
            assert!(!holds(operator.as_bytes()), "{}", path.display());
            for number in 0..ROWS {
                assert!(!holds(token(number).as_bytes()), "{}", path.display());
            }
        }
    }
    assert!(files >= 2, "the database and its key");
}
