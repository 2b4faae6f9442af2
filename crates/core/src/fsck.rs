//! Checks a store for consistency, and compares it with the index.

use std::collections::BTreeMap;

use crate::admin_error::AdminError;
use crate::engine_state::EngineState;
use crate::id::Id;
use crate::index::{Change, ChangeKind};
use crate::record::{Entity, Kind, RecordKey, SET_UP, SETTINGS, SetupState};
use crate::store::{Cursor, Query, ScannedPages, Stored};

/// The result of checking a whole store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FsckReport {
    /// Number of valid records of each kind.
    pub records: BTreeMap<Kind, usize>,
    /// Problems that were found.
    pub problems: Vec<FsckProblem>,
}

/// A problem with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsckProblem {
    /// Key of the record.
    pub key: RecordKey,
    /// Description of the problem.
    pub problem: String,
}

const PAGE: usize = 2000;

pub(crate) fn run(
    shared: &EngineState,
    progress: &mut dyn FnMut(usize),
) -> Result<FsckReport, AdminError> {
    let mut read = 0;
    let mut report = FsckReport::default();
    let mut owners: BTreeMap<RecordKey, RecordKey> = BTreeMap::new();
    let mut present: BTreeMap<RecordKey, ()> = BTreeMap::new();
    let mut setup = SetupRecords::default();
    for page in ScannedPages::new(&*shared.store, Cursor::start(), PAGE) {
        let page = page?;
        for stored in &page.items {
            let key = stored.record.key;
            setup.meet(shared, stored);
            if is_owner(key) {
                present.insert(key, ());
            }
            for owner in check(shared, stored, &mut report)? {
                owners.entry(owner).or_insert(key);
            }
        }
        read += page.items.len();
        progress(read);
    }
    setup.check(&mut report);
    for (owner, key) in owners {
        if !present.contains_key(&owner) {
            report.add(key, format!("its owner, {owner:?}, is not in the store"));
        }
    }
    Ok(report)
}

/// The records of a store that describe its set-up.
#[derive(Debug, Default)]
struct SetupRecords {
    state: Option<SetupState>,
    has_record: bool,
    has_others: bool,
}

impl SetupRecords {
    fn meet(&mut self, shared: &EngineState, stored: &Stored) {
        match stored.record.key {
            SETTINGS => {
                if let Ok(Some((Entity::Settings(settings), _))) =
                    shared.sealer.open(&stored.record)
                {
                    self.state = Some(settings.setup);
                }
            }
            SET_UP => self.has_record = true,
            _ => self.has_others = true,
        }
    }

    fn check(&self, report: &mut FsckReport) {
        if self.state == Some(SetupState::Done) && !self.has_record {
            let problem = "the store was set up, but the record of its set-up is missing";
            report.add(SET_UP, problem.into());
        }
        let is_used = self.has_record || self.has_others;
        if self.state == Some(SetupState::Open) && is_used {
            let problem = "the settings were rolled back: they describe the store as unused";
            report.add(SETTINGS, problem.into());
        }
        if self.state.is_none() {
            report.add(SETTINGS, "the settings are missing".into());
        }
    }
}

/// Checks one record and returns the owners that it needs.
fn check(
    shared: &EngineState,
    stored: &Stored,
    report: &mut FsckReport,
) -> Result<Vec<RecordKey>, AdminError> {
    let key = stored.record.key;
    let (entity, sequence) = match shared.sealer.open(&stored.record) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(Vec::new()),
        Err(error) => {
            report.add(key, error.to_string());
            return Ok(Vec::new());
        }
    };
    *report.records.entry(key.kind).or_default() += 1;
    if let Some(unique) = &stored.record.unique {
        let found = shared.store.find(&Query::unique(key.kind, unique))?;
        let alone = matches!(found.as_slice(), [one] if one.record.key == key);
        if !alone {
            report.add(key, "its unique key does not find this record alone".into());
        }
    }
    let owners = owners(&entity);
    if let Some(what) = shared.index_entry((entity, sequence)) {
        compare(shared, key, stored, what, report);
    }
    Ok(owners)
}

fn compare(
    shared: &EngineState,
    key: RecordKey,
    stored: &Stored,
    what: ChangeKind,
    report: &mut FsckReport,
) {
    let revision = stored.revision;
    let change = Change { key, revision, what };
    if !shared.checks.index.agrees(&change) {
        report.add(key, "the index has a different version of it".into());
    }
}

fn owners(entity: &Entity) -> Vec<RecordKey> {
    let organization = |id: Id| RecordKey::new(Kind::ORGANIZATION, id);
    match entity {
        Entity::Authorization(one, _) => {
            let user = one.user.map(|id| RecordKey::new(Kind::USER, id));
            user.into_iter().chain([organization(one.organization)]).collect()
        }
        Entity::Bucket(one) => vec![organization(one.organization)],
        _ => Vec::new(),
    }
}

fn is_owner(key: RecordKey) -> bool {
    matches!(key.kind, Kind::USER | Kind::ORGANIZATION)
}

impl FsckReport {
    fn add(&mut self, key: RecordKey, problem: String) {
        self.problems.push(FsckProblem { key, problem });
    }
}
