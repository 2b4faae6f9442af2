//! **The rule for administration on a store**: a caller who names the store on the command line
//! and can read its key acts as the operator.
//!
//! A store taken from the environment or from the default does not count, so that no command acts
//! as the operator by accident.

use clap::parser::ValueSource;

use crate::error::Failure;
use crate::global::{DEFAULT_STORE, Global};
use crate::open::Opened;
use crate::store_url::StoreUrl;

/// Opens the store for changes by its operator, [`symbolon::Caller::Root`].
///
/// # Errors
///
/// Fails with [`Failure::StoreNotNamed`] if `--store` is not on the command line.
pub(crate) fn open(global: &Global) -> Result<Opened, Failure> {
    if may_operate(global.store_source) {
        return global.open();
    }
    let example = StoreUrl::parse(DEFAULT_STORE.into());
    let example = example.unwrap_or_else(|_| global.store.clone());
    Err(Failure::StoreNotNamed(example))
}

fn may_operate(store_source: Option<ValueSource>) -> bool {
    store_source == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_on_the_command_line_grants_operator_access() {
        assert!(may_operate(Some(ValueSource::CommandLine)));
        for elsewhere in [None, Some(ValueSource::DefaultValue), Some(ValueSource::EnvVariable)] {
            assert!(!may_operate(elsewhere), "{elsewhere:?}");
        }
    }
}
