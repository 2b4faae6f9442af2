//! A permission set as a check reads it.

mod compiler;
mod slots;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::words;
use super::{Action, Permission, PermissionSet, Request, Resource, ResourceType, Target, Wanted};
use crate::id::Id;

use compiler::Compiler;
use slots::Slots;

/// A [`PermissionSet`], relative to the owners of its authorization: their ids are written as "this organization" and
/// "this user", so that what is the same to its owners is equal, and kept once.
///
/// It allows what the set allows, in a time that does not grow with the set: permissions for whole types in all
/// organizations or in this one are bits, those for single resources and for other organizations are found by a hash.
/// Only those for one id in several organizations are searched one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CompiledSet {
    /// What is held of each pair of well-known words: the bit with the number of its code.
    held: Held,
    /// The permissions, in the order of the set.
    rows: Box<[Row]>,
    /// Those that are for single resources or for other organizations.
    singles: Slots,
    texts: Option<Box<Texts>>,
}

/// How much is held, in three sets of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Held {
    /// All of the type in all organizations.
    any: u64,
    /// All of the type in this organization.
    own: u64,
    /// Something of the type; what, tell the rows.
    some: u64,
}

/// What is not a number in a set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Texts {
    /// Pairs of words that have no code; their numbers go on from the codes.
    pairs: Box<[Pair]>,
    by_words: Slots,
    /// Names of resources.
    names: Box<[Box<str>]>,
}

/// Two words without a code, and what is held of them: the first bit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pair {
    action: Action,
    kind: ResourceType,
    held: Held,
}

/// A permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    /// The code of its words, or their number.
    words: u32,
    scope: Scope,
    which: Which,
    /// The organization, if it is another one.
    organization: u64,
    /// The id, or the number of the name.
    id: u64,
}

/// In which organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
enum Scope {
    All,
    Own,
    Other,
}

/// Which resources of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
enum Which {
    Any,
    ThisUser,
    ThisOrganization,
    Id,
    Name,
}

impl CompiledSet {
    /// The set of an authorization of these owners.
    pub(crate) fn of(set: &PermissionSet, organization: Id, user: Option<Id>) -> Self {
        let mut compiler = Compiler::default();
        for permission in set.iter() {
            compiler.add(permission, organization, user);
        }
        compiler.finish()
    }

    /// Whether one of the permissions covers `request`, the owners being those for which the set was made.
    #[inline]
    pub(crate) fn covers(&self, request: &Request<'_>, organization: Id, user: Option<Id>) -> bool {
        let code = words::code(request.action, request.kind);
        if code >= words::CODES {
            return self.covers_other_words(request, organization, user);
        }
        let own = request.organization == Some(organization);
        self.held.whole(1 << code, own)
            || (self.held.some & (1 << code) != 0
                && self.some(code.into(), request, organization, user))
    }

    /// The set again, in its order.
    pub(crate) fn restore(&self, organization: Id, user: Option<Id>) -> PermissionSet {
        let permissions = self.rows.iter();
        permissions
            .filter_map(|row| self.permission(row, organization, user))
            .collect()
    }

    #[inline(never)]
    fn covers_other_words(
        &self,
        request: &Request<'_>,
        organization: Id,
        user: Option<Id>,
    ) -> bool {
        let Some(texts) = &self.texts else {
            return false;
        };
        let Some((number, pair)) = texts.pair(request.action, request.kind) else {
            return false;
        };
        let own = request.organization == Some(organization);
        pair.held.whole(1, own)
            || (pair.held.some != 0 && self.some(number, request, organization, user))
    }

    /// Whether a permission for a single resource or for another organization covers `request`.
    #[inline(never)]
    fn some(&self, words: u32, request: &Request<'_>, organization: Id, user: Option<Id>) -> bool {
        let (scope, other) = Scope::of(request.organization, organization);
        let whole = || {
            self.has(Which::Any.hash(words, other), |row| {
                row.words == words && row.which == Which::Any && row.organization == other
            })
        };
        if scope == Scope::Other && whole() {
            return true;
        }
        let within = |row: &Row| {
            row.scope == Scope::All || (row.scope == scope && row.organization == other)
        };
        match request.wanted {
            Wanted::Any => false,
            Wanted::Id(id) => {
                let (which, id) = Which::of(id, organization, user);
                self.has(which.hash(words, id), |row| {
                    let same = row.words == words && row.which == which && row.id == id;
                    same && (within(row) || scope == Scope::All)
                })
            }
            Wanted::Name(name) => self.has(hash_name(words, name), |row| {
                let same = row.words == words && row.which == Which::Name;
                same && within(row) && self.name(row.id) == Some(name)
            }),
        }
    }

    #[inline]
    fn has(&self, hash: u64, is_it: impl Fn(&Row) -> bool) -> bool {
        let found = self.singles.find(hash, |number| {
            self.rows.get(number as usize).is_some_and(&is_it)
        });
        found.is_some()
    }

    fn name(&self, number: u64) -> Option<&str> {
        let number = usize::try_from(number).ok()?;
        let name = self.texts.as_ref()?.names.get(number)?;
        Some(name)
    }

    fn permission(&self, row: &Row, organization: Id, user: Option<Id>) -> Option<Permission> {
        let (action, kind) = match u8::try_from(row.words) {
            Ok(code) if code < words::CODES => words::pair(code)?,
            _ => {
                let number = row.words.checked_sub(words::CODES.into())?;
                let pair = self.texts.as_ref()?.pairs.get(number as usize)?;
                (pair.action, pair.kind)
            }
        };
        let organization_id = match row.scope {
            Scope::All => None,
            Scope::Own => Some(organization),
            Scope::Other => Some(Id::new(row.organization)?),
        };
        let target = match row.which {
            Which::Any => Target::Any,
            Which::ThisUser => Target::Id(user?),
            Which::ThisOrganization => Target::Id(organization),
            Which::Id => Target::Id(Id::new(row.id)?),
            Which::Name => Target::Name(self.name(row.id)?.into()),
        };
        let resource = Resource {
            kind,
            organization: organization_id,
            target,
        };
        Some(Permission { action, resource })
    }
}

impl Held {
    #[inline]
    fn whole(self, bit: u64, own: bool) -> bool {
        let own = if own { self.own } else { 0 };
        (self.any | own) & bit != 0
    }
}

impl Texts {
    /// The number of two words without a code.
    #[inline]
    fn pair(&self, action: Action, kind: ResourceType) -> Option<(u32, &Pair)> {
        let pair = |number: u32| self.pairs.get((number - FIRST_PAIR) as usize);
        let same =
            |number| pair(number).is_some_and(|one| one.kind == kind && one.action == action);
        let number = self.by_words.find(hash_words(action, kind), same)?;
        Some((number, pair(number)?))
    }
}

impl Scope {
    /// The organization of a permission or request, for somebody of the organization `own`.
    #[inline]
    fn of(organization: Option<Id>, own: Id) -> (Self, u64) {
        match organization {
            None => (Self::All, 0),
            Some(id) if id == own => (Self::Own, 0),
            Some(id) => (Self::Other, id.number()),
        }
    }
}

impl Which {
    /// The resource with this id, for somebody of these owners.
    #[inline]
    fn of(id: Id, organization: Id, user: Option<Id>) -> (Self, u64) {
        match id {
            id if Some(id) == user => (Self::ThisUser, 0),
            id if id == organization => (Self::ThisOrganization, 0),
            id => (Self::Id, id.number()),
        }
    }

    /// Under which hash the permissions are that are for this resource, or for all of the organization `number`.
    #[inline]
    fn hash(self, words: u32, number: u64) -> u64 {
        (number ^ u64::from(words) << 40 ^ (self as u64) << 32).wrapping_mul(GOLDEN)
    }
}

/// 2^64 divided by the golden ratio: its multiples are spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn hash_name(words: u32, name: &str) -> u64 {
    Which::Name.hash(words, FixedState::default().hash_one(name))
}

#[inline]
fn hash_words(action: Action, kind: ResourceType) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(action.0.bytes());
    hasher.write(kind.0.bytes());
    hasher.finish()
}

/// The number of the first pair of words without a code.
const FIRST_PAIR: u32 = words::CODES as u32;
