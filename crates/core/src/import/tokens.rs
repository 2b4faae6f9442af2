//! The token of a row: its text or a stored hash.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use zeroize::Zeroizing;

use super::fields::{Fields, name};
use super::rows::AuthorizationRow;
use crate::authorization::Authorization;
use crate::maintenance::ImportItem;
use crate::token::{
    Credential, ForeignHash, KEYED_MARK, MalformedToken, Prefix, StoredDigest, Token,
};

/// The token of a row.
pub(super) enum Secret {
    Text(Zeroizing<Box<str>>),
    Hash(Box<ForeignHash>),
    /// The credential of an exported store.
    Stored(Box<Credential>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Placeholder that InfluxDB Cloud writes instead of a token.
const REDACTED: &str = "redacted";
const HASH_MARK: &str = "$influxdb2-sha";

impl Secret {
    pub(super) fn read(row: &Fields<'_>) -> Result<Self, String> {
        let text = name("token", row.token)?.map(|text| Zeroizing::new(text.into_owned()));
        let text = text.filter(|text| text.as_str() != REDACTED);
        if text.as_ref().is_some_and(|text| text.starts_with(HASH_MARK)) {
            return Err("`token` is a stored hash; give it as `hashedToken`".into());
        }
        if text.as_ref().is_some_and(|text| text.starts_with(KEYED_MARK)) {
            return Err("`token` is a stored hash; give it as `keyedHash`".into());
        }
        let hash = name("hashedToken", row.hashed_token)?;
        let hash = hash.map(|hash| hash.parse::<ForeignHash>()).transpose();
        let hash = hash.map_err(|error| format!("`hashedToken`: {error}"))?;
        let keyed = name("keyedHash", row.keyed_hash)?;
        let keyed = keyed.map(|keyed| keyed.parse::<StoredDigest>()).transpose();
        let keyed = keyed.map_err(|error| format!("`keyedHash`: {error}"))?;
        if let Some(StoredDigest { key, hash: keyed, native }) = keyed {
            return match (text, hash) {
                (Some(_), _) => Err("it has `token` and `keyedHash`; leave one out".into()),
                (None, Some(hash)) => Ok(Credential::ForeignAndKeyed(hash, key, keyed)),
                (None, None) if native => Ok(Credential::Native(key, keyed)),
                (None, None) => Ok(Credential::Keyed(key, keyed)),
            }
            .map(|credential| Self::Stored(Box::new(credential)));
        }
        match (text, hash) {
            (Some(text), Some(hash)) if !hash.is_of(text.as_bytes()) => {
                Err("`token` and `hashedToken` do not match; leave one out".into())
            }
            (Some(text), _) => Ok(Self::Text(Zeroizing::new(text.as_str().into()))),
            (None, Some(hash)) => Ok(Self::Hash(Box::new(hash))),
            (None, None) => {
                Err("it has no token: give `token`, or its hash as `hashedToken`".into())
            }
        }
    }

    pub(super) fn item(
        &self,
        prefix: Prefix,
        authorization: Authorization,
    ) -> Result<ImportItem, MalformedToken> {
        Ok(match self {
            Self::Text(text) => {
                ImportItem::Authorization(authorization, Token::parse(prefix, text)?)
            }
            Self::Hash(foreign_hash) => ImportItem::Hashed(authorization, **foreign_hash),
            Self::Stored(credential) => ImportItem::Stored(authorization, **credential),
        })
    }
}

/// The tokens of a file by hash, so that a text and a hash of the same token are found to be equal.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    known: HashMap<HashPrefix, usize>,
    /// Some rows have SHA-512 hashes, so these are also computed for texts.
    wide: bool,
}

/// The first bytes of a hash, enough to distinguish tokens.
type HashPrefix = [u8; 16];

impl Tokens {
    pub(super) fn of(rows: &[AuthorizationRow]) -> Self {
        let is_wide = |row: &AuthorizationRow| match &row.details.secret {
            Secret::Hash(foreign_hash) => matches!(**foreign_hash, ForeignHash::Sha512(_)),
            Secret::Stored(credential) => {
                matches!(credential.foreign_hash(), Some(ForeignHash::Sha512(_)))
            }
            Secret::Text(_) => false,
        };
        Self { known: HashMap::with_capacity(rows.len()), wide: rows.iter().any(is_wide) }
    }

    /// Records the token of the row with this index.
    ///
    /// # Errors
    ///
    /// The index of an earlier row with the same token.
    pub(super) fn note(&mut self, index: usize, secret: &Secret) -> Result<(), usize> {
        let locators = match secret {
            Secret::Hash(foreign_hash) => [Some(**foreign_hash), None],
            Secret::Stored(credential) => [credential.foreign_hash(), None],
            Secret::Text(text) => {
                let wide = self.wide.then(|| ForeignHash::sha512(text.as_bytes()));
                [Some(ForeignHash::sha256(text.as_bytes())), wide]
            }
        };
        let keyed = match secret {
            Secret::Stored(credential) => credential.keyed(),
            _ => None,
        };
        let digests = locators.iter().flatten().map(ForeignHash::digest);
        let keyed = keyed.as_ref().map(|(_, hash)| hash.0.as_slice());
        for start in digests.chain(keyed).filter_map(|digest| digest.first_chunk()) {
            match self.known.entry(*start) {
                Entry::Occupied(earlier) => return Err(*earlier.get()),
                Entry::Vacant(free) => {
                    free.insert(index);
                }
            }
        }
        Ok(())
    }
}
