//! Limits of callers: no permissions beyond their own, and no access to other organizations.

use crate::fixture::{World, permission};
use symbolon::{
    Caller, Edit, Error, Filter, Id, ListOptions, NewAuthorization, Rotation, Transition, UserEdit,
};

/// Creates a world with a second organization that has one authorization.
fn two() -> (World, Id, Id) {
    let world = World::new();
    let issuer = world.engine.issuer();
    let other = issuer
        .create_organization(&Caller::Root, "other", "")
        .unwrap()
        .id;
    let new = NewAuthorization::new(other, [permission("read:buckets")]);
    let foreign = issuer.create(&Caller::Root, new).unwrap().1.id;
    (world, other, foreign)
}

fn in_org(org: Id, texts: &[&str]) -> Vec<String> {
    texts
        .iter()
        .map(|text| text.replace("ORG", &org.to_string()))
        .collect()
}

fn holder(world: &World, texts: &[&str]) -> Caller {
    let texts = in_org(world.org.id, texts);
    world.caller(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn creation_requires_permission_and_never_exceeds_it() {
    let (world, other, _) = two();
    let issuer = world.engine.issuer();
    let create = |caller: &Caller, org: Id, texts: &[&str]| {
        let permissions = in_org(org, texts);
        let permissions = permissions.iter().map(|text| permission(text));
        issuer
            .create(caller, NewAuthorization::new(org, permissions))
            .map(|(_, made)| made)
    };
    let admin = holder(
        &world,
        &["write:orgs/ORG/authorizations", "read:orgs/ORG/buckets"],
    );
    let org = world.org.id;
    let made = create(&admin, org, &["read:orgs/ORG/buckets/00000000000000aa"]).unwrap();
    let Caller::Authorization(admin_id) = admin else {
        unreachable!()
    };
    assert_eq!(
        made.created_by,
        Some(symbolon::Creator::Authorization(admin_id))
    );
    for more in [
        "write:orgs/ORG/buckets",
        "read:buckets",
        "read:buckets/00000000000000aa",
        "read:orgs/ORG/tasks",
    ] {
        assert!(
            matches!(create(&admin, org, &[more]), Err(Error::Exceeds(_))),
            "{more}"
        );
    }
    assert!(matches!(
        create(&admin, other, &["read:orgs/ORG/buckets"]),
        Err(Error::Forbidden(_))
    ));
    let reader = holder(
        &world,
        &["read:orgs/ORG/authorizations", "read:orgs/ORG/buckets"],
    );
    assert!(matches!(
        create(&reader, org, &["read:orgs/ORG/buckets"]),
        Err(Error::Forbidden(_))
    ));
    let operator = holder(&world, &["write:authorizations", "read:buckets"]);
    assert!(create(&operator, other, &["read:orgs/ORG/buckets"]).is_ok());
    // An authorization for another user requires permission to write that user.
    let user = issuer.create_user(&Caller::Root, "user", None).unwrap().id;
    let new = NewAuthorization {
        user: Some(user),
        ..NewAuthorization::new(org, [permission("read:buckets").organization(org)])
    };
    assert!(matches!(
        issuer.create(&admin, new.clone()),
        Err(Error::Forbidden(_))
    ));
    let texts = [
        "write:orgs/ORG/authorizations",
        "read:orgs/ORG/buckets",
        &format!("write:users/{user}"),
    ];
    assert!(issuer.create(&holder(&world, &texts), new).is_ok());
}

#[test]
fn foreign_records_are_not_found_and_own_records_are_forbidden() {
    let (world, _, foreign) = two();
    let issuer = world.engine.issuer();
    let (_, own) = world.create(&["read:buckets"]);
    let off = || Edit::from(Transition::Deactivate);
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
                issuer.authorization(caller, id).err(),
                issuer.edit(caller, id, off()).err(),
                issuer.revoke(caller, id).err(),
                issuer.rotate(caller, id, &Rotation::default()).err(),
            ];
            for answer in answers {
                assert_eq!(
                    answer.unwrap().to_string(),
                    "authorization not found",
                    "{caller:?} {id}"
                );
            }
        }
        let listed = issuer.authorizations(caller, &Filter::default()).unwrap();
        assert!(listed.iter().all(|one| one.organization == world.org.id));
    }
    assert!(issuer.authorization(&reader, own.id).is_ok());
    assert!(matches!(
        issuer.authorization(&writer, own.id),
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        issuer.edit(&reader, own.id, off()),
        Err(Error::Forbidden(_))
    ));
    assert!(issuer.edit(&writer, own.id, off()).is_ok());
    assert!(issuer.edit(&operator, foreign, off()).is_ok());
    assert!(
        issuer
            .authorizations(&operator, &Filter::default())
            .unwrap()
            .iter()
            .any(|one| one.id == foreign)
    );
    // A caller that may read but not change the authorization gets `Forbidden`, not `NotFound`.
    let looker = holder(&world, &["read:authorizations"]);
    assert!(matches!(
        issuer.edit(&looker, foreign, off()),
        Err(Error::Forbidden(_))
    ));
}

#[test]
fn rotating_another_authorization_requires_its_permissions() {
    let world = World::new();
    let issuer = world.engine.issuer();
    let (_, target) = world.create(&["read:buckets", "write:tasks"]);
    let weak = holder(&world, &["write:orgs/ORG/authorizations", "read:buckets"]);
    let rotate = |caller: &Caller| issuer.rotate(caller, target.id, &Rotation::default());
    assert!(matches!(rotate(&weak), Err(Error::Exceeds(_))));
    let strong = holder(
        &world,
        &[
            "write:orgs/ORG/authorizations",
            "read:buckets",
            "write:tasks",
        ],
    );
    assert!(rotate(&strong).is_ok());
}

#[test]
fn editing_permissions_adds_only_held_permissions() {
    let world = World::new();
    let issuer = world.engine.issuer();
    let (_, target) = world.create(&["read:tasks", "read:buckets"]);
    let caller = holder(&world, &["write:orgs/ORG/authorizations", "write:buckets"]);
    let edit = |texts: &[&str]| {
        let permissions = texts.iter().map(|text| permission(text)).collect();
        issuer.edit(
            &caller,
            target.id,
            Edit {
                permissions: Some(permissions),
                ..Edit::default()
            },
        )
    };
    assert!(edit(&["read:tasks", "write:buckets"]).is_ok());
    assert!(matches!(
        edit(&["read:tasks", "write:tasks"]),
        Err(Error::Exceeds(_))
    ));
    assert!(
        matches!(edit(&["read:buckets"]), Err(Error::Exceeds(_))),
        "a removed permission cannot be granted again"
    );
}

#[test]
fn a_revoked_caller_changes_nothing_even_on_a_stale_engine() {
    let world = World::new();
    let caller = holder(&world, &["write:orgs/ORG/authorizations", "read:buckets"]);
    let Caller::Authorization(id) = caller else {
        unreachable!()
    };
    // Nothing follows an exclusive store, so only the store knows the other engine's change.
    world.another().issuer().revoke(&Caller::Root, id).unwrap();
    let issuer = world.engine.issuer();
    let new = world.new_authorization(&["read:buckets"]);
    assert!(matches!(issuer.create(&caller, new), Err(Error::Caller(_))));
    assert!(matches!(
        issuer.authorizations(&caller, &Filter::default()),
        Err(Error::Caller(_))
    ));
    let unknown = Caller::Authorization(Id::new(5).unwrap());
    assert!(matches!(
        issuer.users(&unknown, &ListOptions::default()),
        Err(Error::Caller(_))
    ));
}

#[test]
fn users_and_organizations_follow_the_same_rules() {
    let (world, other, _) = two();
    let issuer = world.engine.issuer();
    let user = issuer.create_user(&Caller::Root, "user", None).unwrap().id;
    let none = holder(&world, &["read:orgs/ORG/buckets"]);
    assert!(matches!(
        issuer.edit_user(&none, user, &UserEdit::default()),
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        issuer.create_user(&none, "x", None),
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        issuer.create_organization(&none, "x", ""),
        Err(Error::Forbidden(_))
    ));
    let edit = symbolon::OrganizationEdit::default();
    assert!(matches!(
        issuer.edit_organization(&none, other, &edit),
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        issuer.edit_organization(&none, world.org.id, &edit),
        Err(Error::Forbidden(_))
    ));
    assert!(
        issuer
            .users(&none, &ListOptions::default())
            .unwrap()
            .is_empty()
    );
    assert!(
        issuer
            .organizations(&none, &ListOptions::default())
            .unwrap()
            .is_empty()
    );
    assert!(issuer.organization_named(&none, "other").is_err());
    let role = symbolon::Role::Member;
    let owner = holder(&world, &["write:orgs/ORG"]);
    let hidden = issuer.remove_member(&owner, world.org.id, user);
    assert!(matches!(hidden, Err(Error::NotFound(_))), "{hidden:?}");
    let owner = holder(&world, &["write:orgs/ORG", &format!("read:users/{user}")]);
    // The membership would let the user read more than the caller may.
    assert!(matches!(
        issuer.add_member(&owner, world.org.id, user, role),
        Err(Error::Exceeds(_))
    ));
    let joined = issuer
        .add_member(&Caller::Root, world.org.id, user, role)
        .unwrap();
    assert_eq!(joined.memberships.len(), 1);
    assert!(matches!(
        issuer.add_member(&owner, other, user, role),
        Err(Error::NotFound(_))
    ));
    assert!(
        issuer
            .remove_member(&owner, world.org.id, user)
            .unwrap()
            .memberships
            .is_empty()
    );
    let registrar = holder(&world, &["write:orgs/ORG/buckets"]);
    let bucket = issuer
        .register_bucket(&registrar, world.org.id, "metrics")
        .unwrap();
    assert!(
        issuer
            .register_bucket(&registrar, world.org.id, "metrics")
            .is_err()
    );
    // A permission on a bucket allows granting the database of the same name.
    let granter = holder(
        &world,
        &[
            "write:orgs/ORG/authorizations",
            &format!("read:buckets/{}", bucket.id),
        ],
    );
    let database = permission("read:databases")
        .organization(world.org.id)
        .name("metrics");
    assert!(
        issuer
            .create(
                &granter,
                NewAuthorization::new(world.org.id, [database.clone()])
            )
            .is_ok()
    );
    issuer.unregister_bucket(&registrar, bucket.id).unwrap();
    assert!(
        issuer
            .create(&granter, NewAuthorization::new(world.org.id, [database]))
            .is_err()
    );
}

/// Users belong to no organization, so a permission on users of an organization matches none by id.
#[test]
fn organization_scoped_user_permissions_reach_no_user_by_id() {
    let world = World::new();
    let issuer = world.engine.issuer();
    let user = issuer
        .create_user(&Caller::Root, "operator", None)
        .unwrap()
        .id;
    let owner = holder(
        &world,
        &[
            "write:orgs/ORG/authorizations",
            "write:orgs/ORG/users",
            "read:orgs/ORG/users",
        ],
    );
    let texts = in_org(
        world.org.id,
        &[
            &format!("write:orgs/ORG/users/{user}"),
            &format!("read:orgs/ORG/users/{user}"),
        ],
    );
    let granted = texts.iter().map(|text| permission(text));
    // The owner may grant what it holds within its organization …
    let granted = issuer
        .create(&owner, NewAuthorization::new(world.org.id, granted))
        .unwrap()
        .1;
    let thief = Caller::Authorization(granted.id);
    // … which gives access to no user.
    for caller in [&owner, &thief] {
        let delete = UserEdit {
            transition: Some(Transition::Revoke),
            ..UserEdit::default()
        };
        assert!(matches!(
            issuer.edit_user(caller, user, &delete),
            Err(Error::NotFound(_))
        ));
        assert!(
            issuer
                .users(caller, &ListOptions::default())
                .unwrap()
                .is_empty()
        );
        assert!(issuer.user_named(caller, "operator").is_err());
        let new = NewAuthorization {
            user: Some(user),
            ..NewAuthorization::new(
                world.org.id,
                [permission("read:buckets").organization(world.org.id)],
            )
        };
        assert!(issuer.create(caller, new).is_err());
    }
    let itself = holder(
        &world,
        &[
            &format!("write:users/{user}"),
            &format!("read:users/{user}"),
        ],
    );
    assert!(
        issuer
            .edit_user(&itself, user, &UserEdit::default())
            .is_ok()
    );
}
