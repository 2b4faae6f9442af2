//! The plan of an import: all rows are checked and nothing is written.

use super::bad_row::{BadRow, ImportList};
use super::file::ImportFile;
use super::owners::OwnerName;
use super::packed_sets::Sets;
use super::planner::Planner;
use super::rows::AuthorizationDetails;
use crate::admin_error::AdminError;
use crate::id::Id;
use crate::maintenance::{IfRevoked, ImportItem, Maintenance};
use crate::time::Timestamp;
use crate::token::{MalformedToken, Prefix};

/// Defaults for rows without an owner, and options of the import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    /// Organization of rows without one, such as those printed by `influx auth list --json`.
    pub organization: Option<OwnerName>,
    /// Handling of rows that the journal knows as revoked or deleted.
    pub if_revoked: IfRevoked,
}

/// Numbers of entities of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Counts {
    /// Number of organizations.
    pub organizations: usize,
    /// Number of users.
    pub users: usize,
    /// Number of registered bucket names.
    pub buckets: usize,
    /// Number of authorizations.
    pub authorizations: usize,
}

impl Counts {
    /// Returns the sum.
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

/// A checked import: new entities and invalid rows.
#[derive(Debug)]
pub struct Plan {
    /// Organizations, users and buckets, in this order.
    pub(super) items: [Vec<ImportItem>; 3],
    /// Set-up to import.
    pub(super) set_up: Option<ImportItem>,
    pub(super) rows: Vec<PlannedAuthorization>,
    pub(super) sets: Sets,
    pub(super) now: Timestamp,
    pub(super) if_revoked: IfRevoked,
    pub(super) known: Counts,
    pub(super) bad: Vec<BadRow>,
}

/// An authorization to import.
#[derive(Debug)]
pub(super) struct PlannedAuthorization {
    pub(super) id: Id,
    pub(super) organization: Id,
    pub(super) user: Option<Id>,
    pub(super) details: Box<AuthorizationDetails>,
}

impl Plan {
    /// Compares `file` with itself and with the store of `maintenance`.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] if the store cannot be read. Invalid rows are no error; [`Plan::bad`]
    /// returns them.
    pub fn new(
        file: ImportFile,
        maintenance: &Maintenance,
        defaults: &Defaults,
    ) -> Result<Self, AdminError> {
        Self::watched(file, maintenance, defaults, &mut |_| ())
    }

    /// Creates a plan as [`Plan::new`] does, and calls `progress` regularly with the number of
    /// authorizations that were checked.
    ///
    /// # Errors
    ///
    /// The same as those of [`Plan::new`].
    pub fn watched(
        file: ImportFile,
        maintenance: &Maintenance,
        defaults: &Defaults,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Self, AdminError> {
        Planner::new(maintenance, defaults).run(file, progress)
    }

    /// Returns the invalid rows, in the order of the lists in the file.
    pub fn bad(&self) -> &[BadRow] {
        &self.bad
    }

    /// Returns the numbers of entities that the store already has.
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

    /// Returns the numbers of entities that [`Plan::write`] will write.
    pub fn new_items(&self) -> Counts {
        let [organizations, users, buckets] = self.items.each_ref().map(Vec::len);
        Counts { organizations, users, buckets, authorizations: self.rows.len() }
    }
}

impl PlannedAuthorization {
    pub(super) fn item(
        &self,
        prefix: Prefix,
        sets: &Sets,
        now: Timestamp,
    ) -> Result<ImportItem, MalformedToken> {
        let Self { id, organization, user, ref details } = *self;
        let authorization = details.authorization(id, organization, user, sets, now);
        details.secret.item(prefix, authorization)
    }
}
