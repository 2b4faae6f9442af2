//! Reading records of each kind in a transaction.

use super::transaction::Transaction;
use crate::admin_error::AdminError;
use crate::authorization::Authorization;
use crate::engine_state::EngineState;
use crate::field::Field;
use crate::id::Id;
use crate::index::{ShortDigest, TokenLookup};
use crate::key::KeyId;
use crate::owner::{Bucket, Organization, OwnerState, PasswordFingerprint, User};
use crate::permission::BucketNames;
use crate::record::{Entity, Kind, RecordKey, SETTINGS, Settings};
use crate::session::{Session, SessionDigest};
use crate::status::Status;
use crate::token::Credential;

impl Transaction<'_> {
    /// Returns an authorization.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`], [`AdminError::Tampered`] or [`AdminError::Store`], as for the
    /// methods below.
    pub(crate) fn authorization(
        &mut self,
        id: Id,
    ) -> Result<(Authorization, Credential), AdminError> {
        match self.entity(RecordKey::new(Kind::AUTHORIZATION, id))? {
            Entity::Authorization(authorization, credential) => Ok((authorization, credential)),
            _ => Err(AdminError::NotFound(Field::Authorization)),
        }
    }

    /// Adds the last use, which is not part of the record, to an authorization.
    pub(crate) fn shown(
        &mut self,
        authorization: Authorization,
        credential: &Credential,
    ) -> Result<Authorization, AdminError> {
        let key = RecordKey::new(Kind::AUTHORIZATION, authorization.id);
        let stored = self.read(key)?.and_then(|stored| stored.last_used);
        let noted = self.shared.checks.indexed_state(authorization.id, credential).last_used;
        Ok(Authorization { last_used: stored.max(noted), ..authorization })
    }

    pub(crate) fn user(&mut self, id: Id) -> Result<User, AdminError> {
        match self.entity(RecordKey::new(Kind::USER, id))? {
            Entity::User(user) => Ok(user),
            _ => Err(AdminError::NotFound(Field::User)),
        }
    }

    pub(crate) fn organization(&mut self, id: Id) -> Result<Organization, AdminError> {
        match self.entity(RecordKey::new(Kind::ORGANIZATION, id))? {
            Entity::Organization(organization) => Ok(organization),
            _ => Err(AdminError::NotFound(Field::Organization)),
        }
    }

    pub(crate) fn bucket(&mut self, id: Id) -> Result<Bucket, AdminError> {
        match self.entity(RecordKey::new(Kind::BUCKET, id))? {
            Entity::Bucket(bucket) => Ok(bucket),
            _ => Err(AdminError::NotFound(Field::Bucket)),
        }
    }

    pub(crate) fn session(&mut self, id: Id) -> Result<(Session, SessionDigest), AdminError> {
        match self.entity(RecordKey::new(Kind::SESSION, id))? {
            Entity::Session(session, hash) => Ok((session, hash)),
            _ => Err(AdminError::NotFound(Field::Session)),
        }
    }

    /// Returns the settings of the store.
    pub(crate) fn settings(&mut self) -> Result<Settings, AdminError> {
        match self.entity(SETTINGS) {
            Ok(Entity::Settings(settings)) => Ok(settings),
            Ok(_) | Err(AdminError::NotFound(_) | AdminError::Tampered(_)) => {
                Err(AdminError::Settings)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns true if the index finds `credential` under `digest`.
    pub(crate) fn is_found_by(&self, credential: &Credential, digest: ShortDigest) -> bool {
        match self.shared.checks.handle(credential) {
            TokenLookup::ById(own) => own == digest,
            TokenLookup::ByDigest(all) => all.contains(&Some(digest)),
        }
    }

    /// Returns the fingerprint of the password of a user under the named secret of the key, by
    /// default the current one; none if the key has no such secret.
    pub(crate) fn password_fingerprint(
        &self,
        key: Option<KeyId>,
        user: &User,
    ) -> Option<PasswordFingerprint> {
        let all = self.shared.sealer.key();
        let secret = key.map_or(Some(all.current()), |id| all.named(id));
        secret.map(|secret| secret.password_fingerprint(user))
    }

    /// Returns the state of a user; unknown if there is no record or it is tampered.
    pub(crate) fn user_state(&mut self, id: Id) -> Result<OwnerState, AdminError> {
        state(self.user(id).map(|user| user.status))
    }

    /// Returns the state of an organization; unknown if there is no record or it is tampered.
    pub(crate) fn organization_state(&mut self, id: Id) -> Result<OwnerState, AdminError> {
        state(self.organization(id).map(|organization| organization.status))
    }

    /// Returns the names of registered buckets, for [`crate::PermissionSet::includes`].
    pub(crate) fn buckets(&self) -> impl BucketNames {
        Buckets(self.shared)
    }

    /// Returns true if the authorization exists.
    pub(crate) fn has_authorization(&mut self, id: Id) -> Result<bool, AdminError> {
        Ok(self.read(RecordKey::new(Kind::AUTHORIZATION, id))?.is_some())
    }

    /// Returns true if a user or organization exists, or will after this transaction. An owner in
    /// the index that is not deleted exists: only owners that were deleted long ago are purged.
    pub(crate) fn has_owner(&mut self, key: RecordKey) -> Result<bool, AdminError> {
        let has = self.plans(key) || self.shared.checks.index.may_outlast(key, self.now());
        Ok(has || self.read(key)?.is_some())
    }
}

fn state(status: Result<Status, AdminError>) -> Result<OwnerState, AdminError> {
    match status {
        Ok(status) => Ok(status.into()),
        Err(AdminError::NotFound(_) | AdminError::Tampered(_)) => Ok(OwnerState::Unknown),
        Err(error) => Err(error),
    }
}

struct Buckets<'a>(&'a EngineState);

impl BucketNames for Buckets<'_> {
    fn bucket(&self, id: Id) -> Option<(Id, Box<str>)> {
        let mut lookup = Transaction::new(self.0);
        let bucket = lookup.bucket(id).ok()?;
        let known = bucket.status != Status::Revoked;
        known.then(|| (bucket.organization, bucket.name.into()))
    }
}
