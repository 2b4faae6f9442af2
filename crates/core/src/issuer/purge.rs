//! Forgetting what ended long ago.

use std::collections::HashSet;
use std::time::Duration;

use super::audit_context::AuditContext;
use super::{Caller, Issuer};
use crate::error::Error;
use crate::journal::Operation;
use crate::record::{Entity, Kind, RecordKey};
use crate::status::Status;
use crate::store::Query;
use crate::time::Timestamp;

/// How to purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurgeOptions {
    /// How long ago it must have ended; [`Options::retention`](crate::Options) if none is given.
    pub retention: Option<Duration>,
    /// Only count.
    pub dry_run: bool,
}

/// How many of each kind were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurgeReport {
    /// Authorizations.
    pub authorizations: usize,
    /// Registered names of buckets.
    pub buckets: usize,
    /// Users.
    pub users: usize,
    /// Organizations.
    pub organizations: usize,
    /// Sessions that were ended or have expired.
    pub sessions: usize,
}

impl PurgeReport {
    /// All of them.
    pub fn total(&self) -> usize {
        self.authorizations + self.buckets + self.users + self.organizations + self.sessions
    }

    fn add(&mut self, due: &[RecordKey]) {
        for key in due {
            match key.kind {
                Kind::AUTHORIZATION => self.authorizations += 1,
                Kind::BUCKET => self.buckets += 1,
                Kind::USER => self.users += 1,
                Kind::ORGANIZATION => self.organizations += 1,
                Kind::SESSION => self.sessions += 1,
                _ => {}
            }
        }
    }
}

const CHUNK: usize = 500;
/// Owners come after all that may belong to them.
const KINDS: [Kind; 5] = [
    Kind::SESSION,
    Kind::AUTHORIZATION,
    Kind::BUCKET,
    Kind::USER,
    Kind::ORGANIZATION,
];

impl Issuer {
    /// Forgets authorizations, users, organizations and buckets that were revoked or deleted, and sessions that were over,
    /// longer ago than the retention time; owners after all that belongs to them. Returns how many. It takes several commits: what was
    /// forgotten before an error stays so, and the rest is forgotten the next time.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn purge(&self) -> Result<usize, Error> {
        let purged = self.purge_with(&PurgeOptions::default(), &mut |_| {})?;
        Ok(purged.total())
    }

    /// Like [`Issuer::purge`], as `how` says; `progress` is called now and then with what was forgotten so far. If it ends
    /// early, what was told is forgotten, and doing it again goes on.
    ///
    /// # Errors
    ///
    /// As [`Issuer::purge`].
    pub fn purge_with(
        &self,
        how: &PurgeOptions,
        progress: &mut dyn FnMut(&PurgeReport),
    ) -> Result<PurgeReport, Error> {
        let retention = how.retention.unwrap_or(self.shared.retention);
        let mut run = PurgeRun {
            issuer: self,
            before: self.shared.clock.now().saturating_sub(retention),
            counted: how.dry_run.then(HashSet::new),
            purged: PurgeReport::default(),
            progress,
        };
        KINDS.into_iter().try_for_each(|kind| run.kind(kind))?;
        Ok(run.purged)
    }
}

struct PurgeRun<'a> {
    issuer: &'a Issuer,
    before: Timestamp,
    /// When only counting: what was counted, and would be gone.
    counted: Option<HashSet<RecordKey>>,
    purged: PurgeReport,
    progress: &'a mut dyn FnMut(&PurgeReport),
}

impl PurgeRun<'_> {
    fn kind(&mut self, kind: Kind) -> Result<(), Error> {
        let query = Query {
            // A session is over without being ended, when it expires.
            status: (kind != Kind::SESSION).then_some(Status::Revoked),
            ..Query::all(kind)
        };
        let before = self.before;
        self.pages(query, |run, entity| {
            let due = ended(&entity).is_some_and(|at| at < before);
            if due {
                run.dependents(&entity)?;
            }
            Ok(due)
        })
    }

    /// Forgets what belongs to a deleted user or organization, and so had ended with it.
    fn dependents(&mut self, owner: &Entity) -> Result<(), Error> {
        for kind in [Kind::AUTHORIZATION, Kind::BUCKET, Kind::SESSION] {
            let mut query = Query::all(kind);
            match owner {
                Entity::User(user) => query.user = Some(user.id),
                Entity::Organization(organization) => query.organization = Some(organization.id),
                _ => return Ok(()),
            }
            self.records(query)?;
        }
        Ok(())
    }

    /// Forgets those of what the query finds that are genuine and due.
    fn pages(
        &mut self,
        mut query: Query,
        is_due: impl Fn(&mut Self, Entity) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        query.limit = CHUNK;
        loop {
            let page = self.issuer.shared.store.find(&query)?;
            let mut due = Vec::new();
            for stored in &page {
                let entity = self.issuer.open_or_report(&stored.record);
                if let Some(entity) = entity
                    && is_due(self, entity)?
                {
                    due.push(stored.record.key);
                }
            }
            self.forget(due)?;
            match page.last() {
                Some(last) if page.len() == CHUNK => query.after = Some(last.record.key.id),
                _ => return Ok(()),
            }
        }
    }

    /// Forgets all that the query finds, genuine or not.
    fn records(&mut self, mut query: Query) -> Result<(), Error> {
        query.limit = CHUNK;
        loop {
            let page = self.issuer.shared.store.find(&query)?;
            let last = page.last().map(|stored| stored.record.key.id);
            let full = page.len() == CHUNK;
            self.forget(page.into_iter().map(|stored| stored.record.key).collect())?;
            if !full {
                return Ok(());
            }
            query.after = last;
        }
    }

    fn forget(&mut self, mut due: Vec<RecordKey>) -> Result<(), Error> {
        match &mut self.counted {
            Some(counted) => due.retain(|key| counted.insert(*key)),
            None if due.is_empty() => return Ok(()),
            None => {
                let audit_context = AuditContext::new(&Caller::Root, Operation::Purge);
                self.issuer.change(audit_context, |change| {
                    due.iter().try_for_each(|key| change.purge(*key))
                })?;
            }
        }
        self.purged.add(&due);
        (self.progress)(&self.purged);
        Ok(())
    }
}

/// When it ended, if it did.
fn ended(entity: &Entity) -> Option<Timestamp> {
    let (status, at) = match entity {
        Entity::Authorization(one, _) => (one.status, one.revoked_at.unwrap_or(one.updated_at)),
        Entity::User(one) => (one.status, one.updated_at),
        Entity::Organization(one) => (one.status, one.updated_at),
        Entity::Bucket(one) => (one.status, one.updated_at),
        Entity::Session(one, _) => return Some(one.over_at()),
        Entity::Settings(_) | Entity::SetUp(_) => return None,
    };
    (status == Status::Revoked).then_some(at)
}
