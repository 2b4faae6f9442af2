//! Records that a commit guards for each kind of caller.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Authorized, Transaction};
use crate::record::{Kind, RecordKey};
use crate::store::Write;
use crate::{
    Action, Caller, Engine, Id, MemoryStore, NewAuthorization, NewOrganization, NewUser, Options,
    Permission, ResourceType, Role, Schema, StoreKey,
};

fn guarded(engine: &Engine, caller: Caller) -> BTreeSet<RecordKey> {
    let changes = engine.maintenance().changes;
    let mut change = Transaction::new(&changes.shared);
    Authorized::read(&caller, &mut change).unwrap();
    let writes = change.writes();
    assert!(writes.iter().all(|write| matches!(write, Write::Guard { .. })));
    writes.iter().map(Write::key).collect()
}

fn keys<const N: usize>(keys: [(Kind, Id); N]) -> BTreeSet<RecordKey> {
    keys.into_iter().map(|(kind, id)| RecordKey::new(kind, id)).collect()
}

/// Without a guard, a change could be committed after its caller was revoked elsewhere.
#[test]
fn every_record_that_a_caller_depends_on_is_guarded() {
    let options = Options::new(Schema::influxdb_v2());
    let key = StoreKey::from_bytes([7; 32]);
    let engine = Engine::create(Arc::new(MemoryStore::new()), key, options).unwrap();
    let root = engine.admin(Caller::Root);
    let organization = root.organizations().create(NewOrganization::named("org")).unwrap().id;
    let user = root.users().create(NewUser::named("user")).unwrap().id;
    root.organizations().add_member(organization, user, Role::Member).unwrap();
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let new = NewAuthorization { user: Some(user), ..NewAuthorization::new(organization, [read]) };
    let (token, authorization) = root.authorizations().create(new).unwrap();
    let bearer = engine.verifier().authenticate(token.reveal()).unwrap().caller();
    let by_password = engine.sign_in().verify_password("user", |_| true).unwrap().into();
    let of_user = [(Kind::USER, user), (Kind::ORGANIZATION, organization)];
    let owners = keys(of_user);
    let of_bearer = &owners | &keys([(Kind::AUTHORIZATION, authorization.id)]);
    assert_eq!(guarded(&engine, Caller::Root), BTreeSet::new());
    assert_eq!(guarded(&engine, bearer), of_bearer);
    assert_eq!(guarded(&engine, by_password), owners);
    for (by, guards) in [(bearer, of_bearer), (by_password, owners)] {
        let hour = Duration::from_secs(3600);
        let (text, session) = engine.admin(by).sessions().create(hour).unwrap();
        let (caller, _) = engine.sign_in().session(text.reveal().as_bytes()).unwrap();
        assert_eq!(guarded(&engine, caller), &guards | &keys([(Kind::SESSION, session.id)]));
    }
}
