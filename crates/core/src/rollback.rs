//! Detecting a store that was rolled back.

use crate::change::Changes;
use crate::engine_state::EngineState;
use crate::follower::Follower;
use crate::integrity::IntegrityFaultKind;
use crate::journal::{Durability, Event, Journal, JournalSummary, Outcome};
use crate::open_error::OpenError;
use crate::record::RecordKey;
use crate::store::End;
use crate::time::Timestamp;

/// Action for a store that is not new while the journal is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnjournaledStore {
    /// Fail with [`OpenError::NoJournal`]: tokens revoked since a backup could be active again.
    #[default]
    Refuse,
    /// Open it as it is, and record changes in the journal from now on.
    Accept,
}

/// Report on a store that was found to be rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollbackReport {
    /// Number of authorizations, users, organizations, buckets and sessions that were revoked
    /// again.
    pub revoked: usize,
    /// True if the store was accepted without a journal, so that no revocation could be replayed.
    pub accepted: bool,
}

/// Compares the store with the journal as it was before the store was read. If the store or single
/// records were rolled back, revokes again what the journal lists as revoked.
pub(crate) fn replay_revocations(
    shared: &EngineState,
    changes: &Changes,
    follower: &mut Follower,
    summary: Option<JournalSummary>,
    unjournaled_store: UnjournaledStore,
) -> Result<Option<RollbackReport>, OpenError> {
    let (Some(summary), Some(found)) = (summary, follower.end()) else {
        return Ok(None);
    };
    let recorder = &shared.recorder;
    let store = shared.sealer.store().to_string();
    let rolled_back = |epoch: u64, accepted, superseded| Event::RolledBack {
        found_epoch: found.epoch.0,
        found_head: found.head.0,
        epoch,
        superseded,
        accepted,
    };
    if summary.is_empty() {
        if unjournaled_store == UnjournaledStore::Refuse {
            return Err(OpenError::NoJournal);
        }
        recorder.begin(store, found, vec![rolled_back(found.epoch.0, true, Vec::new())]);
        recorder.open()?;
        recorder.add_revocations(&shared.checks.index.revoked())?;
        return Ok(Some(RollbackReport { revoked: 0, accepted: true }));
    }
    if !summary.knows(&store) {
        return Err(OpenError::ForeignJournal);
    }
    if !summary.is_rolled_back(found) {
        let outcomes = summary.open.iter().map(|(of, intent)| {
            let outcome = changes.resolve_intent(intent)?;
            Ok(Event::Outcome { of: *of, outcome })
        });
        recorder.begin(store, found, outcomes.collect::<Result<_, OpenError>>()?);
        // Single records may have been rolled back, with the head raised so that no commit appears
        // to be missing. Revocations with an unknown outcome do not count here: another
        // process may be about to commit them.
        let known = recorder.confirmed_revocations()?;
        for key in changes.replay_revocations(&known)? {
            shared.fault(key, IntegrityFaultKind::RolledBack);
        }
        // A process may have revoked records while it could not write the journal. If the journal
        // still cannot be written, the next start tries again.
        let mut unlisted = shared.checks.index.revoked();
        let is_open = |key: RecordKey| {
            let mut endings = summary.open.iter().flat_map(|(_, intent)| &intent.ends);
            endings.any(|ending| ending.key == key)
        };
        unlisted.retain(|key| known.revoked_from(*key).is_none() && !is_open(*key));
        let _ = recorder.add_revocations(&unlisted);
        return Ok(None);
    }
    let known = recorder.revocations()?;
    // Always draw a new epoch: the journal may have followed this one before, and must not continue
    // from there. Until the journal records the new epoch, it does not know it, so an interrupted
    // replay starts again.
    shared.store.renew()?;
    let revoked = changes.replay_revocations(&known)?.len();
    follower.catch_up()?;
    follower.mark_replayed();
    let end = follower.end().unwrap_or(found);
    let superseded = summary.earlier_epochs(end.epoch);
    let lost =
        summary.open.iter().map(|(of, _)| Event::Outcome { of: *of, outcome: Outcome::Unknown });
    let first = lost.chain([rolled_back(end.epoch.0, false, superseded)]);
    recorder.begin(store, end, first.collect());
    recorder.open()?;
    Ok(Some(RollbackReport { revoked, accepted: false }))
}

/// Records in the journal that a store is about to be created, so that the journal knows it from
/// the start.
pub(crate) fn journal_new_store(
    journal: &dyn Journal,
    at: Timestamp,
    store: String,
    end: End,
) -> Result<(), OpenError> {
    let opened = Event::Opened { store, epoch: end.epoch.0, head: end.head.0 };
    journal.append(at, &[opened], Durability::Synced)?;
    Ok(())
}
