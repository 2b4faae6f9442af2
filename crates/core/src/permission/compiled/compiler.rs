//! How a compiled set is made.

use super::slots::Slots;
use super::{CompiledSet, FIRST_PAIR, Held, Pair, Row, Scope, Texts, Which, hash_name, hash_words};
use crate::id::Id;
use crate::permission::{Action, Permission, ResourceType, Target, words};

/// A [`CompiledSet`] in the making.
#[derive(Default)]
pub(super) struct Compiler {
    held: Held,
    rows: Vec<Row>,
    /// Number and hash of the rows that are not bits.
    singles: Vec<(u32, u64)>,
    pairs: Vec<Pair>,
    names: Vec<Box<str>>,
}

impl Compiler {
    pub(super) fn add(&mut self, permission: &Permission, own: Id, user: Option<Id>) {
        let Permission { action, resource } = permission;
        let words = self.words(*action, resource.kind);
        let (scope, organization) = Scope::of(resource.organization, own);
        let (which, id) = match &resource.target {
            Target::Any => (Which::Any, 0),
            Target::Id(id) => Which::of(*id, own, user),
            Target::Name(name) => {
                self.names.push(name.clone());
                (Which::Name, self.names.len() as u64 - 1)
            }
        };
        let hash = match (&resource.target, scope) {
            (Target::Any, Scope::All | Scope::Own) => None,
            (Target::Any, Scope::Other) => Some(which.hash(words, organization)),
            (Target::Id(_), _) => Some(which.hash(words, id)),
            (Target::Name(name), _) => Some(hash_name(words, name)),
        };
        let other = words.checked_sub(FIRST_PAIR);
        let pair = other.and_then(|number| self.pairs.get_mut(number as usize));
        let (held, bit) = match pair {
            Some(pair) => (&mut pair.held, 1),
            None => (&mut self.held, 1 << words),
        };
        match (hash, scope) {
            (Some(_), _) => held.some |= bit,
            (None, Scope::All) => held.any |= bit,
            (None, _) => held.own |= bit,
        }
        if let Some(hash) = hash {
            self.singles.push((self.rows.len() as u32, hash));
        }
        self.rows.push(Row {
            words,
            scope,
            which,
            organization,
            id,
        });
    }

    /// The code of two words, or the number that they get here.
    fn words(&mut self, action: Action, kind: ResourceType) -> u32 {
        let code = words::code(action, kind);
        if code < words::CODES {
            return code.into();
        }
        let same = |pair: &Pair| pair.action == action && pair.kind == kind;
        let known = self.pairs.iter().position(same).unwrap_or_else(|| {
            let held = Held::default();
            self.pairs.push(Pair { action, kind, held });
            self.pairs.len() - 1
        });
        FIRST_PAIR + known as u32
    }

    pub(super) fn finish(self) -> CompiledSet {
        let hashes = (FIRST_PAIR..).zip(&self.pairs);
        let hashes = hashes.map(|(number, pair)| (number, hash_words(pair.action, pair.kind)));
        let texts = Texts {
            by_words: Slots::of(&hashes.collect::<Vec<_>>()),
            pairs: self.pairs.into(),
            names: self.names.into(),
        };
        CompiledSet {
            held: self.held,
            rows: self.rows.into(),
            singles: Slots::of(&self.singles),
            texts: (texts != Texts::default()).then(|| Box::new(texts)),
        }
    }
}
