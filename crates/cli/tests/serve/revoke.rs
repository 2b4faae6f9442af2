//! Revocation and deactivation take effect at the next request.

use std::fmt::Write;
use std::time::Instant;

use serde_json::json;

use crate::client::{Call, Connection};
use crate::server::{Home, Server, request, text};

/// A request that needs a token but no permission.
const RESOURCES: &str = "/api/v2/resources";

fn list(connection: &mut Connection, token: &str) -> u16 {
    connection.call(Call::get(RESOURCES).token(token)).status
}

#[test]
fn a_revoked_token_is_refused_by_the_next_request() {
    const TOKENS: usize = 1000;
    let (server, client, first) = Server::set_up();
    let mut operator = client.connect();
    let new = request(&first.org, &["read:buckets"]);
    let mut refused = 0;
    for number in 0..TOKENS {
        let call = Call::post("/api/v2/authorizations", &new).token(&first.token);
        let made = operator.call(call).expect(201);
        let token = text(&made["token"]);
        // Every second token is used on its own connection, which stays open.
        let mut open = client.connect();
        assert_eq!(list(&mut open, &token), 200);
        let delete = Call::delete(&text(&made["links"]["self"])).token(&first.token);
        operator.call(delete).expect(204);
        let mut after = match number % 2 {
            0 => open,
            _ => client.connect(),
        };
        let reply = after.call(Call::get(RESOURCES).token(&token));
        reply.refuses(401, "unauthorized access");
        refused += 1;
    }
    println!(
        "revoked={TOKENS} refused_by_the_next_request={refused} on_an_open_connection={}",
        TOKENS / 2
    );
    assert_eq!(refused, TOKENS);
    server.stop();
}

const OWNER: &str = "00000000000f0001";
const ORG: &str = "00000000000e0001";

fn token(number: usize) -> String {
    format!("{number:08}-of-one-user-{number:08}-imported")
}

/// Returns an import file: a user with `tokens` tokens, a token of no user, and an operator token.
fn owner_of(tokens: usize) -> String {
    let mut file = format!(
        r#"{{"orgs":[{{"id":"{ORG}","name":"o"}}],"users":[{{"id":"{OWNER}","name":"u"}}],
        "authorizations":["#
    );
    for number in 0..tokens {
        let (id, token) = (0x10_0000 + number, token(number));
        write!(
            file,
            r#"{{"id":"{id:016x}","token":"{token}","orgID":"{ORG}","userID":"{OWNER}",
            "permissions":["read:buckets"]}},"#
        )
        .unwrap();
    }
    write!(
        file,
        r#"{{"id":"0000000000000a01","token":"{}","orgID":"{ORG}",
        "permissions":["read:buckets"]}},"#,
        token(tokens)
    )
    .unwrap();
    write!(
        file,
        r#"{{"id":"0000000000000a02","token":"{}","orgID":"{ORG}",
        "permissions":["read:users","write:users"]}}]}}"#,
        token(tokens + 1)
    )
    .unwrap();
    file
}

#[test]
fn a_disabled_user_disables_all_tokens_in_one_write() {
    const TOKENS: usize = 10_000;
    let home = Home::new();
    let file = home.path().join("import.json");
    std::fs::write(&file, owner_of(TOKENS)).unwrap();
    home.run(&["import", "import.json"]);
    std::fs::remove_file(file).unwrap();
    let server = home.serve();
    let mut connection = server.client().connect();
    let switch = |connection: &mut Connection, status: &str| {
        let call = Call::patch(&format!("/api/v2/users/{OWNER}"), &json!({"status": status}));
        let reply = connection.call(call.token(&token(TOKENS + 1)));
        reply.expect(200);
        text(&json!(reply.headers["x-symbolon-revision"].to_str().unwrap())).parse::<u64>().unwrap()
    };
    // Used before the user is disabled, so that no token is new to the server.
    for number in 0..TOKENS {
        assert_eq!(list(&mut connection, &token(number)), 200);
    }
    let before = switch(&mut connection, "active");
    let start = Instant::now();
    let after = switch(&mut connection, "inactive");
    let took = start.elapsed();
    assert!(after <= before + 1, "more than one write: {before} {after}");
    for number in 0..TOKENS {
        let reply = connection.call(Call::get(RESOURCES).token(&token(number)));
        reply.refuses(403, "User is inactive");
    }
    println!(
        "tokens_of_the_user={TOKENS} milliseconds_of_the_write={:.1} refused={TOKENS}",
        took.as_secs_f64() * 1e3
    );
    assert_eq!(list(&mut connection, &token(TOKENS)), 200, "of no user");
    switch(&mut connection, "active");
    assert_eq!(list(&mut connection, &token(0)), 200);
    server.stop();
}
