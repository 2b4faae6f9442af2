//! Reading the settings of a store.

use crate::key::StoreKey;
use crate::open_error::OpenError;
use crate::record::{self, Entity, IntegrityError, Record, SETTINGS, Settings, StoreId};
use crate::store::{Cursor, TokenStore};

/// Returns true if the store was never created, so that it needs a new key.
///
/// # Errors
///
/// [`OpenError::Settings`] if it holds records but no settings, [`OpenError::Store`] if it cannot
/// be read.
pub fn is_new(store: &dyn TokenStore) -> Result<bool, OpenError> {
    if store.get(&SETTINGS)?.is_some() {
        return Ok(false);
    }
    let page = store.scan(&Cursor::start(), 1)?;
    if page.items.is_empty() {
        return Ok(true);
    }
    // Another process may have created it between the two reads.
    match store.get(&SETTINGS)? {
        Some(_) => Ok(false),
        None => Err(OpenError::Settings),
    }
}

/// Returns the settings of a store; none if it was never created.
pub(crate) fn read_settings(
    store: &dyn TokenStore,
    key: &StoreKey,
) -> Result<Option<Settings>, OpenError> {
    let found = match store.get(&SETTINGS)? {
        None if is_new(store)? => return Ok(None),
        None => store.get(&SETTINGS)?,
        found => found,
    };
    let stored = found.ok_or(OpenError::Settings)?;
    open_settings(key, &stored.record).map(Some)
}

/// Opens the settings record with `key`.
pub(crate) fn open_settings(key: &StoreKey, record: &Record) -> Result<Settings, OpenError> {
    let opened = record::open(key, StoreId::default(), record).map_err(|error| match error {
        IntegrityError::Key(id) => OpenError::WrongKey(id),
        IntegrityError::Retired(id) => OpenError::RetiredKey(id),
        IntegrityError::Version(version) => OpenError::Version(version),
        _ => OpenError::Settings,
    })?;
    match opened {
        Some((Entity::Settings(settings), _)) => Ok(settings),
        _ => Err(OpenError::Settings),
    }
}

/// Checks that `key` contains every key that the settings name.
pub(crate) fn check_keys(settings: &Settings, key: &StoreKey) -> Result<(), OpenError> {
    match settings.keys.iter().find(|id| key.named(**id).is_none()) {
        Some(missing) => Err(OpenError::WrongKey(*missing)),
        None => Ok(()),
    }
}
