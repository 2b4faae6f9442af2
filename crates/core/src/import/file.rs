//! Reads an import file row by row, so that memory is only used for the fields that are kept.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader, Read};

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::bad_row::{BadRow, ImportError, ImportList, RowPosition};
use super::fields::{Fields, name, parsed};
use super::forms::SetUpForm;
use super::packed_sets::Sets;
use super::rows::{AuthorizationRow, BucketRow, Named, OwnerRow};
use super::tokens::Secret;
use crate::id::Id;
use crate::json_object::JsonObject;

/// The contents of an import file, not yet compared with a store.
///
/// The format is the JSON of InfluxDB's replies, with the lists of `GET /api/v2/…` in any order:
/// `{"orgs":[…],"users":[…],"buckets":[…],"authorizations":[…]}`. Lists may be omitted. The array
/// printed by `influx auth list --json` is accepted as well. Unknown keys are ignored.
#[derive(Debug, Default)]
pub struct ImportFile {
    pub(super) organizations: Vec<OwnerRow>,
    pub(super) users: Vec<OwnerRow>,
    pub(super) buckets: Vec<BucketRow>,
    pub(super) authorizations: Vec<AuthorizationRow>,
    /// List that contains the authorizations.
    pub(super) list: Option<ImportList>,
    pub(super) bad: Vec<BadRow>,
    /// Names of the invalid rows that have one.
    pub(super) names_of_bad_rows: HashMap<RowPosition, Box<str>>,
    /// First name that a row gives to each owner id.
    pub(super) names: [HashMap<Id, Box<str>>; 2],
    pub(super) sets: Sets,
    /// Set-up of the exported store, if it was set up.
    pub(super) set_up: Option<SetUpForm>,
}

const SET_UP: &str = "setUp";
const BUFFER: usize = 1 << 18;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl ImportFile {
    /// Reads a file completely. An authorization takes about 500 bytes of memory.
    ///
    /// # Errors
    ///
    /// [`ImportError`] if the file as a whole is refused. Invalid rows are returned by
    /// [`Plan::bad`](super::Plan::bad).
    pub fn read(input: impl Read) -> Result<Self, ImportError> {
        let input = BufReader::with_capacity(BUFFER, without_mark(input)?);
        let mut json = serde_json::Deserializer::from_reader(input);
        let mut reading = Reading::default();
        let read = json.deserialize_any(TopLevelVisitor(&mut reading));
        match read.and_then(|()| json.end()) {
            Ok(()) => Ok(reading.file),
            Err(error) if error.is_io() => Err(ImportError::Read(error.into())),
            Err(error) if error.is_data() => Err(ImportError::Form(reading.form(error.line()))),
            Err(error) => Err(ImportError::Syntax(error.to_string())),
        }
    }

    /// Returns `true` if the file contains keyed hashes, which need the key of the store that was
    /// exported.
    pub fn has_keyed_hashes(&self) -> bool {
        let is_keyed = |row: &AuthorizationRow| matches!(row.details.secret, Secret::Stored(_));
        self.authorizations.iter().any(is_keyed)
    }

    /// Returns the number of authorizations, without rows that cannot be parsed.
    pub fn authorizations(&self) -> usize {
        self.authorizations.len()
    }

    fn take(&mut self, list: ImportList, index: usize, raw: &RawValue) {
        if let Err((id, reason)) = self.row(list, index, raw) {
            let place = RowPosition { list, index };
            self.bad.push(BadRow { place, id, reason });
            let fields = Fields::of(raw).ok();
            let named =
                fields.and_then(|row| name("name", row.name).ok().flatten().map(Cow::into_owned));
            if let (Some(name), ImportList::Organizations | ImportList::Users) = (named, list) {
                self.names_of_bad_rows.insert(place, name.into());
            }
        }
    }

    fn row(
        &mut self,
        list: ImportList,
        index: usize,
        raw: &RawValue,
    ) -> Result<(), (Option<Id>, String)> {
        let row = Fields::of(raw).map_err(|reason| (None, reason))?;
        let id = parsed("id", row.id).map_err(|reason| (None, reason))?;
        let id = id.ok_or_else(|| (None, "`id` is missing".to_owned()))?;
        self.row_with_id(list, index, &row, id).map_err(|reason| (Some(id), reason))
    }

    fn row_with_id(
        &mut self,
        list: ImportList,
        index: usize,
        row: &Fields<'_>,
        id: Id,
    ) -> Result<(), String> {
        match list {
            ImportList::Organizations => {
                self.organizations.push(OwnerRow::read(index, row, id)?);
            }
            ImportList::Users => self.users.push(OwnerRow::read(index, row, id)?),
            ImportList::Buckets => {
                let organization = Named::organization(row)?;
                let row = BucketRow::read(index, row, id, &organization)?;
                self.buckets.push(row);
                self.remember([&organization, &Named::default()]);
            }
            ImportList::Authorizations | ImportList::Unnamed => {
                let owners = [&Named::organization(row)?, &Named::user(row)?];
                let row = AuthorizationRow::read(index, row, id, owners, &mut self.sets)?;
                self.authorizations.push(row);
                self.remember(owners);
            }
        }
        Ok(())
    }

    fn remember(&mut self, owners: [&Named<'_>; 2]) {
        for (names, owner) in self.names.iter_mut().zip(owners) {
            if let (Some(id), Some(name)) = (owner.id, &owner.name) {
                names.entry(id).or_insert_with(|| (**name).into());
            }
        }
    }
}

/// Skips a byte order mark, which some programs write and JSON does not allow.
fn without_mark(mut input: impl Read) -> Result<impl Read, ImportError> {
    let mut start = Vec::with_capacity(BYTE_ORDER_MARK.len());
    let mut first = input.by_ref().take(BYTE_ORDER_MARK.len() as u64);
    first.read_to_end(&mut start).map_err(ImportError::Read)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start).chain(input))
}

#[derive(Default)]
struct Reading {
    file: ImportFile,
    /// Lists that were found, the newest last.
    met: Vec<ImportList>,
    /// Reason why the file is refused.
    refused: Option<&'static str>,
}

impl Reading {
    /// Describes why the file has another form, without repeating its contents, which may be a
    /// token.
    fn form(&self, line: usize) -> String {
        let list = self.met.last().map_or("", |list| list.key());
        match (self.refused, list) {
            (Some(reason), "") => reason.into(),
            (Some(reason), list) => format!("`{list}` in line {line} {reason}"),
            (None, "") => "it is neither an object nor an array".into(),
            (None, list) => format!("`{list}` in line {line} is not an array"),
        }
    }

    fn refuse<E: de::Error>(&mut self, reason: &'static str) -> E {
        self.refused = Some(reason);
        E::custom(reason)
    }

    fn enter_list<E: de::Error>(&mut self, list: ImportList) -> Result<(), E> {
        let twice = self.met.contains(&list);
        self.met.push(list);
        if matches!(list, ImportList::Authorizations | ImportList::Unnamed) {
            self.file.list = Some(list);
        }
        if twice {
            return Err(self.refuse("occurs twice"));
        }
        Ok(())
    }

    fn set_up<E: de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        match serde_json::from_str::<Option<JsonObject<_>>>(raw.get()) {
            Ok(form) if self.file.set_up.is_none() => {
                self.file.set_up = form.map(|JsonObject(form)| form);
                Ok(())
            }
            _ => {
                self.met.clear();
                Err(self.refuse("`setUp` is not a single `{\"orgID\":…,\"userID\":…,\"at\":…}`"))
            }
        }
    }

    fn rows<'de, A: SeqAccess<'de>>(
        &mut self,
        list: ImportList,
        mut rows: A,
    ) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(row) = rows.next_element::<Box<RawValue>>()? {
            if index == 0 && list == ImportList::Unnamed && !is_authorization(&row) {
                return Err(self.refuse("it is an array without authorizations"));
            }
            self.file.take(list, index, &row);
            index += 1;
        }
        Ok(())
    }
}

fn is_authorization(row: &RawValue) -> bool {
    Fields::of(row).is_ok_and(|row| {
        let only_there = [row.permissions, row.token, row.hashed_token];
        only_there.iter().any(Option::is_some)
    })
}

struct TopLevelVisitor<'f>(&'f mut Reading);

impl<'de> Visitor<'de> for TopLevelVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match ImportList::NAMED.into_iter().find(|list| list.key() == key) {
                Some(list) => {
                    self.0.enter_list(list)?;
                    map.next_value_seed(RowsVisitor(self.0, list))?;
                }
                None if key == SET_UP => {
                    let raw = map.next_value::<Box<RawValue>>()?;
                    self.0.set_up(&raw)?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if self.0.met.is_empty() {
            return Err(self.0.refuse("it is an object without any of the lists"));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, rows: A) -> Result<(), A::Error> {
        self.0.enter_list(ImportList::Unnamed)?;
        self.0.rows(ImportList::Unnamed, rows)
    }

    /// Accepts `null`, which the `influx` command prints for an empty list.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.enter_list(ImportList::Unnamed)
    }
}

struct RowsVisitor<'f>(&'f mut Reading, ImportList);

impl<'de> DeserializeSeed<'de> for RowsVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, rows: A) -> Result<(), A::Error> {
        self.0.rows(self.1, rows)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}
