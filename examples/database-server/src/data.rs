//! The data: in-memory tables of keys and values.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Maximum number of values in all tables.
const MOST: usize = 100_000;

/// All tables.
#[derive(Debug, Default)]
pub struct Data(RwLock<BTreeMap<(String, String), String>>);

impl Data {
    /// Returns the value of a key.
    pub fn read(&self, table: &str, key: &str) -> Option<String> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.get(&(table.into(), key.into())).cloned()
    }

    /// Sets the value of a key. Returns false if the maximum is reached.
    pub fn write(&self, table: &str, key: &str, value: &str) -> bool {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key = (table.into(), key.into());
        if values.len() >= MOST && !values.contains_key(&key) {
            return false;
        }
        values.insert(key, value.into());
        true
    }
}
