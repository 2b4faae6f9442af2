//! Numbers of permission sets, owners and pairs of owners.

use super::*;

impl Builder {
    /// Returns the number of the set. A shared set is not compiled again for the same owners.
    pub(super) fn set(&mut self, digest: &IndexEntry) -> u32 {
        let at = Arc::as_ptr(&digest.permissions).addr();
        if let Some((set, owners, number)) = self.recent.get(&at)
            && Arc::ptr_eq(set, &digest.permissions)
            && *owners == owners_of(digest)
        {
            return *number;
        }
        let number = self.compile(digest);
        // Only a set that others also hold can come again.
        if Arc::strong_count(&digest.permissions) > 1 {
            if self.recent.len() >= RECENT_SETS {
                self.recent.clear();
            }
            let permissions = Arc::clone(&digest.permissions);
            self.recent.insert(at, (permissions, owners_of(digest), number));
        }
        number
    }

    fn compile(&mut self, digest: &IndexEntry) -> u32 {
        let set = CompiledSet::of(&digest.permissions, digest.organization, digest.user);
        if let Some(number) = self.sets.get(&set) {
            return *number;
        }
        let number = intern(self.sets.len(), NO_SET);
        if number == NO_SET {
            return NO_SET;
        }
        let set = Arc::new(set);
        if let Some(slot) = self.interned.sets.make(number) {
            // The slot is empty, because each number is given out once.
            let _ = slot.set(Arc::clone(&set));
        }
        self.sets.insert(set, number);
        number
    }

    pub(super) fn pair(&mut self, user: Option<Id>, organization: Id) -> u32 {
        if let Some(number) = self.pairs.get(&(user, organization)) {
            return *number;
        }
        let number = intern(self.pairs.len(), NO_PAIR);
        if number == NO_PAIR {
            return NO_PAIR;
        }
        let user_at = user.map_or(NO_OWNER, |id| self.owner(RecordKey::new(Kind::USER, id)));
        let at = self.owner(RecordKey::new(Kind::ORGANIZATION, organization));
        if let Some(pair) = self.interned.pairs.make(number) {
            pair.write((user, user_at), (organization, at));
        }
        self.pairs.insert((user, organization), number);
        number
    }

    /// Returns the number of a user or organization. Its state is unknown until its record is
    /// applied.
    pub(super) fn owner(&mut self, key: RecordKey) -> u32 {
        // 0 is `NO_OWNER`.
        let next = intern(self.owners.len() + 1, u32::MAX);
        let number = *self.owners.entry(key).or_insert(next);
        self.interned.owners.make(number);
        number
    }
}
