//! Looking up records by name or token, without a caller.

use super::Changes;
use super::transaction::Transaction;
use crate::admin_error::AdminError;
use crate::authorization::Authorization;
use crate::id::Id;
use crate::record::{Entity, Kind, Record};
use crate::store::Query;
use crate::token::{Credential, ForeignHash, Token, TokenDigest, TokenShape};

impl Changes {
    pub(crate) fn find_named(
        &self,
        kind: Kind,
        unique: &[u8],
    ) -> Result<Option<Entity>, AdminError> {
        let found = self.shared.store.find(&Query::unique(kind, unique))?;
        Ok(found.iter().find_map(|stored| self.open_or_report(&stored.record)))
    }

    /// Returns the id of the authorization with this token, which is searched by each hash under
    /// which it may be stored.
    pub(crate) fn find_token(&self, token: &[u8]) -> Result<Option<Id>, AdminError> {
        if TokenShape::of(self.shared.checks.prefix, token).is_err() {
            return Ok(None);
        }
        for unique in self.all_keys(token) {
            let found = self.find_named(Kind::AUTHORIZATION, &unique)?;
            if let Some(found) = found {
                return Ok(Some(found.key().id));
            }
        }
        Ok(None)
    }

    /// Opens a record. A tampered record is reported as a fault and skipped.
    pub(crate) fn open_or_report(&self, record: &Record) -> Option<Entity> {
        match self.shared.sealer.open(record) {
            Ok(opened) => opened.map(|(entity, _)| entity),
            Err(error) => {
                self.shared.fault(record.key, error.into());
                None
            }
        }
    }

    /// Plans to write a new authorization with a random token, which is returned.
    pub(crate) fn write_new_authorization(
        &self,
        change: &mut Transaction<'_>,
        authorization: Authorization,
    ) -> Result<(Token, Authorization), AdminError> {
        let token = Token::generate(self.shared.checks.prefix, authorization.id)?;
        let secret = self.shared.sealer.key().current();
        let hash = TokenDigest::keyed(&secret.hash, token.reveal().as_bytes());
        let credential = Credential::Native(secret.id, hash);
        change.put(Entity::Authorization(authorization.clone(), credential))?;
        Ok((token, authorization))
    }

    /// Returns every unique key that a record with this token can have: one for each secret, and
    /// one for each kind of imported hash.
    pub(crate) fn all_keys(&self, text: &[u8]) -> impl Iterator<Item = Box<[u8]>> {
        let secrets = self.shared.sealer.key().newest_first();
        let keyed =
            secrets.map(|one| Credential::Keyed(one.id, TokenDigest::keyed(&one.hash, text)));
        let hashes = [ForeignHash::sha256, ForeignHash::sha512].map(|hash| move || hash(text));
        let foreign = hashes.into_iter().map(|hash| Credential::Foreign(hash()));
        let all = keyed.chain(foreign);
        all.map(|credential| credential.unique_key().into())
    }
}
