//! Telling a store that was put back from one that went on.

use crate::engine_state::{EngineState, IntegrityFaultKind};
use crate::error::Error;
use crate::follower::Follower;
use crate::issuer::Issuer;
use crate::journal::{Durability, Event, Journal, JournalSummary, Outcome};
use crate::record::RecordKey;
use crate::store::End;
use crate::time::Timestamp;

/// What to do with a store that is not new, of which the journal knows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnjournaledStore {
    /// Do not open it: what was revoked since a backup could work again.
    #[default]
    Refuse,
    /// Take it as it is, and keep a journal from now on.
    Accept,
}

/// That a store was found to be an earlier one, put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollbackReport {
    /// How many authorizations, users, organizations and buckets were ended again.
    pub revoked: usize,
    /// Whether it was accepted without a journal that knows it, so that nothing could be ended again.
    pub accepted: bool,
}

/// Compares the journal, as it was before the store was read, with the store; if that was put back, or a record of it,
/// ends again what had ended.
pub(crate) fn replay_revocations(
    shared: &EngineState,
    issuer: &Issuer,
    follower: &mut Follower,
    memory: Option<JournalSummary>,
    unjournaled_store: UnjournaledStore,
) -> Result<Option<RollbackReport>, Error> {
    let (Some(memory), Some(found)) = (memory, follower.end()) else {
        return Ok(None);
    };
    let recorder = &shared.recorder;
    let store = shared.sealer.store().to_string();
    let restored = |epoch: u64, accepted, superseded| Event::RolledBack {
        found_epoch: found.epoch.0,
        found_head: found.head.0,
        epoch,
        superseded,
        accepted,
    };
    if memory.is_empty() {
        if unjournaled_store == UnjournaledStore::Refuse {
            return Err(Error::NoJournal);
        }
        recorder.begin(
            store,
            found,
            vec![restored(found.epoch.0, true, Vec::new())],
        );
        recorder.open()?;
        recorder.add_revocations(&shared.index.revoked())?;
        return Ok(Some(RollbackReport {
            revoked: 0,
            accepted: true,
        }));
    }
    if !memory.knows(&store) {
        return Err(Error::ForeignJournal);
    }
    if !memory.is_rolled_back(found) {
        let outcomes = memory.open.iter().map(|(of, intent)| {
            let outcome = issuer.resolve_intent(intent)?;
            Ok(Event::Outcome { of: *of, outcome })
        });
        recorder.begin(store, found, outcomes.collect::<Result<_, Error>>()?);
        // Single records may have been put back, and whoever wrote them can have counted the commits on. What was only
        // asked for does not count here: another process may be about to do it.
        let known = recorder.confirmed_revocations()?;
        for key in issuer.replay_revocations(&known)? {
            shared.fault(key, IntegrityFaultKind::RolledBack);
        }
        // A process may have ended something while it could not write the journal. If it still cannot be written, the
        // next one tries.
        let mut news = shared.index.revoked();
        let told = |key: RecordKey| {
            let mut endings = memory.open.iter().flat_map(|(_, intent)| &intent.ends);
            endings.any(|ending| ending.key == key)
        };
        news.retain(|key| known.revoked_from(*key).is_none() && !told(*key));
        let _ = recorder.add_revocations(&news);
        return Ok(None);
    }
    let known = recorder.revocations()?;
    // Always another life: this one may be one that the journal followed earlier, and must not go on from there. From here
    // on until the journal says so, it is one that the journal does not know: whoever is interrupted begins anew.
    shared.store.renew()?;
    let revoked = issuer.replay_revocations(&known)?.len();
    follower.catch_up()?;
    follower.mark_replayed();
    let end = follower.end().unwrap_or(found);
    let superseded = memory.earlier_epochs(end.epoch);
    let lost = memory.open.iter().map(|(of, _)| Event::Outcome {
        of: *of,
        outcome: Outcome::Unknown,
    });
    let first = lost.chain([restored(end.epoch.0, false, superseded)]);
    recorder.begin(store, end, first.collect());
    recorder.open()?;
    Ok(Some(RollbackReport {
        revoked,
        accepted: false,
    }))
}

/// Says in the journal which store is about to be made, so that it is never taken for one that the journal does not
/// know.
pub(crate) fn journal_new_store(
    journal: &dyn Journal,
    at: Timestamp,
    store: String,
    end: End,
) -> Result<(), Error> {
    let opened = Event::Opened {
        store,
        epoch: end.epoch.0,
        head: end.head.0,
    };
    journal.append(at, &[opened], Durability::Synced)?;
    Ok(())
}
