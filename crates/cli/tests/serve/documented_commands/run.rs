//! Runs the documented commands with bash, curl, jq and xargs against a server.

use std::collections::HashMap;
use std::process::Command as Process;

use serde_json::{Deserializer, Value, json};

use super::{Command, Filling, read};
use crate::client::{Call, Client};
use crate::server::{First, Server, request, text};

/// A server with the user, tokens and second organization that the documentation assumes.
struct World {
    server: Server,
    client: Client,
    first: First,
    /// First and second authorization of `user2`.
    of_user2: [Value; 2],
    /// Authorizations of `iot_user_1`: write, read only, and write but inactive.
    of_iot: [Value; 3],
    of_other_org: Value,
    database_token: Option<String>,
}

#[test]
fn documented_commands_do_what_the_documentation_says() {
    let mut world = World::new();
    let mut count = 0;
    for command in read().iter().flat_map(|page| &page.command) {
        if command.later.is_none() {
            println!("{} …", command.name);
            world.does(command);
            count += 1;
        }
    }
    println!("commands={count}");
    assert_eq!(count, 10);
    world.server.stop();
}

impl World {
    fn new() -> Self {
        let (server, client, first) = Server::set_up();
        let operate = |call: Call, status| client.call(call.token(&first.token)).expect(status);
        let user = |name: &str| {
            let made = operate(Call::post("/api/v2/users", &json!({"name": name})), 201);
            text(&made["id"])
        };
        let authorize = |mut request: Value, user: &str, status: &str| {
            request["userID"] = json!(user);
            request["status"] = json!(status);
            operate(Call::post("/api/v2/authorizations", &request), 201)
        };
        let (user2, iot) = (user("user2"), user("iot_user_1"));
        let reads = request(&first.org, &["read:buckets"]);
        let writes = request(&first.org, &["read:buckets", "write:buckets"]);
        let other = operate(Call::post("/api/v2/orgs", &json!({"name": "other"})), 201);
        let of_other = request(&text(&other["id"]), &["write:buckets"]);
        Self {
            of_user2: [(); 2].map(|()| authorize(reads.clone(), &user2, "active")),
            of_iot: [
                authorize(writes.clone(), &iot, "active"),
                authorize(reads.clone(), &iot, "active"),
                authorize(writes.clone(), &iot, "inactive"),
            ],
            of_other_org: authorize(of_other, &iot, "active"),
            database_token: None,
            server,
            client,
            first,
        }
    }

    fn does(&mut self, command: &Command) {
        match &*command.name {
            "disable a token" => self.disables(command),
            "delete a token" => self.deletes(command),
            "view tokens" => self.views(command),
            "view a single token" => self.views_one(command),
            "filter the token list" => self.filters(command),
            "get all database tokens" => self.lists_database_tokens(command),
            "create a database token" => self.creates_a_database_token(command),
            "get a database token" => self.gets_a_database_token(command),
            "update a database token" => self.updates_a_database_token(command),
            "delete a database token" => self.deletes_a_database_token(command),
            other => panic!("no expectation for `{other}`"),
        }
    }

    /// Runs the command with a token that has these grants and returns the JSON it prints.
    fn run(&self, command: &Command, grants: &[&str], id: &str) -> Vec<Value> {
        let token = self.client.call(
            Call::post("/api/v2/authorizations", &request(&self.first.org, grants))
                .token(&self.first.token),
        );
        let token = text(&token.expect(201)["token"]);
        let values = HashMap::from([
            (Filling::Server, self.server.url.clone()),
            (Filling::Token, token.clone()),
            (Filling::Id, id.to_owned()),
            (Filling::Description, "of a document".to_owned()),
            (Filling::Expiry, "2126-01-31T12:00:00.000Z".to_owned()),
        ]);
        let output = Process::new("bash")
            .args(["-o", "pipefail", "-c", &command.filled(&values)])
            .env("INFLUX_TOKEN", &token)
            .current_dir(self.server.home.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", command.name);
        let printed = Deserializer::from_slice(&output.stdout).into_iter();
        printed.map(Result::unwrap).collect()
    }

    fn authorization(&self, of: &Value, status: u16) -> Value {
        let get = Call::get(of["links"]["self"].as_str().unwrap());
        self.client.call(get.token(&self.first.token)).expect(status)
    }

    /// Sends a request with the token and returns the status and the message.
    fn use_of(&self, of: &Value) -> (u16, Value) {
        let get = Call::get("/api/v2/resources").token(of["token"].as_str().unwrap());
        let reply = self.client.call(get);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        (reply.status, body.get("message").cloned().unwrap_or_default())
    }

    fn disables(&self, command: &Command) {
        let [one, two] = &self.of_user2;
        let grants = ["read:authorizations", "write:authorizations"];
        let printed = self.run(command, &grants, "");
        assert_eq!(printed.len(), 1);
        assert_eq!(printed[0]["id"], one["id"]);
        for shown in [&printed[0], &self.authorization(one, 200)] {
            assert_eq!(shown["status"], "inactive");
            assert_eq!(shown["description"], "deactivated_auth");
            assert_eq!(shown["permissions"], one["permissions"]);
        }
        assert_eq!(self.use_of(one), (401, json!("token is inactive")));
        assert_eq!(self.authorization(two, 200)["status"], "active");
        assert_eq!(self.use_of(two).0, 200);
    }

    fn deletes(&self, command: &Command) {
        let [one, two] = &self.of_user2;
        let grants = ["read:authorizations", "write:authorizations"];
        assert_eq!(self.run(command, &grants, ""), [] as [Value; 0]);
        self.authorization(one, 404);
        assert_eq!(self.use_of(one), (401, json!("unauthorized access")));
        assert_eq!(self.authorization(two, 200)["id"], two["id"]);
        assert_eq!(self.use_of(two).0, 200);
    }

    fn views(&self, command: &Command) {
        let printed = self.run(command, &["read:authorizations"], "");
        let rows = printed[0]["authorizations"].as_array().unwrap();
        // Only rows of this organization, without token texts.
        assert!(rows.iter().all(|row| row["orgID"] == self.first.org));
        assert!(rows.iter().all(|row| row["token"] == ""));
        let shown = |of: &Value| rows.iter().any(|row| row["id"] == of["id"]);
        assert!(self.of_iot.iter().all(shown));
        assert!(!shown(&self.of_other_org));
    }

    fn views_one(&self, command: &Command) {
        let one = &self.of_iot[0];
        let printed = self.run(command, &["read:authorizations"], one["id"].as_str().unwrap());
        let mut expected = one.clone();
        expected["token"] = json!("");
        assert_eq!(printed, [expected]);
    }

    fn filters(&self, command: &Command) {
        let printed = self.run(command, &["read:authorizations", "read:users"], "");
        let ids: Vec<_> = printed.iter().map(|row| &row["id"]).collect();
        assert_eq!(ids, [&self.of_iot[0]["id"]]);
    }

    /// Runs a command on database tokens with permission to manage them.
    fn manage(&self, command: &Command) -> Vec<Value> {
        let id = self.database_token.as_deref().unwrap_or_default();
        let grants = ["read:authorizations", "write:authorizations"];
        self.run(command, &grants, id)
    }

    fn lists_database_tokens(&self, command: &Command) {
        assert_eq!(self.manage(command), [json!([])]);
    }

    fn creates_a_database_token(&mut self, command: &Command) {
        let printed = self.manage(command);
        let made = &printed[0];
        assert_eq!(made["description"], "of a document");
        assert_eq!(made["permissions"], json!([]));
        let expiry = made["expiresAt"].as_str().unwrap();
        assert!(expiry.starts_with("2126-01-31T12:00:00"), "{expiry}");
        assert!(made["accessToken"].as_str().unwrap().len() >= 64);
        assert!(made["createdAt"].is_string() && made.get("revokedAt").is_none());
        self.database_token = Some(text(&made["id"]));
    }

    fn gets_a_database_token(&self, command: &Command) {
        let printed = self.manage(command);
        let id = self.database_token.as_deref();
        assert_eq!(printed[0]["id"].as_str(), id);
        assert_eq!(printed[0]["description"], "of a document");
        assert!(printed[0].get("accessToken").is_none());
    }

    fn updates_a_database_token(&self, command: &Command) {
        let path = format!("/api/v0/tokens/{}", self.database_token.as_deref().unwrap());
        let change =
            json!({"description": "another", "permissions": [{"action": "read", "resource": "*"}]});
        let operate = |call: Call| self.client.call(call.token(&self.first.token)).expect(200);
        let widened = operate(Call::patch(&path, &change));
        assert_eq!(widened["permissions"], change["permissions"]);
        let printed = self.manage(command);
        for shown in [&printed[0], &operate(Call::get(&path))] {
            assert_eq!(shown["description"], "of a document");
            assert_eq!(shown["permissions"], json!([]));
        }
    }

    fn deletes_a_database_token(&self, command: &Command) {
        assert_eq!(self.manage(command), [] as [Value; 0]);
        let path = format!("/api/v0/tokens/{}", self.database_token.as_deref().unwrap());
        let get = Call::get(&path).token(&self.first.token);
        assert!(self.client.call(get).expect(200)["revokedAt"].is_string());
    }
}
