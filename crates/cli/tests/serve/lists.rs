//! Lists among many authorizations: duration and memory.

use std::fmt::Write;
use std::time::Instant;

use serde_json::Value;

use crate::client::{Call, Client};
use crate::server::{Home, Server};

const ORG: &str = "00000000000e0001";
const OPERATOR: &str = "the-operator-of-the-lists-0123456789";
/// Number of authorizations of each user.
const OF_A_USER: usize = 100;
/// Maximum memory for a list of any length.
const FLAT: u64 = 16 << 20;

/// Number of authorizations.
fn many(short: usize) -> usize {
    let number = std::env::var("SYMBOLON_TEST_AUTHORIZATIONS");
    number.map_or(short, |number| number.parse().unwrap())
}

fn user(number: usize) -> String {
    format!("{:016x}", 0xf_0000 + number)
}

/// Starts a server with this number of authorizations, interleaved between users.
fn server_of(authorizations: usize) -> Server {
    let users = authorizations.div_ceil(OF_A_USER);
    let mut file = format!(r#"{{"orgs":[{{"id":"{ORG}","name":"o"}}],"users":["#);
    for number in 0..users {
        let comma = if number == 0 { "" } else { "," };
        let id = user(number);
        write!(file, r#"{comma}{{"id":"{id}","name":"user {number}"}}"#).unwrap();
    }
    write!(
        file,
        r#"],"authorizations":[{{"id":"0000000000000a01","token":"{OPERATOR}","orgID":"{ORG}",
        "permissions":["read:authorizations","read:users"]}}"#
    )
    .unwrap();
    for number in 0..authorizations {
        let (id, user) = (0x100_0000 + number, user(number % users));
        write!(
            file,
            r#",{{"id":"{id:016x}","token":"{number:040}","orgID":"{ORG}","userID":"{user}",
            "description":"of a long list","permissions":["read:orgs/{ORG}/buckets"]}}"#
        )
        .unwrap();
    }
    file += "]}";
    let home = Home::new();
    let path = home.path().join("import.json");
    std::fs::write(&path, file).unwrap();
    home.run(&["import", "import.json"]);
    std::fs::remove_file(path).unwrap();
    home.serve()
}

/// Lists one user repeatedly on one connection. Returns the median time in milliseconds.
fn time_of_one_users(client: &Client, users: usize) -> f64 {
    let mut connection = client.connect();
    let mut times = Vec::new();
    for turn in 0..51 {
        let path = format!("/api/v2/authorizations?userID={}", user(turn * 7919 % users));
        let start = Instant::now();
        let reply = connection.call(Call::get(&path).token(OPERATOR));
        times.push(start.elapsed().as_secs_f64() * 1e3);
        let list = reply.expect(200);
        assert_eq!(list["authorizations"].as_array().unwrap().len(), OF_A_USER);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Reads the whole list without keeping it. Returns the number of rows and bytes.
fn read_through(client: &Client) -> (usize, u64) {
    let (mut rows, mut bytes) = (0, 0);
    let mut last = Vec::new();
    let call = Call::get("/api/v2/authorizations").token(OPERATOR);
    let (_, status, _) = client.connect().stream(call, |part| {
        bytes += part.len() as u64;
        // A row may be split between two parts.
        last.extend_from_slice(part);
        let text = String::from_utf8_lossy(&last);
        rows += text.matches("\"updatedAt\"").count();
        let keep = text.rfind("\"updatedAt\"").map_or(0, |at| at + 11);
        last = text[keep..].as_bytes().to_vec();
    });
    assert_eq!(status, 200);
    (rows, bytes)
}

#[test]
fn listing_one_user_among_many_is_fast() {
    let authorizations = many(10_000);
    let server = server_of(authorizations);
    let milliseconds = time_of_one_users(&server.client(), authorizations / OF_A_USER);
    println!(
        "authorizations={authorizations} one_users={OF_A_USER} \
         median_milliseconds={milliseconds:.2}"
    );
    // Reading all authorizations takes longer, even in a debug build.
    let start = Instant::now();
    read_through(&server.client());
    let all = start.elapsed().as_secs_f64() * 1e3;
    assert!(milliseconds < all / 3.0, "{milliseconds} {all}");
    server.stop();
}

#[test]
fn streaming_a_long_list_uses_constant_memory() {
    let authorizations = many(30_000);
    let server = server_of(authorizations);
    let client = server.client();
    // Memory allocated at the first request does not belong to the list.
    let call = Call::get("/api/v2/authorizations?limit=100").token(OPERATOR);
    let page: Value = client.call(call).expect(200);
    assert_eq!(page["authorizations"].as_array().unwrap().len(), 100);
    let before = server.peak_memory();
    let (rows, bytes) = read_through(&client);
    let after = server.peak_memory();
    println!(
        "rows={rows} bytes={bytes} peak_before={before} peak_after={after} rise={}",
        after - before
    );
    assert_eq!(rows, authorizations + 1);
    assert!(after - before < FLAT, "{before} {after}");
    assert!(bytes > FLAT / 2, "too short to tell");
    server.stop();
}
