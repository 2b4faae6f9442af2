//! Permission sets compiled for fast checks.

mod compiler;
mod hash;
#[cfg(test)]
mod tests;

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;

use super::name_codes;
use super::{
    Action, Permission, PermissionSet, Request, RequestTarget, Resource, ResourceType, Target,
};
use crate::id::Id;

use compiler::Compiler;
use hash::{hash, hash_name, hash_words, tag};

/// A [`PermissionSet`] compiled for matching, relative to the owners of its authorization. The ids
/// of the owners are replaced by "this organization" and "this user", so that authorizations of
/// different owners can share one compiled set.
///
/// It covers the same requests as the set, in a time that does not grow with the set. Permissions
/// for whole types in all organizations or in this one are bits. Those for single resources and for
/// other organizations are found by hash if there are more than a few. Only permissions for the
/// same id in several organizations are searched linearly.
#[derive(Debug, Clone)]
pub(crate) struct CompiledSet {
    /// Permissions on well-known names, one bit per code.
    held: HeldBits,
    /// All permissions; those that are not represented as bits come first.
    rows: Box<[Row]>,
    /// Number of permissions that are not represented as bits.
    singles: usize,
    /// Fields that few sets need.
    more: Option<Box<RareFields>>,
}

/// Coverage of each code, as three bit sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct HeldBits {
    /// The whole type in all organizations.
    any: u64,
    /// The whole type in this organization.
    own: u64,
    /// Some resources of the type, listed in the rows.
    some: u64,
}

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    /// Organization, if it is not this one.
    organization: u64,
    /// Id, or index of the name.
    id: u64,
    /// Index in the original set.
    order: u16,
    /// Code of action and type, or the number assigned to them.
    words: u16,
    /// Some bits of the hash by which the row is found.
    tag: u16,
    scope: Scope,
    which: Which,
}

#[derive(Debug, Clone, Default)]
struct RareFields {
    /// Indices of the rows that are not represented as bits, if there are many.
    by_target: HashTable<u16>,
    /// Actions and types without a code. Their numbers follow the codes.
    pairs: Box<[Pair]>,
    by_words: HashTable<u16>,
    /// Names of resources.
    names: Box<[Box<str>]>,
}

/// An action and a type without a code, and their coverage in the lowest bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pair {
    action: Action,
    kind: ResourceType,
    held: HeldBits,
}

/// The organizations of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
enum Scope {
    All,
    Own,
    Other,
}

/// The resources of a permission within its type.
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
    /// Compiles the set of an authorization of these owners.
    pub(crate) fn of(set: &PermissionSet, organization: Id, user: Option<Id>) -> Self {
        let mut compiler = Compiler::default();
        for permission in set.iter() {
            compiler.add(permission, organization, user);
        }
        compiler.finish()
    }

    /// Returns `true` if a permission covers `request`. The owners must be those that the set was
    /// compiled for, or equivalent ones.
    #[inline]
    pub(crate) fn covers(&self, request: &Request<'_>, organization: Id, user: Option<Id>) -> bool {
        let code = name_codes::code(request.action, request.kind);
        if code >= name_codes::CODES {
            return self.covers_other_words(request, organization, user);
        }
        let own = request.organization == Some(organization);
        self.held.whole(1 << code, own)
            || (self.held.some & (1 << code) != 0
                && self.some(code.into(), request, organization, user))
    }

    /// Restores the permission set, in its original order.
    pub(crate) fn decompile(&self, organization: Id, user: Option<Id>) -> PermissionSet {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.order);
        rows.into_iter().filter_map(|row| self.permission(row, organization, user)).collect()
    }

    #[inline(never)]
    fn covers_other_words(
        &self,
        request: &Request<'_>,
        organization: Id,
        user: Option<Id>,
    ) -> bool {
        let Some(more) = &self.more else {
            return false;
        };
        let Some((number, pair)) = more.pair(request.action, request.kind) else {
            return false;
        };
        let own = request.organization == Some(organization);
        pair.held.whole(1, own)
            || (pair.held.some != 0 && self.some(number, request, organization, user))
    }

    /// Returns `true` if a permission for a single resource or another organization covers
    /// `request`.
    #[inline(never)]
    fn some(&self, words: u16, request: &Request<'_>, organization: Id, user: Option<Id>) -> bool {
        let (scope, other) = Scope::of(request.organization, organization);
        if scope == Scope::Other {
            let whole = self.has(hash(words, Which::Any, other), |row| {
                let same = row.words == words && row.which == Which::Any;
                same && row.scope == scope && row.organization == other
            });
            if whole {
                return true;
            }
        }
        let within = |row: &Row| {
            row.scope == Scope::All || (row.scope == scope && row.organization == other)
        };
        match request.wanted {
            RequestTarget::Any => false,
            RequestTarget::Id(id) => {
                let (which, id) = Which::of(id, organization, user);
                self.has(hash(words, which, id), |row| {
                    let same = row.words == words && row.which == which && row.id == id;
                    same && (within(row) || scope == Scope::All)
                })
            }
            RequestTarget::Name(name) => {
                self.has(hash(words, Which::Name, hash_name(name)), |row| {
                    let same = row.words == words && row.which == Which::Name;
                    same && within(row) && self.name(row) == Some(name)
                })
            }
        }
    }

    /// Returns `true` if `is_it` holds for a row with this hash.
    #[inline]
    fn has(&self, hash: u64, is_it: impl Fn(&Row) -> bool) -> bool {
        let at = |number: usize| self.rows.get(number).is_some_and(&is_it);
        match &self.more {
            Some(more) if self.singles > LINEAR_SCAN_MAX => {
                let found = more.by_target.find(hash, |number| at(usize::from(*number)));
                found.is_some()
            }
            _ => {
                // Compare all tags first, without a branch that would often be mispredicted.
                let singles = self.rows.iter().take(self.singles.min(LINEAR_SCAN_MAX)).enumerate();
                let alike = |(number, row): (_, &Row)| u32::from(row.tag == tag(hash)) << number;
                let mut alike = singles.map(alike).fold(0, |all, one| all | one);
                while alike != 0 {
                    if at(alike.trailing_zeros() as usize) {
                        return true;
                    }
                    alike &= alike - 1;
                }
                false
            }
        }
    }

    /// Returns the tables that the rows index into.
    fn texts(&self) -> Option<(&[Pair], &[Box<str>])> {
        self.more.as_ref().map(|more| (&*more.pairs, &*more.names))
    }

    fn name(&self, row: &Row) -> Option<&str> {
        let number = usize::try_from(row.id).ok()?;
        let name = self.more.as_ref()?.names.get(number)?;
        Some(name)
    }

    fn permission(&self, row: &Row, organization: Id, user: Option<Id>) -> Option<Permission> {
        let (action, kind) = match row.words.checked_sub(FIRST_PAIR) {
            None => name_codes::pair(row.words as u8)?,
            Some(number) => {
                let pair = self.more.as_ref()?.pairs.get(usize::from(number))?;
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
            Which::Name => Target::Name(self.name(row)?.into()),
        };
        let resource = Resource { kind, organization: organization_id, target };
        Some(Permission { action, resource })
    }
}

impl PartialEq for CompiledSet {
    fn eq(&self, other: &Self) -> bool {
        // All other fields are derived from these.
        self.rows == other.rows && self.texts() == other.texts()
    }
}

impl Eq for CompiledSet {}

impl Hash for CompiledSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rows.hash(state);
        self.texts().hash(state);
    }
}

impl HeldBits {
    #[inline]
    fn whole(self, bit: u64, own: bool) -> bool {
        let own = if own { self.own } else { 0 };
        (self.any | own) & bit != 0
    }
}

impl RareFields {
    /// Returns the number of an action and a type without a code.
    #[inline]
    fn pair(&self, action: Action, kind: ResourceType) -> Option<(u16, &Pair)> {
        let pair = |number: u16| self.pairs.get(usize::from(number - FIRST_PAIR));
        let same = |number: &u16| {
            pair(*number).is_some_and(|one| one.kind == kind && one.action == action)
        };
        let number = *self.by_words.find(hash_words(action, kind), same)?;
        Some((number, pair(number)?))
    }
}

impl Scope {
    /// Encodes the organization of a permission or request, relative to the organization `own`.
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
    /// Encodes the resource with this id, relative to these owners.
    #[inline]
    fn of(id: Id, organization: Id, user: Option<Id>) -> (Self, u64) {
        match id {
            id if Some(id) == user => (Self::ThisUser, 0),
            id if id == organization => (Self::ThisOrganization, 0),
            id => (Self::Id, id.number()),
        }
    }
}

/// Maximum number of rows that are searched linearly; beyond it, rows are found by hash.
const LINEAR_SCAN_MAX: usize = 8;

/// Number of the first action and type without a code.
const FIRST_PAIR: u16 = name_codes::CODES as u16;
