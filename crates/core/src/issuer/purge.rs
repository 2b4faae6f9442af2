//! Forgetting what ended long ago.

use super::Issuer;
use crate::error::Error;
use crate::record::{Entity, Kind, RecordKey};
use crate::status::Status;
use crate::store::Query;
use crate::time::Timestamp;

const CHUNK: usize = 500;

impl Issuer {
    /// Forgets authorizations, users, organizations and buckets that were revoked or deleted longer ago than the
    /// retention time; owners after all that belongs to them. Returns how many. It takes several commits: what was
    /// forgotten before an error stays so, and the rest is forgotten the next time.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn purge(&self) -> Result<usize, Error> {
        let before = self
            .shared
            .clock
            .now()
            .saturating_sub(self.shared.retention);
        let kinds = [
            Kind::AUTHORIZATION,
            Kind::BUCKET,
            Kind::USER,
            Kind::ORGANIZATION,
        ];
        kinds
            .into_iter()
            .try_fold(0, |count, kind| Ok(count + self.purge_kind(kind, before)?))
    }

    fn purge_kind(&self, kind: Kind, before: Timestamp) -> Result<usize, Error> {
        let mut count = 0;
        let mut query = Query {
            status: Some(Status::Revoked),
            limit: CHUNK,
            ..Query::all(kind)
        };
        loop {
            let page = self.shared.store.find(&query)?;
            let entities = page
                .iter()
                .filter_map(|stored| self.open_or_report(&stored.record));
            let mut due = Vec::new();
            for entity in entities.filter(|one| ended(one).is_some_and(|at| at < before)) {
                count += self.purge_dependants(&entity)?;
                due.push(entity.key());
            }
            count += due.len();
            self.forget(&due)?;
            match page.last() {
                Some(last) if page.len() == CHUNK => query.after = Some(last.record.key.id),
                _ => return Ok(count),
            }
        }
    }

    /// Forgets what belongs to a deleted user or organization, and so had ended with it.
    fn purge_dependants(&self, owner: &Entity) -> Result<usize, Error> {
        let mut count = 0;
        for kind in [Kind::AUTHORIZATION, Kind::BUCKET] {
            let mut query = Query {
                limit: CHUNK,
                ..Query::all(kind)
            };
            match owner {
                Entity::User(user) => query.user = Some(user.id),
                Entity::Organization(organization) => query.organization = Some(organization.id),
                _ => return Ok(count),
            }
            loop {
                let page = self.shared.store.find(&query)?;
                let due: Vec<RecordKey> = page.iter().map(|stored| stored.record.key).collect();
                count += due.len();
                self.forget(&due)?;
                match due.last() {
                    Some(last) if due.len() == CHUNK => query.after = Some(last.id),
                    _ => break,
                }
            }
        }
        Ok(count)
    }

    fn forget(&self, due: &[RecordKey]) -> Result<(), Error> {
        if due.is_empty() {
            return Ok(());
        }
        self.change(|change| due.iter().try_for_each(|key| change.purge(*key)))
    }
}

/// When it ended, if it did.
fn ended(entity: &Entity) -> Option<Timestamp> {
    let (status, at) = match entity {
        Entity::Authorization(one, _) => (one.status, one.revoked_at.unwrap_or(one.updated_at)),
        Entity::User(one) => (one.status, one.updated_at),
        Entity::Organization(one) => (one.status, one.updated_at),
        Entity::Bucket(one) => (one.status, one.updated_at),
        Entity::Settings(_) | Entity::SetUp(_) => return None,
    };
    (status == Status::Revoked).then_some(at)
}
