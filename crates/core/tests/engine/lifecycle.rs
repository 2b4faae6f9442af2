//! Authorizations from creation to purge.

use std::time::Duration;

use crate::fixture::{READ_BUCKETS, World, permission};
use symbolon::{
    Action, AdminError, Authorization, AuthorizationEdit, AuthorizationFilter, Clock, Denied,
    Field, IfUnchanged, ListOptions, NewAuthorization, NewOrganization, NewUser, Origin,
    PermissionSet, Request, ResourceType, Rotation, SchemaError, Status, Timestamp, Transition,
    UserEdit,
};

const MS: Duration = Duration::from_millis(1);

#[test]
fn checks_follow_status_changes_until_revocation() {
    let world = World::new();
    let root = world.root();
    let (token, made) = world.create(&["read:buckets"]);
    let id = made.id;
    let grant = world.engine.verifier().authenticate(token.reveal()).unwrap();
    let both = || {
        let (check, granted) = (world.check(&token), grant.check(&READ_BUCKETS));
        assert_eq!(check, granted);
        check
    };
    assert_eq!(both(), Ok(id));
    root.authorizations().edit(id, Transition::Deactivate.into()).unwrap();
    assert_eq!(both(), Err(Denied::Inactive(id)));
    root.authorizations().edit(id, Transition::Activate.into()).unwrap();
    assert_eq!(both(), Ok(id));
    let revoked = root.authorizations().revoke(id).unwrap();
    assert_eq!((revoked.status, revoked.revoked_at), (Status::Revoked, Some(revoked.updated_at)));
    assert_eq!(both(), Err(Denied::Revoked(id)));
    assert_eq!(
        root.authorizations().revoke(id).unwrap(),
        revoked,
        "a second revocation changes nothing"
    );
    for edit in [
        AuthorizationEdit::from(Transition::Activate),
        AuthorizationEdit { description: Some("x".into()), ..AuthorizationEdit::default() },
    ] {
        assert!(matches!(root.authorizations().edit(id, edit), Err(AdminError::AlreadyRevoked(_))));
    }
    assert!(matches!(
        root.authorizations().rotate(id, Rotation::default()),
        Err(AdminError::AlreadyRevoked(_))
    ));
}

#[test]
fn a_grant_follows_permission_changes_and_table_growth() {
    let world = World::new();
    let (token, made) = world.create(&["read:buckets"]);
    let grant = world.engine.verifier().authenticate(token.reveal()).unwrap();
    for _ in 0..200 {
        world.create(&["read:tasks"]);
    }
    assert_eq!(grant.check(&READ_BUCKETS), Ok(made.id));
    let permissions: PermissionSet = [permission("write:buckets")].into_iter().collect();
    let edit = AuthorizationEdit { permissions: Some(permissions), ..AuthorizationEdit::default() };
    world.root().authorizations().edit(made.id, edit).unwrap();
    assert_eq!(grant.check(&READ_BUCKETS), Err(Denied::Forbidden(made.id)));
    assert_eq!(grant.check(&Request::new(Action::WRITE, ResourceType::BUCKETS)), Ok(made.id));
}

#[test]
fn expiry_is_exact() {
    let world = World::new();
    let end = "2026-01-01T00:01:00Z".parse::<Timestamp>().unwrap();
    let new =
        NewAuthorization { expires_at: Some(end), ..world.new_authorization(&["read:buckets"]) };
    let (token, made) = world.root().authorizations().create(new).unwrap();
    world.clock.set(end.saturating_sub(MS));
    assert_eq!(world.check(&token), Ok(made.id));
    world.clock.set(end);
    assert_eq!(world.check(&token), Err(Denied::Expired(made.id)));
    world.clock.set(end.saturating_add(MS));
    assert_eq!(world.check(&token), Err(Denied::Expired(made.id)));
    let (forever, made) = world.create(&["read:buckets"]);
    world.clock.set(Timestamp::MAX);
    assert_eq!(world.check(&forever), Ok(made.id));
}

#[test]
fn deleting_an_owner_revokes_its_tokens() {
    let world = World::new();
    let root = world.root();
    let user = root.users().create(NewUser::named("user")).unwrap();
    let new =
        NewAuthorization { user: Some(user.id), ..world.new_authorization(&["read:buckets"]) };
    let (token, made) = root.authorizations().create(new.clone()).unwrap();
    let switch = |transition| UserEdit { transition: Some(transition), ..UserEdit::default() };
    root.users().edit(user.id, switch(Transition::Deactivate)).unwrap();
    assert_eq!(world.check(&token), Err(Denied::OwnerInactive(made.id)));
    root.users().edit(user.id, switch(Transition::Activate)).unwrap();
    assert_eq!(world.check(&token), Ok(made.id));
    let org = |transition| symbolon::OrganizationEdit {
        transition: Some(transition),
        ..symbolon::OrganizationEdit::default()
    };
    root.organizations().edit(world.org.id, org(Transition::Deactivate)).unwrap();
    assert_eq!(world.check(&token), Err(Denied::OwnerInactive(made.id)));
    root.organizations().edit(world.org.id, org(Transition::Activate)).unwrap();
    root.users().edit(user.id, switch(Transition::Revoke)).unwrap();
    assert_eq!(world.check(&token), Err(Denied::Revoked(made.id)));
    assert!(matches!(root.authorizations().create(new), Err(AdminError::NotFound(Field::User))));
    // The name is available again, for another user.
    let again = root.users().create(NewUser::named("user")).unwrap();
    assert_ne!(again.id, user.id);
    assert_eq!(world.check(&token), Err(Denied::Revoked(made.id)));
    assert_eq!(
        world.another().verifier().check(token.reveal(), &READ_BUCKETS),
        Err(Denied::Revoked(made.id))
    );
}

#[test]
fn rotation_replaces_a_token_without_extending_its_expiry() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let end = root.authorizations().get(world.create(&["read:buckets"]).1.id);
    let expires_at = Some(end.unwrap().created_at.saturating_add(Duration::from_secs(60)));
    let new = NewAuthorization { expires_at, ..world.new_authorization(&["read:buckets"]) };
    let (token, old) = root.authorizations().create(new).unwrap();
    let rotation = Rotation { overlap: Duration::from_secs(10), description: Some("new".into()) };
    let itself = world.bearer(&token);
    let (fresh, new) =
        engine.admin(itself).authorizations().rotate(old.id, rotation.clone()).unwrap();
    assert_eq!((new.rotated_from, new.expires_at), (Some(old.id), expires_at));
    assert_eq!((&new.description[..], &new.permissions), ("new", &old.permissions));
    assert_eq!((world.check(&token), world.check(&fresh)), (Ok(old.id), Ok(new.id)));
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(
        (world.check(&token), world.check(&fresh)),
        (Err(Denied::Expired(old.id)), Ok(new.id))
    );
    let late = root.authorizations().rotate(old.id, rotation);
    assert!(matches!(late, Err(AdminError::Invalid(Field::Expiry, _))));
    // An overlap beyond the expiry does not extend the old authorization either.
    let long = Rotation { overlap: Duration::from_secs(1000), description: None };
    root.authorizations().rotate(new.id, long).unwrap();
    assert_eq!(root.authorizations().get(new.id).unwrap().expires_at, expires_at);
}

#[test]
fn invalid_input_is_reported() {
    let world = World::new();
    let root = world.root();
    let refused = |edit: &dyn Fn(&mut NewAuthorization)| {
        let mut new = world.new_authorization(&["read:buckets"]);
        edit(&mut new);
        root.authorizations().create(new).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&|new| new.description = "x".repeat(1 << 20)),
        "description has 1048576 bytes; the maximum is 4096"
    );
    assert_eq!(
        refused(&|new| new.description = "a\nb".into()),
        "description contains the control character U+000A; remove it"
    );
    assert_eq!(
        refused(&|new| new.expires_at = Some("2025-12-31T23:59:59Z".parse().unwrap())),
        "expiry lies in the past; give a future time, or none"
    );
    assert_eq!(
        refused(&|new| new.permissions = PermissionSet::default()),
        SchemaError::Empty.to_string()
    );
    assert!(
        refused(&|new| new.permissions =
            [permission("read:orgs/00000000000000ff/buckets")].into_iter().collect())
        .contains("is not for organization")
    );
    let many = (1..2000).map(|id| permission("read:buckets").id(symbolon::Id::new(id).unwrap()));
    assert!(refused(&|new| new.permissions = many.clone().collect()).contains("16,000 bytes"));
    assert_eq!(refused(&|new| new.organization = symbolon::Id::MIN), "organization not found");
    assert!(matches!(
        root.organizations().create(NewOrganization::named("org")),
        Err(AdminError::Exists(Field::OrganizationName))
    ));
    assert!(root.users().create(NewUser::named("")).is_err());
    assert!(root.users().create(NewUser::named("x".repeat(256))).is_err());
    assert_eq!(world.engine.len(), 1, "nothing was created");
}

#[test]
fn permissions_of_v2_are_fixed_and_those_of_v0_may_be_empty() {
    let world = World::new();
    let root = world.root();
    let none = AuthorizationEdit {
        permissions: Some(PermissionSet::default()),
        ..AuthorizationEdit::default()
    };
    let (_, fixed) = world.create_v2(&["read:buckets"]);
    assert!(matches!(root.authorizations().edit(fixed.id, none.clone()), Err(AdminError::Fixed)));
    let new =
        NewAuthorization { origin: Origin::V0, ..world.new_authorization(&["read:databases"]) };
    let (_, loose) = root.authorizations().create(new).unwrap();
    assert!(root.authorizations().edit(loose.id, none).unwrap().permissions.is_empty());
}

#[test]
fn unchanged_records_are_written_only_on_request_and_while_not_revoked() {
    let world = World::new();
    let (_, made) = world.create(&["read:buckets"]);
    let edit = |transition, if_unchanged| {
        world.clock.advance(MS);
        let edit = AuthorizationEdit { transition, if_unchanged, ..AuthorizationEdit::default() };
        let done = world.root().authorizations().edit(made.id, edit).unwrap();
        (done, world.engine.committed())
    };
    let before = world.engine.committed();
    assert_eq!(edit(None, IfUnchanged::Leave), (made.clone(), before));
    let (touched, after) = edit(None, IfUnchanged::Touch);
    let wanted = Authorization { updated_at: world.clock.now(), ..made.clone() };
    assert_eq!((touched, after > before), (wanted, true));
    let revoked = edit(Some(Transition::Revoke), IfUnchanged::Touch);
    assert_eq!(edit(Some(Transition::Revoke), IfUnchanged::Touch), revoked);
    assert_eq!(edit(None, IfUnchanged::Touch), revoked);
}

#[test]
fn lists_are_filtered_and_paged() {
    let world = World::new();
    let root = world.root();
    let mut ids: Vec<_> = (0..1203).map(|_| world.create(&["read:buckets"]).1.id).collect();
    let (_, v2) = world.create_v2(&["read:buckets"]);
    root.authorizations().revoke(ids.remove(7)).unwrap();
    let mine =
        AuthorizationFilter { origin: Some(Origin::Embedder), ..AuthorizationFilter::default() };
    let list = |filter: &AuthorizationFilter, options| -> Vec<_> {
        let found = root.authorizations().list(filter, options).all().unwrap();
        found.into_iter().map(|one| one.id).collect()
    };
    let all = ListOptions::default();
    assert_eq!(list(&mine, all), ids);
    let part = |after: usize, limit| ListOptions { after: Some(ids[after]), limit: Some(limit) };
    assert_eq!(list(&mine, part(99, 600)), ids[100..700]);
    assert_eq!(list(&mine, part(99, 0)), []);
    assert_eq!(list(&mine, part(7, 1)), ids[8..9]);
    let of_v2 = AuthorizationFilter { origin: Some(Origin::V2), ..AuthorizationFilter::default() };
    assert_eq!(list(&of_v2, all), [v2.id]);
    assert_eq!(list(&AuthorizationFilter { status: Some(Status::Revoked), ..mine }, all).len(), 1);
}

/// Items and pages of one list can be mixed, and each page needs the rights of the caller.
#[test]
fn each_page_of_a_list_is_read_with_the_current_rights_of_the_caller() {
    let world = World::new();
    let ids: Vec<_> = (0..1100).map(|_| world.create(&["read:buckets"]).1.id).collect();
    let (token, reader) = world.create(&["read:authorizations"]);
    let admin = world.engine.admin(world.bearer(&token));
    let start =
        || admin.authorizations().list(&AuthorizationFilter::default(), ListOptions::default());
    let mut list = start();
    let mut found = vec![list.next().unwrap().unwrap().id];
    while let Some(page) = list.next_page().unwrap() {
        assert!((1..=500).contains(&page.len()));
        found.extend(page.into_iter().map(|one| one.id));
    }
    assert_eq!(found.split_last().unwrap(), (&reader.id, &ids[..]));
    let mut list = start();
    assert_eq!(list.next_page().unwrap().unwrap().len(), 500);
    world.root().authorizations().revoke(reader.id).unwrap();
    assert!(matches!(list.next(), Some(Err(AdminError::Caller(Denied::Revoked(_))))));
    assert!(list.next().is_none());
    assert!(matches!(start().next_page(), Err(AdminError::Caller(Denied::Revoked(_)))));
}

#[test]
fn revoked_records_are_purged_after_the_retention_and_owners_last() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let user = root.users().create(NewUser::named("user")).unwrap();
    let new =
        NewAuthorization { user: Some(user.id), ..world.new_authorization(&["read:buckets"]) };
    let (token, _) = root.authorizations().create(new).unwrap();
    let (kept, kept_made) = world.create(&["read:buckets"]);
    let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    root.users().edit(user.id, delete).unwrap();
    let (revoked, revoked_made) = world.create(&["read:buckets"]);
    root.authorizations().revoke(revoked_made.id).unwrap();
    world.clock.advance(Duration::from_secs(29 * 24 * 3600));
    assert_eq!(engine.maintenance().purge().unwrap(), 0);
    world.clock.advance(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(
        engine.maintenance().purge().unwrap(),
        3,
        "the user, its authorization, and the revoked one"
    );
    assert_eq!(engine.maintenance().purge().unwrap(), 0);
    assert_eq!(world.check(&revoked), Err(Denied::Unknown));
    assert_eq!(world.check(&token), Err(Denied::Unknown));
    assert_eq!(world.check(&kept), Ok(kept_made.id));
    assert!(world.engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty());
    let another = world.another();
    assert_eq!(another.verifier().check(token.reveal(), &READ_BUCKETS), Err(Denied::Unknown));
}
