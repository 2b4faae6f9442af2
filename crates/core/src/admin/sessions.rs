//! Signing in and out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Admin;
use crate::admin_error::AdminError;
use crate::caller::{Caller, SignedInUser};
use crate::change::{AuditContext, Authorized, Changes, Transaction};
use crate::denied::Denied;
use crate::id::Id;
use crate::journal::{Actor, Operation};
use crate::owner::{PasswordHash, User};
use crate::record::{Entity, Kind, RecordKey};
use crate::session::{PasswordFingerprint, Session, SessionDigest};
use crate::status::Status;
use crate::token::{Token, TokenDigest, TokenShape};

/// A user who has given its password, as it was read for the comparison.
///
/// After a change of the password, [`Sessions::sign_in_by_password`] and
/// [`Sessions::change_password`] refuse it.
#[derive(Debug, Clone)]
pub struct VerifiedUser(User);

impl VerifiedUser {
    /// Returns the id of the user.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// Returns the user as a caller of [`Engine::admin`](crate::Engine::admin).
    pub fn caller(&self) -> Caller {
        Caller::User(SignedInUser::new(self.0.id))
    }
}

/// Signs users and bearers of tokens in and out. It needs a password, a token that was checked, or
/// the text of a session.
#[derive(Clone)]
pub struct Sessions {
    changes: Arc<Changes>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    pub(crate) fn new(changes: Arc<Changes>) -> Self {
        Self { changes }
    }

    /// Signs `caller` in for `lifetime`. The text of the session is returned here and never again.
    /// It is not a token, and no token is accepted as a session. The embedding program
    /// authenticates the caller before, for example by its password.
    ///
    /// The session is refused once its user or authorization is revoked, expired or deleted, or the
    /// password of its user has changed, and for as long as its user is inactive.
    ///
    /// # Errors
    ///
    /// [`AdminError::Forbidden`] for [`Caller::Root`], [`AdminError::Caller`] if the caller is not
    /// in force, [`AdminError::Store`], [`AdminError::Journal`].
    pub fn sign_in(
        &self,
        caller: &Caller,
        lifetime: Duration,
    ) -> Result<(Token, Session), AdminError> {
        self.sign_in_if(caller, lifetime, |_| true)
    }

    /// Verifies the password of the user with this name. `verify` gets the hash of its password;
    /// none if the user is unknown or has no password, and should then take as long, so that the
    /// time reveals no name. The journal records a failure.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] with [`Denied::Unknown`] if `verify` returns `false` or the user is
    /// unknown, with [`Denied::OwnerInactive`] if the user is inactive; [`AdminError::Store`].
    pub fn verify_password(
        &self,
        name: &str,
        verify: impl FnOnce(Option<&PasswordHash>) -> bool,
    ) -> Result<VerifiedUser, AdminError> {
        let found = match self.changes.find_named(Kind::USER, name.as_bytes())? {
            Some(Entity::User(user)) => Some(user),
            _ => None,
        };
        let is_right = verify(found.as_ref().and_then(|user| user.password_hash.as_ref()));
        match found {
            Some(user) if is_right => match user.status {
                Status::Active => Ok(VerifiedUser(user)),
                _ => Err(AdminError::Caller(Denied::OwnerInactive(user.id))),
            },
            found => {
                self.record_refused_sign_in(found.as_ref());
                Err(AdminError::Caller(Denied::Unknown))
            }
        }
    }

    /// Signs in a user who has given its password.
    ///
    /// # Errors
    ///
    /// Those of [`Sessions::sign_in`]; [`AdminError::Caller`] if the password was changed since it
    /// was verified.
    pub fn sign_in_by_password(
        &self,
        verified: &VerifiedUser,
        lifetime: Duration,
    ) -> Result<(Token, Session), AdminError> {
        self.sign_in_if(&verified.caller(), lifetime, |now| {
            now.password_hash == verified.0.password_hash
        })
    }

    fn sign_in_if(
        &self,
        caller: &Caller,
        lifetime: Duration,
        is_same: impl Fn(&User) -> bool,
    ) -> Result<(Token, Session), AdminError> {
        self.changes.change(AuditContext::new(caller, Operation::SignIn), |change| {
            let secret = self.changes.shared.sealer.key().current();
            let password = match Authorized::read(caller, change)? {
                Authorized::Root => {
                    return Err(AdminError::CannotSignIn);
                }
                Authorized::Authorization(_) => None,
                Authorized::User(user, _) if is_same(&user) => {
                    Some(PasswordFingerprint::of(secret, &user))
                }
                Authorized::User(..) => return Err(AdminError::Caller(Denied::Unknown)),
            };
            let now = change.now();
            let session = Session {
                id: change.new_id(Kind::SESSION),
                caller: *caller,
                created_at: now,
                expires_at: now.saturating_add(lifetime),
                ended_at: None,
                password,
            };
            let token = Token::generate(self.changes.shared.checks.prefix, session.id)?;
            let hash = SessionDigest {
                key: secret.id,
                hash: TokenDigest::keyed(&secret.hash, token.reveal().as_bytes()),
            };
            change.put(Entity::Session(session.clone(), hash))?;
            Ok((token, session))
        })
    }

    /// Changes the password of a user who has given the old one.
    ///
    /// # Errors
    ///
    /// Those of [`Users::edit`](crate::Users::edit); [`AdminError::Caller`] if the password was
    /// changed since it was verified.
    pub fn change_password(
        &self,
        verified: &VerifiedUser,
        hash: &PasswordHash,
    ) -> Result<User, AdminError> {
        let admin = Admin::new(Arc::clone(&self.changes), verified.caller());
        admin.change_user(Operation::EditUser, verified.id(), |now| {
            if now.password_hash != verified.0.password_hash {
                return Err(AdminError::Caller(Denied::Unknown));
            }
            now.password_hash = Some(hash.clone());
            Ok(())
        })
    }

    /// Returns the session with this text, if neither signed out nor expired, and if its user or
    /// authorization is in force. It is read from the store.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] with the reason, which carries the id of the session, or of the user
    /// or authorization that is not in force; [`AdminError::Store`].
    pub fn get(&self, text: &[u8]) -> Result<Session, AdminError> {
        let mut change = Transaction::new(&self.changes.shared);
        let (session, hash) = self.known_session(&mut change, text)?;
        self.check_session(&mut change, &session, hash)?;
        Ok(session)
    }

    /// Extends a session so that it lasts for at least `at_least` from now. It is written only if
    /// it would expire before that, and then for twice as long, so that it need not be written
    /// again soon.
    ///
    /// # Errors
    ///
    /// Those of [`Sessions::get`].
    pub fn extend(&self, session: &Session, at_least: Duration) -> Result<(), AdminError> {
        let audit_context = AuditContext::new(&session.caller, Operation::ExtendSession)
            .on(Kind::SESSION, session.id);
        self.changes.change(audit_context, |change| {
            let (mut session, hash) = change.session(session.id).map_err(unknown)?;
            self.check_session(change, &session, hash)?;
            let now = change.now();
            if session.expires_at < now.saturating_add(at_least) {
                session.expires_at = now.saturating_add(at_least.saturating_mul(2));
                change.put(Entity::Session(session, hash))?;
            }
            Ok(())
        })
    }

    /// Signs the session with this text out. One that is signed out or expired stays so.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] if no session has this text, [`AdminError::Store`],
    /// [`AdminError::Journal`].
    pub fn sign_out(&self, text: &[u8]) -> Result<(), AdminError> {
        let (found, _) = self.known_session(&mut Transaction::new(&self.changes.shared), text)?;
        let audit_context =
            AuditContext::new(&found.caller, Operation::SignOut).on(Kind::SESSION, found.id);
        self.changes.change(audit_context, |change| {
            let (mut session, hash) = change.session(found.id).map_err(unknown)?;
            let now = change.now();
            if session.ended_at.is_none() && session.expires_at > now {
                session.ended_at = Some(now);
                change.put(Entity::Session(session, hash))?;
            }
            Ok(())
        })
    }

    /// Records in the journal that a user failed to sign in. The given name is recorded only if
    /// such a user exists, because it may be a password in the wrong field.
    fn record_refused_sign_in(&self, found: Option<&User>) {
        let on = found.map(|user| RecordKey::new(Kind::USER, user.id));
        let reason = match found {
            Some(user) => format!("`{}` failed to sign in", user.name),
            None => "an unknown user failed to sign in".to_owned(),
        };
        let recorder = &self.changes.shared.recorder;
        recorder.record_denial(Actor::Anonymous, Operation::SignIn, on, reason);
    }

    /// Returns the session with this text, in force or not.
    fn known_session(
        &self,
        change: &mut Transaction<'_>,
        text: &[u8],
    ) -> Result<(Session, SessionDigest), AdminError> {
        let shape = TokenShape::of(self.changes.shared.checks.prefix, text);
        let id = match shape.map_err(|_| AdminError::Caller(Denied::Malformed))? {
            TokenShape::Native(id) => id,
            TokenShape::Other => return Err(AdminError::Caller(Denied::Unknown)),
        };
        let (session, known) = change.session(id).map_err(unknown)?;
        let secret = self.changes.shared.sealer.key().named(known.key);
        // Not in constant time: an attacker cannot control the keyed digests of the texts it tries.
        let is_known =
            secret.is_some_and(|secret| TokenDigest::keyed(&secret.hash, text) == known.hash);
        if !is_known {
            return Err(AdminError::Caller(Denied::Unknown));
        }
        Ok((session, known))
    }

    fn check_session(
        &self,
        change: &mut Transaction<'_>,
        session: &Session,
        hash: SessionDigest,
    ) -> Result<(), AdminError> {
        let id: Id = session.id;
        if session.ended_at.is_some() {
            return Err(AdminError::Caller(Denied::Revoked(id)));
        }
        if session.expires_at <= change.now() {
            return Err(AdminError::Caller(Denied::Expired(id)));
        }
        change.guard(RecordKey::new(Kind::SESSION, id)).map_err(unknown)?;
        let Authorized::User(user, _) = Authorized::read(&session.caller, change)? else {
            return Ok(());
        };
        let secret = self.changes.shared.sealer.key().named(hash.key);
        let password = secret.map(|secret| PasswordFingerprint::of(secret, &user));
        if password.is_none() || password != session.password {
            return Err(AdminError::Caller(Denied::Revoked(id)));
        }
        Ok(())
    }
}

/// Maps missing and tampered records to an unknown session.
fn unknown(error: AdminError) -> AdminError {
    match error {
        AdminError::NotFound(_) | AdminError::Tampered(_) => AdminError::Caller(Denied::Unknown),
        error => error,
    }
}
