//! Explanations of refusals, and purges.

use std::time::Duration;

use symbolon::{
    AdminError, Caller, Denied, Id, Mismatch, NewAuthorization, NewBucket, NewOrganization,
    NewUser, NotInForceReason, OrganizationEdit, OwnerState, PurgeOptions, PurgeReport, Transition,
    UserEdit,
};

use crate::fixture::{READ_BUCKETS, World, permission};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn user_edit(transition: Transition) -> UserEdit {
    UserEdit { transition: Some(transition), ..UserEdit::default() }
}

/// The explanation agrees with a check of the token in every state of an authorization.
#[test]
fn explanations_agree_with_checks() {
    let world = World::new();
    let root = world.root();
    let _root = Caller::Root;
    for expires in [false, true] {
        for status in [None, Some(Transition::Deactivate), Some(Transition::Revoke)] {
            for user_is in [None, Some(Transition::Deactivate), Some(Transition::Revoke)] {
                for permissions in ["read:buckets", "write:buckets"] {
                    let name = format!("user {expires} {status:?} {user_is:?} {permissions}");
                    let user = root.users().create(NewUser::named(&name)).unwrap();
                    let new = NewAuthorization {
                        user: Some(user.id),
                        expires_at: expires.then(|| "2027-01-01T00:00:00Z".parse().unwrap()),
                        ..world.new_authorization(&[permissions])
                    };
                    let (token, made) = root.authorizations().create(new).unwrap();
                    if let Some(transition) = status {
                        root.authorizations().edit(made.id, transition.into()).unwrap();
                    }
                    if let Some(transition) = user_is {
                        root.users().edit(user.id, user_edit(transition)).unwrap();
                    }
                    for now in ["2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z"] {
                        world.clock.set(now.parse().unwrap());
                        let explanation =
                            root.authorizations().explain(made.id, &READ_BUCKETS).unwrap();
                        let decided = explanation.decision.clone().map(|_| made.id);
                        assert_eq!(decided, world.check(&token), "{name} at {now}");
                        assert_eq!(
                            explanation.reasons.is_empty(),
                            !matches!(
                                decided,
                                Err(Denied::Revoked(_)
                                    | Denied::Inactive(_)
                                    | Denied::Expired(_)
                                    | Denied::OwnerInactive(_))
                            )
                        );
                        assert_eq!(explanation.nearest.is_empty(), permissions == "read:buckets");
                    }
                    world.clock.set("2026-01-01T00:00:00Z".parse().unwrap());
                }
            }
        }
    }
}

#[test]
fn an_explanation_gives_every_reason() {
    let world = World::new();
    let root = world.root();
    let _root = Caller::Root;
    let user = root.users().create(NewUser::named("user")).unwrap();
    let end = "2026-01-02T00:00:00Z".parse().unwrap();
    let new = NewAuthorization {
        user: Some(user.id),
        expires_at: Some(end),
        ..world.new_authorization(&["write:buckets", "read:tasks", "read:orgs"])
    };
    let (_, made) = root.authorizations().create(new).unwrap();
    root.users().edit(user.id, user_edit(Transition::Deactivate)).unwrap();
    world.clock.advance(2 * DAY);
    let revoked = root.authorizations().revoke(made.id).unwrap();
    let edit =
        OrganizationEdit { transition: Some(Transition::Revoke), ..OrganizationEdit::default() };
    root.organizations().edit(world.org.id, edit).unwrap();
    let explanation = root.authorizations().explain(made.id, &READ_BUCKETS).unwrap();
    assert_eq!(explanation.decision, Err(Denied::Revoked(made.id)));
    assert_eq!(
        explanation.reasons,
        [
            NotInForceReason::Revoked(revoked.revoked_at.unwrap()),
            NotInForceReason::Expired(end),
            NotInForceReason::User(OwnerState::Inactive),
            NotInForceReason::Organization(OwnerState::Deleted),
        ]
    );
    let nearest = vec![(permission("write:buckets"), vec![Mismatch::Action])];
    assert_eq!(explanation.nearest, nearest);
    let unknown = root.authorizations().explain(Id::MIN, &READ_BUCKETS);
    assert!(matches!(unknown, Err(AdminError::NotFound(_))), "{unknown:?}");
}

#[test]
fn explanations_require_read_access() {
    let world = World::new();
    let engine = &world.engine;
    let (_, made) = world.create(&["read:buckets"]);
    let org = world.org.id;
    let reader = world.caller(&[&format!("read:orgs/{org}/authorizations")]);
    assert!(engine.admin(reader).authorizations().explain(made.id, &READ_BUCKETS).is_ok());
    let other = world.caller(&["read:buckets"]);
    let refused = engine.admin(other).authorizations().explain(made.id, &READ_BUCKETS);
    assert!(matches!(refused, Err(AdminError::Forbidden(_))), "{refused:?}");
}

#[test]
fn users_and_organizations_are_read_by_their_ids() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let _root = Caller::Root;
    let user = root.users().create(NewUser::named("user")).unwrap();
    assert_eq!(root.users().get(user.id).unwrap(), user);
    let org = root.organizations().get(world.org.id).unwrap();
    assert_eq!(org, world.org);
    let caller = world.caller(&["read:buckets"]);
    let hidden = engine.admin(caller).with_tombstones().users().get(user.id);
    assert!(matches!(hidden, Err(AdminError::NotFound(_))), "{hidden:?}");
    let forbidden = engine.admin(caller).with_tombstones().organizations().get(org.id);
    assert!(matches!(forbidden, Err(AdminError::Forbidden(_))), "{forbidden:?}");
    let other = root.organizations().create(NewOrganization::named("other")).unwrap();
    let hidden = engine.admin(caller).with_tombstones().organizations().get(other.id);
    assert!(matches!(hidden, Err(AdminError::NotFound(_))), "{hidden:?}");
    let reads = world.caller(&["read:users", "read:orgs"]);
    assert!(
        engine.admin(reads).users().get(user.id).is_ok()
            && engine.admin(reads).organizations().get(org.id).is_ok()
    );
}

#[test]
fn a_dry_run_purge_counts_without_removing() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let _root = Caller::Root;
    let org = root.organizations().create(NewOrganization::named("ends")).unwrap();
    let user = root.users().create(NewUser::named("ends")).unwrap();
    root.buckets().create(NewBucket { organization: org.id, name: "bucket".into() }).unwrap();
    // More than a page of records. Some were revoked earlier, so the purge finds them twice: on
    // their own and through their owners.
    for number in 0..1100 {
        let new = NewAuthorization {
            organization: org.id,
            user: (number % 2 == 0).then_some(user.id),
            ..world.new_authorization(&["read:buckets"])
        };
        let (_, made) = root.authorizations().create(new).unwrap();
        if number % 3 == 0 {
            root.authorizations().revoke(made.id).unwrap();
        }
    }
    root.users().edit(user.id, user_edit(Transition::Revoke)).unwrap();
    let edit =
        OrganizationEdit { transition: Some(Transition::Revoke), ..OrganizationEdit::default() };
    root.organizations().edit(org.id, edit).unwrap();
    let (kept, kept_made) = world.create(&["read:buckets"]);
    world.clock.advance(2 * DAY);
    let purge = |retention: Duration, dry_run| {
        let how = PurgeOptions { retention: Some(retention), dry_run };
        let mut last = 0;
        let purged = engine.maintenance().purge_with(&how, &mut |so_far| last = so_far).unwrap();
        assert_eq!(last, purged.total(), "the last report is complete");
        purged
    };
    assert_eq!(purge(3 * DAY, false), PurgeReport::default());
    let all =
        PurgeReport { sessions: 0, authorizations: 1100, buckets: 1, users: 1, organizations: 1 };
    assert_eq!(purge(DAY, true), all);
    assert_eq!(purge(DAY, true), all);
    assert_eq!(purge(DAY, false), all);
    assert_eq!(purge(DAY, true), PurgeReport::default());
    assert_eq!(world.check(&kept), Ok(kept_made.id));
    assert!(world.engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty());
}
