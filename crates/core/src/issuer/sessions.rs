//! Signing in and out.

use std::time::Duration;

use super::Issuer;
use super::audit_context::AuditContext;
use super::caller::{Authorized, Caller};
use super::transaction::Transaction;
use crate::error::{Denied, Error};
use crate::id::Id;
use crate::journal::{Actor, Operation};
use crate::owner::User;
use crate::record::{Entity, Kind, RecordKey};
use crate::session::{PasswordFingerprint, Session, SessionDigest};
use crate::token::{Token, TokenDigest, TokenShape};

impl Issuer {
    /// Signs `caller` in for `lifetime`. The text of the session is returned here and never again.
    /// It is not a token, and no token is accepted as a session. The embedding program
    /// authenticates the caller before, for example by its password.
    ///
    /// The session is refused once its user or authorization is revoked, expired or deleted, or the
    /// password of its user has changed, and for as long as its user is inactive.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] for [`Caller::Root`], [`Error::Caller`] if the caller is not in force,
    /// [`Error::Store`], [`Error::Journal`].
    pub fn sign_in(&self, caller: &Caller, lifetime: Duration) -> Result<(Token, Session), Error> {
        self.sign_in_if(caller, lifetime, |_| true)
    }

    /// Signs a user in. The caller has compared the password with the hash in `user`, as it was
    /// read.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::sign_in`]; [`Error::Caller`] if the password was changed since `user` was
    /// read.
    pub fn sign_in_by_password(
        &self,
        user: &User,
        lifetime: Duration,
    ) -> Result<(Token, Session), Error> {
        self.sign_in_if(&Caller::User(user.id), lifetime, |now| {
            now.password_hash == user.password_hash
        })
    }

    fn sign_in_if(
        &self,
        caller: &Caller,
        lifetime: Duration,
        is_same: impl Fn(&User) -> bool,
    ) -> Result<(Token, Session), Error> {
        self.change(AuditContext::new(caller, Operation::SignIn), |change| {
            let secret = self.shared.sealer.key().current();
            let password = match caller.authorize(change)? {
                Authorized::Root => {
                    return Err(Error::Forbidden(
                        "signing in as the embedding program".into(),
                    ));
                }
                Authorized::Authorization(_) => None,
                Authorized::User(user, _) if is_same(&user) => {
                    Some(PasswordFingerprint::of(secret, &user))
                }
                Authorized::User(..) => return Err(Error::Caller(Denied::Unknown)),
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
            let token = Token::generate(self.shared.prefix, session.id)?;
            let hash = SessionDigest {
                key: secret.id,
                hash: TokenDigest::keyed(&secret.hash, token.reveal().as_bytes()),
            };
            change.put(Entity::Session(session.clone(), hash))?;
            Ok((token, session))
        })
    }

    /// Returns the session with this text, if neither signed out nor expired, and if its user or
    /// authorization is in force. It is read from the store.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] with the reason, which carries the id of the session, or of the user or
    /// authorization that is not in force; [`Error::Store`].
    pub fn session(&self, text: &[u8]) -> Result<Session, Error> {
        let mut change = Transaction::new(&self.shared);
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
    /// Those of [`Issuer::session`].
    pub fn extend_session(&self, session: &Session, at_least: Duration) -> Result<(), Error> {
        let audit_context = AuditContext::new(&session.caller, Operation::ExtendSession)
            .on(Kind::SESSION, session.id);
        self.change(audit_context, |change| {
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
    /// [`Error::Caller`] if no session has this text, [`Error::Store`], [`Error::Journal`].
    pub fn sign_out(&self, text: &[u8]) -> Result<(), Error> {
        let (found, _) = self.known_session(&mut Transaction::new(&self.shared), text)?;
        let audit_context =
            AuditContext::new(&found.caller, Operation::SignOut).on(Kind::SESSION, found.id);
        self.change(audit_context, |change| {
            let (mut session, hash) = change.session(found.id).map_err(unknown)?;
            let now = change.now();
            if session.ended_at.is_none() && session.expires_at > now {
                session.ended_at = Some(now);
                change.put(Entity::Session(session, hash))?;
            }
            Ok(())
        })
    }

    /// Records in the journal that the user `user` failed to sign in. The name is recorded only if
    /// such a user exists, because it may be a password in the wrong field.
    pub fn note_refused_sign_in(&self, user: &str) {
        let named = self.find_named(Kind::USER, user.as_bytes());
        let (on, reason) = match named {
            Ok(Some(entity)) => (Some(entity.key()), format!("`{user}` failed to sign in")),
            _ => (None, "an unknown user failed to sign in".to_owned()),
        };
        self.shared
            .recorder
            .record_denial(Actor::Anonymous, Operation::SignIn, on, reason);
    }

    /// Returns the session with this text, in force or not.
    fn known_session(
        &self,
        change: &mut Transaction<'_>,
        text: &[u8],
    ) -> Result<(Session, SessionDigest), Error> {
        let shape = TokenShape::of(self.shared.prefix, text);
        let id = match shape.map_err(|_| Error::Caller(Denied::Malformed))? {
            TokenShape::Native(id) => id,
            TokenShape::Other => return Err(Error::Caller(Denied::Unknown)),
        };
        let (session, known) = change.session(id).map_err(unknown)?;
        let secret = self.shared.sealer.key().named(known.key);
        // Not in constant time: an attacker cannot control the keyed digests of the texts it tries.
        let is_known =
            secret.is_some_and(|secret| TokenDigest::keyed(&secret.hash, text) == known.hash);
        if !is_known {
            return Err(Error::Caller(Denied::Unknown));
        }
        Ok((session, known))
    }

    fn check_session(
        &self,
        change: &mut Transaction<'_>,
        session: &Session,
        hash: SessionDigest,
    ) -> Result<(), Error> {
        let id: Id = session.id;
        if session.ended_at.is_some() {
            return Err(Error::Caller(Denied::Revoked(id)));
        }
        if session.expires_at <= change.now() {
            return Err(Error::Caller(Denied::Expired(id)));
        }
        change
            .guard(RecordKey::new(Kind::SESSION, id))
            .map_err(unknown)?;
        let Authorized::User(user, _) = session.caller.authorize(change)? else {
            return Ok(());
        };
        let secret = self.shared.sealer.key().named(hash.key);
        let password = secret.map(|secret| PasswordFingerprint::of(secret, &user));
        if password.is_none() || password != session.password {
            return Err(Error::Caller(Denied::Revoked(id)));
        }
        Ok(())
    }
}

/// Maps missing and tampered records to an unknown session.
fn unknown(error: Error) -> Error {
    match error {
        Error::NotFound(_) | Error::Tampered(_) => Error::Caller(Denied::Unknown),
        error => error,
    }
}
