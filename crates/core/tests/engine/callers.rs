//! Limits of callers: no permissions beyond their own, and no access to other organizations.

use crate::fixture::{World, bearer_caller, permission};
use symbolon::{
    AdminError, AuthorizationEdit, AuthorizationFilter, Caller, Id, ListOptions, NewAuthorization,
    NewBucket, NewOrganization, NewUser, Rotation, Transition, UserEdit,
};

/// Creates a world with a second organization that has one authorization.
fn two() -> (World, Id, Id) {
    let world = World::new();
    let other = world.organization("other");
    let new = NewAuthorization::new(other, [permission("read:buckets")]);
    let foreign = world.root().authorizations().create(new).unwrap().1.id;
    (world, other, foreign)
}

fn in_org(org: Id, texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| text.replace("ORG", &org.to_string())).collect()
}

fn holder(world: &World, texts: &[&str]) -> Caller {
    let texts = in_org(world.org.id, texts);
    world.caller(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn creation_requires_permission_and_never_exceeds_it() {
    let (world, other, _) = two();
    let engine = &world.engine;
    let create = |caller: &Caller, org: Id, texts: &[&str]| {
        let permissions = in_org(org, texts);
        let permissions = permissions.iter().map(|text| permission(text));
        engine
            .admin(*caller)
            .authorizations()
            .create(NewAuthorization::new(org, permissions))
            .map(|(_, made)| made)
    };
    let admin = holder(&world, &["write:orgs/ORG/authorizations", "read:orgs/ORG/buckets"]);
    let org = world.org.id;
    let made = create(&admin, org, &["read:orgs/ORG/buckets/00000000000000aa"]).unwrap();
    let Caller::Authorization(admin_bearer) = admin else { unreachable!() };
    let admin_id = admin_bearer.id();
    assert_eq!(made.created_by, Some(symbolon::Creator::Authorization(admin_id)));
    for more in [
        "write:orgs/ORG/buckets",
        "read:buckets",
        "read:buckets/00000000000000aa",
        "read:orgs/ORG/tasks",
    ] {
        assert!(matches!(create(&admin, org, &[more]), Err(AdminError::Exceeds(_))), "{more}");
    }
    assert!(matches!(
        create(&admin, other, &["read:orgs/ORG/buckets"]),
        Err(AdminError::Forbidden(_))
    ));
    let reader = holder(&world, &["read:orgs/ORG/authorizations", "read:orgs/ORG/buckets"]);
    assert!(matches!(
        create(&reader, org, &["read:orgs/ORG/buckets"]),
        Err(AdminError::Forbidden(_))
    ));
    let operator = holder(&world, &["write:authorizations", "read:buckets"]);
    assert!(create(&operator, other, &["read:orgs/ORG/buckets"]).is_ok());
    // An authorization for another user requires permission to write that user.
    let user = world.user("user");
    let new = NewAuthorization {
        user: Some(user),
        ..NewAuthorization::new(org, [permission("read:buckets").organization(org)])
    };
    assert!(matches!(
        engine.admin(admin).authorizations().create(new.clone()),
        Err(AdminError::Forbidden(_))
    ));
    let texts =
        ["write:orgs/ORG/authorizations", "read:orgs/ORG/buckets", &format!("write:users/{user}")];
    assert!(engine.admin(holder(&world, &texts)).authorizations().create(new).is_ok());
}

#[test]
fn foreign_records_are_not_found_and_own_records_are_forbidden() {
    let (world, _, foreign) = two();
    let engine = &world.engine;
    let (_, own) = world.create(&["read:buckets"]);
    let off = || AuthorizationEdit::from(Transition::Deactivate);
    let (reader, writer, none, operator) = (
        holder(&world, &["read:orgs/ORG/authorizations"]),
        holder(&world, &["write:orgs/ORG/authorizations"]),
        holder(&world, &["read:orgs/ORG/buckets"]),
        holder(&world, &["read:authorizations", "write:authorizations"]),
    );
    let unknown = Id::new(77).unwrap();
    for caller in [&reader, &writer, &none] {
        for id in [foreign, unknown] {
            let answers = [
                engine.admin(*caller).authorizations().get(id).err(),
                engine.admin(*caller).authorizations().edit(id, off()).err(),
                engine.admin(*caller).authorizations().revoke(id).err(),
                engine.admin(*caller).authorizations().rotate(id, Rotation::default()).err(),
            ];
            for answer in answers {
                assert_eq!(
                    answer.unwrap().to_string(),
                    "authorization not found",
                    "{caller:?} {id}"
                );
            }
        }
        let listed = engine
            .admin(*caller)
            .authorizations()
            .list(&AuthorizationFilter::default(), ListOptions::default())
            .all()
            .unwrap();
        assert!(listed.iter().all(|one| one.organization == world.org.id));
    }
    assert!(engine.admin(reader).authorizations().get(own.id).is_ok());
    assert!(matches!(
        engine.admin(writer).authorizations().get(own.id),
        Err(AdminError::Forbidden(_))
    ));
    assert!(matches!(
        engine.admin(reader).authorizations().edit(own.id, off()),
        Err(AdminError::Forbidden(_))
    ));
    assert!(engine.admin(writer).authorizations().edit(own.id, off()).is_ok());
    assert!(engine.admin(operator).authorizations().edit(foreign, off()).is_ok());
    assert!(
        engine
            .admin(operator)
            .authorizations()
            .list(&AuthorizationFilter::default(), ListOptions::default())
            .all()
            .unwrap()
            .iter()
            .any(|one| one.id == foreign)
    );
    // A caller that may read but not change the authorization gets `Forbidden`, not `NotFound`.
    let looker = holder(&world, &["read:authorizations"]);
    assert!(matches!(
        engine.admin(looker).authorizations().edit(foreign, off()),
        Err(AdminError::Forbidden(_))
    ));
}

#[test]
fn rotating_another_authorization_requires_its_permissions() {
    let world = World::new();
    let engine = &world.engine;
    let (_, target) = world.create(&["read:buckets", "write:tasks"]);
    let weak = holder(&world, &["write:orgs/ORG/authorizations", "read:buckets"]);
    let rotate = |caller: &Caller| {
        engine.admin(*caller).authorizations().rotate(target.id, Rotation::default())
    };
    assert!(matches!(rotate(&weak), Err(AdminError::Exceeds(_))));
    let strong = holder(&world, &["write:orgs/ORG/authorizations", "read:buckets", "write:tasks"]);
    assert!(rotate(&strong).is_ok());
}

#[test]
fn editing_permissions_adds_only_held_permissions() {
    let world = World::new();
    let engine = &world.engine;
    let (_, target) = world.create(&["read:tasks", "read:buckets"]);
    let caller = holder(&world, &["write:orgs/ORG/authorizations", "write:buckets"]);
    let edit = |texts: &[&str]| {
        let permissions = texts.iter().map(|text| permission(text)).collect();
        engine.admin(caller).authorizations().edit(
            target.id,
            AuthorizationEdit { permissions: Some(permissions), ..AuthorizationEdit::default() },
        )
    };
    assert!(edit(&["read:tasks", "write:buckets"]).is_ok());
    assert!(matches!(edit(&["read:tasks", "write:tasks"]), Err(AdminError::Exceeds(_))));
    assert!(
        matches!(edit(&["read:buckets"]), Err(AdminError::Exceeds(_))),
        "a removed permission cannot be granted again"
    );
}

#[test]
fn a_revoked_caller_changes_nothing_even_on_a_stale_engine() {
    let world = World::new();
    let caller = holder(&world, &["write:orgs/ORG/authorizations", "read:buckets"]);
    let Caller::Authorization(bearer) = caller else { unreachable!() };
    let id = bearer.id();
    // Nothing follows an exclusive store, so only the store knows the other engine's change.
    world.another().admin(Caller::Root).authorizations().revoke(id).unwrap();
    let engine = &world.engine;
    let new = world.new_authorization(&["read:buckets"]);
    assert!(matches!(
        engine.admin(caller).authorizations().create(new),
        Err(AdminError::Caller(_))
    ));
    assert!(matches!(
        engine
            .admin(caller)
            .authorizations()
            .list(&AuthorizationFilter::default(), ListOptions::default())
            .all(),
        Err(AdminError::Caller(_))
    ));
    let unknown = bearer_caller(Id::new(5).unwrap());
    assert!(matches!(
        engine.admin(unknown).users().list(ListOptions::default()).all(),
        Err(AdminError::Caller(_))
    ));
}

#[test]
fn users_and_organizations_follow_the_same_rules() {
    let (world, other, _) = two();
    let engine = &world.engine;
    let user = world.user("user");
    let none = holder(&world, &["read:orgs/ORG/buckets"]);
    assert!(matches!(
        engine.admin(none).users().edit(user, UserEdit::default()),
        Err(AdminError::NotFound(_))
    ));
    assert!(matches!(
        engine.admin(none).users().create(NewUser::named("x")),
        Err(AdminError::Forbidden(_))
    ));
    assert!(matches!(
        engine.admin(none).organizations().create(NewOrganization::named("x")),
        Err(AdminError::Forbidden(_))
    ));
    let edit = symbolon::OrganizationEdit::default();
    assert!(matches!(
        engine.admin(none).organizations().edit(other, edit.clone()),
        Err(AdminError::NotFound(_))
    ));
    assert!(matches!(
        engine.admin(none).organizations().edit(world.org.id, edit),
        Err(AdminError::Forbidden(_))
    ));
    assert!(engine.admin(none).users().list(ListOptions::default()).all().unwrap().is_empty());
    assert!(
        engine.admin(none).organizations().list(ListOptions::default()).all().unwrap().is_empty()
    );
    assert!(engine.admin(none).organizations().find("other").is_err());
    let role = symbolon::Role::Member;
    let owner = holder(&world, &["write:orgs/ORG"]);
    let hidden = engine.admin(owner).organizations().remove_member(world.org.id, user);
    assert!(matches!(hidden, Err(AdminError::NotFound(_))), "{hidden:?}");
    let owner = holder(&world, &["write:orgs/ORG", &format!("read:users/{user}")]);
    // The membership would let the user read more than the caller may.
    assert!(matches!(
        engine.admin(owner).organizations().add_member(world.org.id, user, role),
        Err(AdminError::Exceeds(_))
    ));
    let joined = world.root().organizations().add_member(world.org.id, user, role).unwrap();
    assert_eq!(joined.memberships.len(), 1);
    assert!(matches!(
        engine.admin(owner).organizations().add_member(other, user, role),
        Err(AdminError::NotFound(_))
    ));
    assert!(
        engine
            .admin(owner)
            .organizations()
            .remove_member(world.org.id, user)
            .unwrap()
            .memberships
            .is_empty()
    );
    let registrar = holder(&world, &["write:orgs/ORG/buckets"]);
    let bucket = engine
        .admin(registrar)
        .buckets()
        .create(NewBucket { organization: world.org.id, name: "metrics".into() })
        .unwrap();
    assert!(
        engine
            .admin(registrar)
            .buckets()
            .create(NewBucket { organization: world.org.id, name: "metrics".into() })
            .is_err()
    );
    // A permission on a bucket allows granting the database of the same name.
    let granter =
        holder(&world, &["write:orgs/ORG/authorizations", &format!("read:buckets/{}", bucket.id)]);
    let database = permission("read:databases").organization(world.org.id).name("metrics");
    assert!(
        engine
            .admin(granter)
            .authorizations()
            .create(NewAuthorization::new(world.org.id, [database.clone()]))
            .is_ok()
    );
    engine.admin(registrar).buckets().delete(bucket.id).unwrap();
    assert!(
        engine
            .admin(granter)
            .authorizations()
            .create(NewAuthorization::new(world.org.id, [database]))
            .is_err()
    );
}

/// Users belong to no organization, so a permission on users of an organization matches none by id.
#[test]
fn organization_scoped_user_permissions_reach_no_user_by_id() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("operator");
    let owner = holder(
        &world,
        &["write:orgs/ORG/authorizations", "write:orgs/ORG/users", "read:orgs/ORG/users"],
    );
    let texts = in_org(
        world.org.id,
        &[&format!("write:orgs/ORG/users/{user}"), &format!("read:orgs/ORG/users/{user}")],
    );
    let granted = texts.iter().map(|text| permission(text));
    // The owner may grant what it holds within its organization …
    let new = NewAuthorization::new(world.org.id, granted);
    let (granted, _) = engine.admin(owner).authorizations().create(new).unwrap();
    let thief = world.bearer(&granted);
    // … which gives access to no user.
    for caller in [&owner, &thief] {
        let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
        assert!(matches!(
            engine.admin(*caller).users().edit(user, delete),
            Err(AdminError::NotFound(_))
        ));
        assert!(
            engine.admin(*caller).users().list(ListOptions::default()).all().unwrap().is_empty()
        );
        assert!(engine.admin(*caller).users().find("operator").is_err());
        let new = NewAuthorization {
            user: Some(user),
            ..NewAuthorization::new(
                world.org.id,
                [permission("read:buckets").organization(world.org.id)],
            )
        };
        assert!(engine.admin(*caller).authorizations().create(new).is_err());
    }
    let itself = holder(&world, &[&format!("write:users/{user}"), &format!("read:users/{user}")]);
    assert!(engine.admin(itself).users().edit(user, UserEdit::default()).is_ok());
}
