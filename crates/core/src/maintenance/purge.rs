//! Purging records that were revoked or deleted long ago.

use std::collections::HashSet;
use std::time::Duration;

use super::Maintenance;
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::change::{AuditContext, Changes, Transaction};
use crate::journal::Operation;
use crate::record::{Entity, Kind, RecordKey};
use crate::session::{Session, SessionOwner};
use crate::status::Status;
use crate::store::{FoundPages, Query};
use crate::time::Timestamp;

/// Options of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurgeOptions {
    /// Minimum age of the revocation; [`Options::retention`](crate::Options) by default.
    pub retention: Option<Duration>,
    /// Only count.
    pub dry_run: bool,
}

/// Number of purged records of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurgeReport {
    /// Authorizations.
    pub authorizations: usize,
    /// Registered buckets.
    pub buckets: usize,
    /// Users.
    pub users: usize,
    /// Organizations.
    pub organizations: usize,
    /// Sessions that were signed out or have expired, or whose authorization is revoked.
    pub sessions: usize,
}

impl PurgeReport {
    /// Returns the number of all records.
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
/// Owners come after the records that may belong to them, and sessions once more after the
/// authorizations that were purged with an owner.
const KINDS: [Kind; 6] = [
    Kind::SESSION,
    Kind::AUTHORIZATION,
    Kind::BUCKET,
    Kind::USER,
    Kind::ORGANIZATION,
    Kind::SESSION,
];

impl Maintenance {
    /// Purges authorizations, users, organizations and buckets that were revoked or deleted, and
    /// sessions that were signed out or have expired, longer ago than the retention time. Sessions
    /// of a revoked authorization are purged at once, and all records of an owner before it.
    /// Returns the number of purged records. A purge takes several commits: after an error, the
    /// rest is purged the next time.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] or [`AdminError::Journal`].
    pub fn purge(&self) -> Result<usize, AdminError> {
        let purged = self.purge_with(&PurgeOptions::default(), &mut |_| {})?;
        Ok(purged.total())
    }

    /// Purges with these options. Calls `progress` after each step with the number of records so
    /// far. After an error those stay purged, and another call purges the rest.
    ///
    /// # Errors
    ///
    /// Those of [`Maintenance::purge`].
    pub fn purge_with(
        &self,
        how: &PurgeOptions,
        progress: &mut dyn FnMut(usize),
    ) -> Result<PurgeReport, AdminError> {
        let retention = how.retention.unwrap_or(self.changes.shared.retention);
        let mut run = PurgeRun {
            changes: &self.changes,
            before: self.changes.shared.checks.clock.now().saturating_sub(retention),
            counted: how.dry_run.then(HashSet::new),
            purged: PurgeReport::default(),
            progress,
        };
        KINDS.into_iter().try_for_each(|kind| run.kind(kind))?;
        Ok(run.purged)
    }
}

struct PurgeRun<'a> {
    changes: &'a Changes,
    before: Timestamp,
    /// Records that would have been purged; none unless it only counts.
    counted: Option<HashSet<RecordKey>>,
    purged: PurgeReport,
    progress: &'a mut dyn FnMut(usize),
}

impl PurgeRun<'_> {
    fn kind(&mut self, kind: Kind) -> Result<(), AdminError> {
        let query = Query {
            // A session that expires keeps its status.
            status: (kind != Kind::SESSION).then_some(Status::Revoked),
            ..Query::all(kind)
        };
        let before = self.before;
        self.pages(query, |run, entity| {
            let ended = ended(&entity).is_some_and(|at| at < before);
            let due = ended || run.is_bearer_revoked(&entity)?;
            if due {
                run.dependents(&entity)?;
            }
            Ok(due)
        })
    }

    /// Returns true for a session whose authorization is revoked or purged. Otherwise it would be
    /// valid again if an authorization with the same id were imported.
    fn is_bearer_revoked(&self, entity: &Entity) -> Result<bool, AdminError> {
        let Entity::Session(Session { owner: SessionOwner::Authorization(id), .. }, _) = entity
        else {
            return Ok(false);
        };
        let key = RecordKey::new(Kind::AUTHORIZATION, *id);
        if self.counted.as_ref().is_some_and(|counted| counted.contains(&key)) {
            return Ok(true);
        }
        let found = Transaction::new(&self.changes.shared).authorization(*id);
        match found {
            Ok((authorization, _)) => Ok(authorization.status == Status::Revoked),
            Err(AdminError::NotFound(_)) => Ok(true),
            Err(AdminError::Tampered(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Purges the records of a deleted user or organization, which are refused since its deletion.
    fn dependents(&mut self, owner: &Entity) -> Result<(), AdminError> {
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

    /// Purges the records that the query finds and for which `is_due` returns true, except tampered
    /// ones.
    fn pages(
        &mut self,
        mut query: Query,
        is_due: impl Fn(&mut Self, Entity) -> Result<bool, AdminError>,
    ) -> Result<(), AdminError> {
        query.limit = CHUNK;
        let mut pages = FoundPages::new(query);
        while let Some(page) = pages.next_page(&*self.changes.shared.store)? {
            let mut due = Vec::new();
            for stored in &page {
                let entity = self.changes.open_or_report(&stored.record);
                if let Some(entity) = entity
                    && is_due(self, entity)?
                {
                    due.push(stored.record.key);
                }
            }
            self.forget(due)?;
        }
        Ok(())
    }

    /// Purges all records that the query finds, tampered ones included.
    fn records(&mut self, mut query: Query) -> Result<(), AdminError> {
        query.limit = CHUNK;
        let mut pages = FoundPages::new(query);
        while let Some(page) = pages.next_page(&*self.changes.shared.store)? {
            self.forget(page.into_iter().map(|stored| stored.record.key).collect())?;
        }
        Ok(())
    }

    fn forget(&mut self, mut due: Vec<RecordKey>) -> Result<(), AdminError> {
        match &mut self.counted {
            Some(counted) => due.retain(|key| counted.insert(*key)),
            None if due.is_empty() => return Ok(()),
            None => {
                let audit_context = AuditContext::new(&Caller::Root, Operation::Purge);
                self.changes.change(audit_context, |change| {
                    due.iter().try_for_each(|key| change.purge(*key))
                })?;
            }
        }
        self.purged.add(&due);
        (self.progress)(self.purged.total());
        Ok(())
    }
}

/// Returns the time of the revocation, the deletion, or the end of a session; none for other
/// records.
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
