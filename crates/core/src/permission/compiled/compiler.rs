//! Compiles a permission set.

use hashbrown::HashTable;

use super::hash::{hash, hash_name, hash_words, tag};
use super::{
    CompiledSet, FIRST_PAIR, HeldBits, LINEAR_SCAN_MAX, Pair, RareFields, Row, Scope, Which,
};
use crate::id::Id;
use crate::permission::{Action, Permission, ResourceType, Target, name_codes};

/// A [`CompiledSet`] under construction.
#[derive(Default)]
pub(super) struct Compiler {
    held: HeldBits,
    /// Permissions that are represented as bits.
    whole: Vec<Row>,
    /// All other permissions.
    singles: Vec<Row>,
    /// Hashes of `singles`, for the lookup.
    hashes: Vec<u64>,
    pairs: Vec<Pair>,
    names: Vec<Box<str>>,
}

impl Compiler {
    pub(super) fn add(&mut self, permission: &Permission, own: Id, user: Option<Id>) {
        let Permission { action, resource } = permission;
        let order = u16::try_from(self.whole.len() + self.singles.len());
        // No record is large enough to get here. A permission that does not fit allows nothing.
        let (Some(words), Ok(order)) = (self.words(*action, resource.kind), order) else {
            return;
        };
        let (scope, organization) = Scope::of(resource.organization, own);
        let (which, id, hash) = match &resource.target {
            Target::Any => (Which::Any, 0, hash(words, Which::Any, organization)),
            Target::Id(id) => {
                let (which, id) = Which::of(*id, own, user);
                (which, id, hash(words, which, id))
            }
            Target::Name(name) => {
                let hash = hash(words, Which::Name, hash_name(name));
                self.names.push(name.clone());
                (Which::Name, self.names.len() as u64 - 1, hash)
            }
        };
        let row = Row { organization, id, order, words, tag: tag(hash), scope, which };
        let pair = words.checked_sub(FIRST_PAIR);
        let (held, bit) = match pair.and_then(|number| self.pairs.get_mut(usize::from(number))) {
            Some(pair) => (&mut pair.held, 1),
            None => (&mut self.held, 1 << words),
        };
        match (which, scope) {
            (Which::Any, Scope::All) => held.any |= bit,
            (Which::Any, Scope::Own) => held.own |= bit,
            _ => {
                held.some |= bit;
                self.singles.push(row);
                return self.hashes.push(hash);
            }
        }
        self.whole.push(row);
    }

    /// Returns the code of two names, or the number assigned to them in this set.
    fn words(&mut self, action: Action, kind: ResourceType) -> Option<u16> {
        let code = name_codes::code(action, kind);
        if code < name_codes::CODES {
            return Some(code.into());
        }
        let same = |pair: &Pair| pair.action == action && pair.kind == kind;
        let known = self.pairs.iter().position(same);
        let number = u16::try_from(known.unwrap_or(self.pairs.len())).ok()?;
        let number = number.checked_add(FIRST_PAIR)?;
        if known.is_none() {
            let held = HeldBits::default();
            self.pairs.push(Pair { action, kind, held });
        }
        Some(number)
    }

    pub(super) fn finish(self) -> CompiledSet {
        let singles = self.singles.len();
        let mut by_target = HashTable::new();
        if singles > LINEAR_SCAN_MAX {
            by_target = HashTable::with_capacity(singles);
            for (number, hash) in (0..=u16::MAX).zip(&self.hashes) {
                by_target.insert_unique(*hash, number, |_| 0);
            }
        }
        let mut by_words = HashTable::with_capacity(self.pairs.len());
        for (number, pair) in (FIRST_PAIR..=u16::MAX).zip(&self.pairs) {
            by_words.insert_unique(hash_words(pair.action, pair.kind), number, |_| 0);
        }
        let is_needed =
            singles > LINEAR_SCAN_MAX || !self.pairs.is_empty() || !self.names.is_empty();
        let more =
            RareFields { by_target, pairs: self.pairs.into(), by_words, names: self.names.into() };
        let mut rows = self.singles;
        rows.extend(self.whole);
        CompiledSet {
            held: self.held,
            rows: rows.into(),
            singles,
            more: is_needed.then(|| Box::new(more)),
        }
    }
}
