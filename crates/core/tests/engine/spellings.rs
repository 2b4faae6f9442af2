//! Spellings that journals store and clients see stay the same, whatever Rust calls them.

use serde_json::{Value, json, to_value};
use symbolon::journal::{Actor, Event, Intent, Operation, Outcome, Revocation, WrittenRecord};
use symbolon::record::{Kind, RecordKey};
use symbolon::{Denied, Id, Origin, Status};

fn id() -> Id {
    Id::new(0x0804_f741_42bb_f000).unwrap()
}

#[test]
fn journal_events_keep_their_spelling() {
    let key = RecordKey::new(Kind::AUTHORIZATION, id());
    let intent = Event::Intent(Intent {
        actor: Actor::User(id()),
        operation: Operation::Revoke,
        writes: vec![WrittenRecord { key, sequence: 2 }],
        ends: vec![Revocation { key, at: "2026-01-01T00:00:00Z".parse().unwrap(), mark: None }],
    });
    let opened = Event::Opened { store: "00".into(), epoch: 255, head: 7 };
    let denied = Event::Denied {
        actor: Actor::Anonymous,
        operation: Operation::SignIn,
        on: Some(key),
        reason: "r".into(),
        left_out: 3,
    };
    let rolled_back = Event::RolledBack {
        found_epoch: 1,
        found_head: 2,
        epoch: 3,
        superseded: vec![4],
        accepted: false,
    };
    let outcome = |outcome| Event::Outcome { of: 5, outcome };
    let record = "authorization:0804f74142bbf000";
    for (event, expected) in [
        (opened, json!({"event": "opened", "store": "00", "epoch": "00000000000000ff", "head": 7})),
        (
            intent,
            json!({"event": "intent", "by": {"user": "0804f74142bbf000"}, "act": "revoke",
                "writes": [{"record": record, "seq": 2}],
                "ends": [{"record": record, "at": "2026-01-01T00:00:00Z"}]}),
        ),
        (
            outcome(Outcome::Done { revision: 9 }),
            json!({"event": "outcome", "of": 5, "fate": {"done": {"revision": 9}}}),
        ),
        (outcome(Outcome::Found), json!({"event": "outcome", "of": 5, "fate": "found"})),
        (outcome(Outcome::Failed), json!({"event": "outcome", "of": 5, "fate": "failed"})),
        (outcome(Outcome::Unknown), json!({"event": "outcome", "of": 5, "fate": "unknown"})),
        (
            denied,
            json!({"event": "denied", "by": "nobody", "act": "sign_in", "on": record, "reason": "r",
                "left_out": 3}),
        ),
        (
            rolled_back,
            json!({"event": "restored", "found_epoch": "0000000000000001", "found_head": 2,
                "epoch": "0000000000000003", "superseded": ["0000000000000004"],
                "accepted": false}),
        ),
        (Event::Gap { missed: 1 }, json!({"event": "gap", "missed": 1})),
    ] {
        assert_eq!(to_value(&event).unwrap(), expected);
        let read: Event = serde_json::from_value(expected).unwrap();
        assert_eq!(read, event);
    }
}

#[test]
fn operations_actors_and_reasons_keep_their_words() {
    use Operation as O;
    for (operation, word) in [
        (O::Create, "create"),
        (O::Edit, "edit"),
        (O::Activate, "activate"),
        (O::Deactivate, "deactivate"),
        (O::Revoke, "revoke"),
        (O::Rotate, "rotate"),
        (O::CreateUser, "create_user"),
        (O::EditUser, "edit_user"),
        (O::DeactivateUser, "deactivate_user"),
        (O::DeleteUser, "delete_user"),
        (O::CreateOrganization, "create_organization"),
        (O::EditOrganization, "edit_organization"),
        (O::DeactivateOrganization, "deactivate_organization"),
        (O::DeleteOrganization, "delete_organization"),
        (O::AddMember, "add_member"),
        (O::RemoveMember, "remove_member"),
        (O::RegisterBucket, "register_bucket"),
        (O::UnregisterBucket, "unregister_bucket"),
        (O::SetUp, "set_up"),
        (O::Import, "import"),
        (O::Adopt, "adopt"),
        (O::Purge, "purge"),
        (O::ReplayRevocations, "end_again"),
        (O::Reseal, "reseal"),
        (O::SignIn, "sign_in"),
        (O::ExtendSession, "extend_session"),
        (O::SignOut, "sign_out"),
        (O::Read, "read"),
        (O::Backup, "backup"),
    ] {
        assert_eq!(to_value(operation).unwrap(), word);
    }
    let id_text = json!("0804f74142bbf000");
    for (actor, expected) in [
        (Actor::Root, json!("root")),
        (Actor::Anonymous, json!("nobody")),
        (Actor::Authorization(id()), json!({"authorization": id_text})),
    ] {
        assert_eq!(to_value(actor).unwrap(), expected);
    }
    for (origin, word) in [(Origin::V2, "v2"), (Origin::V0, "v0"), (Origin::Embedder, "embedder")] {
        assert_eq!(to_value(origin).unwrap(), Value::from(word));
    }
    for (status, word) in
        [(Status::Active, "active"), (Status::Inactive, "inactive"), (Status::Revoked, "revoked")]
    {
        assert_eq!(to_value(status).unwrap(), word);
    }
    let reasons = [
        (Denied::Unavailable, "unavailable"),
        (Denied::Malformed, "malformed"),
        (Denied::Unknown, "unknown"),
        (Denied::Revoked(id()), "revoked"),
        (Denied::Inactive(id()), "inactive"),
        (Denied::Expired(id()), "expired"),
        (Denied::OwnerInactive(id()), "owner_inactive"),
        (Denied::Forbidden(id()), "forbidden"),
    ];
    for (denied, word) in reasons {
        assert_eq!(denied.reason(), word);
    }
}
