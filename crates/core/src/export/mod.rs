//! Exports all entities of a store as the JSON that [`import`](crate::import) reads.

mod form;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize;

use crate::admin_error::AdminError;
use crate::import::{Counts, SetUpForm};
use crate::maintenance::Maintenance;
use crate::record::{Entity, Kind};
use form::{AuthorizationForm, BucketForm, OrganizationForm, UserForm};

/// Selects if an export contains secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportSecrets {
    /// Without the hashes of tokens and passwords.
    LeftOut,
    /// With the hashes of tokens and passwords. With these and the same key, the tokens also work
    /// in the store that imports them.
    Hashes,
}

/// The result of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportReport {
    /// Number of exported entities of each kind.
    pub written: Counts,
    /// Number of tampered records, which were omitted.
    pub left_out: usize,
}

/// The reason why an export failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Writing the output failed.
    #[error("cannot write the export")]
    Write(#[from] io::Error),
    /// Reading the store failed.
    #[error(transparent)]
    Engine(#[from] AdminError),
}

impl Maintenance {
    /// Writes all organizations, users, buckets and authorizations, including revoked and deleted
    /// ones, each list ordered by id, and the time of the set-up. Calls `progress` regularly with
    /// the number of entities so far.
    ///
    /// The export reads page by page and is no snapshot: it may contain concurrent changes or not.
    /// Times of last use are not exported.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn export(
        &self,
        out: impl Write,
        secrets: ExportSecrets,
        progress: &mut dyn FnMut(usize),
    ) -> Result<ExportReport, ExportError> {
        let mut export =
            Export { out: io::BufWriter::new(out), secrets, done: ExportReport::default() };
        export.out.write_all(b"{")?;
        for (kind, name) in [
            (Kind::ORGANIZATION, "orgs"),
            (Kind::USER, "users"),
            (Kind::BUCKET, "buckets"),
            (Kind::AUTHORIZATION, "authorizations"),
        ] {
            if kind == Kind::AUTHORIZATION
                && let Some(set_up) = self.changes.set_up_time()?
            {
                export.out.write_all(b"\"setUp\":")?;
                export.json(&SetUpForm::from(set_up))?;
                export.out.write_all(b",\n")?;
            }
            write!(export.out, "\"{name}\":[")?;
            let mut first = true;
            self.changes.entities(kind, |entity| {
                let Some(entity) = entity else {
                    export.done.left_out += 1;
                    return Ok(());
                };
                let between: &[u8] = if first { b"\n" } else { b",\n" };
                first = false;
                export.out.write_all(between)?;
                export.row(&entity)?;
                progress(export.done.written.total());
                Ok::<_, ExportError>(())
            })?;
            let end: &[u8] = match kind {
                Kind::AUTHORIZATION => b"]}\n",
                _ => b"],\n",
            };
            export.out.write_all(end)?;
        }
        export.out.flush()?;
        Ok(export.done)
    }
}

struct Export<W: Write> {
    out: io::BufWriter<W>,
    secrets: ExportSecrets,
    done: ExportReport,
}

impl<W: Write> Export<W> {
    fn row(&mut self, entity: &Entity) -> io::Result<()> {
        let written = &mut self.done.written;
        match entity {
            Entity::Organization(one) => {
                written.organizations += 1;
                self.json(&OrganizationForm::from(one))
            }
            Entity::User(one) => {
                written.users += 1;
                self.json(&UserForm::new(one, self.secrets))
            }
            Entity::Bucket(one) => {
                written.buckets += 1;
                self.json(&BucketForm::from(one))
            }
            Entity::Authorization(one, credential) => {
                written.authorizations += 1;
                self.json(&AuthorizationForm::new(one, credential, self.secrets))
            }
            Entity::Settings(_) | Entity::SetUp(_) | Entity::Session(..) => Ok(()),
        }
    }

    fn json(&mut self, form: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, form).map_err(Into::into)
    }
}
