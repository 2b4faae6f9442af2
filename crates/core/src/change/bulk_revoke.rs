//! Bulk revocation: replaying the revocations of a journal, and revoking everything created before
//! a time.

use std::collections::HashSet;

use super::Changes;
use super::audit_context::AuditContext;
use super::transaction::Transaction;
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::journal::{Intent, Operation, Outcome, RevocationList};
use crate::record::{Entity, Kind, MAX_RECORD, RecordKey};
use crate::status::Status;
use crate::store::{FoundPages, Query};
use crate::time::Timestamp;

/// Maximum number of records in a commit.
const CHUNK: usize = 500;
const PAGE: usize = 2000;

impl Changes {
    /// Revokes in the store what the journal lists as revoked, and returns the records that this
    /// changed. The journal is not written, because it already lists them.
    pub(crate) fn replay_revocations(
        &self,
        ended: &RevocationList,
    ) -> Result<Vec<RecordKey>, AdminError> {
        let outlives =
            |(key, at): &(RecordKey, Timestamp)| self.shared.checks.index.may_outlast(*key, *at);
        self.revoke_each(ended.iter().filter(outlives))
    }

    /// Does the same for a store that was rolled back while this engine uses it. Each record is
    /// looked up in the store, because the index already has it as revoked.
    pub(crate) fn revoke_reappeared(&self) -> Result<Vec<RecordKey>, AdminError> {
        self.revoke_each(self.shared.recorder.revocations()?.iter())
    }

    fn revoke_each(
        &self,
        due: impl Iterator<Item = (RecordKey, Timestamp)>,
    ) -> Result<Vec<RecordKey>, AdminError> {
        let mut due: Vec<_> = due.collect();
        self.retain_sessions_in_force(&mut due)?;
        due.sort_unstable();
        let audit_context = AuditContext::new(&Caller::Root, Operation::ReplayRevocations);
        let mut done = Vec::new();
        for chunk in due.chunks(self.chunk()) {
            done.extend(self.change(audit_context, |change| {
                let mut keys = Vec::new();
                for (key, at) in chunk {
                    keys.extend(revoke_record(change, *key, *at)?);
                }
                Ok(keys)
            })?);
        }
        Ok(done)
    }

    /// Removes the sessions from `due` that the store does not hold, or holds as signed out. The
    /// journal lists every session that was ever signed out, and the store only few.
    fn retain_sessions_in_force(
        &self,
        due: &mut Vec<(RecordKey, Timestamp)>,
    ) -> Result<(), AdminError> {
        if due.iter().all(|(key, _)| key.kind != Kind::SESSION) {
            return Ok(());
        }
        let mut in_force = HashSet::new();
        self.entities::<AdminError>(Kind::SESSION, |entity| {
            let live = entity.filter(|one| one.status() != Some(Status::Revoked));
            in_force.extend(live.map(|one| one.key()));
            Ok(())
        })?;
        due.retain(|(key, _)| key.kind != Kind::SESSION || in_force.contains(key));
        Ok(())
    }

    /// Revokes every authorization and session that was created before `time`, and returns their
    /// number.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] or [`AdminError::Journal`]. Some may be revoked by then; the caller
    /// may try again.
    pub(crate) fn revoke_created_before(
        &self,
        time: Timestamp,
        progress: &mut dyn FnMut(usize),
    ) -> Result<usize, AdminError> {
        let mut count = 0;
        for kind in [Kind::AUTHORIZATION, Kind::SESSION] {
            let mut pages = FoundPages::new(Query { limit: PAGE, ..Query::all(kind) });
            while let Some(page) = pages.next_page(&*self.shared.store)? {
                let entities = page.iter().filter_map(|stored| self.open_or_report(&stored.record));
                let created_before = entities.filter(|one| is_created_before(one, time));
                let due: Vec<RecordKey> = created_before.map(|one| one.key()).collect();
                for chunk in due.chunks(self.chunk()) {
                    count += self.revoke_all(chunk)?;
                    progress(count);
                }
            }
        }
        Ok(count)
    }

    /// Returns the outcome of an intent for which the journal has none, as far as the store shows
    /// it.
    pub(crate) fn resolve_intent(&self, intent: &Intent) -> Result<Outcome, AdminError> {
        let store = &self.shared.store;
        let mut done = true;
        // A commit is written as a whole or not at all, so one record shows it.
        if let Some(target) = intent.writes.first() {
            done = match (store.get(&target.key)?, target.sequence) {
                // A revoked record may have been purged since, even if this intent created it.
                (None, sequence) => sequence == 0 || !intent.ends.is_empty(),
                (Some(_), 0) => false,
                (Some(stored), sequence) => match self.shared.sealer.open(&stored.record) {
                    Ok(Some((_, written))) => written >= sequence,
                    // A tampered record shows nothing: a revocation continues to count.
                    _ if !intent.ends.is_empty() => return Ok(Outcome::Unknown),
                    _ => false,
                },
            };
        }
        if intent.operation != Operation::Rotate {
            for ending in &intent.ends {
                // The record may have been written since, but it cannot have been reactivated.
                let stored = store.get(&ending.key)?;
                let status = stored.map(|stored| stored.record.columns.status);
                done &= status.is_none_or(|status| status == Some(Status::Revoked));
            }
        }
        Ok(if done { Outcome::Found } else { Outcome::Failed })
    }

    fn revoke_all(&self, keys: &[RecordKey]) -> Result<usize, AdminError> {
        let audit_context = AuditContext::new(&Caller::Root, Operation::Revoke);
        self.change(audit_context, |change| {
            let now = change.now();
            let mut count = 0;
            for key in keys {
                count += usize::from(revoke_record(change, *key, now)?.is_some());
            }
            Ok(count)
        })
    }

    pub(crate) fn chunk(&self) -> usize {
        let limits = self.shared.store.limits();
        let most = limits.writes.min(limits.bytes / MAX_RECORD);
        most.clamp(1, CHUNK)
    }
}

fn is_created_before(entity: &Entity, time: Timestamp) -> bool {
    let (ended, created_at) = match entity {
        Entity::Authorization(one, _) => (one.status == Status::Revoked, one.created_at),
        Entity::Session(one, _) => (one.ended_at.is_some(), one.created_at),
        _ => return false,
    };
    !ended && created_at < time
}

/// Revokes a record from `at` on, and returns its key if that changed it. A missing or tampered
/// record is skipped: it is refused anyway.
fn revoke_record(
    change: &mut Transaction<'_>,
    key: RecordKey,
    at: Timestamp,
) -> Result<Option<RecordKey>, AdminError> {
    let ended = match read(change, key) {
        Ok(Some(entity)) => revoked_entity(entity, at, change.now()),
        Ok(None) | Err(AdminError::NotFound(_) | AdminError::Tampered(_)) => None,
        Err(error) => return Err(error),
    };
    let Some(entity) = ended else {
        return Ok(None);
    };
    change.put(entity)?;
    Ok(Some(key))
}

fn read(change: &mut Transaction<'_>, key: RecordKey) -> Result<Option<Entity>, AdminError> {
    Ok(Some(match key.kind {
        Kind::AUTHORIZATION => {
            let (authorization, credential) = change.authorization(key.id)?;
            Entity::Authorization(authorization, credential)
        }
        Kind::USER => Entity::User(change.user(key.id)?),
        Kind::ORGANIZATION => Entity::Organization(change.organization(key.id)?),
        Kind::BUCKET => Entity::Bucket(change.bucket(key.id)?),
        Kind::SESSION => {
            let (session, hash) = change.session(key.id)?;
            Entity::Session(session, hash)
        }
        _ => return Ok(None),
    }))
}

/// Returns `entity` as revoked from `at` on, or none if it is already.
fn revoked_entity(mut entity: Entity, at: Timestamp, now: Timestamp) -> Option<Entity> {
    if entity.status() == Some(Status::Revoked) {
        return None;
    }
    match &mut entity {
        // It expires by then and cannot be extended.
        Entity::Authorization(one, _) if one.expires_at.is_some_and(|end| end <= at) => {
            return None;
        }
        Entity::Authorization(one, _) if at > now => {
            // It was rotated: it expires when the overlap is over.
            one.expires_at = Some(at);
            one.updated_at = now;
        }
        Entity::Authorization(one, _) => {
            one.status = Status::Revoked;
            one.revoked_at = Some(at);
            one.updated_at = now;
        }
        Entity::User(one) => (one.status, one.updated_at) = (Status::Revoked, now),
        Entity::Organization(one) => (one.status, one.updated_at) = (Status::Revoked, now),
        Entity::Bucket(one) => (one.status, one.updated_at) = (Status::Revoked, now),
        Entity::Session(one, _) if one.expires_at <= at => return None,
        Entity::Session(one, _) => one.ended_at = Some(at),
        Entity::Settings(_) | Entity::SetUp(_) => return None,
    }
    Some(entity)
}
