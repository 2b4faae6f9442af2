//! Resolves the organization and user of a row: in the file, in the store, or by creating them.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::bad_row::{ImportList, Refusal, RowPosition};
use super::rows::OwnerRow;
use crate::admin_error::AdminError;
use crate::field::Field;
use crate::id::Id;
use crate::maintenance::{IfRevoked, ImportItem, Maintenance};
use crate::owner::{Organization, User};
use crate::record::Kind;
use crate::status::Status;
use crate::time::Timestamp;

/// A reference to an organization or user by id or name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OwnerName {
    /// Id of the owner.
    Id(Id),
    /// Name of the owner.
    Name(Box<str>),
}

impl From<&str> for OwnerName {
    /// Parses 16 hexadecimal digits as an id and everything else as a name.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.into()), Self::Id)
    }
}

/// The organizations, or the users, of a file and a store.
pub(super) struct OwnerResolver<'a> {
    maintenance: &'a Maintenance,
    list: ImportList,
    if_revoked: IfRevoked,
    now: Timestamp,
    /// Names that rows give to ids, for owners that have to be created.
    pub(super) given_names: HashMap<Id, Box<str>>,
    by_id: HashMap<Id, Result<(), String>>,
    by_name: HashMap<Box<str>, Result<Id, String>>,
    /// Owners to create, and if a valid row needs them.
    made: BTreeMap<Id, (ImportItem, bool)>,
}

impl<'a> OwnerResolver<'a> {
    pub(super) fn new(
        maintenance: &'a Maintenance,
        list: ImportList,
        if_revoked: IfRevoked,
    ) -> Self {
        Self {
            maintenance,
            list,
            if_revoked,
            now: maintenance.now(),
            given_names: HashMap::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// Adds a row of the file. Returns `true` if the store already has it.
    pub(super) fn take(&mut self, row: &OwnerRow, item: &ImportItem) -> Result<bool, Refusal> {
        let with_id = self.by_id.get(&row.id).map(|_| "id");
        let named = row.name().and_then(|name| self.by_name.get(name));
        if let Some(what) = with_id.or(named.map(|_| "name")) {
            return Err(Refusal::Row(format!("an invalid row has the same {what}")));
        }
        let known = self.maintenance.check_import(item, self.if_revoked)?;
        self.by_id.insert(row.id, Ok(()));
        if let Some(name) = row.name() {
            self.by_name.insert(name.into(), Ok(row.id));
        }
        Ok(known)
    }

    /// Marks an owner whose row is invalid. Rows that refer to it are then invalid too, so that a
    /// reference does not create the owner.
    pub(super) fn refuse(&mut self, index: usize, id: Option<Id>, name: Option<Box<str>>) {
        let list = self.list;
        let reason = format!("{} is invalid", RowPosition { list, index });
        if let Some(name) = name {
            self.by_name.entry(name).or_insert(Err(reason.clone()));
        }
        if let Some(id) = id {
            self.by_id.entry(id).or_insert(Err(reason));
        }
    }

    /// Returns the id of the owner. An unknown owner is added to those to create.
    pub(super) fn find(&mut self, meant: &OwnerName) -> Result<Id, Refusal> {
        let found = match meant {
            OwnerName::Id(id) => self.find_id(*id)?.map(|()| *id),
            OwnerName::Name(name) => self.find_name(name)?,
        };
        found.map_err(|reason| {
            let owner = match self.list {
                ImportList::Users => Field::User,
                _ => Field::Organization,
            };
            Refusal::Row(format!("its {owner} is invalid: {reason}"))
        })
    }

    /// Resolves the owner in advance if it is given by id.
    pub(super) fn find_if_id(&mut self, meant: Option<&OwnerName>) -> Result<(), AdminError> {
        match meant {
            Some(OwnerName::Id(id)) => self.find_id(*id).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Marks the owner as needed by a valid row.
    pub(super) fn need(&mut self, id: Id) {
        if let Some((_, needed)) = self.made.get_mut(&id) {
            *needed = true;
        }
    }

    /// Returns the owners to create.
    pub(super) fn into_needed(self) -> impl Iterator<Item = ImportItem> {
        let made = self.made.into_values();
        made.filter_map(|(item, needed)| needed.then_some(item))
    }

    fn find_id(&mut self, id: Id) -> Result<Result<(), String>, AdminError> {
        if let Some(found) = self.by_id.get(&id) {
            return Ok(found.clone());
        }
        let given = self.given_names.get(&id);
        let name = given.cloned().unwrap_or_else(|| id.to_string().into());
        let made = Refusal::of(self.make(id, &name))?;
        self.by_id.insert(id, made.clone());
        Ok(made)
    }

    fn find_name(&mut self, name: &str) -> Result<Result<Id, String>, AdminError> {
        if let Some(found) = self.by_name.get(name) {
            return Ok(found.clone());
        }
        let kind = match self.list {
            ImportList::Users => Kind::USER,
            _ => Kind::ORGANIZATION,
        };
        let stored = self.maintenance.changes.find_named(kind, name.as_bytes())?;
        let found = match stored {
            Some(entity) => Ok(entity.key().id),
            None => {
                let id = self.maintenance.fresh_id();
                Refusal::of(self.make(id, name))?.map(|()| id)
            }
        };
        if let Ok(id) = &found {
            self.by_id.insert(*id, Ok(()));
        }
        self.by_name.insert(name.into(), found.clone());
        Ok(found)
    }

    /// Adds an owner to those to create, unless the store has it.
    fn make(&mut self, id: Id, name: &str) -> Result<(), Refusal> {
        let item = self.item(id, name);
        if self.maintenance.check_import(&item, self.if_revoked)? {
            return Ok(());
        }
        match self.by_name.entry(name.into()) {
            Entry::Occupied(_) => {
                return Err(Refusal::row("another one in the file has the same name"));
            }
            Entry::Vacant(free) => free.insert(Ok(id)),
        };
        self.made.insert(id, (item, false));
        Ok(())
    }

    fn item(&self, id: Id, name: &str) -> ImportItem {
        let (name, created_at, updated_at) = (name.into(), self.now, self.now);
        match self.list {
            ImportList::Users => ImportItem::User(User {
                id,
                name,
                status: Status::Active,
                operator: false,
                memberships: Vec::new(),
                password_hash: None,
                created_at,
                updated_at,
            }),
            _ => ImportItem::Organization(Organization {
                id,
                name,
                description: String::new(),
                status: Status::Active,
                created_at,
                updated_at,
            }),
        }
    }
}
