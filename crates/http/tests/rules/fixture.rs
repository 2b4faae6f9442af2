//! Two organizations with records, deleted records, and every kind of caller.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use symbolon::{
    Authorization, Id, NewAuthorization, Origin, Permission, Role, SetUpRequest, Token, Transition,
};
use symbolon_http::Settings;
use symbolon_oracle::Denied;

use crate::reference::{Credential, Who, refusal_of};
use crate::resources::{Kind, Realm};
use crate::server::{Backend, texts};
use crate::sets::{all_access, operator, permissions, session};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// An authorization of v2 that can be listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: Id,
    pub(crate) org: Id,
    pub(crate) user: Option<Id>,
}

/// A user that can be listed, with its roles.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: Id,
    pub(crate) roles: Vec<(Id, Role)>,
}

pub(crate) struct World {
    backend: Backend,
    pub(crate) app: Router,
    pub(crate) own: Realm,
    pub(crate) other: Realm,
    /// A deleted organization, and deleted, revoked or unregistered records of `own`.
    pub(crate) deleted: Realm,
    /// Ids, names and a token that no record has.
    pub(crate) unknown: Realm,
    /// An authorization of a deleted user.
    pub(crate) orphan: Id,
    /// An authorization of a deleted organization.
    pub(crate) stray: Id,
    pub(crate) callers: Vec<Who>,
    pub(crate) authorizations: Vec<Listed>,
    pub(crate) users: Vec<Person>,
    /// Database tokens that are not revoked, with their organizations.
    pub(crate) database_tokens: Vec<(Id, Id)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let backend = Backend::new();
        let first = SetUpRequest {
            organization: "organization-a".to_owned(),
            user: "operator".to_owned(),
            password_hash: None,
            permissions: operator().into(),
            bucket: None,
            token: None,
            if_name_exists: symbolon::IfNameExists::Refuse,
        };
        let first = backend.engine.maintenance().set_up(&first).unwrap();
        let (org, operator_user) = (first.organization.id, first.user.id);
        let mut world = Self {
            app: backend.app(Settings::default()),
            backend,
            own: unknown(),
            other: unknown(),
            deleted: unknown(),
            unknown: unknown(),
            orphan: Id::MAX,
            stray: Id::MAX,
            callers: Vec::new(),
            authorizations: Vec::new(),
            users: vec![Person { id: operator_user, roles: vec![(org, Role::Owner)] }],
            database_tokens: Vec::new(),
        };
        world.list(&first.authorization);

        world.own = world.realm(org, 'a');
        let other_org = world.backend.create_org("organization-b");
        world.other = world.realm(other_org, 'b');
        world.deleted = world.deleted_realm();
        let orphan_user = world.user("deleted-user", None);
        let held = all_access(org, world.own.user);
        let orphan = world.authorization(org, Some(orphan_user), &held);
        let stray_org = world.backend.create_org("organization-s");
        let stray = world.authorization(stray_org, None, &operator());
        (world.orphan, world.stray) = (orphan.1, stray.1);

        let operator_token = first.token.reveal().to_owned();
        let caller = world.put("operator token", Credential::Token(operator_token));
        (caller.holds, caller.user) = (Some(operator()), Some(operator_user));
        let anna = world.user("anna", None);
        world.valid_tokens(anna);
        world.invalid_tokens(anna);
        for (name, token) in
            [("token of a deleted user", orphan.0), ("token of a deleted organization", stray.0)]
        {
            world.put_invalid(name, Credential::Token(token), Denied::Revoked);
        }
        world.sessions(operator_user);
        world.delete_user(orphan_user);
        world.delete_organization(stray_org);
        world
    }

    fn user(&mut self, name: &str, role: Option<(Id, Role)>) -> Id {
        let id = self.backend.create_user(name);
        if let Some((org, role)) = role {
            self.backend.add_member(org, id, role);
        }
        let roles = role.into_iter().collect();
        self.users.push(Person { id, roles });
        id
    }

    fn list(&mut self, one: &Authorization) {
        self.authorizations.push(Listed { id: one.id, org: one.organization, user: one.user });
    }

    fn authorization(&mut self, org: Id, user: Option<Id>, held: &[Permission]) -> (String, Id) {
        let (token, made) = self.backend.issue(org, user, held.to_vec());
        self.list(&made);
        (token, made.id)
    }

    fn database_token(&mut self, org: Id) -> (String, Id) {
        let held = [format!("read:orgs/{org}/databases/*")];
        let (token, id) = self.backend.database_token(org, &held);
        self.database_tokens.push((id, org));
        (token, id)
    }

    /// Creates one record of each kind in an organization named after the same letter.
    fn realm(&mut self, org: Id, letter: char) -> Realm {
        let mut realm = Realm { org, letter, ..unknown() };
        realm.user = self.user(&realm.text(Kind::UserName), Some((org, Role::Member)));
        let held = permissions(&[format!("read:orgs/{org}/buckets")]);
        (realm.token, realm.authorization) = self.authorization(org, Some(realm.user), &held);
        realm.database_token = self.database_token(org).1;
        let name = realm.text(Kind::BucketName);
        realm.bucket = self.backend.create_bucket(org, &name);
        realm
    }

    fn deleted_realm(&mut self) -> Realm {
        let (org, user) = (self.own.org, self.own.user);
        let mut deleted = self.realm(org, 'e');
        self.delete_user(deleted.user);
        self.revoke(deleted.authorization);
        let held = permissions(&[format!("read:orgs/{org}/buckets")]);
        (deleted.token, deleted.authorization) = self.authorization(org, Some(user), &held);
        self.revoke(deleted.authorization);
        self.revoke(deleted.database_token);
        let removed = self.backend.root().buckets().delete(deleted.bucket);
        removed.unwrap();
        let name = deleted.text(Kind::OrganizationName);
        deleted.org = self.backend.create_org(&name);
        self.delete_organization(deleted.org);
        deleted
    }

    fn revoke(&mut self, id: Id) {
        self.backend.root().authorizations().revoke(id).unwrap();
        self.authorizations.retain(|one| one.id != id);
        self.database_tokens.retain(|(one, _)| *one != id);
    }

    fn delete_user(&mut self, id: Id) {
        self.backend.change_user(id, Transition::Revoke);
        self.users.retain(|one| one.id != id);
        self.authorizations.retain(|one| one.user != Some(id));
    }

    fn delete_organization(&mut self, id: Id) {
        self.backend.change_org(id, Transition::Revoke);
        self.authorizations.retain(|one| one.org != id);
    }

    /// Adds a caller in the usual organization that holds nothing.
    fn put(&mut self, name: &'static str, credential: Credential) -> &mut Who {
        self.callers.push(Who {
            name,
            credential,
            invalid: None,
            holds: Some(Vec::new()),
            inside: vec![self.own.org],
            user: None,
        });
        self.callers.last_mut().unwrap()
    }

    fn put_invalid(&mut self, name: &'static str, credential: Credential, denied: Denied) {
        self.put(name, credential).invalid = Some(refusal_of(denied));
    }

    fn valid_tokens(&mut self, anna: Id) {
        let (own, org) = (&self.own, self.own.org);
        let all: Vec<_> = texts(&all_access(org, anna));
        let write_org = format!("write:orgs/{org}");
        let all_but_one: Vec<_> = all.iter().filter(|one| **one != write_org).cloned().collect();
        let reading = [
            format!("read:orgs/{org}/authorizations"),
            format!("read:orgs/{org}/buckets"),
            format!("read:orgs/{org}"),
            format!("read:users/{anna}"),
        ];
        let single = [
            format!("read:orgs/{org}/authorizations/{}", own.authorization),
            format!("write:orgs/{org}/authorizations/{}", own.authorization),
            format!("read:orgs/{org}/buckets/{}", own.bucket),
            format!("write:users/{}", own.user),
        ];
        let authorizations = [format!("write:orgs/{org}/authorizations")];
        let dashboards = [format!("read:orgs/{org}/dashboards")];
        let organization = [format!("read:orgs/{org}"), format!("write:orgs/{org}")];
        let everywhere = ["read:authorizations".to_owned()];
        let anna = Some(anna);
        for (name, user, held) in [
            ("all-access token", anna, &all[..]),
            ("token for all but writing its organization", anna, &all_but_one),
            ("read-only token", anna, &reading),
            ("token that writes authorizations", anna, &authorizations),
            ("token without a matching permission", anna, &dashboards),
            ("token that writes its organization", anna, &organization),
            ("token that reads all authorizations", anna, &everywhere),
            ("token for single records", None, &single),
        ] {
            let held = permissions(held);
            let (token, _) = self.authorization(org, user, &held);
            let caller = self.put(name, Credential::Token(token));
            (caller.holds, caller.user) = (Some(held), user);
        }
        let (token, _) = self.database_token(org);
        self.put("database token", Credential::DatabaseToken(token));
    }

    fn invalid_tokens(&mut self, anna: Id) {
        let org = self.own.org;
        let all = all_access(org, anna);
        let (inactive, id) = self.authorization(org, Some(anna), &all);
        let edit = Transition::Deactivate.into();
        self.backend.root().authorizations().edit(id, edit).unwrap();
        let (revoked, id) = self.authorization(org, Some(anna), &all);
        self.revoke(id);
        let (expired, made) = self.backend.create(NewAuthorization {
            user: Some(anna),
            origin: Origin::V2,
            expires_at: Some("2026-01-01T01:00:00Z".parse().unwrap()),
            ..NewAuthorization::new(org, all.clone())
        });
        self.list(&made);
        self.backend.clock.advance(2 * HOUR);
        let off = self.user("inactive-user", Some((org, Role::Owner)));
        let (of_inactive, _) = self.authorization(org, Some(off), &all);
        self.backend.change_user(off, Transition::Deactivate);
        self.put_invalid("no credential", Credential::Nothing, Denied::Unknown);
        for (name, token, denied) in [
            ("inactive token", inactive, Denied::Inactive),
            ("revoked token", revoked, Denied::Revoked),
            ("expired token", expired, Denied::Expired),
            ("token of an inactive user", of_inactive, Denied::OwnerInactive),
            ("garbage", "garbage".to_owned(), Denied::Malformed),
            ("unknown token", unknown_token(), Denied::Unknown),
        ] {
            self.put_invalid(name, Credential::Token(token), denied);
        }
    }

    fn sessions(&mut self, operator: Id) {
        let owns = Some((self.own.org, Role::Owner));
        let is_member = Some((self.own.org, Role::Member));
        let owns_other = Some((self.other.org, Role::Owner));
        let owner = self.user("owner", owns);
        let member = self.user("member", is_member);
        let outsider = self.user("outsider", owns_other);
        let (engine, root) = (Arc::clone(&self.backend.engine), self.backend.root());
        let sign_in = |user| {
            let name = root.users().get(user).unwrap().name;
            let user = engine.sign_in().verify_password(&name, |_| true).unwrap();
            let (session, _) = engine.admin(user.into()).sessions().create(HOUR).unwrap();
            session.reveal().to_owned()
        };
        let expired = sign_in(owner);
        self.backend.clock.advance(2 * HOUR);
        let signed_out = sign_in(owner);
        engine.sign_in().sign_out(signed_out.as_bytes()).unwrap();
        for (name, session, denied) in [
            ("expired session", expired, Denied::Expired),
            ("session that was signed out", signed_out, Denied::Revoked),
        ] {
            self.put_invalid(name, Credential::Session(session), denied);
        }
        for (name, user, role) in [
            ("signed-in operator", operator, None),
            ("signed-in owner", owner, owns),
            ("signed-in member", member, is_member),
            ("signed-in outsider", outsider, owns_other),
        ] {
            let caller = self.put(name, Credential::Session(sign_in(user)));
            caller.holds = role.map(|(org, role)| session(org, user, role));
            caller.inside = role.into_iter().map(|(org, _)| org).collect();
            caller.user = Some(user);
        }
    }
}

fn unknown_token() -> String {
    let token = Token::generate(symbolon::Prefix::default(), Id::MAX);
    token.unwrap().reveal().to_owned()
}

fn unknown() -> Realm {
    let [org, user, authorization, database_token, bucket] =
        [0, 1, 2, 3, 4].map(|number| Id::new(0x0fed_cba9_8765_4321 + number).unwrap());
    Realm { org, user, authorization, token: unknown_token(), database_token, bucket, letter: 'x' }
}
