//! Uniqueness of names and tokens.

use super::{ImportItem, Maintenance};
use crate::admin_error::AdminError;
use crate::record::{Kind, bucket_key, name_key};
use crate::store::Query;
use crate::token::{Credential, Token};

impl Maintenance {
    /// Checks that the name or token of `item` is free. A token is searched in each form in which
    /// it may be stored, except the first `skipped` ones. The first form is that of its own record.
    pub(super) fn check_unique(&self, item: &ImportItem, skipped: usize) -> Result<(), AdminError> {
        let (kind, keys): (_, Vec<Box<[u8]>>) = match item {
            ImportItem::SetUp { .. } => return Ok(()),
            ImportItem::Organization(one) => {
                let key = name_key(one.status, &one.name);
                let keys = key.into_iter().collect();
                (Kind::ORGANIZATION, keys)
            }
            ImportItem::User(one) => {
                let key = name_key(one.status, &one.name);
                (Kind::USER, key.into_iter().collect())
            }
            ImportItem::Bucket(one) => {
                let key = name_key(one.status, &one.name);
                let key = key.map(|_| bucket_key(one.organization, &one.name));
                (Kind::BUCKET, key.into_iter().collect())
            }
            ImportItem::Authorization(_, token) => (Kind::AUTHORIZATION, self.token_keys(token)),
            ImportItem::Hashed(_, foreign_hash) => {
                let key = Credential::Foreign(*foreign_hash).unique_key().into();
                (Kind::AUTHORIZATION, vec![key])
            }
            ImportItem::Stored(_, credential) => {
                let key = credential.unique_key().into();
                (Kind::AUTHORIZATION, vec![key])
            }
        };
        for key in keys.into_iter().skip(skipped) {
            if !self.changes.shared.store.find(&Query::unique(kind, &key))?.is_empty() {
                return Err(AdminError::Exists(kind.unique_field()));
            }
        }
        Ok(())
    }

    /// Returns the unique keys under which the token may be stored in this store.
    fn token_keys(&self, token: &Token) -> Vec<Box<[u8]>> {
        let foreign = if self.changes.shared.checks.has_foreign_hashes() { 2 } else { 0 };
        let keyed = self.changes.shared.sealer.key().newest_first().count();
        self.changes.all_keys(token.reveal().as_bytes()).take(keyed + foreign).collect()
    }
}
