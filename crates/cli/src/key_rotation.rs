//! Completing a rotation of the key.

use symbolon::{Engine, RollbackReport, StoreKey};
use symbolon_files::{KeyFile, KeyLock};

use crate::error::Failure;
use crate::global::Global;
use crate::open::OpenStore;
use crate::progress::Progress;

/// Reseals the records under former secrets, and reduces these secrets in the key file to their
/// keys for hashing tokens. Returns the number of resealed records, and the rollback report of the
/// engine.
pub(crate) fn complete(
    global: &Global,
    store: &OpenStore,
    key: StoreKey,
    alone: KeyLock,
) -> Result<(usize, Option<RollbackReport>), Failure> {
    let after = key.retired();
    let engine = global.start(store, (key, alone), Engine::open, global.options())?;
    let known = engine.len();
    let progress = Progress::counted("Sealing", Some(known as u64));
    // The count includes the few buckets and settings, which `len` does not.
    let mut print_rollback = |count: usize| progress.set(count.min(known) as u64);
    let sealed = engine.maintenance().reseal(&mut print_rollback);
    progress.finish();
    let sealed = sealed?;
    KeyFile::replace(&global.key_path(), &after)?;
    Ok((sealed, engine.rollback().copied()))
}
