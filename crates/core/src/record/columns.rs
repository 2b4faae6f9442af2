//! Columns of a record, and their codes in stores, backups and MACs.

use crate::authorization::Origin;
use crate::id::Id;
use crate::status::Status;

/// The columns that [`TokenStore::find`](crate::store::TokenStore::find) can filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Columns {
    /// Organization of the record.
    pub organization: Option<Id>,
    /// User of the record.
    pub user: Option<Id>,
    /// Status of the record.
    pub status: Option<Status>,
    /// API through which the record was created.
    pub origin: Option<Origin>,
}

/// Statuses by their codes.
const STATUSES: [Option<Status>; 4] =
    [None, Some(Status::Active), Some(Status::Inactive), Some(Status::Revoked)];

/// Origins by their codes.
const ORIGINS: [Option<Origin>; 4] =
    [None, Some(Origin::V2), Some(Origin::V0), Some(Origin::Embedder)];

fn code<T: PartialEq>(all: &[Option<T>; 4], one: &Option<T>) -> u8 {
    let at = all.iter().position(|each| each == one);
    // Every value is in its table.
    at.unwrap_or_default() as u8
}

impl Columns {
    /// Returns the status as stores write it: 0 for none, else 1 to 3.
    pub fn status_code(&self) -> u8 {
        code(&STATUSES, &self.status)
    }

    /// Returns the origin as stores write it: 0 for none, else 1 to 3.
    pub fn origin_code(&self) -> u8 {
        code(&ORIGINS, &self.origin)
    }

    /// Decodes the columns from ids as numbers (0 for none) and the codes of status and origin.
    /// Returns `None` for an unknown code.
    pub fn from_codes(organization: u64, user: u64, status: u8, origin: u8) -> Option<Self> {
        Some(Self {
            organization: Id::new(organization),
            user: Id::new(user),
            status: *STATUSES.get(usize::from(status))?,
            origin: *ORIGINS.get(usize::from(origin))?,
        })
    }
}
