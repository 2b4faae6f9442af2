//! Which organization and user a row means: one of the file, one of the store, or one that is made for it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::bad::{BadRow, List, Place};
use super::rows::OwnerRow;
use crate::error::{Error, Field};
use crate::id::Id;
use crate::issuer::{Caller, ImportItem, Issuer};
use crate::owner::{Organization, User};
use crate::status::Status;
use crate::time::Timestamp;

/// An organization or user, by id or by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OwnerName {
    /// The one with this id.
    Id(Id),
    /// The one with this name.
    Name(Box<str>),
}

impl From<&str> for OwnerName {
    /// 16 hexadecimal digits are an id, everything else is a name.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.into()), Self::Id)
    }
}

/// The organizations, or the users, of a file and a store.
pub(super) struct Owners<'a> {
    issuer: &'a Issuer,
    list: List,
    now: Timestamp,
    /// What rows call them that are made.
    given_names: HashMap<Id, Box<str>>,
    by_id: HashMap<Id, Result<(), String>>,
    by_name: HashMap<Box<str>, Result<Id, String>>,
    /// Those that must be made, and whether a good row needs them.
    made: BTreeMap<Id, (ImportItem, bool)>,
}

impl<'a> Owners<'a> {
    pub(super) fn new(
        issuer: &'a Issuer,
        list: List,
        now: Timestamp,
        given_names: HashMap<Id, Box<str>>,
    ) -> Self {
        Self {
            issuer,
            list,
            now,
            given_names,
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// Whoever means an owner whose row is bad is bad too: it must not come to life by another's mention.
    pub(super) fn note_bad(&mut self, bad: &BadRow) {
        if let Some(id) = bad.id {
            let reason = format!("{} is bad", bad.place);
            self.by_id.entry(id).or_insert(Err(reason));
        }
    }

    /// Takes a row of the file. True if the store has it already.
    ///
    /// # Errors
    ///
    /// Why it is bad.
    pub(super) fn take(&mut self, row: &OwnerRow, item: &ImportItem) -> Result<bool, String> {
        let place = Place {
            list: self.list,
            index: row.index,
        };
        if self.by_id.contains_key(&row.id) {
            return Err("another row before it has its id".into());
        }
        let named = row.name().map(Box::from);
        let free = !named.as_ref().is_some_and(|name| self.by_name.contains_key(name));
        let checked = match free {
            true => self.issuer.check_import(item).map_err(|error| told(&error)),
            false => Err("another row before it has its name".into()),
        };
        let known = |_: &bool| ();
        let noted = checked.as_ref().map(known).map_err(|_| format!("{place} is bad"));
        if let Some(name) = named.filter(|_| free) {
            self.by_name.insert(name, noted.clone().map(|()| row.id));
        }
        self.by_id.insert(row.id, noted);
        checked
    }

    /// The id of the owner that is meant; one that is nowhere is planned to be made.
    ///
    /// # Errors
    ///
    /// Why it cannot be had.
    pub(super) fn find(&mut self, meant: &OwnerName) -> Result<Id, String> {
        match meant {
            OwnerName::Id(id) => {
                if !self.by_id.contains_key(id) {
                    let given = self.given_names.get(id);
                    let name = given.cloned().unwrap_or_else(|| id.to_string().into());
                    let made = self.make(*id, &name);
                    self.by_id.insert(*id, made);
                }
                let found = self.by_id.get(id).cloned().unwrap_or(Ok(()));
                found.map(|()| *id).map_err(|reason| self.refusal(&reason))
            }
            OwnerName::Name(name) => {
                if !self.by_name.contains_key(name) {
                    let found = self.find_or_make(name);
                    self.by_name.insert(name.clone(), found);
                }
                let found = self.by_name.get(name).cloned();
                let found = found.unwrap_or_else(|| Err(String::new()));
                found.map_err(|reason| self.refusal(&reason))
            }
        }
    }

    /// A good row needs this owner.
    pub(super) fn need(&mut self, id: Id) {
        if let Some((_, needed)) = self.made.get_mut(&id) {
            *needed = true;
        }
    }

    /// Those that must be made.
    pub(super) fn into_needed(self) -> impl Iterator<Item = ImportItem> {
        let made = self.made.into_values();
        made.filter_map(|(item, needed)| needed.then_some(item))
    }

    fn find_or_make(&mut self, name: &str) -> Result<Id, String> {
        let stored = match self.list {
            List::Users => self.issuer.user_named(&Caller::Root, name).map(|one| one.id),
            _ => {
                let found = self.issuer.organization_named(&Caller::Root, name);
                found.map(|one| one.id)
            }
        };
        match stored {
            Ok(id) => Ok(id),
            Err(Error::NotFound(_)) => {
                let id = self.issuer.fresh_id();
                self.make(id, name)?;
                self.by_id.insert(id, Ok(()));
                Ok(id)
            }
            Err(error) => Err(told(&error)),
        }
    }

    /// Plans to make an owner, unless the store has it.
    fn make(&mut self, id: Id, name: &str) -> Result<(), String> {
        let item = self.item(id, name);
        let known = self.issuer.check_import(&item).map_err(|error| told(&error))?;
        if known {
            return Ok(());
        }
        match self.by_name.entry(name.into()) {
            Entry::Occupied(_) => return Err("another one in the file has its name".into()),
            Entry::Vacant(free) => free.insert(Ok(id)),
        };
        self.made.insert(id, (item, false));
        Ok(())
    }

    fn item(&self, id: Id, name: &str) -> ImportItem {
        let (created_at, updated_at) = (self.now, self.now);
        match self.list {
            List::Users => ImportItem::User(User {
                id,
                name: name.into(),
                status: Status::Active,
                operator: false,
                memberships: Vec::new(),
                password_hash: None,
                created_at,
                updated_at,
            }),
            _ => ImportItem::Organization(Organization {
                id,
                name: name.into(),
                description: String::new(),
                status: Status::Active,
                created_at,
                updated_at,
            }),
        }
    }

    fn refusal(&self, reason: &str) -> String {
        let owner = match self.list {
            List::Users => Field::User,
            _ => Field::Organization,
        };
        format!("its {owner} cannot be taken: {reason}")
    }
}

/// An error with its sources, in one line.
pub(super) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
