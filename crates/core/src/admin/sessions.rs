//! Sessions of users and bearers of tokens.

use std::time::Duration;

use super::{Admin, List, ListOptions};
use crate::admin_error::AdminError;
use crate::change::Authorized;
use crate::field::Field;
use crate::id::Id;
use crate::journal::Operation;
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind, RecordKey};
use crate::session::{Session, SessionDigest, SessionOwner};
use crate::store::Query;
use crate::token::{Token, TokenDigest};

/// The sessions that the caller of an [`Admin`] may see and delete: its own ones, those of users
/// that it may read, and, with a permission for all authorizations, those of bearers of tokens.
///
/// The text of a session is used with [`SignIn`](crate::SignIn). Each method fails with
/// [`AdminError::Caller`] if the caller is refused.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Caller, Engine, MemoryStore, NewUser, Options, PasswordHash, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use std::time::Duration;
///
/// let password_hash = Some(PasswordHash::from_phc("$argon2id$..."));
/// let new = NewUser { password_hash, ..NewUser::named("anna") };
/// engine.admin(Caller::Root).users().create(new)?;
///
/// // A real program compares the password with the hash here.
/// let user = engine.sign_in().verify_password("anna", |hash| hash.is_some())?;
/// let sessions = engine.admin(user.into());
/// let (text, session) = sessions.sessions().create(Duration::from_secs(3600))?;
/// let (caller, signed_in) = engine.sign_in().session(text.reveal().as_bytes())?;
/// assert_eq!(signed_in, session);
/// assert!(engine.admin(caller).own_user()?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'a>(pub(super) &'a Admin);

impl Sessions<'_> {
    /// Creates a session of the caller that lasts for `lifetime`. The text of the session is
    /// returned here and never again. It is not a token, and no token is accepted as a session.
    ///
    /// A caller that was authenticated by a session cannot create another one, which would outlive
    /// its sign-out.
    ///
    /// The session is refused once its user or authorization is revoked, expired or deleted, or the
    /// password of its user has changed, and for as long as its user is inactive.
    ///
    /// # Errors
    ///
    /// [`AdminError::CannotSignIn`] for [`Caller::Root`](crate::Caller::Root) and for a caller with
    /// a session.
    pub fn create(&self, lifetime: Duration) -> Result<(Token, Session), AdminError> {
        self.0.change(Operation::SignIn, |change, authorized| {
            if self.0.caller.has_session() {
                return Err(AdminError::CannotSignIn);
            }
            let id = change.new_id(Kind::SESSION);
            let (owner, password) = match authorized {
                Authorized::Root => return Err(AdminError::CannotSignIn),
                Authorized::Authorization(held) => (SessionOwner::Authorization(held.id), None),
                Authorized::User(user, _) => {
                    (SessionOwner::User(user.id), change.password_fingerprint(None, user))
                }
            };
            let now = change.now();
            let session = Session {
                id,
                owner,
                created_at: now,
                expires_at: now.saturating_add(lifetime),
                ended_at: None,
                password,
            };
            let secret = self.0.changes.shared.sealer.key().current();
            let token = Token::generate(self.0.changes.shared.checks.prefix, id)?;
            let hash = TokenDigest::keyed(&secret.hash, token.reveal().as_bytes());
            let digest = SessionDigest { key: secret.id, hash };
            change.put(Entity::Session(session.clone(), digest))?;
            Ok((token, session))
        })
    }

    /// Returns the session with this id, signed out or not.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist or the caller may not see it.
    pub fn get(&self, id: Id) -> Result<Session, AdminError> {
        let key = RecordKey::new(Kind::SESSION, id);
        self.0.change_on(Operation::Read, key, |change, authorized| {
            let (found, _) = change.session(id)?;
            let sees = may(authorized, Action::READ, &found);
            sees.then_some(found).ok_or(AdminError::NotFound(Field::Session))
        })
    }

    /// Returns the sessions that are neither signed out nor expired and that the caller may see,
    /// ordered by id; those of `user` if one is given. A session may be listed that is refused for
    /// another reason, such as a new password of its user.
    pub fn list(&self, user: Option<Id>, options: ListOptions) -> List<Session> {
        let query = Query { user, ..options.of(Kind::SESSION) };
        List::new(self.0, Ok(Some(query)), options.limit, |change, authorized, entity, _| {
            Ok(match entity {
                Entity::Session(one, _) if one.over_at() > change.now() => {
                    may(authorized, Action::READ, &one).then_some(one)
                }
                _ => None,
            })
        })
    }

    /// Signs a session out. One that is signed out or expired stays so.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist or the caller may not see it,
    /// [`AdminError::Forbidden`] if the caller may see but not delete it.
    pub fn delete(&self, id: Id) -> Result<(), AdminError> {
        let key = RecordKey::new(Kind::SESSION, id);
        self.0.change_on(Operation::SignOut, key, |change, authorized| {
            let (found, _) = change.session(id)?;
            if !may(authorized, Action::READ, &found) {
                return Err(AdminError::NotFound(Field::Session));
            }
            if !may(authorized, Action::WRITE, &found) {
                return Err(AdminError::Forbidden(needed(Action::WRITE, &found).permission()));
            }
            change.end_session(id)
        })
    }
}

/// Returns true if the caller may do `action` on a session.
fn may(authorized: &Authorized, action: Action, session: &Session) -> bool {
    match session.owner {
        SessionOwner::User(id) => authorized.may_on_user(action, id),
        SessionOwner::Authorization(id) => {
            authorized.is_authorization(id) || authorized.may(&needed(action, session))
        }
    }
}

/// Returns the request that a permission on the owner of a session must cover.
fn needed(action: Action, session: &Session) -> Request<'static> {
    match session.owner {
        SessionOwner::User(id) => Request::new(action, ResourceType::USERS).id(id),
        SessionOwner::Authorization(_) => Request::new(action, ResourceType::AUTHORIZATIONS),
    }
}
