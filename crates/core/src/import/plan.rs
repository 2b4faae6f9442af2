//! What would become of a file in a store: every row is looked at, and nothing is written.

use super::bad_row::{BadRow, ImportList};
use super::file::ImportFile;
use super::owners::OwnerName;
use super::planner::Planner;
use super::rows::AuthorizationDetails;
use super::sets::Sets;
use crate::error::Error;
use crate::id::Id;
use crate::issuer::{IfRevoked, ImportItem, Issuer};
use crate::time::Timestamp;
use crate::token::{MalformedToken, Prefix};

/// What counts for rows that say nothing else, and what the operator decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    /// The organization of rows that name none, as those that `influx auth list --json` prints.
    pub organization: Option<OwnerName>,
    /// What to do with rows that had ended before, as the journal knows.
    pub if_revoked: IfRevoked,
}

/// How many of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Counts {
    /// Organizations.
    pub organizations: usize,
    /// Users.
    pub users: usize,
    /// Names of buckets.
    pub buckets: usize,
    /// Authorizations.
    pub authorizations: usize,
}

impl Counts {
    /// All together.
    pub fn total(&self) -> usize {
        self.organizations + self.users + self.buckets + self.authorizations
    }

    pub(super) fn of(&mut self, list: ImportList) -> &mut usize {
        match list {
            ImportList::Organizations => &mut self.organizations,
            ImportList::Users => &mut self.users,
            ImportList::Buckets => &mut self.buckets,
            ImportList::Authorizations | ImportList::Unnamed => &mut self.authorizations,
        }
    }
}

/// What is new in a file, and what of it cannot be taken.
#[derive(Debug)]
pub struct Plan {
    /// Organizations, users and buckets, in this order.
    pub(super) items: [Vec<ImportItem>; 3],
    /// That the store was set up.
    pub(super) set_up: Option<ImportItem>,
    pub(super) rows: Vec<PlannedAuthorization>,
    pub(super) sets: Sets,
    pub(super) now: Timestamp,
    pub(super) if_revoked: IfRevoked,
    pub(super) known: Counts,
    pub(super) bad: Vec<BadRow>,
}

/// An authorization that can be taken.
#[derive(Debug)]
pub(super) struct PlannedAuthorization {
    pub(super) id: Id,
    pub(super) organization: Id,
    pub(super) user: Option<Id>,
    pub(super) details: Box<AuthorizationDetails>,
}

impl Plan {
    /// Compares `file` with itself and with the store of `issuer`.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the store cannot be read. Rows that are bad are told by [`Plan::bad`].
    pub fn new(file: ImportFile, issuer: &Issuer, defaults: &Defaults) -> Result<Self, Error> {
        Self::watched(file, issuer, defaults, &mut |_| ())
    }

    /// As [`Plan::new`]; tells `progress` now and then how many authorizations it has looked at.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`].
    pub fn watched(
        file: ImportFile,
        issuer: &Issuer,
        defaults: &Defaults,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Self, Error> {
        Planner::new(issuer, defaults).run(file, progress)
    }

    /// What cannot be taken, in the order of the file's lists.
    pub fn bad(&self) -> &[BadRow] {
        &self.bad
    }

    /// How many items the store has already.
    pub fn known(&self) -> Counts {
        self.known
    }

    pub(super) fn items_of(&mut self, list: ImportList) -> Option<&mut Vec<ImportItem>> {
        let [organizations, users, buckets] = &mut self.items;
        match list {
            ImportList::Organizations => Some(organizations),
            ImportList::Users => Some(users),
            ImportList::Buckets => Some(buckets),
            ImportList::Authorizations | ImportList::Unnamed => None,
        }
    }

    /// How many items [`Plan::write`] would write.
    pub fn new_items(&self) -> Counts {
        let [organizations, users, buckets] = self.items.each_ref().map(Vec::len);
        Counts {
            organizations,
            users,
            buckets,
            authorizations: self.rows.len(),
        }
    }
}

impl PlannedAuthorization {
    pub(super) fn item(
        &self,
        prefix: Prefix,
        sets: &Sets,
        now: Timestamp,
    ) -> Result<ImportItem, MalformedToken> {
        let Self {
            id,
            organization,
            user,
            ref details,
        } = *self;
        let authorization = details.authorization(id, organization, user, sets, now);
        details.secret.item(prefix, authorization)
    }
}
