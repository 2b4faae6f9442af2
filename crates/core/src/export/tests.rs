use crate::{NewBucket, NewOrganization, NewUser};
use std::sync::Arc;
use std::time::Duration;

use super::{ExportReport, ExportSecrets};
use crate::import::{Defaults, ImportFile, Plan};
use crate::{
    Action, AdminError, Authorization, Caller, Denied, Engine, ForeignHash, ImportItem,
    ManualClock, MemoryStore, NewAuthorization, Options, OrganizationEdit, Origin, PasswordHash,
    Permission, Request, ResourceType, Role, Rotation, Schema, SetUpRequest, SetUpResult, StoreKey,
    TokenStore, Transition, UserEdit,
};

const OTHER: &str = "0123456789abcdef0123456789abcdef";
const WIDE: &str = "fedcba9876543210fedcba9876543210";
const UNSEEN: &str = "00000000000000000000000000000000";
const PHC: &str = "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";

struct World {
    engine: Engine,
    clock: ManualClock,
    /// All tokens that were ever created.
    tokens: Vec<String>,
}

fn open(key: u8, clock: &ManualClock) -> Engine {
    let options = Options {
        clock: Arc::new(clock.clone()),
        ..Options::new(Schema::influxdb_v2().and(Schema::databases()))
    };
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    Engine::create(store, StoreKey::from_bytes([key; 32]), options).unwrap()
}

/// Creates a store that contains every form of entity.
fn world() -> World {
    let clock = ManualClock::at("2026-01-01T00:00:00.000000001Z".parse().unwrap());
    let engine = open(7, &clock);
    let root = engine.admin(Caller::Root).with_tombstones();
    let mut tokens = Vec::new();
    let first = SetUpRequest {
        organization: "first \"org\"".into(),
        user: "Jürgen".into(),
        password_hash: Some(PasswordHash::from_phc(PHC)),
        permissions: Schema::influxdb_operator().into(),
        bucket: None,
        token: None,
        if_name_exists: crate::IfNameExists::Refuse,
    };
    let set_up = engine.maintenance().set_up(&first).unwrap();
    let by_operator = set_up.caller();
    let SetUpResult { token: operator, organization: org, user, .. } = set_up;
    tokens.push(operator.reveal().to_owned());
    let second = root
        .organizations()
        .create(NewOrganization {
            description: ("a\\description").into(),
            ..NewOrganization::named("second")
        })
        .unwrap();
    let member = root.users().create(NewUser::named("member")).unwrap();
    root.organizations().add_member(second.id, member.id, Role::Member).unwrap();
    root.organizations().add_member(org.id, member.id, Role::Owner).unwrap();
    // A released name is taken again, twice.
    for name in ["x", "y"] {
        for _ in 0..2 {
            let gone = root.organizations().create(NewOrganization::named(name)).unwrap();
            let edit = OrganizationEdit {
                transition: Some(Transition::Revoke),
                ..OrganizationEdit::default()
            };
            root.organizations().edit(gone.id, edit).unwrap();
        }
        root.organizations().create(NewOrganization::named(name)).unwrap();
    }
    let gone = root
        .users()
        .create(NewUser {
            password_hash: Some(PasswordHash::from_phc(PHC)),
            ..NewUser::named("gone")
        })
        .unwrap();
    let off = root.users().create(NewUser::named("off")).unwrap();
    for name in ["a", "b"] {
        let bucket =
            root.buckets().create(NewBucket { organization: org.id, name: (name).into() }).unwrap();
        if name == "a" {
            root.buckets().delete(bucket.id).unwrap();
            root.buckets().create(NewBucket { organization: org.id, name: (name).into() }).unwrap();
        }
    }
    clock.advance(Duration::from_millis(1500));
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let database = Permission::new(Action::WRITE, ResourceType::DATABASES).name("my \"db\"");
    for (origin, caller, user) in [
        (Origin::V2, by_operator, Some(member.id)),
        (Origin::V0, Caller::Root, None),
        (Origin::Embedder, Caller::Root, Some(gone.id)),
        (Origin::V2, Caller::Root, Some(off.id)),
        (Origin::Embedder, by_operator, None),
    ] {
        let mut made: Vec<Authorization> = Vec::new();
        for number in 0..6 {
            let permissions = match origin {
                Origin::V0 => vec![database.clone().organization(org.id)],
                _ => vec![read.clone().organization(org.id)],
            };
            let new = NewAuthorization {
                origin,
                user,
                description: format!("number {number}"),
                expires_at: (number > 3).then(|| {
                    let after = Duration::from_secs(if number == 4 { 10 } else { 1_000_000 });
                    crate::Clock::now(&clock).saturating_add(after)
                }),
                ..NewAuthorization::new(org.id, permissions)
            };
            let Ok((token, one)) = engine.admin(caller).authorizations().create(new) else {
                continue;
            };
            tokens.push(token.reveal().to_owned());
            made.push(one);
        }
        clock.advance(Duration::from_secs(1));
        root.authorizations().revoke(made[0].id).unwrap();
        let edit = crate::AuthorizationEdit {
            transition: Some(Transition::Deactivate),
            ..crate::AuthorizationEdit::default()
        };
        root.authorizations().edit(made[1].id, edit).unwrap();
        let rotated = root.authorizations().rotate(made[2].id, Rotation::default()).unwrap();
        tokens.push(rotated.0.reveal().to_owned());
    }
    let (_, plain) = root.authorizations().create(NewAuthorization::new(org.id, [read])).unwrap();
    for (number, foreign_hash) in [
        ForeignHash::sha256(OTHER.as_bytes()),
        ForeignHash::sha512(WIDE.as_bytes()),
        ForeignHash::sha256(UNSEEN.as_bytes()),
    ]
    .into_iter()
    .enumerate()
    {
        let id = crate::Id::new(number as u64 + 1).unwrap();
        let hashed = Authorization { id, ..plain.clone() };
        engine.maintenance().import(&[ImportItem::Hashed(hashed, foreign_hash)]).unwrap();
    }
    // After its first use, an imported token also has a keyed hash.
    for seen in [OTHER, WIDE] {
        engine.verifier().authenticate(seen).unwrap();
        tokens.push(seen.into());
    }
    engine.maintenance().changes.adopt_pending();
    let edit = UserEdit { transition: Some(Transition::Deactivate), ..UserEdit::default() };
    root.users().edit(off.id, edit).unwrap();
    let edit = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    root.users().edit(gone.id, edit).unwrap();
    clock.advance(Duration::from_secs(100));
    assert_eq!(user.name, "Jürgen");
    World { engine, clock, tokens }
}

fn export(engine: &Engine, secrets: ExportSecrets) -> (String, ExportReport) {
    let mut bytes = Vec::new();
    let done = engine.maintenance().export(&mut bytes, secrets, &mut |_| ()).unwrap();
    (String::from_utf8(bytes).unwrap(), done)
}

fn plan(engine: &Engine, json: &str) -> Plan {
    let file = ImportFile::read(json.as_bytes()).unwrap();
    Plan::new(file, &engine.maintenance(), &Defaults::default()).unwrap()
}

fn decisions(engine: &Engine, tokens: &[String]) -> Vec<Result<crate::Id, Denied>> {
    let request = Request::new(Action::READ, ResourceType::BUCKETS);
    let verifier = engine.verifier();
    let unknown = "x".repeat(40);
    let all = tokens.iter().chain([&unknown]);
    all.map(|token| verifier.check(token, &request)).collect()
}

#[test]
fn an_export_with_hashes_is_complete() {
    let world = world();
    let (json, done) = export(&world.engine, ExportSecrets::Hashes);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = |list: &str| value[list].as_array().unwrap().len();
    let lists = ["orgs", "users", "buckets", "authorizations"];
    assert_eq!(lists.map(rows).iter().sum::<usize>(), done.written.total());
    assert_eq!((done.left_out, rows("orgs"), rows("users"), rows("buckets")), (0, 8, 4, 3));

    let other = open(7, &world.clock);
    let plan = plan(&other, &json);
    assert_eq!(plan.bad(), &[]);
    let written = plan.write(&other.maintenance(), &mut |_| ()).unwrap();
    assert_eq!(written, done.written);
    assert_eq!(export(&other, ExportSecrets::Hashes), (json.clone(), done));
    let before = decisions(&world.engine, &world.tokens);
    assert_eq!(decisions(&other, &world.tokens), before);
    for wanted in ["revoked", "inactive", "expired", "owner_inactive", "forbidden", "unknown"] {
        let reasons = before.iter().filter_map(|one| one.err());
        assert!(reasons.map(Denied::reason).any(|one| one == wanted), "{wanted}");
    }
    assert!(before.iter().any(Result::is_ok));
    // A token that is only known by InfluxDB's hash works too.
    let unseen = [UNSEEN.to_owned()];
    assert_eq!(decisions(&other, &unseen), decisions(&world.engine, &unseen));
    // The store already contains everything, so a second import changes nothing, set-up included.
    let again = self::plan(&other, &json);
    assert_eq!((again.bad(), again.new_items().total()), (&[][..], 0));
    again.write(&other.maintenance(), &mut |_| ()).unwrap();
    let first = SetUpRequest {
        organization: "mine".into(),
        user: "me".into(),
        password_hash: None,
        permissions: Schema::influxdb_operator().into(),
        bucket: None,
        token: None,
        if_name_exists: crate::IfNameExists::Refuse,
    };
    assert!(matches!(other.maintenance().set_up(&first), Err(AdminError::AlreadySetUp)));
}

#[test]
fn an_interrupted_import_resumes() {
    let world = world();
    let (json, _) = export(&world.engine, ExportSecrets::Hashes);
    let other = open(7, &world.clock);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    // Reverse the halves of each list, so that released names come after their new holders.
    let mut short_digest = value.clone();
    for list in ["orgs", "users", "buckets", "authorizations"] {
        let rows = short_digest[list].as_array_mut().unwrap();
        if list != "authorizations" && list != "users" {
            rows.drain(..rows.len() / 2);
        }
    }
    short_digest["authorizations"] = serde_json::json!([]);
    short_digest["buckets"] = serde_json::json!([]);
    for part in [short_digest.to_string(), json.clone()] {
        let plan = plan(&other, &part);
        assert_eq!(plan.bad(), &[]);
        plan.write(&other.maintenance(), &mut |_| ()).unwrap();
    }
    assert_eq!(export(&other, ExportSecrets::Hashes).0, json);
}

#[test]
fn an_export_without_hashes_holds_no_secret_and_can_be_imported() {
    let world = world();
    let (json, done) = export(&world.engine, ExportSecrets::LeftOut);
    for secret in ["$", "hashedToken", "keyedHash", "passwordHash", "\"token\"", "argon"] {
        assert!(!json.contains(secret), "{secret}");
    }
    let other = open(9, &world.clock);
    let plan = plan(&other, &json);
    assert_eq!(plan.bad().len(), done.written.authorizations);
    assert!(plan.bad().iter().all(|bad| bad.reason.starts_with("it has no token")));
    let items = plan.new_items();
    assert_eq!((items.organizations, items.users, items.buckets), (8, 4, 3));
}

#[test]
fn hashes_under_another_key_are_refused() {
    let world = world();
    let (json, _) = export(&world.engine, ExportSecrets::Hashes);
    let other = open(9, &world.clock);
    let plan = plan(&other, &json);
    let (theirs, ours) = ([7; 32], [9; 32]);
    let id = |secret| StoreKey::from_bytes(secret).ids().next().unwrap();
    let reason =
        format!("token was hashed under key {}, and the key file holds {}; ", id(theirs), id(ours));
    // Only the token that has InfluxDB's hash alone can be imported.
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let all = value["authorizations"].as_array().unwrap().len();
    assert_eq!(plan.bad().len(), all - 1);
    assert!(plan.bad().iter().all(|bad| bad.reason.starts_with(&reason)), "{:?}", plan.bad()[0]);
}

#[test]
fn revocation_times_survive_export_and_import() {
    let engine = open(7, &ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
    let json = format!(
        r#"{{"orgs":[{{"id":"0000000000000001","name":"o"}}],
        "authorizations":[{{"id":"0000000000000002","orgID":"0000000000000001",
        "permissions":["read:buckets"],"status":"revoked","revokedAt":"2025-02-03T04:05:06Z",
        "updatedAt":"2025-03-03T04:05:06Z","token":"{OTHER}"}}]}}"#
    );
    plan(&engine, &json).write(&engine.maintenance(), &mut |_| ()).unwrap();
    let (json, _) = export(&engine, ExportSecrets::LeftOut);
    assert!(json.contains(r#""revokedAt":"2025-02-03T04:05:06Z""#), "{json}");
}

#[test]
fn errors_in_exported_rows_are_reported() {
    let engine = open(7, &ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
    let bad = |more: &str| {
        let json = format!(
            r#"{{"orgs":[{{"id":"0000000000000001","name":"o"}}],
            "authorizations":[{{"id":"0000000000000002","orgID":"0000000000000001",
            "permissions":["read:buckets"],{more}}}]}}"#
        );
        let bad = plan(&engine, &json).bad().to_vec();
        bad.first().map(|bad| bad.reason.clone()).unwrap_or_default()
    };
    let token = format!(r#""token":"{OTHER}""#);
    let keyed =
        r#""keyedHash":"$symbolon-blake3$4f5d96ff$-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=""#;
    assert_eq!(bad(keyed), "");
    assert_eq!(bad(&token), "");
    for (more, reason) in [
        (format!("{token},{keyed}"), "it has `token` and `keyedHash`; leave one out"),
        (r#""keyedHash":"x""#.into(), "`keyedHash`: a keyed hash is `$symbolon-blake3$`"),
        (keyed.replace("keyedHash", "token"), "`token` is a stored hash; give it as `keyedHash`"),
        (format!(r#"{token},"face":"v3""#), "`face` is not `v2`, `v0` or `embedder`"),
        (format!(r#"{token},"createdBy":{{}}"#), "`createdBy` is not"),
        (format!(r#"{token},"createdBy":"x""#), "`createdBy` is not"),
        (format!(r#"{token},"rotatedFrom":1"#), "`rotatedFrom` is not a string"),
        (format!(r#"{token},"revokedAt":"2026-01-01T00:00:00Z""#), "it has `revokedAt`, but"),
    ] {
        assert!(bad(&more).starts_with(reason), "{}", bad(&more));
    }
    for (more, reason) in [
        (r#""operator":1"#, "`operator` is not"),
        (r#""memberships":[{"orgID":"0000000000000001","role":"king"}]"#, "`memberships` is not"),
    ] {
        let json = format!(r#"{{"users":[{{"id":"0000000000000001","name":"u",{more}}}]}}"#);
        let message = plan(&engine, &json).bad()[0].reason.clone();
        assert!(message.starts_with(reason), "{message}");
    }
    for set_up in ["1", "{}", r#"{"orgID":"0000000000000001","userID":"x","at":"y"}"#] {
        let json = format!(r#"{{"orgs":[],"setUp":{set_up}}}"#);
        let message = ImportFile::read(json.as_bytes()).unwrap_err().to_string();
        assert!(message.contains("`setUp` is not a single"), "{message}");
    }
}
