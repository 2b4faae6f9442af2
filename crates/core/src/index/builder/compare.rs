//! Comparison of the index with an older one and with records.

use super::*;

impl Builder {
    /// Keeps every newer version and every revocation that `old` has.
    pub(in crate::index) fn keep_newer_from(
        &mut self,
        old: &Self,
        mut replayed: impl FnMut(RecordKey),
    ) {
        for (key, purged) in &old.purged {
            let now = self.known(*key);
            if now.as_ref().is_some_and(|now| now.sequence > *purged) {
                continue;
            }
            if let Some(now) = now {
                replayed(*key);
                self.refuse_dependents(*key, &now);
            }
            self.remember_purged(*key, *purged);
        }
        for (key, before) in old.all() {
            let Some(now) = self.known(key) else {
                self.remember_purged(key, before.sequence);
                continue;
            };
            if now.sequence >= before.sequence && (!before.revoked || now.revoked) {
                continue;
            }
            replayed(key);
            if before.revoked && key.kind != Kind::AUTHORIZATION {
                let owner = self.owner(key);
                self.interned.set_owner(owner, OwnerState::Deleted);
            } else {
                self.deny(key, Some(&now));
            }
            let kept = KnownRecord {
                revision: now.revision,
                handle: now.handle,
                rest: now.rest,
                authentic: false,
                ..before
            };
            self.remember(key, kept);
        }
    }

    pub(in crate::index) fn agrees(&self, change: &Change) -> bool {
        let Some(known) = self.known(change.key) else {
            return matches!(change.what, ChangeKind::Purged);
        };
        match &change.what {
            ChangeKind::Purged => false,
            ChangeKind::Tampered => !known.authentic,
            ChangeKind::Owner(state, sequence) => {
                let owner = self.owners.get(&change.key);
                let held = owner.map(|owner| self.interned.owner(*owner));
                known.sequence == *sequence && held == Some(*state)
            }
            ChangeKind::Authorization(digest, sequence) => {
                let id = change.key.id;
                let mut starts = self.tables.starts(id, digest.handle);
                let held = |(start, short_digest)| self.tables.read(start, short_digest);
                known.sequence == *sequence
                    && known.handle == digest.handle
                    && starts.all(|one| self.entry_agrees(id, digest, held(one)))
            }
        }
    }

    fn entry_agrees(
        &self,
        id: Id,
        digest: &IndexEntry,
        held: Option<(SlotContents, Option<SlotRecord>)>,
    ) -> bool {
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
