//! What is known compared with what another index knew, or a record says.

use super::*;

impl Builder {
    /// Sees to it that nothing comes back that `old` knew better.
    pub(in crate::index) fn outlive(&mut self, old: &Self, mut replayed: impl FnMut(RecordKey)) {
        for (key, gone) in &old.gone {
            let now = self.known(*key);
            if now.as_ref().is_some_and(|now| now.sequence > *gone) {
                continue;
            }
            if let Some(now) = now {
                replayed(*key);
                self.lose(*key, &now);
            }
            self.bury(*key, *gone);
        }
        for (key, before) in old.all() {
            let Some(now) = self.known(key) else {
                self.bury(key, before.sequence);
                continue;
            };
            if now.sequence >= before.sequence && (!before.ended || now.ended) {
                continue;
            }
            replayed(key);
            if before.ended && key.kind != Kind::AUTHORIZATION {
                let owner = self.owner(key);
                self.interned.set_owner(owner, OwnerState::Deleted);
            } else {
                self.deny(key, Some(&now));
            }
            let kept = Known {
                revision: now.revision,
                handle: now.handle,
                rest: now.rest,
                genuine: false,
                ..before
            };
            self.remember(key, kept);
        }
    }

    pub(in crate::index) fn agrees(&self, change: &Change) -> bool {
        let Some(known) = self.known(change.key) else {
            return matches!(change.what, What::Purged);
        };
        match &change.what {
            What::Purged => false,
            What::NotGenuine => !known.genuine,
            What::Owner(state, sequence) => {
                let owner = self.owners.get(&change.key);
                let held = owner.map(|owner| self.interned.owner(*owner));
                known.sequence == *sequence && held == Some(*state)
            }
            What::Authorization(digest, sequence) => {
                let id = change.key.id;
                let mut starts = self.tables.starts(id, digest.handle);
                let held = |(start, half)| self.tables.read(start, half);
                known.sequence == *sequence
                    && known.handle == digest.handle
                    && starts.all(|one| self.entry_agrees(id, digest, held(one)))
            }
        }
    }

    fn entry_agrees(&self, id: Id, digest: &Digest, held: Option<(Entry, Option<Back>)>) -> bool {
        let Some((entry, Some(back))) = held else {
            return false;
        };
        let set = self.interned.set(entry.set);
        let wanted = CompiledSet::of(&digest.permissions, digest.organization, digest.user);
        back.id == id
            && entry.state == SlotState::Known(digest.status)
            && entry.expires == kept_expiry(digest.expires)
            && set == Some(&wanted)
            && self.pairs.get(&(digest.user, digest.organization)) == Some(&entry.owners)
    }
}
