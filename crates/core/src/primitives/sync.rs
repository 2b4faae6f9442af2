//! Atomics, locks and thread locals of the index: those of the standard library or of the model
//! checker.

#[cfg_attr(
    feature = "portable",
    expect(unused_imports, reason = "the portable parts use fewer")
)]
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence},
    },
    thread_local,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence},
    },
    thread_local,
};

pub(crate) use std::sync::atomic::Ordering;
