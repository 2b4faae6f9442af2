//! Authentication by password, and by the text of a session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::admin_error::AdminError;
use crate::caller::{AuthenticatedUser, Caller, UserProof};
use crate::change::{AuditContext, Authorized, Changes, Transaction};
use crate::denied::Denied;
use crate::id::Id;
use crate::journal::{Actor, Operation};
use crate::owner::{PasswordHash, User};
use crate::record::{Entity, Kind, RecordKey};
use crate::session::{Session, SessionDigest};
use crate::status::Status;
use crate::token::{TokenDigest, TokenShape};

/// Authenticates users by their passwords, and callers by the texts of their sessions. Sessions are
/// created with [`Sessions::create`](crate::Sessions::create), which has an example.
#[derive(Clone)]
pub struct SignIn {
    changes: Arc<Changes>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}

impl SignIn {
    pub(crate) fn new(changes: Arc<Changes>) -> Self {
        Self { changes }
    }

    /// Verifies the password of the user with this name. `verify` gets the hash of its password;
    /// none if the user is unknown or has no password, and should then take as long, so that the
    /// time reveals no name. The journal records a failure.
    ///
    /// The user is a caller of [`Engine::admin`](crate::Engine::admin) until its password changes.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] with [`Denied::Unknown`] if `verify` returns `false` or the user is
    /// unknown, with [`Denied::OwnerInactive`] if the user is inactive; [`AdminError::Store`].
    pub fn verify_password(
        &self,
        name: &str,
        verify: impl FnOnce(Option<&PasswordHash>) -> bool,
    ) -> Result<AuthenticatedUser, AdminError> {
        let found = match self.changes.find_named(Kind::USER, name.as_bytes())? {
            Some(Entity::User(user)) => Some(user),
            _ => None,
        };
        let is_right = verify(found.as_ref().and_then(|user| user.password_hash.as_ref()));
        match found {
            // After the comparison, so that its time does not reveal that the user exists.
            Some(user) if is_right && self.is_current(user.id)? => match user.status {
                Status::Active => Ok(self.with_password(&user)),
                _ => Err(AdminError::Caller(Denied::OwnerInactive(user.id))),
            },
            found => {
                self.record_failure(found.as_ref());
                Err(AdminError::Caller(Denied::Unknown))
            }
        }
    }

    /// Returns false if the record of the user is tampered or rolled back.
    fn is_current(&self, id: Id) -> Result<bool, AdminError> {
        let mut change = Transaction::new(&self.changes.shared);
        match change.guard(RecordKey::new(Kind::USER, id)) {
            Ok(()) => Ok(true),
            Err(AdminError::Tampered(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn with_password(&self, user: &User) -> AuthenticatedUser {
        let secret = self.changes.shared.sealer.key().current();
        let password = secret.password_fingerprint(user);
        AuthenticatedUser::new(user.id, UserProof::Password(password))
    }

    /// Returns the session with this text and its caller, if neither signed out nor expired, and
    /// if its user or authorization is in force. It is read from the store.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] with the reason, which carries the id of the session, or of the user
    /// or authorization that is not in force; [`AdminError::Store`].
    pub fn session(&self, text: &[u8]) -> Result<(Caller, Session), AdminError> {
        let mut change = Transaction::new(&self.changes.shared);
        let (session, _) = self.find(&mut change, text)?;
        let caller = session.caller();
        Authorized::read(&caller, &mut change)?;
        Ok((caller, session))
    }

    /// Returns the same, and extends the session so that it lasts for at least `at_least`
    /// from now. It is written only if it would expire before that, and then for twice as long, so
    /// that it need not be written again soon.
    ///
    /// # Errors
    ///
    /// Those of [`SignIn::session`]; [`AdminError::Journal`].
    pub fn extend(&self, text: &[u8], at_least: Duration) -> Result<(Caller, Session), AdminError> {
        let (caller, session) = self.session(text)?;
        let now = self.changes.shared.checks.clock.now();
        if session.expires_at >= now.saturating_add(at_least) {
            return Ok((caller, session));
        }
        let audit_context =
            AuditContext::new(&caller, Operation::ExtendSession).on(Kind::SESSION, session.id);
        self.changes.change(audit_context, |change| {
            let (mut session, digest) = self.find(change, text)?;
            Authorized::read(&caller, change)?;
            let now = change.now();
            if session.expires_at < now.saturating_add(at_least) {
                session.expires_at = now.saturating_add(at_least.saturating_mul(2));
                change.put(Entity::Session(session.clone(), digest))?;
            }
            Ok((caller, session))
        })
    }

    /// Signs the session with this text out. One that is signed out or expired stays so.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] if no session has this text, [`AdminError::Store`],
    /// [`AdminError::Journal`].
    pub fn sign_out(&self, text: &[u8]) -> Result<(), AdminError> {
        let (found, _) = self.find(&mut Transaction::new(&self.changes.shared), text)?;
        let audit_context =
            AuditContext::new(&found.caller(), Operation::SignOut).on(Kind::SESSION, found.id);
        self.changes.change(audit_context, |change| {
            let (session, _) = self.find(change, text)?;
            change.end_session(session.id)
        })
    }

    /// Records in the journal that a user failed to sign in. The given name is recorded only if
    /// such a user exists, because it may be a password in the wrong field.
    fn record_failure(&self, found: Option<&User>) {
        let on = found.map(|user| RecordKey::new(Kind::USER, user.id));
        let reason = match found {
            Some(user) => format!("`{}` failed to sign in", user.name),
            None => "an unknown user failed to sign in".to_owned(),
        };
        let recorder = &self.changes.shared.recorder;
        recorder.record_denial(Actor::Anonymous, Operation::SignIn, on, reason);
    }

    /// Returns the session with this text, in force or not.
    fn find(
        &self,
        change: &mut Transaction<'_>,
        text: &[u8],
    ) -> Result<(Session, SessionDigest), AdminError> {
        let shape = TokenShape::of(self.changes.shared.checks.prefix, text);
        let id = match shape.map_err(|_| AdminError::Caller(Denied::Malformed))? {
            TokenShape::Native(id) => id,
            TokenShape::Other => return Err(AdminError::Caller(Denied::Unknown)),
        };
        let found = change.session(id);
        let (session, known) = found.map_err(|error| match error {
            AdminError::NotFound(_) | AdminError::Tampered(_) => {
                AdminError::Caller(Denied::Unknown)
            }
            error => error,
        })?;
        let secret = self.changes.shared.sealer.key().named(known.key);
        // Not in constant time: an attacker cannot control the keyed digests of the texts it tries.
        let is_known =
            secret.is_some_and(|secret| TokenDigest::keyed(&secret.hash, text) == known.hash);
        if !is_known {
            return Err(AdminError::Caller(Denied::Unknown));
        }
        Ok((session, known))
    }
}
