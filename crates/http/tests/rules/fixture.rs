//! Two organizations, what is in each, what has ended, and everybody who may ask.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use symbolon::{
    Authorization, Caller, Engine, Id, ManualClock, MemoryStore, NewAuthorization, Options,
    OrganizationEdit, Origin, Permission, Role, Schema, SetUpRequest, StoreKey, Token, Transition,
    UserEdit,
};
use symbolon_http::{Api, Settings, application};

use crate::reference::{Credential, FORBIDDEN, Refusal, UNAUTHORIZED, Who};
use crate::sets::{all_access, operator, permissions, session};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// One thing of each kind, all in one organization.
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

/// A user that can be listed, and what it is in which organization.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: Id,
    pub(crate) roles: Vec<(Id, Role)>,
}

pub(crate) struct World {
    pub(crate) app: Router,
    pub(crate) own: Realm,
    pub(crate) other: Realm,
    /// A deleted organization; and of what is in `own`: a deleted user, a revoked token of each face, a forgotten bucket.
    pub(crate) ended: Realm,
    /// An authorization of a deleted user.
    pub(crate) orphan: Id,
    /// An authorization of a deleted organization.
    pub(crate) stray: Id,
    pub(crate) callers: Vec<Who>,
    pub(crate) authorizations: Vec<Listed>,
    pub(crate) users: Vec<Person>,
    /// The database tokens that are not revoked.
    pub(crate) database_tokens: Vec<(Id, Id)>,
}

/// What is being made.
struct Making {
    engine: Arc<Engine>,
    callers: Vec<Who>,
    authorizations: Vec<Listed>,
    users: Vec<Person>,
    database_tokens: Vec<(Id, Id)>,
}

const DEAD: (Refusal, &str) = (UNAUTHORIZED, "unauthorized access");
const SWITCHED_OFF: (Refusal, &str) = (UNAUTHORIZED, "token is inactive");
const OWNER_OFF: (Refusal, &str) = (FORBIDDEN, "User is inactive");

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let options = Options {
            clock: Arc::new(clock.clone()),
            ..Options::new(Schema::influxdb_v2().and(Schema::databases()))
        };
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::create(store, StoreKey::from_bytes([7; 32]), options).unwrap();
        let mut making = Making {
            engine: Arc::new(engine),
            callers: Vec::new(),
            authorizations: Vec::new(),
            users: Vec::new(),
            database_tokens: Vec::new(),
        };
        let issuer = making.engine.issuer();
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
        let memberships = vec![(own_org, Role::Owner)];
        let first_user = first.user.id;
        making.users.push(Person {
            id: first_user,
            roles: memberships,
        });
        making.list(&first.authorization);

        let own = making.realm(own_org, 'a');
        let other_org = issuer.create_organization(&Caller::Root, "organization-b", "");
        let other = making.realm(other_org.unwrap().id, 'b');
        let ended = making.ended(&own);
        let of_deleted_user = making.user("deleted-user", None);
        let orphan = making.authorization(
            own.org,
            Some(of_deleted_user),
            all_access(own.org, own.user),
        );
        let stray_org = issuer
            .create_organization(&Caller::Root, "organization-s", "")
            .unwrap()
            .id;
        let stray = making.authorization(stray_org, None, operator());

        making.tokens(&first.token, first_user, &own, &clock);
        making.put(
            "token of a deleted user",
            Credential::Token(orphan.0),
            Some(DEAD),
            &own,
        );
        making.put(
            "token of a deleted organization",
            Credential::Token(stray.0),
            Some(DEAD),
            &own,
        );
        making.sessions(first_user, &own, &other, &clock);
        making.end_user(of_deleted_user);
        making.end_organization(stray_org);
        Self {
            app: application(Api::new(making.engine, Settings::default())),
            own,
            other,
            ended,
            orphan: orphan.1,
            stray: stray.1,
            callers: making.callers,
            authorizations: making.authorizations,
            users: making.users,
            database_tokens: making.database_tokens,
        }
    }
}

impl Making {
    fn user(&mut self, name: &str, of: Option<(Id, Role)>) -> Id {
        let issuer = self.engine.issuer();
        let id = issuer.create_user(&Caller::Root, name, None).unwrap().id;
        if let Some((org, role)) = of {
            issuer.add_member(&Caller::Root, org, id, role).unwrap();
        }
        let roles = of.into_iter().collect();
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
        let new = NewAuthorization {
            user,
            origin: Origin::V2,
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

    /// A user without rights over anything, its token and the rest. All names are equally long.
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

    fn ended(&mut self, own: &Realm) -> Realm {
        let issuer = self.engine.issuer();
        let root = Caller::Root;
        let mut ended = self.realm(own.org, 'e');
        self.end_user(ended.user);
        self.end(ended.authorization);
        let held = permissions(&[format!("read:orgs/{}/buckets", own.org)]);
        (ended.token, ended.authorization) = self.authorization(own.org, Some(own.user), held);
        self.end(ended.authorization);
        self.end(ended.database_token);
        issuer.unregister_bucket(&root, ended.bucket).unwrap();
        ended.org = issuer
            .create_organization(&root, &ended.org_name, "")
            .unwrap()
            .id;
        self.end_organization(ended.org);
        ended
    }

    fn end(&mut self, id: Id) {
        self.engine.issuer().revoke(&Caller::Root, id).unwrap();
        self.authorizations.retain(|one| one.id != id);
        self.database_tokens.retain(|(one, _)| *one != id);
    }

    fn end_user(&mut self, id: Id) {
        let edit = UserEdit {
            transition: Some(Transition::Revoke),
            ..UserEdit::default()
        };
        self.engine
            .issuer()
            .edit_user(&Caller::Root, id, &edit)
            .unwrap();
        self.users.retain(|one| one.id != id);
        self.authorizations.retain(|one| one.user != Some(id));
    }

    fn end_organization(&mut self, id: Id) {
        let edit = OrganizationEdit {
            transition: Some(Transition::Revoke),
            ..OrganizationEdit::default()
        };
        let issuer = self.engine.issuer();
        issuer.edit_organization(&Caller::Root, id, &edit).unwrap();
        self.authorizations.retain(|one| one.org != id);
    }

    fn put(
        &mut self,
        name: &'static str,
        credential: Credential,
        dead: Option<(Refusal, &'static str)>,
        own: &Realm,
    ) {
        self.callers.push(Who {
            name,
            credential,
            dead,
            holds: Some(Vec::new()),
            inside: vec![own.org],
            user: None,
        });
    }

    fn living(&mut self, name: &'static str, own: &Realm, user: Option<Id>, held: Vec<Permission>) {
        let (token, _) = self.authorization(own.org, user, held.clone());
        self.put(name, Credential::Token(token), None, own);
        if let Some(who) = self.callers.last_mut() {
            (who.holds, who.user) = (Some(held), user);
        }
    }

    fn tokens(&mut self, operator_token: &Token, first: Id, own: &Realm, clock: &ManualClock) {
        let org = own.org;
        let anna = self.user("anna", None);
        let all = all_access(org, anna);
        let told = Credential::Token(operator_token.reveal().to_owned());
        self.put("operator token", told, None, own);
        if let Some(who) = self.callers.last_mut() {
            (who.holds, who.user) = (Some(operator()), Some(first));
        }
        self.living("all-access token", own, Some(anna), all.clone());
        let reading = permissions(&[
            format!("read:orgs/{org}/authorizations"),
            format!("read:orgs/{org}/buckets"),
            format!("read:orgs/{org}"),
            format!("read:users/{anna}"),
        ]);
        self.living("read-only token", own, Some(anna), reading);
        let writing = permissions(&[format!("write:orgs/{org}/authorizations")]);
        self.living("token that writes authorizations", own, Some(anna), writing);
        let nothing = permissions(&[format!("read:orgs/{org}/dashboards")]);
        self.living(
            "token without a fitting permission",
            own,
            Some(anna),
            nothing,
        );
        let organizing = permissions(&[format!("read:orgs/{org}"), format!("write:orgs/{org}")]);
        self.living(
            "token that writes its organization",
            own,
            Some(anna),
            organizing,
        );
        let everywhere = permissions(&["read:authorizations".to_owned()]);
        self.living(
            "token that reads all authorizations",
            own,
            Some(anna),
            everywhere,
        );
        let one = permissions(&[
            format!("read:orgs/{org}/authorizations/{}", own.authorization),
            format!("write:orgs/{org}/authorizations/{}", own.authorization),
            format!("read:orgs/{org}/buckets/{}", own.bucket),
            format!("write:users/{}", own.user),
        ]);
        self.living("token for one thing each", own, None, one);
        let (text, _) = self.database_token(org);
        self.put("database token", Credential::DatabaseToken(text), None, own);

        let (text, id) = self.authorization(org, Some(anna), all.clone());
        let issuer = self.engine.issuer();
        issuer
            .edit(&Caller::Root, id, Transition::Deactivate.into())
            .unwrap();
        self.put(
            "inactive token",
            Credential::Token(text),
            Some(SWITCHED_OFF),
            own,
        );
        let (text, id) = self.authorization(org, Some(anna), all.clone());
        self.end(id);
        self.put("revoked token", Credential::Token(text), Some(DEAD), own);
        let new = NewAuthorization {
            user: Some(anna),
            origin: Origin::V2,
            expires_at: Some("2026-01-01T01:00:00Z".parse().unwrap()),
            ..NewAuthorization::new(org, all.clone())
        };
        let (token, made) = self.create(new);
        self.list(&made);
        clock.advance(2 * HOUR);
        let text = token.reveal().to_owned();
        self.put("expired token", Credential::Token(text), Some(DEAD), own);
        let off = self.user("switched-off", Some((org, Role::Owner)));
        let (text, _) = self.authorization(org, Some(off), all.clone());
        self.put(
            "token of an inactive user",
            Credential::Token(text),
            Some(OWNER_OFF),
            own,
        );
        let edit = UserEdit {
            transition: Some(Transition::Deactivate),
            ..UserEdit::default()
        };
        issuer.edit_user(&Caller::Root, off, &edit).unwrap();
        self.put("nobody", Credential::Nothing, Some(DEAD), own);
        let text = "garbage".to_owned();
        self.put("garbage", Credential::Token(text), Some(DEAD), own);
        let unknown = Token::generate(symbolon::Prefix::default(), Id::MAX).unwrap();
        let text = unknown.reveal().to_owned();
        self.put("unknown token", Credential::Token(text), Some(DEAD), own);
    }

    fn sessions(&mut self, operator: Id, own: &Realm, other: &Realm, clock: &ManualClock) {
        let owner = self.user("owner", Some((own.org, Role::Owner)));
        let member = self.user("member", Some((own.org, Role::Member)));
        let outsider = self.user("outsider", Some((other.org, Role::Owner)));
        let everybody = [
            ("signed-in operator", operator, None),
            ("signed-in owner", owner, Some((own.org, Role::Owner))),
            ("signed-in member", member, Some((own.org, Role::Member))),
            (
                "signed-in outsider",
                outsider,
                Some((other.org, Role::Owner)),
            ),
        ];
        let issuer = self.engine.issuer();
        let over = issuer.sign_in(&Caller::User(owner), HOUR).unwrap().0;
        clock.advance(2 * HOUR);
        let over = over.reveal().to_owned();
        self.put(
            "session that is over",
            Credential::Session(over),
            Some(DEAD),
            own,
        );
        let ended = issuer.sign_in(&Caller::User(owner), HOUR).unwrap().0;
        issuer.sign_out(ended.reveal().as_bytes()).unwrap();
        let ended = ended.reveal().to_owned();
        self.put(
            "session that was signed out",
            Credential::Session(ended),
            Some(DEAD),
            own,
        );
        for (name, user, of) in everybody {
            let text = issuer.sign_in(&Caller::User(user), HOUR).unwrap().0;
            self.callers.push(Who {
                name,
                credential: Credential::Session(text.reveal().to_owned()),
                dead: None,
                holds: of.map(|(org, role)| session(org, user, role)),
                inside: of.into_iter().map(|(org, _)| org).collect(),
                user: Some(user),
            });
        }
    }
}
