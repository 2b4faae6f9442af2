//! Resolution of organizations and users.

use super::*;
use crate::NewOrganization;
use crate::{Status, Token};

fn named(engine: &Engine, organization: &str) -> Id {
    let found = engine.admin(Caller::Root).with_tombstones().organizations().find(organization);
    found.unwrap().id
}

fn with_owners(id: &str, token: &str, owners: &str) -> String {
    format!(r#"{{"id":"{id}","token":"{token}","permissions":["read:buckets"],{owners}}}"#)
}

#[test]
fn missing_owners_are_created() {
    let owners = r#""orgID":"0000000000000b01","userID":"0000000000000c01""#;
    let better = r#""orgID":"0000000000000b01","org":"o","userID":"0000000000000c01","user":"u""#;
    let (engine, counts) = import(&rows(&[
        with_owners("0000000000000a01", RAW, owners),
        with_owners("0000000000000a02", OTHER, better),
    ]));
    assert_eq!((counts.organizations, counts.users), (1, 1));
    assert_eq!(named(&engine, "o").to_string(), "0000000000000b01");
    assert_eq!(
        engine
            .admin(Caller::Root)
            .with_tombstones()
            .users()
            .list(ListOptions::default())
            .all()
            .unwrap()[0]
            .name,
        "u"
    );

    let (engine, _) = import(&rows(&[with_owners("0000000000000a01", RAW, owners)]));
    assert_eq!(named(&engine, "0000000000000b01").to_string(), "0000000000000b01");
}

#[test]
fn owner_names_resolve_in_the_file_before_the_store() {
    let engine = engine();
    let stored_org = engine
        .admin(Caller::Root)
        .with_tombstones()
        .organizations()
        .create(NewOrganization::named("stored"))
        .unwrap();
    let of_file = r#""org":"of the file""#;
    let json = format!(
        r#"{{"authorizations":[{},{},{}],
        "orgs":[{{"id":"0000000000000b01","name":"of the file"}}]}}"#,
        with_owners("0000000000000a01", RAW, of_file),
        with_owners("0000000000000a02", OTHER, r#""org":"stored","user":"new""#),
        with_owners("0000000000000a03", &OTHER.replace('0', "x"), r#""org":"new","user":"new""#),
    );
    let counts = import_into(&engine, &json);
    assert_eq!((counts.organizations, counts.users), (2, 1));
    let organization = |id| stored(&engine, id).organization;
    assert_eq!(organization("0000000000000a01").to_string(), "0000000000000b01");
    assert_eq!(organization("0000000000000a02"), stored_org.id);
    assert_eq!(organization("0000000000000a03"), named(&engine, "new"));
    assert_eq!(stored(&engine, "0000000000000a02").user, stored(&engine, "0000000000000a03").user);
    assert_eq!(plan_in(&engine, &json).new_items().total(), 0);
}

#[test]
fn names_may_precede_the_id_they_belong_to() {
    let json = rows(&[
        with_owners("0000000000000a01", RAW, r#""org":"o""#),
        with_owners("0000000000000a02", OTHER, r#""orgID":"0000000000000b01","org":"o""#),
    ]);
    let (engine, counts) = import(&json);
    assert_eq!(counts.organizations, 1);
    let first = stored(&engine, "0000000000000a01").organization;
    assert_eq!(first.to_string(), "0000000000000b01");
}

#[test]
fn created_owners_do_not_take_existing_names() {
    let json = format!(
        r#"{{"orgs":[{{"id":"0000000000000b01","name":"o"}}],"authorizations":[{}]}}"#,
        with_owners("0000000000000a01", RAW, r#""orgID":"0000000000000b02","org":"o""#)
    );
    assert_eq!(
        bad(&json),
        ["authorizations[0] (id 0000000000000a01): its organization is invalid: \
          another one in the file has the same name"]
    );
    let engine = engine();
    engine
        .admin(Caller::Root)
        .with_tombstones()
        .organizations()
        .create(NewOrganization::named("o"))
        .unwrap();
    let json =
        rows(&[with_owners("0000000000000a01", RAW, r#""orgID":"0000000000000b02","org":"o""#)]);
    let plan = plan_in(&engine, &json);
    assert!(plan.bad()[0].reason.ends_with("organization name exists already; choose another"));
}

/// A reference from another row does not create an owner whose own row is invalid.
#[test]
fn rows_of_bad_owners_are_bad() {
    for (owners, meant) in [
        (r#"{"id":"0000000000000b01","name":"o","status":"off"}"#, r#""orgID":"0000000000000b01""#),
        (r#"{"id":"0000000000000b01","name":"o","status":"off"}"#, r#""org":"o""#),
        (r#"{"id":"b01","name":"o","status":"inactive"}"#, r#""org":"o""#),
        (r#"{"id":"0000000000000b01","name":"\u0007"}"#, r#""orgID":"0000000000000b01""#),
        (r#"{"id":"0000000000000b01"}"#, r#""orgID":"0000000000000b01""#),
    ] {
        let json = format!(
            r#"{{"orgs":[{owners}],"authorizations":[{}]}}"#,
            with_owners("0000000000000a01", RAW, meant)
        );
        let message = bad(&json);
        assert_eq!(message.len(), 2, "{json} {message:?}");
        assert!(
            message[1].ends_with("its organization is invalid: orgs[0] is invalid"),
            "{message:?}"
        );
        let plan = plan_in(&engine(), &json);
        assert_eq!(plan.new_items().total(), 0);
    }
}

#[test]
fn bad_rows_create_no_owners() {
    let json = rows(&[with_owners("0000000000000a01", "short", r#""org":"o","user":"u""#)]);
    let plan = plan_in(&engine(), &json);
    assert_eq!((plan.bad().len(), plan.new_items().total()), (1, 0));
}

#[test]
fn tokens_of_deleted_owners_stay_refused() {
    let json = format!(
        r#"{{"orgs":[{{"id":"0000000000000b01","name":"o","status":"revoked"}},
            {{"id":"0000000000000b02","name":"o"}}],"authorizations":[{}]}}"#,
        with_owners("0000000000000a01", RAW, r#""orgID":"0000000000000b01""#)
    );
    let (engine, _) = import(&json);
    let request = crate::Request::new(crate::Action::READ, crate::ResourceType::BUCKETS);
    let refused = engine.verifier().check(RAW, &request).unwrap_err();
    assert_eq!(refused.reason(), "revoked");
    assert_eq!(named(&engine, "o").to_string(), "0000000000000b02");
    let id = "0000000000000a01".parse().unwrap();
    let message =
        engine.admin(Caller::Root).with_tombstones().authorizations().explain(id, &request);
    assert_eq!(message.unwrap().authorization.status, Status::Active);
}

#[test]
fn existing_records_are_compared_with_the_file() {
    let (engine, _) = import(&rows(&[row(&format!(r#""token":"{RAW}""#))]));
    let message = |json: String| plan_in(&engine, &json).bad()[0].reason.clone();
    let exists = |what: &str| format!("{what} exists already; choose another");
    let other_token = rows(&[row(&format!(r#""token":"{OTHER}""#))]);
    assert_eq!(message(other_token), exists("authorization"));
    let other_id = rows(&[row(&format!(r#""token":"{RAW}""#)).replace("0a01", "0a02")]);
    assert_eq!(message(other_id), exists("token"));
    let native = Token::generate(crate::Prefix::default(), Id::MIN).unwrap();
    let own = rows(&[row(&format!(r#""token":"{}""#, native.reveal())).replace("0a01", "0a02")]);
    assert!(message(own).starts_with("token belongs to authorization 0000000000000001"));
}
