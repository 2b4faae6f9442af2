//! Revoked and deleted objects are not found, unless tombstones are asked for.

use std::sync::Arc;

use symbolon::{
    Action, AdminError, AuthorizationEdit, AuthorizationFilter, Caller, Denied, Field, ListOptions,
    MemoryStore, NewAuthorization, NewBucket, NewOrganization, NewUser, Origin, Permission,
    ResourceType, Role, Rotation, Status, Transition, UserEdit,
};

use crate::fixture::World;

fn not_found<T: std::fmt::Debug>(answer: Result<T, AdminError>, field: Field) {
    assert!(
        matches!(&answer, Err(AdminError::NotFound(of)) if *of == field),
        "{field}: {answer:?}"
    );
}

#[test]
fn revoked_and_deleted_objects_are_not_found() {
    let world = World::new();
    let (plain, shown) = (world.engine.admin(Caller::Root), world.root());
    let user = plain.users().create(NewUser::named("user")).unwrap().id;
    let org = plain.organizations();
    let org = org.create(NewOrganization::named("other")).unwrap().id;
    let bucket = NewBucket { organization: org, name: "bucket".into() };
    let bucket = plain.buckets().create(bucket).unwrap().id;
    let (_, revoked) = world.create(&["read:buckets"]);
    let of_deleted =
        NewAuthorization { user: Some(user), ..world.new_authorization(&["read:buckets"]) };
    let of_deleted = plain.authorizations().create(of_deleted).unwrap().1.id;

    plain.authorizations().revoke(revoked.id).unwrap();
    plain.buckets().delete(bucket).unwrap();
    plain.users().delete(user).unwrap();
    plain.organizations().delete(org).unwrap();

    let rename = UserEdit { name: Some("new".into()), ..UserEdit::default() };
    not_found(plain.users().get(user), Field::User);
    not_found(plain.users().edit(user, rename), Field::User);
    not_found(plain.users().delete(user), Field::User);
    not_found(plain.organizations().get(org), Field::Organization);
    not_found(plain.organizations().delete(org), Field::Organization);
    not_found(plain.organizations().members(org), Field::Organization);
    not_found(plain.clone().with_tombstones().organizations().members(org), Field::Organization);
    let member = plain.organizations().add_member(org, user, Role::Member);
    not_found(member, Field::Organization);
    not_found(plain.buckets().get(bucket), Field::Bucket);
    not_found(plain.buckets().delete(bucket), Field::Bucket);
    let authorizations = plain.authorizations();
    let edit = AuthorizationEdit::from(Transition::Activate);
    for id in [revoked.id, of_deleted] {
        not_found(authorizations.get(id), Field::Authorization);
        not_found(authorizations.edit(id, edit.clone()), Field::Authorization);
        not_found(authorizations.revoke(id), Field::Authorization);
        let rotated = authorizations.rotate(id, Rotation::default());
        not_found(rotated, Field::Authorization);
        let request = crate::fixture::READ_BUCKETS;
        not_found(authorizations.explain(id, &request), Field::Authorization);
    }

    assert_eq!(shown.users().get(user).unwrap().status, Status::Revoked);
    let found = shown.organizations().get(org).unwrap();
    assert_eq!(found.status, Status::Revoked);
    assert_eq!(shown.buckets().get(bucket).unwrap().status, Status::Revoked);
    let found = shown.authorizations().get(revoked.id).unwrap();
    assert_eq!(found.status, Status::Revoked);
    let again = shown.authorizations().revoke(revoked.id).unwrap();
    assert_eq!(again, found);
}

#[test]
fn authorizations_out_of_scope_are_not_found() {
    let world = World::new();
    let root = world.engine.admin(Caller::Root);
    let other = root.organizations().create(NewOrganization::named("other"));
    let other = other.unwrap().id;
    let (_, native) = world.create(&["read:buckets"]);
    let (_, v2) = world.create_v2(&["read:buckets"]);
    let of_v2 = root.authorizations().of_origin(Origin::V2);
    assert_eq!(of_v2.get(v2.id).unwrap().id, v2.id);
    not_found(of_v2.get(native.id), Field::Authorization);
    not_found(of_v2.revoke(native.id), Field::Authorization);
    let elsewhere = root.authorizations().in_organization(other);
    not_found(elsewhere.get(v2.id), Field::Authorization);
    not_found(elsewhere.revoke(v2.id), Field::Authorization);
    let (everything, all) = (AuthorizationFilter::default(), ListOptions::default());
    let ids = |found: Vec<symbolon::Authorization>| -> Vec<_> {
        found.into_iter().map(|one| one.id).collect()
    };
    assert_eq!(ids(of_v2.list(&everything, all).all().unwrap()), [v2.id]);
    assert!(elsewhere.list(&everything, all).all().unwrap().is_empty());
    // A filter narrows the scope and never replaces it.
    let contradicting =
        AuthorizationFilter { origin: Some(Origin::Embedder), ..AuthorizationFilter::default() };
    assert!(of_v2.list(&contradicting, all).all().unwrap().is_empty());
    let here =
        AuthorizationFilter { organization: Some(world.org.id), ..AuthorizationFilter::default() };
    assert!(elsewhere.list(&here, all).all().unwrap().is_empty());
    let new = world.new_authorization(&["read:buckets"]);
    not_found(elsewhere.create(new.clone()), Field::Authorization);
    not_found(of_v2.create(new), Field::Authorization);
}

#[test]
fn lists_are_filtered_by_the_names_of_owners() {
    let world = World::new();
    let root = world.engine.admin(Caller::Root);
    let user = world.user("user");
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let new = NewAuthorization { user: Some(user), ..NewAuthorization::new(world.org.id, [read]) };
    let owned = root.authorizations().create(new).unwrap().1.id;
    world.create(&["read:buckets"]);
    let count = |user: Option<&str>, org: Option<&str>, id| {
        let filter = AuthorizationFilter {
            user: id,
            user_name: user.map(Into::into),
            organization_name: org.map(Into::into),
            ..AuthorizationFilter::default()
        };
        root.authorizations().list(&filter, ListOptions::default()).all().unwrap().len()
    };
    assert_eq!(count(None, Some("org"), None), 2);
    assert_eq!(count(Some("user"), None, None), 1);
    assert_eq!(count(Some("user"), Some("org"), Some(user)), 1);
    assert_eq!(count(Some("no user"), None, None), 0);
    assert_eq!(count(Some("user"), Some("no org"), None), 0);
    // A name and an id of different users match nothing.
    assert_eq!(count(Some("user"), None, Some(owned)), 0);
}

#[test]
fn a_caller_reads_its_own_authorization_and_resolves_its_organization() {
    let world = World::new();
    let root = world.root();
    let other = root.organizations().create(NewOrganization::named("other"));
    let other = other.unwrap();
    let (token, made) = world.create(&["read:buckets"]);
    let bearer = world.engine.admin(world.bearer(&token));
    let own = bearer.own_authorization().unwrap().unwrap();
    assert_eq!((own.id, own.user), (made.id, None));
    assert_eq!(bearer.own_user().unwrap(), None);
    assert_eq!(bearer.organizations().resolve("org").unwrap(), world.org.id);
    not_found(bearer.organizations().resolve("other"), Field::Organization);
    let reader = world.caller(&[&format!("read:orgs/{}", other.id)]);
    let reader = world.engine.admin(reader);
    assert_eq!(reader.organizations().resolve("other").unwrap(), other.id);
    assert_eq!(world.root().own_authorization().unwrap(), None);
    world.root().authorizations().revoke(made.id).unwrap();
    assert!(matches!(bearer.own_authorization(), Err(AdminError::Caller(_))));
    assert!(matches!(bearer.own_user(), Err(AdminError::Caller(_))));
}

/// The second engine has not seen the revocation yet when it is asked to repeat it.
#[test]
fn a_repeated_revoke_is_in_force_although_it_is_not_found() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let other = world.another();
    let (first, second) = (world.engine.admin(Caller::Root), other.admin(Caller::Root));
    for _ in 0..200 {
        let (token, made) = world.create(&["read:buckets"]);
        let check = || other.verifier().check(token.reveal(), &crate::fixture::READ_BUCKETS);
        first.authorizations().revoke(made.id).unwrap();
        not_found(second.authorizations().revoke(made.id), Field::Authorization);
        assert_eq!(check(), Err(Denied::Revoked(made.id)));
    }
}

#[test]
fn a_list_by_name_keeps_its_owner_although_the_name_changes_hands() {
    let world = World::new();
    let root = world.engine.admin(Caller::Root);
    let user = world.user("cat");
    let make = |user| {
        let new =
            NewAuthorization { user: Some(user), ..world.new_authorization(&["read:buckets"]) };
        root.authorizations().create(new).unwrap().1.id
    };
    let made = [(); 3].map(|()| make(user));
    let filter =
        AuthorizationFilter { user_name: Some("cat".into()), ..AuthorizationFilter::default() };
    let authorizations = root.authorizations();
    let list = authorizations.list(&filter, ListOptions::default());
    let rename = UserEdit { name: Some("dog".into()), ..UserEdit::default() };
    root.users().edit(user, rename).unwrap();
    make(world.user("cat"));
    assert_eq!(list.all().unwrap().iter().map(|one| one.id).collect::<Vec<_>>(), made);
}

#[test]
fn buckets_of_a_deleted_organization_are_not_found() {
    let world = World::new();
    let root = world.engine.admin(Caller::Root);
    let organization = world.organization("other");
    let name = "bucket".to_owned();
    let bucket = NewBucket { organization, name };
    let bucket = root.buckets().create(bucket).unwrap().id;
    let everything = ListOptions::default();
    assert_eq!(root.buckets().list(None, everything).all().unwrap().len(), 1);
    root.organizations().delete(organization).unwrap();
    not_found(root.buckets().get(bucket), Field::Bucket);
    not_found(root.buckets().find(organization, "bucket"), Field::Bucket);
    not_found(root.buckets().delete(bucket), Field::Bucket);
    assert!(root.buckets().list(None, everything).all().unwrap().is_empty());
}

/// Otherwise, the answer would tell which names exist.
#[test]
fn a_refused_caller_finds_nothing_by_name() {
    let world = World::new();
    let organization = world.organization("other");
    world.user("ann");
    let name = "bucket".to_owned();
    let bucket = NewBucket { organization, name };
    world.root().buckets().create(bucket).unwrap();
    let (token, made) = world.create(&["read:buckets"]);
    let bearer = world.engine.admin(world.bearer(&token));
    world.root().authorizations().revoke(made.id).unwrap();
    for known in [true, false] {
        let name = |name: &'static str| if known { name } else { "unknown" };
        let answers = [
            bearer.users().find(name("ann")).map(drop),
            bearer.organizations().find(name("other")).map(drop),
            bearer.organizations().resolve(name("other")).map(drop),
            bearer.buckets().find(organization, name("bucket")).map(drop),
        ];
        for answer in answers {
            let refusal = Denied::Revoked(made.id);
            assert!(matches!(answer, Err(AdminError::Caller(why)) if why == refusal));
        }
    }
}
