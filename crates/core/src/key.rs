//! The key of a store, under which tokens are hashed and records are sealed.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::{self, RandomError};
use crate::token::HashKey;

/// The id of one secret of a [`StoreKey`]. It is not secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(crate) u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let number = u32::from_str_radix(text, 16).map_err(|_| InvalidKeyId)?;
        let id = Self(number);
        (id.to_string() == text).then_some(id).ok_or(InvalidKeyId)
    }
}

/// The error for a text that is not a key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 8 lower-case hexadecimal digits")]
pub struct InvalidKeyId;

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The secrets of one store, kept outside of it. The newest secret is current. Of older ones the
/// hash key is kept, because a token cannot be hashed again without its text.
///
/// The holder of the key can create tokens and records. Without it, access to the database is not
/// enough for either. A key file contains the text form, see [`StoreKey::to_text`].
pub struct StoreKey {
    /// Earlier secrets in the order in which they were added, without the current one.
    former: Vec<Secret>,
    current: Secret,
}

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret {
    #[zeroize(skip)]
    pub(crate) id: KeyId,
    pub(crate) hash: HashKey,
    /// `None` for a retired secret: records sealed under it are rejected.
    full: Option<FullSecret>,
}

/// The part of a secret under which tokens are hashed.
#[derive(Clone)]
pub(crate) struct HashSecret {
    pub(crate) id: KeyId,
    pub(crate) hash: HashKey,
}

/// The secrets of a [`StoreKey`] that checks need. No record can be sealed with them.
pub(crate) struct HashSecrets {
    /// As [`StoreKey::former`].
    former: Vec<HashSecret>,
    current: HashSecret,
}

impl HashSecrets {
    /// Returns the secret under which new tokens are hashed.
    #[inline]
    pub(crate) fn current(&self) -> &HashSecret {
        &self.current
    }

    /// Returns all secrets, newest first.
    pub(crate) fn newest_first(&self) -> impl DoubleEndedIterator<Item = &HashSecret> {
        std::iter::once(&self.current).chain(self.former.iter().rev())
    }

    /// Returns true if tokens may be hashed under an earlier secret.
    #[inline]
    pub(crate) fn has_former(&self) -> bool {
        !self.former.is_empty()
    }
}

/// The parts of a secret that retiring it removes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct FullSecret {
    bytes: [u8; 32],
    mac: HashKey,
}

/// The error for a text that is not a store key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// No line contains a secret.
    #[error("the key file contains no key: it is empty or truncated; restore it from a copy")]
    Empty,
    /// The line with this number, counted from 1, has neither form.
    #[error(
        "line {0} of the key file is not of the form `symbolon-key-1:ID:SECRET` or \
         `symbolon-former-1:ID:KEY:CHECK`; restore it from a copy"
    )]
    Form(usize),
    /// The last line, with this number, contains a retired secret.
    #[error(
        "the last line of the key file, {0}, contains no current secret; restore it from a copy"
    )]
    NoCurrent(usize),
    /// Secret and id on the line with this number, counted from 1, do not match.
    #[error(
        "line {0} of the key file is damaged: secret and id do not match; restore it from a copy"
    )]
    Damaged(usize),
}

const LABEL: &str = "symbolon-key-1";
const FORMER: &str = "symbolon-former-1";
/// Upper bound of the length of a line in bytes.
const LINE: usize = 128;

impl Secret {
    fn new(bytes: [u8; 32]) -> Self {
        let derive = |context: &str| blake3::derive_key(context, &bytes);
        let named = derive("symbolon 2026-11-22 key id");
        let id = named.first_chunk().copied().unwrap_or_default();
        Self {
            id: KeyId(u32::from_be_bytes(id)),
            hash: HashKey::new(&derive("symbolon 2026-11-22 token hash")),
            full: Some(FullSecret {
                mac: HashKey::new(&derive("symbolon 2026-11-22 record mac")),
                bytes,
            }),
        }
    }

    /// Returns the MAC key of records; `None` if the secret is retired.
    pub(crate) fn mac(&self) -> Option<&HashKey> {
        self.full.as_ref().map(|full| &full.mac)
    }

    fn retired(&self) -> Self {
        Self { id: self.id, hash: self.hash.clone(), full: None }
    }

    fn hashing(&self) -> HashSecret {
        HashSecret { id: self.id, hash: self.hash.clone() }
    }

    /// Appends the line of a key file.
    fn write(&self, text: &mut String) {
        let hex = |bytes: [u8; 32]| Zeroizing::new(blake3::Hash::from_bytes(bytes).to_hex());
        let id = self.id.to_string();
        match &self.full {
            Some(full) => [LABEL, ":", &id, ":", &hex(full.bytes), "\n"]
                .into_iter()
                .for_each(|part| text.push_str(part)),
            None => [FORMER, ":", &id, ":", &hex(*self.hash.bytes()), ":", &self.check(), "\n"]
                .into_iter()
                .for_each(|part| text.push_str(part)),
        }
    }

    /// Computes the check value of a retired secret, whose id cannot be derived from its hash key.
    fn check(&self) -> String {
        let context = "symbolon 2026-11-22 former key";
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&self.id.0.to_be_bytes()).update(&*self.hash.bytes());
        let check = hasher.finalize();
        let check = check.as_bytes().first_chunk().copied().unwrap_or_default();
        KeyId(u32::from_be_bytes(check)).to_string()
    }
}

impl StoreKey {
    /// Generates a key from random bytes of the operating system.
    ///
    /// # Errors
    ///
    /// [`RandomError`] if the operating system provides none.
    pub fn generate() -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0; 32]);
        random::fill(bytes.as_mut_slice())?;
        Ok(Self::from_bytes(*bytes))
    }

    /// Creates a key with one secret, which must be 32 random bytes.
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self { former: Vec::new(), current: Secret::new(secret) }
    }

    /// Returns the contents of a key file, the current secret last: for each secret a line
    /// `symbolon-key-1:ID:SECRET` with 8 and 64 hexadecimal digits, for a retired one
    /// `symbolon-former-1:ID:KEY:CHECK` with 8, 64 (the hash key) and 8 (a check value).
    pub fn to_text(&self) -> Zeroizing<String> {
        let lines = self.former.len() + 1;
        let mut text = Zeroizing::new(String::with_capacity(lines * LINE));
        for secret in self.former.iter().chain([&self.current]) {
            secret.write(&mut text);
        }
        text
    }

    /// Returns this key with a new current secret, under which records can be sealed again.
    ///
    /// # Errors
    ///
    /// [`RandomError`] if the operating system provides no random bytes.
    pub fn rotated(&self) -> Result<Self, RandomError> {
        let Self { current, .. } = Self::generate()?;
        let former = self.former.iter().chain([&self.current]).cloned();
        Ok(Self { former: former.collect(), current })
    }

    /// Returns this key with only the hash keys of the earlier secrets. Records that are still
    /// sealed under an earlier secret are then rejected.
    #[must_use]
    pub fn retired(&self) -> Self {
        Self {
            former: self.former.iter().map(Secret::retired).collect(),
            current: self.current.clone(),
        }
    }

    /// Returns this key with the secrets of `old` added, to read a backup that was written before a
    /// rotation.
    #[must_use]
    pub fn with_former(&self, old: &Self) -> Self {
        let known = |id| self.ids().any(|known| known == id);
        let unknown = old.former.iter().chain([&old.current]);
        let unknown = unknown.filter(|secret| !known(secret.id)).cloned();
        let former = self.former.iter().map(|secret| match old.named(secret.id) {
            Some(full) if full.full.is_some() => full.clone(),
            _ => secret.clone(),
        });
        Self { former: unknown.chain(former).collect(), current: self.current.clone() }
    }

    /// Returns `true` during a rotation: records sealed under an earlier secret are still accepted.
    pub fn is_rotating(&self) -> bool {
        self.former.iter().any(|secret| secret.full.is_some())
    }

    /// Returns the ids of all secrets, the current one last.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.former.iter().chain([&self.current]).map(|secret| secret.id)
    }

    /// Returns the secret under which new records and hashes are created.
    pub(crate) fn current(&self) -> &Secret {
        &self.current
    }

    pub(crate) fn named(&self, id: KeyId) -> Option<&Secret> {
        self.newest_first().find(|secret| secret.id == id)
    }

    /// Returns all secrets, newest first.
    pub(crate) fn newest_first(&self) -> impl DoubleEndedIterator<Item = &Secret> {
        std::iter::once(&self.current).chain(self.former.iter().rev())
    }

    /// Returns the secrets that checks need.
    pub(crate) fn hash_secrets(&self) -> HashSecrets {
        HashSecrets {
            former: self.former.iter().map(Secret::hashing).collect(),
            current: self.current.hashing(),
        }
    }
}

impl FromStr for StoreKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut secrets = Vec::new();
        let mut last = 0;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            last = at + 1;
            secrets.push(parse_line(line, last)?);
        }
        let current: Secret = secrets.pop().ok_or(InvalidKey::Empty)?;
        if current.full.is_none() {
            return Err(InvalidKey::NoCurrent(last));
        }
        Ok(Self { former: secrets, current })
    }
}

fn parse_line(line: &str, number: usize) -> Result<Secret, InvalidKey> {
    let form = InvalidKey::Form(number);
    let mut parts = line.split(':');
    let mut next = || parts.next().ok_or(form);
    let (label, id, key) = (next()?, next()?, next()?);
    let id = id.to_ascii_lowercase().parse::<KeyId>().map_err(|_| form)?;
    let bytes = *blake3::Hash::from_hex(key).map_err(|_| form)?.as_bytes();
    let fits = match (label, parts.next(), parts.next()) {
        (LABEL, None, None) => {
            let secret = Secret::new(bytes);
            (secret.id == id).then_some(secret)
        }
        (FORMER, Some(check), None) => {
            let secret = Secret { id, hash: HashKey::new(&bytes), full: None };
            (secret.check() == check).then_some(secret)
        }
        _ => return Err(form),
    };
    fits.ok_or(InvalidKey::Damaged(number))
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey")?;
        f.debug_list().entries(self.ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(secret: &Secret) -> Option<Zeroizing<[u8; 32]>> {
        secret.mac().map(HashKey::bytes)
    }

    #[test]
    fn key_file_text_round_trips() {
        let key = StoreKey::generate().unwrap();
        let text = format!("# a comment\n\n{}", *key.to_text());
        let read: StoreKey = text.parse().unwrap();
        let (a, b) = (key.current(), read.current());
        assert_eq!((a.id, a.hash.bytes(), mac(a)), (b.id, b.hash.bytes(), mac(b)));
        assert_ne!(Some(a.hash.bytes()), mac(a));
        assert_eq!(format!("{key:?}"), format!("StoreKey[{}]", a.id));
    }

    #[test]
    fn the_last_line_is_current_and_the_others_are_found() {
        let (old, new) = (StoreKey::from_bytes([1; 32]), StoreKey::from_bytes([2; 32]));
        let both: StoreKey = format!("{}{}", *old.to_text(), *new.to_text()).parse().unwrap();
        assert_eq!(both.current().id, new.current().id);
        assert!(both.named(old.current().id).is_some());
        assert_eq!(both.newest_first().count(), 2);
    }

    #[test]
    fn retiring_a_secret_keeps_only_its_hash_key() {
        let old = StoreKey::from_bytes([1; 32]);
        let both = old.rotated().unwrap();
        assert!(both.is_rotating() && !old.is_rotating());
        let id = old.current().id;
        assert!(both.named(id).unwrap().mac().is_some());
        let text = both.retired().to_text();
        let secret = old.to_text().trim_end().rsplit(':').next().unwrap().to_owned();
        assert!(both.to_text().contains(&secret) && !text.contains(&secret));
        let read: StoreKey = text.parse().unwrap();
        assert!(!read.is_rotating());
        let former = read.named(id).unwrap();
        assert_eq!(former.hash.bytes(), old.current().hash.bytes());
        assert_eq!(mac(former), None);
        assert_eq!(mac(read.current()), mac(both.current()));
        let cut = text.lines().next().unwrap();
        assert_eq!(cut.parse::<StoreKey>().err(), Some(InvalidKey::NoCurrent(1)));
        let digit = if cut.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{digit}", &cut[..cut.len() - 1]);
        assert_eq!(changed.parse::<StoreKey>().err(), Some(InvalidKey::Damaged(1)));
    }

    /// The examples of `docs/format.md`.
    #[test]
    fn key_file_lines_have_the_documented_form() {
        let key = StoreKey::from_bytes([7; 32]);
        let current = format!("symbolon-key-1:4f5d96ff:{}\n", "07".repeat(32));
        assert_eq!(*key.to_text(), current);
        let former = "symbolon-former-1:4f5d96ff:\
            2bbbccb69e743e36d7af772b41819eaf897bb1c44a0f4574b9df100b0e6b4963:2d599b28\n";
        assert!(key.rotated().unwrap().retired().to_text().starts_with(former));
    }

    #[test]
    fn with_former_restores_the_secrets_of_an_old_key() {
        let old = StoreKey::from_bytes([1; 32]);
        let now = old.rotated().unwrap().rotated().unwrap().retired();
        let both = now.with_former(&old);
        assert!(both.ids().eq(now.ids()));
        assert!(both.named(old.current().id).unwrap().mac().is_some());
        assert_eq!(both.current().id, now.current().id);
        let stranger = StoreKey::from_bytes([9; 32]);
        let wider = now.with_former(&stranger);
        assert_eq!(wider.ids().count(), 4);
        assert_eq!(wider.current().id, now.current().id);
    }

    #[test]
    fn damage_is_reported() {
        let text = StoreKey::from_bytes([3; 32]).to_text().to_string();
        assert_eq!("# nothing\n".parse::<StoreKey>().err(), Some(InvalidKey::Empty));
        assert_eq!(text[..60].parse::<StoreKey>().err(), Some(InvalidKey::Form(1)));
        let last = if text.ends_with("0\n") { "1\n" } else { "0\n" };
        let changed = format!("\n{}{last}", &text[..text.len() - 2]);
        assert_eq!(changed.parse::<StoreKey>().err(), Some(InvalidKey::Damaged(2)));
        // An id has exactly one text form.
        let longer = text.replacen(':', ":0", 1);
        assert_eq!(longer.parse::<StoreKey>().err(), Some(InvalidKey::Form(1)));
        assert_eq!("-----BEGIN KEY-----".parse::<StoreKey>().err(), Some(InvalidKey::Form(1)));
    }
}
