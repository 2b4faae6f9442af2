//! Checks every row of a file.

use std::collections::HashMap;
use std::hash::Hash;

use super::bad_row::{BadRow, ImportList, Refusal, RowPosition};
use super::file::ImportFile;
use super::owners::{OwnerName, OwnerResolver};
use super::packed_sets::Sets;
use super::plan::{Counts, Defaults, Plan, PlannedAuthorization};
use super::rows::{AuthorizationRow, BucketRow, OwnerRow};
use super::tokens::Tokens;
use crate::admin_error::AdminError;
use crate::id::Id;
use crate::maintenance::{ImportItem, Maintenance};
use crate::record::SetUp;

pub(super) struct Planner<'a> {
    maintenance: &'a Maintenance,
    defaults: &'a Defaults,
    organizations: OwnerResolver<'a>,
    users: OwnerResolver<'a>,
    plan: Plan,
}

/// Number of rows between two calls of `progress`.
const STEP: usize = 1000;

impl<'a> Planner<'a> {
    pub(super) fn new(maintenance: &'a Maintenance, defaults: &'a Defaults) -> Self {
        let now = maintenance.now();
        Self {
            maintenance,
            defaults,
            organizations: OwnerResolver::new(
                maintenance,
                ImportList::Organizations,
                defaults.if_revoked,
            ),
            users: OwnerResolver::new(maintenance, ImportList::Users, defaults.if_revoked),
            plan: Plan {
                items: Default::default(),
                set_up: None,
                if_revoked: defaults.if_revoked,
                rows: Vec::new(),
                sets: Sets::default(),
                now,
                known: Counts::default(),
                bad: Vec::new(),
            },
        }
    }

    pub(super) fn run(
        mut self,
        file: ImportFile,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Plan, AdminError> {
        let [organization_names, user_names] = file.names;
        self.organizations.given_names = organization_names;
        self.users.given_names = user_names;
        self.plan.sets = file.sets;
        self.plan.set_up = file.set_up.as_ref().map(|form| {
            let SetUp { organization, user, at } = form.into();
            ImportItem::SetUp { organization, user, at }
        });
        for bad in file.bad {
            self.refuse(bad, &file.names_of_bad_rows);
        }
        self.take_owners(ImportList::Organizations, &file.organizations)?;
        self.take_owners(ImportList::Users, &file.users)?;
        self.take_named_by_id(&file.buckets, &file.authorizations)?;
        self.take_buckets(&file.buckets)?;
        let list = file.list.unwrap_or(ImportList::Authorizations);
        self.take_authorizations(list, file.authorizations, progress)?;

        let [organizations, users, _] = &mut self.plan.items;
        organizations.extend(self.organizations.into_needed());
        users.extend(self.users.into_needed());
        self.plan.bad.sort_by_key(|bad| bad.place);
        Ok(self.plan)
    }

    /// Records a row that could not be parsed.
    fn refuse(&mut self, bad: BadRow, names: &HashMap<RowPosition, Box<str>>) {
        let name = names.get(&bad.place).cloned();
        if let Some(owners) = self.owners(bad.place.list) {
            owners.refuse(bad.place.index, bad.id, name);
        }
        self.plan.bad.push(bad);
    }

    fn owners(&mut self, list: ImportList) -> Option<&mut OwnerResolver<'a>> {
        match list {
            ImportList::Organizations => Some(&mut self.organizations),
            ImportList::Users => Some(&mut self.users),
            _ => None,
        }
    }

    fn take_owners(&mut self, list: ImportList, rows: &[OwnerRow]) -> Result<(), AdminError> {
        let (mut ids, mut names) =
            (DuplicateCheck::new(list, "id"), DuplicateCheck::new(list, "name"));
        for row in rows {
            let item = match list {
                ImportList::Users => ImportItem::User(row.user(self.plan.now)),
                _ => ImportItem::Organization(row.organization(self.plan.now)),
            };
            let mut take = || {
                ids.note(row.id, row.index)?;
                if let Some(name) = row.name() {
                    names.note(name, row.index)?;
                }
                self.owners(list).map_or(Ok(false), |owners| owners.take(row, &item))
            };
            let taken = take();
            if let (Err(Refusal::Row(_)), Some(owners)) = (&taken, self.owners(list)) {
                owners.refuse(row.index, Some(row.id), row.name().map(Box::from));
            }
            self.note((list, row.index, row.id), taken.map(|known| (known, Some(item))))?;
        }
        Ok(())
    }

    /// Adds owners that rows refer to by id, before other rows refer to them by name.
    fn take_named_by_id(
        &mut self,
        buckets: &[BucketRow],
        authorizations: &[AuthorizationRow],
    ) -> Result<(), AdminError> {
        let of_buckets = buckets.iter().map(|row| row.organization.as_ref());
        let of_authorizations = authorizations.iter().map(|row| row.organization.as_ref());
        for named in of_buckets.chain(of_authorizations) {
            self.organizations.find_if_id(named)?;
        }
        for row in authorizations {
            self.users.find_if_id(row.user.as_ref())?;
        }
        Ok(())
    }

    fn take_buckets(&mut self, rows: &[BucketRow]) -> Result<(), AdminError> {
        let list = ImportList::Buckets;
        let (mut ids, mut names) =
            (DuplicateCheck::new(list, "id"), DuplicateCheck::new(list, "name"));
        for row in rows {
            let mut take = || {
                ids.note(row.id, row.index)?;
                let organization = self.organization(row.organization.as_ref())?;
                let bucket = row.bucket(organization, self.plan.now);
                if row.is_named() {
                    names.note((organization, bucket.name.clone()), row.index)?;
                }
                let item = ImportItem::Bucket(bucket);
                let known = self.maintenance.check_import(&item, self.defaults.if_revoked)?;
                self.organizations.need(organization);
                Ok((known, Some(item)))
            };
            let taken = take();
            self.note((list, row.index, row.id), taken)?;
        }
        Ok(())
    }

    fn take_authorizations(
        &mut self,
        list: ImportList,
        rows: Vec<AuthorizationRow>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), AdminError> {
        let mut ids = DuplicateCheck::new(list, "id");
        let mut tokens = Tokens::of(&rows);
        // An empty store cannot conflict with any row.
        let compare = !self.maintenance.is_store_empty();
        for (at, row) in rows.into_iter().enumerate() {
            if at % STEP == 0 {
                progress(at);
            }
            let (index, id) = (row.index, row.id);
            let take = || {
                ids.note(id, index)?;
                let noted = tokens.note(index, &row.details.secret);
                noted.map_err(|earlier| same("token", list, earlier))?;
                self.authorization(row, compare)
            };
            let taken = take().map(|ready| {
                let known = ready.is_none();
                self.plan.rows.extend(ready);
                (known, None)
            });
            self.note((list, index, id), taken)?;
        }
        Ok(())
    }

    /// Returns the authorization to write, or `None` if the store has it.
    fn authorization(
        &mut self,
        row: AuthorizationRow,
        compare: bool,
    ) -> Result<Option<PlannedAuthorization>, Refusal> {
        let organization = self.organization(row.organization.as_ref())?;
        let user = row.user.as_ref().map(|user| self.users.find(user));
        let user = user.transpose()?;
        let ready = PlannedAuthorization { id: row.id, organization, user, details: row.details };
        let item = ready.item(self.maintenance.prefix(), &self.plan.sets, self.plan.now);
        let item = item.map_err(|error| Refusal::Row(format!("`token`: {error}")))?;
        if compare && self.maintenance.check_import(&item, self.defaults.if_revoked)? {
            return Ok(None);
        }
        if !compare {
            self.maintenance.check_item(&item, self.defaults.if_revoked)?;
        }
        self.organizations.need(organization);
        if let Some(user) = user {
            self.users.need(user);
        }
        Ok(Some(ready))
    }

    fn organization(&mut self, named: Option<&OwnerName>) -> Result<Id, Refusal> {
        let meant = named.or(self.defaults.organization.as_ref());
        let meant = meant.ok_or_else(|| {
            Refusal::row("it names no organization; add `orgID` or `org`, or set a default")
        })?;
        self.organizations.find(meant)
    }

    /// Counts the row as already present, plans its item, or records it as invalid.
    fn note(
        &mut self,
        (list, index, id): (ImportList, usize, Id),
        taken: Result<(bool, Option<ImportItem>), Refusal>,
    ) -> Result<(), AdminError> {
        match Refusal::of(taken)? {
            Ok((true, _)) => *self.plan.known.of(list) += 1,
            Ok((false, item)) => {
                if let Some(items) = self.plan.items_of(list) {
                    items.extend(item);
                }
            }
            Err(reason) => self.plan.bad.push(BadRow {
                place: RowPosition { list, index },
                id: Some(id),
                reason,
            }),
        }
        Ok(())
    }
}

/// Detects rows of a list with the same key, and returns the earlier one.
struct DuplicateCheck<K> {
    list: ImportList,
    what: &'static str,
    rows: HashMap<K, usize>,
}

impl<K: Hash + Eq> DuplicateCheck<K> {
    fn new(list: ImportList, what: &'static str) -> Self {
        let rows = HashMap::new();
        Self { list, what, rows }
    }

    fn note(&mut self, key: K, index: usize) -> Result<(), Refusal> {
        let earlier = *self.rows.entry(key).or_insert(index);
        match earlier == index {
            true => Ok(()),
            false => Err(same(self.what, self.list, earlier)),
        }
    }
}

fn same(what: &str, list: ImportList, index: usize) -> Refusal {
    let earlier = RowPosition { list, index };
    Refusal::Row(format!("it has the same {what} as {earlier}"))
}
