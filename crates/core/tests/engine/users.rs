//! Access of signed-in users, compared with the oracle.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test that fails panics")]

use crate::fixture::{World, key, options, user_caller};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::sync::LazyLock;
use symbolon::journal::{Actor, Event, Journal, MemoryJournal};
use symbolon::{
    Action, AdminError, AuthorizationFilter, Caller, Creator, Denied, Engine, Id, ImportItem,
    ListOptions, Membership, NewAuthorization, NewUser, Organization, Permission, Request,
    ResourceType, Role, Status, Timestamp, Transition, User, UserEdit,
};
use symbolon_oracle as oracle;

fn id(number: u64) -> Id {
    Id::new(number).unwrap()
}

fn time() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn kind(name: &str) -> ResourceType {
    ResourceType::new(name).unwrap()
}

fn user(number: u64, status: Status, operator: bool, memberships: &[(u64, Role)]) -> User {
    let membership = |(organization, role): &(u64, Role)| Membership {
        organization: id(*organization),
        role: *role,
    };
    User {
        id: id(number),
        name: format!("user {number}"),
        status,
        operator,
        memberships: memberships.iter().map(membership).collect(),
        password_hash: None,
        created_at: time(),
        updated_at: time(),
    }
}

/// Organizations 1, 2 and 3 with their states, and users; the first user is the caller.
#[derive(Debug, Clone)]
struct Setting {
    organizations: Vec<Status>,
    users: Vec<User>,
}

fn setting() -> impl Strategy<Value = Setting> {
    let role = prop_oneof![Just(None), Just(Some(Role::Owner)), Just(Some(Role::Member))];
    let status = prop_oneof![
        4 => Just(Status::Active), 1 => Just(Status::Inactive), 1 => Just(Status::Revoked),
    ];
    let one = (status.clone(), prop::bool::weighted(0.1), prop::collection::vec(role, 3));
    let users = prop::collection::vec(one, 2..4);
    (prop::collection::vec(status, 3), users).prop_map(|(organizations, users)| {
        let each = |(number, (status, operator, roles)): (u64, (Status, bool, Vec<_>))| {
            let roles = (1..).zip(roles);
            let held: Vec<_> = roles.filter_map(|(org, role)| Some((org, role?))).collect();
            user(number, status, operator, &held)
        };
        Setting { organizations, users: (1..).zip(users).map(each).collect() }
    })
}

impl Setting {
    fn engine(&self) -> Engine {
        let world = World::new();
        let engine = &world.engine;
        let organizations = (1..).zip(&self.organizations).map(|(number, status)| {
            ImportItem::Organization(Organization {
                id: id(number),
                name: format!("organization {number}"),
                description: String::new(),
                status: *status,
                created_at: time(),
                updated_at: time(),
            })
        });
        let users = self.users.iter().cloned().map(ImportItem::User);
        engine.maintenance().import(&organizations.chain(users).collect::<Vec<_>>()).unwrap();
        world.engine
    }

    /// Returns the permissions of the first user; `None` if it may do everything.
    fn held(&self) -> Option<Vec<oracle::Permission<'static>>> {
        let user = &self.users[0];
        let is_active = |number: u64| self.organizations[number as usize - 1] == Status::Active;
        let memberships = user.memberships.iter().map(|one| {
            let role = match one.role {
                Role::Owner => oracle::Role::Owner,
                Role::Member => oracle::Role::Member,
            };
            (one.organization.number(), role)
        });
        let active = memberships.filter(|(organization, _)| is_active(*organization));
        (!user.operator).then(|| oracle::roles::session(user.id.number(), active))
    }

    /// Returns true if the first user may do what is asked.
    fn may(&self, asked: &Asked) -> bool {
        self.held().is_none_or(|held| held.iter().any(|one| one.covers(asked)))
    }

    /// Returns true if the first user may grant a permission.
    fn may_grant(&self, wanted: &oracle::Permission<'_>) -> bool {
        self.held().is_none_or(|held| held.iter().any(|one| one.includes(wanted, &[])))
    }

    fn answer(&self, found: Result<bool, AdminError>) -> Option<bool> {
        match (self.users[0].status, found) {
            (Status::Active, Ok(may)) => Some(may),
            (Status::Active, error) => panic!("{error:?}"),
            (Status::Inactive, Err(AdminError::Caller(Denied::OwnerInactive(of))))
                if of == id(1) =>
            {
                None
            }
            (Status::Revoked, Err(AdminError::Caller(Denied::Unknown))) => None,
            (status, answer) => panic!("{status:?} {answer:?}"),
        }
    }
}

fn asking() -> Caller {
    static ASKING: LazyLock<Caller> = LazyLock::new(|| user_caller(Id::MIN));
    *ASKING
}

fn allowed<T>(answer: Result<T, AdminError>) -> Result<bool, AdminError> {
    match answer {
        Ok(_) => Ok(true),
        Err(AdminError::Forbidden(_) | AdminError::Exceeds(_) | AdminError::NotFound(_)) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

type Asked = oracle::Request<'static>;

fn asked(
    action: &'static str,
    kind: &'static str,
    organization: Option<Id>,
    one: Option<Id>,
) -> Asked {
    let target = one.map_or(oracle::Target::Any, |one| oracle::Target::Id(one.number()));
    oracle::Request { action, kind, organization: organization.map(Id::number), target }
}

/// Returns the permission that a request corresponds to.
fn permission_of(asked: &Asked) -> oracle::Permission<'static> {
    let oracle::Request { action, kind, organization, target } = *asked;
    oracle::Permission { action, kind, organization, target }
}

/// Returns all combinations of action, type, organization and id, including unknown ones.
fn questions() -> impl Iterator<Item = Asked> {
    let kinds = oracle::roles::TYPES.into_iter().chain(["flows", "databases", "instance"]);
    let ids = || [None, Some(1), Some(2), Some(3), Some(9)].map(|number| number.map(id));
    kinds.flat_map(move |kind| {
        oracle::roles::ACTIONS.into_iter().flat_map(move |action| {
            ids().into_iter().flat_map(move |organization| {
                ids().into_iter().map(move |one| asked(action, kind, organization, one))
            })
        })
    })
}

fn compare(setting: &Setting) {
    let engine = setting.engine();
    let admin = engine.admin(asking()).with_tombstones();
    for asked in questions() {
        let mut request = Request::new(asked.action.parse().unwrap(), kind(asked.kind));
        request = asked.organization.map_or(request, |of| request.organization(id(of)));
        if let oracle::Target::Id(one) = asked.target {
            request = request.id(id(one));
        }
        let answer = allowed(admin.authorize(&request));
        if let Some(may) = setting.answer(answer) {
            assert_eq!(may, setting.may(&asked), "{request} in {setting:?}");
        }
    }
    compare_grants(setting, &engine);
    compare_lists(setting, &engine);
}

fn compare_grants(setting: &Setting, engine: &Engine) {
    let admin = engine.admin(asking()).with_tombstones();
    for (at, status) in (1..).zip(&setting.organizations) {
        for one in questions() {
            // Permissions for other organizations are refused for every caller.
            let fits = one.organization.is_none_or(|of| of == at);
            if !fits || *status == Status::Revoked || ["databases", "instance"].contains(&one.kind)
            {
                continue;
            }
            let wanted = permission_of(&one);
            let permission: Permission = wanted.to_string().parse().unwrap();
            let new = NewAuthorization::new(id(at), [permission]);
            let made = admin.authorizations().create(new);
            if let Ok((_, made)) = &made {
                assert_eq!(made.created_by, Some(Creator::User(id(1))));
                engine.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
            }
            if let Some(may) = setting.answer(allowed(made)) {
                let create = asked("write", "authorizations", Some(id(at)), None);
                let expected = setting.may(&create) && setting.may_grant(&wanted);
                assert_eq!(may, expected, "{wanted} in {setting:?}");
            }
        }
    }
}

fn compare_lists(setting: &Setting, engine: &Engine) {
    let admin = engine.admin(asking()).with_tombstones();
    let made: Vec<_> = (1..)
        .zip(&setting.organizations)
        .filter(|(_, status)| **status != Status::Revoked)
        .map(|(at, _)| {
            let read = Permission::new(Action::READ, ResourceType::BUCKETS);
            let new = NewAuthorization::new(id(at), [read]);
            let made = engine.admin(Caller::Root).authorizations().create(new).unwrap().1;
            (made.organization, made.id)
        })
        .collect();
    let seen = |kind: &'static str, organization: Option<Id>, one: Id| {
        setting.may(&asked("read", kind, organization, Some(one)))
    };
    let Ok(listed) =
        admin.authorizations().list(&AuthorizationFilter::default(), ListOptions::default()).all()
    else {
        return assert_ne!(setting.users[0].status, Status::Active);
    };
    let listed: Vec<_> = listed.iter().map(|one| one.id).collect();
    let wanted = made.iter().filter(|(of, one)| seen("authorizations", Some(*of), *one));
    assert_eq!(listed, wanted.map(|(_, one)| *one).collect::<Vec<_>>());
    for (of, one) in &made {
        let found = admin.authorizations().get(*one).is_ok();
        assert_eq!(found, seen("authorizations", Some(*of), *one));
        let edit = admin.authorizations().edit(*one, Transition::Deactivate.into());
        let may = setting.may(&asked("write", "authorizations", Some(*of), Some(*one)));
        assert_eq!(edit.is_ok(), may);
        let member = setting.users[0].memberships.iter().any(|held| held.organization == *of);
        // Members of the organization get `Forbidden`; others get `NotFound`.
        assert!(may || matches!(edit, Err(AdminError::Forbidden(_))) == member);
    }
    let whole = ListOptions::default();
    let mut users = Vec::new();
    for one in &setting.users {
        let seen = seen("users", None, one.id);
        assert_eq!(admin.users().get(one.id).is_ok(), seen, "{setting:?}");
        users.extend((seen && one.status != Status::Revoked).then_some(one.clone()));
    }
    assert_eq!(admin.users().list(whole).all().unwrap(), users);
    let mut organizations = Vec::new();
    for (at, status) in (1..).zip(&setting.organizations) {
        let seen = seen("orgs", None, id(at));
        let answer = admin.organizations().get(id(at)).is_ok();
        assert_eq!(answer, seen, "{setting:?}");
        let there = *status != Status::Revoked;
        organizations.extend((seen && there).then_some(id(at)));
        let alive = |one: &&User| one.status != Status::Revoked;
        let held = |one: &User| Some((one.clone(), one.role_in(id(at))?));
        let members = setting.users.iter().filter(alive).filter_map(held);
        match admin.organizations().members(id(at)) {
            Ok(found) if seen && there => assert_eq!(found, members.collect::<Vec<_>>()),
            Err(AdminError::NotFound(_)) => assert!(!(seen && there), "{setting:?}"),
            Err(AdminError::Forbidden(_)) => {
                let belongs = setting.users[0].role_in(id(at)).is_some();
                assert!(!seen && belongs, "{setting:?}");
            }
            answer => panic!("{answer:?} in {setting:?}"),
        }
    }
    let listed = admin.organizations().list(whole).all().unwrap();
    // The world has an organization of its own, which an operator sees.
    let listed = listed.iter().filter(|one| one.name != "org");
    assert_eq!(listed.map(|one| one.id).collect::<Vec<_>>(), organizations);
}

#[test]
fn signed_in_users_follow_the_access_rules() {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    runner
        .run(&setting(), |setting| {
            compare(&setting);
            Ok(())
        })
        .unwrap();
}

#[test]
fn changes_by_signed_in_users_are_attributed_to_them() {
    let world = World::new();
    let journal = std::sync::Arc::new(MemoryJournal::new());
    let options = symbolon::Options { journal: Some(journal.clone()), ..options(&world.clock) };
    let store = std::sync::Arc::new(symbolon::MemoryStore::new());
    let engine = Engine::create(store, key(), options).unwrap();
    let root = engine.admin(Caller::Root);
    let me = root.users().create(NewUser::named("me")).unwrap().id;
    let caller = user_caller(me);
    let renamed = UserEdit { name: Some("I".into()), ..UserEdit::default() };
    engine.admin(caller).users().edit(me, renamed).unwrap();
    engine.admin(caller).users().create(NewUser::named("another")).unwrap_err();
    let mut actor = Vec::new();
    journal
        .read(&mut |entry| match entry.event {
            Event::Intent(intent) => actor.push(intent.actor),
            Event::Denied { actor: asked, .. } => actor.push(asked),
            _ => {}
        })
        .unwrap();
    assert_eq!(actor, [Actor::Root, Actor::User(me), Actor::User(me)]);
}

/// The texts are those of InfluxDB.
#[test]
fn refusals_name_the_missing_permission() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let me = world.user("me");
    let org = world.org.id;
    root.organizations().add_member(org, me, Role::Member).unwrap();
    let caller = user_caller(me);
    let text = |error: Option<AdminError>| error.map(|error| error.to_string()).unwrap();
    let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(org);
    let new = NewAuthorization::new(org, [read]);
    assert_eq!(
        text(engine.admin(caller).authorizations().create(new.clone()).err()),
        format!("write:orgs/{org}/authorizations is unauthorized")
    );
    let edit = symbolon::OrganizationEdit::default();
    assert_eq!(
        text(engine.admin(caller).organizations().edit(org, edit).err()),
        format!("write:orgs/{org} is unauthorized")
    );
    root.organizations().add_member(org, me, Role::Owner).unwrap();
    let other = world.user("other");
    let for_another = NewAuthorization { user: Some(other), ..new };
    assert_eq!(
        text(engine.admin(caller).authorizations().create(for_another).err()),
        format!("write:users/{other} is unauthorized")
    );
    let all = NewAuthorization::new(org, [Permission::new(Action::READ, ResourceType::BUCKETS)]);
    assert_eq!(
        text(engine.admin(caller).authorizations().create(all).err()),
        "permission read:buckets is not allowed: read:buckets is unauthorized"
    );
}

#[test]
fn a_just_deactivated_user_changes_nothing() {
    let world = World::new();
    let engine = &world.engine;
    let me = world.user("me");
    let caller = user_caller(me);
    let other = world.another();
    let off = UserEdit { transition: Some(Transition::Deactivate), ..UserEdit::default() };
    other.admin(Caller::Root).users().edit(me, off).unwrap();
    let renamed = UserEdit { name: Some("I".into()), ..UserEdit::default() };
    let refused = engine.admin(caller).users().edit(me, renamed);
    assert!(matches!(refused, Err(AdminError::Caller(Denied::OwnerInactive(of))) if of == me));
    let refused = engine.admin(user_caller(id(77))).users().list(ListOptions::default()).all();
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
}

/// A caller must hold every permission that a membership or a new password gives access to.
#[test]
fn memberships_never_exceed_what_the_granter_holds() {
    let world = World::new();
    let engine = &world.engine;
    let org = world.org.id;
    let friend = world.user("friend");
    let password = UserEdit {
        password_hash: Some(symbolon::PasswordHash::from_phc("$argon2id$new")),
        ..UserEdit::default()
    };
    let reads = symbolon::Schema::influxdb_member(org);
    let all = symbolon::Schema::influxdb_all_access(org, None);
    let create = |mut held: Vec<Permission>| {
        // A caller that may not read a user gets `NotFound`.
        held.push(Permission::new(Action::READ, ResourceType::USERS).id(friend));
        let made = world.root().authorizations().create(NewAuthorization::new(org, held));
        world.bearer(&made.unwrap().0)
    };
    let write_org = Permission::new(Action::WRITE, ResourceType::ORGANIZATIONS).id(org);
    let narrow = create(vec![write_org.clone()]);
    let reader = create(reads.into_iter().chain([write_org]).collect());
    let whole = create(all);
    for (caller, role, may) in [
        (&narrow, Role::Member, false),
        (&narrow, Role::Owner, false),
        (&reader, Role::Owner, false),
        (&reader, Role::Member, true),
        (&whole, Role::Owner, true),
    ] {
        let added = engine.admin(*caller).organizations().add_member(org, friend, role);
        assert_eq!(added.is_ok(), may, "{added:?}");
        assert!(may || matches!(added, Err(AdminError::Exceeds(_))));
    }
    let writer = Permission::new(Action::WRITE, ResourceType::USERS);
    let writer = create(vec![writer]);
    let refused = engine.admin(writer).users().edit(friend, password.clone());
    assert!(matches!(refused, Err(AdminError::Exceeds(_))));
    assert!(engine.admin(user_caller(friend)).users().edit(friend, password.clone()).is_ok());
    let operator = create(symbolon::Schema::influxdb_operator());
    let again = UserEdit {
        password_hash: Some(symbolon::PasswordHash::from_phc("$argon2id$again")),
        ..UserEdit::default()
    };
    assert!(engine.admin(operator).users().edit(friend, again).is_ok());
    // A user without memberships holds no permissions that the caller could gain.
    engine.admin(narrow).organizations().remove_member(org, friend).unwrap();
    assert!(engine.admin(writer).users().edit(friend, password).is_ok());
}
