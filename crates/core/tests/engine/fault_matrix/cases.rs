//! The types of change.

use std::time::Duration;

use symbolon::{
    AdminError, AuthorizationEdit, AuthorizationFilter, Denied, Engine, Field, ImportReport,
    ListOptions, NewOrganization, NewUser, OrganizationEdit, PermissionSet, SetUpRequest, Status,
    Token, Transition, UserEdit,
};

use super::setup::{
    Before, HASHED, ROOT, V2, added, authorization, authorizations, created, denied,
    edited_organization, found, is_bucket, items, memberships, named_user, none, nothing,
    registered, revoked, rotated, token, user,
};
use crate::fixture::{World, permission};

/// A type of change.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Creates the initial state.
    pub(super) prepare: fn(&World) -> Before,
    /// Makes the change, and returns the tokens that it creates.
    pub(super) run: fn(&World, &Before) -> Result<Vec<Token>, AdminError>,
    /// Returns true if the engine shows the complete change.
    pub(super) holds: fn(&Engine, &Before) -> bool,
    pub(super) again: Again,
    pub(super) commits: Commits,
}

/// The result of repeating a change that was made but not confirmed.
#[derive(Clone, Copy)]
pub(super) enum Again {
    /// The same state.
    Same,
    /// This number of additional records, because the token of the first attempt is lost.
    Another(usize),
    /// A refusal, because the first attempt was written.
    Refused(fn(&AdminError) -> bool),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Commits {
    One,
    Several,
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "create",
        prepare: nothing,
        run: |world, _| created(world, &ROOT, None),
        holds: |engine, before| authorizations(engine, before.organization) >= 1,
        again: Again::Another(1),
        commits: Commits::One,
    },
    Case {
        name: "create, by a token, for a user",
        prepare: |world| {
            let caller = world.caller(&["write:authorizations", "write:users", "read:buckets"]);
            Before { caller, ..user(world) }
        },
        run: |world, before| created(world, &before.caller, Some(before.id)),
        holds: |engine, before| {
            let filter =
                AuthorizationFilter { user: Some(before.id), ..AuthorizationFilter::default() };
            engine
                .admin(ROOT)
                .with_tombstones()
                .authorizations()
                .list(&filter, ListOptions::default())
                .all()
                .unwrap()
                .len()
                >= 2
        },
        again: Again::Another(1),
        commits: Commits::One,
    },
    Case {
        name: "edit",
        prepare: authorization,
        run: |world, before| {
            let edit = AuthorizationEdit {
                description: Some("edited".into()),
                permissions: Some([permission("write:buckets")].into_iter().collect()),
                ..AuthorizationEdit::default()
            };
            world.root().authorizations().edit(before.id, edit).map(none)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Forbidden(before.id))]
                && found(engine, before.id).description == "edited"
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "deactivate",
        prepare: authorization,
        run: |world, before| {
            let edit = Transition::Deactivate.into();
            world.root().authorizations().edit(before.id, edit).map(none)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Inactive(before.id))]
                && found(engine, before.id).status == Status::Inactive
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "revoke",
        prepare: authorization,
        run: |world, before| world.root().authorizations().revoke(before.id).map(none),
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Revoked(before.id))]
                && found(engine, before.id).status == Status::Revoked
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "rotate, with an overlap",
        prepare: authorization,
        run: |world, before| rotated(world, before, Duration::from_secs(3600)),
        holds: |engine, before| {
            denied(engine, before) == [None]
                && authorizations(engine, before.organization) >= 2
                && found(engine, before.id).expires_at.is_some()
        },
        again: Again::Another(1),
        commits: Commits::One,
    },
    Case {
        name: "rotate, at once",
        prepare: authorization,
        run: |world, before| rotated(world, before, Duration::ZERO),
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Expired(before.id))]
                && authorizations(engine, before.organization) == 2
        },
        again: Again::Refused(|error| matches!(error, AdminError::Invalid(Field::Expiry, _))),
        commits: Commits::One,
    },
    Case {
        name: "create a user",
        prepare: nothing,
        run: |world, _| world.root().users().create(NewUser::named("new")).map(none),
        holds: |engine, _| engine.admin(ROOT).with_tombstones().users().find("new").is_ok(),
        again: Again::Refused(|error| matches!(error, AdminError::Exists(Field::UserName))),
        commits: Commits::One,
    },
    Case {
        name: "edit a user",
        prepare: user,
        run: |world, before| {
            let edit = UserEdit {
                name: Some("renamed".into()),
                transition: Some(Transition::Deactivate),
                password_hash: None,
            };
            world.root().users().edit(before.id, edit).map(none)
        },
        holds: |engine, before| {
            matches!(denied(engine, before)[..], [Some(Denied::OwnerInactive(_))])
                && named_user(engine, "renamed") == Some(before.id)
                && named_user(engine, "user").is_none()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "delete a user",
        prepare: user,
        run: |world, before| {
            let edit = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
            world.root().users().edit(before.id, edit).map(none)
        },
        holds: |engine, before| {
            matches!(denied(engine, before)[..], [Some(Denied::Revoked(_))])
                && named_user(engine, "user").is_none()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "create an organization",
        prepare: nothing,
        run: |world, _| {
            let engine = &world.engine;
            engine
                .admin(ROOT)
                .with_tombstones()
                .organizations()
                .create(NewOrganization::named("new"))
                .map(none)
        },
        holds: |engine, _| engine.admin(ROOT).with_tombstones().organizations().find("new").is_ok(),
        again: Again::Refused(|error| matches!(error, AdminError::Exists(Field::OrganizationName))),
        commits: Commits::One,
    },
    Case {
        name: "edit an organization",
        prepare: authorization,
        run: |world, before| {
            let edit = OrganizationEdit {
                name: Some("renamed".into()),
                description: Some("edited".into()),
                transition: Some(Transition::Deactivate),
                ..OrganizationEdit::default()
            };
            edited_organization(world, before, &edit)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::OwnerInactive(before.id))]
                && engine.admin(ROOT).with_tombstones().organizations().find("renamed").is_ok()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "delete an organization",
        prepare: authorization,
        run: |world, before| {
            let edit = OrganizationEdit {
                transition: Some(Transition::Revoke),
                ..OrganizationEdit::default()
            };
            edited_organization(world, before, &edit)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Revoked(before.id))]
                && engine.admin(ROOT).with_tombstones().organizations().find("org").is_err()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "add a member",
        prepare: user,
        run: |world, before| added(world, before).map(none),
        holds: |engine, before| memberships(engine, before) == 1,
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "remove a member",
        prepare: |world| {
            let before = user(world);
            added(world, &before).unwrap();
            before
        },
        run: |world, before| {
            let engine = &world.engine;
            engine
                .admin(ROOT)
                .with_tombstones()
                .organizations()
                .remove_member(before.organization, before.id)
                .map(none)
        },
        holds: |engine, before| memberships(engine, before) == 0,
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "register a bucket",
        prepare: nothing,
        run: |world, before| registered(world, before).map(none),
        holds: |engine, before| is_bucket(engine, before),
        again: Again::Refused(|error| matches!(error, AdminError::Exists(Field::BucketName))),
        commits: Commits::One,
    },
    Case {
        name: "unregister a bucket",
        prepare: |world| {
            let before = nothing(world);
            let id = registered(world, &before).unwrap().id;
            Before { id, ..before }
        },
        run: |world, before| {
            let engine = &world.engine;
            engine.admin(ROOT).with_tombstones().buckets().delete(before.id).map(none)
        },
        holds: |engine, before| !is_bucket(engine, before),
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "set up",
        prepare: nothing,
        run: |world, _| {
            let first = SetUpRequest {
                organization: "first".into(),
                user: "me".into(),
                password_hash: None,
                permissions: PermissionSet::from(symbolon::Schema::influxdb_operator()),
                bucket: None,
                token: None,
                if_name_exists: symbolon::IfNameExists::Refuse,
            };
            world.engine.maintenance().set_up(&first).map(|done| vec![done.token])
        },
        holds: |engine, _| {
            named_user(engine, "me").is_some()
                && engine.admin(ROOT).with_tombstones().organizations().find("first").is_ok()
        },
        again: Again::Refused(|error| matches!(error, AdminError::AlreadySetUp)),
        commits: Commits::One,
    },
    Case {
        name: "import",
        prepare: |world| Before { tokens: [V2, HASHED].map(token).into(), ..nothing(world) },
        run: |world, _| {
            let imported = world.engine.maintenance().import(&items())?;
            let none = ImportReport { new: 0, known: 5 };
            assert!(imported == none || imported == ImportReport { new: 5, known: 0 });
            Ok(Vec::new())
        },
        holds: |engine, before| {
            denied(engine, before) == [None, None]
                && engine.maintenance().import(&items()).unwrap().known == 5
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "purge",
        prepare: |world| {
            let (engine, before) = (&world.engine, user(world));
            let revoked = world.create(&["read:buckets"]);
            engine.admin(ROOT).with_tombstones().authorizations().revoke(revoked.1.id).unwrap();
            let bucket = registered(world, &before).unwrap();
            engine.admin(ROOT).with_tombstones().buckets().delete(bucket.id).unwrap();
            let edit = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
            engine.admin(ROOT).with_tombstones().users().edit(before.id, edit).unwrap();
            world.clock.advance(Duration::from_secs(31 * 24 * 3600));
            let tokens = before.tokens.into_iter().chain([revoked.0]).collect();
            Before { tokens, ..before }
        },
        run: |world, _| world.engine.maintenance().purge().map(none),
        holds: |engine, before| {
            let gone = engine
                .admin(ROOT)
                .with_tombstones()
                .authorizations()
                .list(&revoked(), ListOptions::default())
                .all()
                .unwrap();
            gone.is_empty()
                && denied(engine, before) == [Some(Denied::Unknown); 2]
                && engine.maintenance().fsck(&mut |_| {}).unwrap().records.values().sum::<usize>()
                    == 2
        },
        again: Again::Same,
        commits: Commits::Several,
    },
];
