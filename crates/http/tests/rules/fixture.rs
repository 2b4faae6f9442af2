//! Two organizations with records, deleted records, and every kind of caller.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use symbolon::{
    Authorization, Caller, Engine, Id, ManualClock, MemoryStore, NewAuthorization,
    OrganizationEdit, Origin, Permission, Role, SetUpRequest, Timestamp, Token, Transition,
    UserEdit,
};
use symbolon_http::{Api, Settings, application};

use crate::reference::{Credential, FORBIDDEN, Refusal, UNAUTHORIZED, Who};
use crate::server::engine;
use crate::sets::{all_access, operator, permissions, session};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// One record of each kind, all in one organization.
#[derive(Debug, Clone)]
pub(crate) struct Realm {
    pub(crate) org: Id,
    pub(crate) org_name: String,
    pub(crate) user: Id,
    pub(crate) user_name: String,
    pub(crate) authorization: Id,
    pub(crate) token: String,
    pub(crate) database_token: Id,
    pub(crate) bucket: Id,
    pub(crate) bucket_name: String,
}

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
    pub(crate) app: Router,
    pub(crate) own: Realm,
    pub(crate) other: Realm,
    /// A deleted organization, and deleted, revoked or unregistered records of `own`.
    pub(crate) deleted: Realm,
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

/// A world while it is created.
struct Builder {
    engine: Arc<Engine>,
    clock: ManualClock,
    callers: Vec<Who>,
    authorizations: Vec<Listed>,
    users: Vec<Person>,
    database_tokens: Vec<(Id, Id)>,
}

const UNKNOWN: (Refusal, &str) = (UNAUTHORIZED, "unauthorized access");
const INACTIVE: (Refusal, &str) = (UNAUTHORIZED, "token is inactive");
const OWNER_INACTIVE: (Refusal, &str) = (FORBIDDEN, "User is inactive");

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let engine = engine(&Arc::new(MemoryStore::new()), &clock);
        let issuer = engine.issuer();
        let mut builder = Builder {
            engine,
            clock,
            callers: Vec::new(),
            authorizations: Vec::new(),
            users: Vec::new(),
            database_tokens: Vec::new(),
        };
        let first = SetUpRequest {
            organization: "organization-a".to_owned(),
            user: "operator".to_owned(),
            password_hash: None,
            permissions: operator().into(),
            bucket: None,
            token: None,
            if_name_exists: symbolon::IfNameExists::Refuse,
        };
        let first = issuer.set_up(&first).unwrap();
        let own_org = first.organization.id;
        builder.users.push(Person {
            id: first.user.id,
            roles: vec![(own_org, Role::Owner)],
        });
        builder.list(&first.authorization);

        let own = builder.realm(own_org, 'a');
        let other_org = builder.organization("organization-b");
        let other = builder.realm(other_org, 'b');
        let deleted = builder.deleted(&own);
        let orphan_user = builder.user("deleted-user", None);
        let held = all_access(own.org, own.user);
        let orphan = builder.authorization(own.org, Some(orphan_user), held);
        let stray_org = builder.organization("organization-s");
        let stray = builder.authorization(stray_org, None, operator());

        let operator_token = first.token.reveal().to_owned();
        let caller = builder.put("operator token", Credential::Token(operator_token), &own);
        (caller.holds, caller.user) = (Some(operator()), Some(first.user.id));
        let anna = builder.user("anna", None);
        builder.valid_tokens(&own, anna);
        builder.invalid_tokens(&own, anna);
        for (name, token) in [
            ("token of a deleted user", orphan.0),
            ("token of a deleted organization", stray.0),
        ] {
            builder.put_invalid(name, Credential::Token(token), UNKNOWN, &own);
        }
        builder.sessions(first.user.id, &own, &other);
        builder.delete_user(orphan_user);
        builder.delete_organization(stray_org);
        Self {
            app: application(Api::new(builder.engine, Settings::default())),
            own,
            other,
            deleted,
            orphan: orphan.1,
            stray: stray.1,
            callers: builder.callers,
            authorizations: builder.authorizations,
            users: builder.users,
            database_tokens: builder.database_tokens,
        }
    }
}

impl Builder {
    fn organization(&self, name: &str) -> Id {
        let issuer = self.engine.issuer();
        let made = issuer.create_organization(&Caller::Root, name, "");
        made.unwrap().id
    }

    fn user(&mut self, name: &str, role: Option<(Id, Role)>) -> Id {
        let issuer = self.engine.issuer();
        let id = issuer.create_user(&Caller::Root, name, None).unwrap().id;
        if let Some((org, role)) = role {
            issuer.add_member(&Caller::Root, org, id, role).unwrap();
        }
        let roles = role.into_iter().collect();
        self.users.push(Person { id, roles });
        id
    }

    fn create(&self, new: NewAuthorization) -> (Token, Authorization) {
        self.engine.issuer().create(&Caller::Root, new).unwrap()
    }

    fn list(&mut self, one: &Authorization) {
        self.authorizations.push(Listed {
            id: one.id,
            org: one.organization,
            user: one.user,
        });
    }

    fn authorization(&mut self, org: Id, user: Option<Id>, held: Vec<Permission>) -> (String, Id) {
        self.expiring(org, user, held, None)
    }

    fn expiring(
        &mut self,
        org: Id,
        user: Option<Id>,
        held: Vec<Permission>,
        expires_at: Option<Timestamp>,
    ) -> (String, Id) {
        let new = NewAuthorization {
            user,
            origin: Origin::V2,
            expires_at,
            ..NewAuthorization::new(org, held)
        };
        let (token, made) = self.create(new);
        self.list(&made);
        (token.reveal().to_owned(), made.id)
    }

    fn database_token(&mut self, org: Id) -> (String, Id) {
        let held = permissions(&[format!("read:orgs/{org}/databases/*")]);
        let new = NewAuthorization {
            origin: Origin::V0,
            ..NewAuthorization::new(org, held)
        };
        let (token, made) = self.create(new);
        self.database_tokens.push((made.id, org));
        (token.reveal().to_owned(), made.id)
    }

    /// Creates one record of each kind. Names of a kind have the same length in every realm.
    fn realm(&mut self, org: Id, letter: char) -> Realm {
        let user_name = format!("user-{letter}");
        let user = self.user(&user_name, Some((org, Role::Member)));
        let held = permissions(&[format!("read:orgs/{org}/buckets")]);
        let (token, authorization) = self.authorization(org, Some(user), held);
        let bucket_name = format!("bucket-{letter}");
        let issuer = self.engine.issuer();
        let bucket = issuer.register_bucket(&Caller::Root, org, &bucket_name);
        Realm {
            org,
            org_name: format!("organization-{letter}"),
            user,
            user_name,
            authorization,
            token,
            database_token: self.database_token(org).1,
            bucket: bucket.unwrap().id,
            bucket_name,
        }
    }

    fn deleted(&mut self, own: &Realm) -> Realm {
        let mut deleted = self.realm(own.org, 'e');
        self.delete_user(deleted.user);
        self.revoke(deleted.authorization);
        let held = permissions(&[format!("read:orgs/{}/buckets", own.org)]);
        (deleted.token, deleted.authorization) = self.authorization(own.org, Some(own.user), held);
        self.revoke(deleted.authorization);
        self.revoke(deleted.database_token);
        let issuer = self.engine.issuer();
        issuer
            .unregister_bucket(&Caller::Root, deleted.bucket)
            .unwrap();
        deleted.org = self.organization(&deleted.org_name);
        self.delete_organization(deleted.org);
        deleted
    }

    fn revoke(&mut self, id: Id) {
        self.engine.issuer().revoke(&Caller::Root, id).unwrap();
        self.authorizations.retain(|one| one.id != id);
        self.database_tokens.retain(|(one, _)| *one != id);
    }

    fn edit_user(&self, id: Id, transition: Transition) {
        let edit = UserEdit {
            transition: Some(transition),
            ..UserEdit::default()
        };
        let issuer = self.engine.issuer();
        issuer.edit_user(&Caller::Root, id, &edit).unwrap();
    }

    fn delete_user(&mut self, id: Id) {
        self.edit_user(id, Transition::Revoke);
        self.users.retain(|one| one.id != id);
        self.authorizations.retain(|one| one.user != Some(id));
    }

    fn delete_organization(&mut self, id: Id) {
        let edit = OrganizationEdit {
            transition: Some(Transition::Revoke),
            ..OrganizationEdit::default()
        };
        let issuer = self.engine.issuer();
        issuer.edit_organization(&Caller::Root, id, &edit).unwrap();
        self.authorizations.retain(|one| one.org != id);
    }

    /// Adds a caller in the organization of `own` that holds nothing.
    fn put(&mut self, name: &'static str, credential: Credential, own: &Realm) -> &mut Who {
        self.callers.push(Who {
            name,
            credential,
            invalid: None,
            holds: Some(Vec::new()),
            inside: vec![own.org],
            user: None,
        });
        self.callers.last_mut().unwrap()
    }

    fn put_invalid(
        &mut self,
        name: &'static str,
        credential: Credential,
        refusal: (Refusal, &'static str),
        own: &Realm,
    ) {
        self.put(name, credential, own).invalid = Some(refusal);
    }

    fn valid_tokens(&mut self, own: &Realm, anna: Id) {
        let org = own.org;
        let reading = [
            format!("read:orgs/{org}/authorizations"),
            format!("read:orgs/{org}/buckets"),
            format!("read:orgs/{org}"),
            format!("read:users/{anna}"),
        ];
        let organization = [format!("read:orgs/{org}"), format!("write:orgs/{org}")];
        let single = [
            format!("read:orgs/{org}/authorizations/{}", own.authorization),
            format!("write:orgs/{org}/authorizations/{}", own.authorization),
            format!("read:orgs/{org}/buckets/{}", own.bucket),
            format!("write:users/{}", own.user),
        ];
        let one = |text: String| permissions(&[text]);
        for (name, user, held) in [
            ("all-access token", Some(anna), all_access(org, anna)),
            ("read-only token", Some(anna), permissions(&reading)),
            (
                "token that writes authorizations",
                Some(anna),
                one(format!("write:orgs/{org}/authorizations")),
            ),
            (
                "token without a matching permission",
                Some(anna),
                one(format!("read:orgs/{org}/dashboards")),
            ),
            (
                "token that writes its organization",
                Some(anna),
                permissions(&organization),
            ),
            (
                "token that reads all authorizations",
                Some(anna),
                one("read:authorizations".to_owned()),
            ),
            ("token for single records", None, permissions(&single)),
        ] {
            let (token, _) = self.authorization(org, user, held.clone());
            let caller = self.put(name, Credential::Token(token), own);
            (caller.holds, caller.user) = (Some(held), user);
        }
        let (token, _) = self.database_token(org);
        self.put("database token", Credential::DatabaseToken(token), own);
    }

    fn invalid_tokens(&mut self, own: &Realm, anna: Id) {
        let org = own.org;
        let all = all_access(org, anna);
        let (inactive, id) = self.authorization(org, Some(anna), all.clone());
        let edit = Transition::Deactivate.into();
        self.engine.issuer().edit(&Caller::Root, id, edit).unwrap();
        let (revoked, id) = self.authorization(org, Some(anna), all.clone());
        self.revoke(id);
        let end = Some("2026-01-01T01:00:00Z".parse().unwrap());
        let (expired, _) = self.expiring(org, Some(anna), all.clone(), end);
        self.clock.advance(2 * HOUR);
        let off = self.user("inactive-user", Some((org, Role::Owner)));
        let (of_inactive, _) = self.authorization(org, Some(off), all);
        self.edit_user(off, Transition::Deactivate);
        let unknown = Token::generate(symbolon::Prefix::default(), Id::MAX).unwrap();
        self.put_invalid("no credential", Credential::Nothing, UNKNOWN, own);
        for (name, token, refusal) in [
            ("inactive token", inactive, INACTIVE),
            ("revoked token", revoked, UNKNOWN),
            ("expired token", expired, UNKNOWN),
            ("token of an inactive user", of_inactive, OWNER_INACTIVE),
            ("garbage", "garbage".to_owned(), UNKNOWN),
            ("unknown token", unknown.reveal().to_owned(), UNKNOWN),
        ] {
            self.put_invalid(name, Credential::Token(token), refusal, own);
        }
    }

    fn sessions(&mut self, operator: Id, own: &Realm, other: &Realm) {
        let owns = Some((own.org, Role::Owner));
        let is_member = Some((own.org, Role::Member));
        let owns_other = Some((other.org, Role::Owner));
        let owner = self.user("owner", owns);
        let member = self.user("member", is_member);
        let outsider = self.user("outsider", owns_other);
        let issuer = self.engine.issuer();
        let sign_in = |user| {
            let (session, _) = issuer.sign_in(&Caller::User(user), HOUR).unwrap();
            session.reveal().to_owned()
        };
        let expired = sign_in(owner);
        self.clock.advance(2 * HOUR);
        let signed_out = sign_in(owner);
        issuer.sign_out(signed_out.as_bytes()).unwrap();
        for (name, session) in [
            ("expired session", expired),
            ("session that was signed out", signed_out),
        ] {
            self.put_invalid(name, Credential::Session(session), UNKNOWN, own);
        }
        for (name, user, role) in [
            ("signed-in operator", operator, None),
            ("signed-in owner", owner, owns),
            ("signed-in member", member, is_member),
            ("signed-in outsider", outsider, owns_other),
        ] {
            self.callers.push(Who {
                name,
                credential: Credential::Session(sign_in(user)),
                invalid: None,
                holds: role.map(|(org, role)| session(org, user, role)),
                inside: role.into_iter().map(|(org, _)| org).collect(),
                user: Some(user),
            });
        }
    }
}
