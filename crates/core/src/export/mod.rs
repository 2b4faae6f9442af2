//! Everything that a store says, as the JSON that [`import`](crate::import) reads.

mod form;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize;

use crate::error::Error;
use crate::import::Counts;
use crate::issuer::Issuer;
use crate::record::{Entity, Kind};
use form::{AuthorizationForm, BucketForm, OrganizationForm, UserForm};

pub(crate) use form::{CreatorForm, MembershipForm, SetUpForm};

/// Whether an export holds what must stay secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportSecrets {
    /// Nothing by which a token or password could be known.
    LeftOut,
    /// The hashes of tokens and of passwords: with them, and with the same key, the tokens of the store work in another.
    Hashes,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportReport {
    /// How many of each kind.
    pub written: Counts,
    /// Records that are not genuine, and so say nothing.
    pub left_out: usize,
}

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It cannot be written.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Issuer {
    /// Writes all organizations, users, buckets and authorizations, also those that have ended, each list in the order
    /// of its ids, and when the store was set up. `progress` is told now and then how many there are.
    ///
    /// It is read page by page: what is changed meanwhile may be in it as it was before or after. Times of last use are
    /// not in it.
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
        let mut export = Export {
            out: io::BufWriter::new(out),
            secrets,
            done: ExportReport::default(),
        };
        export.out.write_all(b"{")?;
        for (kind, name) in [
            (Kind::ORGANIZATION, "orgs"),
            (Kind::USER, "users"),
            (Kind::BUCKET, "buckets"),
            (Kind::AUTHORIZATION, "authorizations"),
        ] {
            if kind == Kind::AUTHORIZATION
                && let Some(set_up) = self.set_up_time()?
            {
                export.out.write_all(b"\"setUp\":")?;
                export.json(&SetUpForm::from(set_up))?;
                export.out.write_all(b",\n")?;
            }
            write!(export.out, "\"{name}\":[")?;
            let mut first = true;
            self.entities(kind, |entity| {
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
