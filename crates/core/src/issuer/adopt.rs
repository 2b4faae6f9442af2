//! What checks leave to be written: keyed hashes of records that were imported by a hash of another origin, and uses.

use super::audit_context::AuditContext;
use super::{Caller, Issuer};
use crate::engine_state::Adoption;
use crate::error::Error;
use crate::journal::Operation;
use crate::record::{Entity, Kind};
use crate::status::Status;
use crate::store::Query;
use crate::token::Credential;

impl Issuer {
    /// Adds the keyed hash of every token that was found by its locator since the last time. What fails is tried
    /// again when its token is seen again.
    pub(crate) fn adopt_pending(&self) {
        // At most once around, for checks may add to the queue as fast as it is emptied.
        for _ in 0..self.shared.adoptions.capacity() {
            let Some(adoption) = self.shared.adoptions.pop() else {
                return;
            };
            let _ = self.adopt(adoption);
        }
    }

    /// Brings what checks have noted of uses to the store, once a minute; and lets them trust again.
    pub(crate) fn flush_last_uses(&self) {
        let shared = &*self.shared;
        let now = shared.clock.now();
        shared.uses.begin(now, &shared.index, &*shared.store);
        shared.flood_guard.reset();
    }

    /// The same before the engine ends, whatever the minute is.
    pub(crate) fn flush_last_uses_now(&self) {
        let shared = &*self.shared;
        shared.uses.end(&shared.index, &*shared.store);
    }

    fn adopt(&self, adoption: Adoption) -> Result<(), Error> {
        let Adoption { id, key, hash } = adoption;
        let alone = Credential::Keyed(key, hash).unique_key();
        if !self
            .shared
            .store
            .find(&Query::unique(Kind::AUTHORIZATION, &alone))?
            .is_empty()
        {
            // The same token was imported as a text too; that record has the keyed hash.
            return Ok(());
        }
        let audit_context =
            AuditContext::new(&Caller::Root, Operation::Adopt).on(Kind::AUTHORIZATION, id);
        self.change(audit_context, |change| {
            let (authorization, credential) = change.authorization(id)?;
            if let (Credential::Foreign(foreign_hash), true) =
                (credential, authorization.status != Status::Revoked)
            {
                let adopted = Credential::ForeignAndKeyed(foreign_hash, key, hash);
                change.put(Entity::Authorization(authorization, adopted))?;
            }
            Ok(())
        })
    }
}
