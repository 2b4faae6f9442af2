//! Telling a store that was put back from one that went on.

use crate::error::Error;
use crate::follower::Follower;
use crate::issuer::Issuer;
use crate::journal::{Durability, Event, Fate, Journal, Memory};
use crate::record::RecordKey;
use crate::shared::{Problem, Shared};
use crate::store::End;
use crate::time::Timestamp;

/// What to do with a store that is not new, of which the journal knows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unjournaled {
    /// Do not open it: what was revoked since a backup could work again.
    #[default]
    Refuse,
    /// Take it as it is, and keep a journal from now on.
    Accept,
}

/// That a store was found to be an earlier one, put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// How many authorizations, users, organizations and buckets were ended again.
    pub ended: usize,
    /// Whether it was accepted without a journal that knows it, so that nothing could be ended again.
    pub accepted: bool,
}

/// Compares the journal, as it was before the store was read, with the store; if that was put back, or a record of it,
/// ends again what had ended.
pub(crate) fn settle(
    shared: &Shared,
    issuer: &Issuer,
    follower: &mut Follower,
    memory: Option<Memory>,
    unjournaled: Unjournaled,
) -> Result<Option<Restored>, Error> {
    let (Some(memory), Some(found)) = (memory, follower.end()) else {
        return Ok(None);
    };
    let recorder = &shared.recorder;
    let store = shared.sealer.store().to_string();
    let restored = |epoch: u64, accepted, superseded| Event::Restored {
        found_epoch: found.epoch.0,
        found_head: found.head.0,
        epoch,
        superseded,
        accepted,
    };
    if memory.is_empty() {
        if unjournaled == Unjournaled::Refuse {
            return Err(Error::NoJournal);
        }
        recorder.begin(
            store,
            found,
            vec![restored(found.epoch.0, true, Vec::new())],
        );
        recorder.open()?;
        recorder.learn(&shared.index.ended())?;
        return Ok(Some(Restored {
            ended: 0,
            accepted: true,
        }));
    }
    if !memory.knows(&store) {
        return Err(Error::ForeignJournal);
    }
    if !memory.is_behind(found) {
        let outcomes = memory.open.iter().map(|(of, intent)| {
            let fate = issuer.find_out(intent)?;
            Ok(Event::Outcome { of: *of, fate })
        });
        recorder.begin(store, found, outcomes.collect::<Result<_, Error>>()?);
        // Single records may have been put back, and whoever wrote them can have counted the commits on. What was only
        // asked for does not count here: another process may be about to do it.
        let known = recorder.surely_ended()?;
        for key in issuer.end_again(&known)? {
            shared.fault(key, Problem::Replayed);
        }
        // A process may have ended something while it could not write the journal. If it still cannot be written, the
        // next one tries.
        let mut news = shared.index.ended();
        let told = |key: RecordKey| {
            let mut endings = memory.open.iter().flat_map(|(_, intent)| &intent.ends);
            endings.any(|ending| ending.key == key)
        };
        news.retain(|key| known.when(*key).is_none() && !told(*key));
        let _ = recorder.learn(&news);
        return Ok(None);
    }
    let known = recorder.ended()?;
    // Always another life: this one may be one that the journal followed earlier, and must not go on from there. From here
    // on until the journal says so, it is one that the journal does not know: whoever is interrupted begins anew.
    shared.store.renew()?;
    let ended = issuer.end_again(&known)?.len();
    follower.catch_up()?;
    follower.settled();
    let end = follower.end().unwrap_or(found);
    let superseded = memory.lives_before(end.epoch);
    let lost = memory.open.iter().map(|(of, _)| Event::Outcome {
        of: *of,
        fate: Fate::Unknown,
    });
    let first = lost.chain([restored(end.epoch.0, false, superseded)]);
    recorder.begin(store, end, first.collect());
    recorder.open()?;
    Ok(Some(Restored {
        ended,
        accepted: false,
    }))
}

/// Says in the journal which store is about to be made, so that it is never taken for one that the journal does not
/// know.
pub(crate) fn announce(
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
