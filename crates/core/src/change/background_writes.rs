//! Writes that checks leave to the follower thread: keyed hashes of imported tokens, and last uses.

use super::Changes;
use super::audit_context::AuditContext;
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::check_state::Adoption;
use crate::journal::Operation;
use crate::record::{Entity, Kind};
use crate::status::Status;
use crate::store::Query;
use crate::token::Credential;

impl Changes {
    /// Adds a keyed hash to each authorization that a check found by an imported hash since the
    /// last call. If that fails, the next check of the token queues it again.
    pub(crate) fn adopt_pending(&self) {
        // A bounded number of times, because checks may fill the queue as fast as it is emptied.
        for _ in 0..self.shared.checks.adoptions.capacity() {
            let Some(adoption) = self.shared.checks.adoptions.pop() else {
                return;
            };
            let _ = self.adopt(adoption);
        }
    }

    /// Writes the last uses that checks have noted to the store, at most once a minute, and resets
    /// the flood guard.
    pub(crate) fn flush_last_uses(&self) {
        let shared = &*self.shared;
        let now = shared.checks.clock.now();
        shared.checks.uses.begin(now, &shared.checks.index, &*shared.store);
        shared.checks.flood_guard.reset();
    }

    /// Writes the last uses at once, before the engine stops.
    pub(crate) fn flush_last_uses_now(&self) {
        let shared = &*self.shared;
        shared.checks.uses.end(&shared.checks.index, &*shared.store);
    }

    fn adopt(&self, adoption: Adoption) -> Result<(), AdminError> {
        let Adoption { id, key, hash } = adoption;
        let alone = Credential::Keyed(key, hash).unique_key();
        if !self.shared.store.find(&Query::unique(Kind::AUTHORIZATION, &alone))?.is_empty() {
            // The same token was also imported as text; that record has the keyed hash.
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
