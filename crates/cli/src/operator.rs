//! **The rule of administration on a store**: whoever names the store on the command line, and can read its key, is the
//! operator.
//!
//! Everything else goes over HTTP in a later version, with a token. A store that was named elsewhere, by the environment
//! or by default, must not turn such a command into one of the operator.

use clap::parser::ValueSource;

use crate::arguments::{DEFAULT_STORE, Global};
use crate::error::Failure;
use crate::open::Opened;
use crate::store_url::StoreUrl;

/// Opens the store for its operator, as which [`symbolon::Caller::Root`] then acts.
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
    fn only_a_store_on_the_command_line_counts() {
        assert!(may_operate(Some(ValueSource::CommandLine)));
        for elsewhere in [
            None,
            Some(ValueSource::DefaultValue),
            Some(ValueSource::EnvVariable),
        ] {
            assert!(!may_operate(elsewhere), "{elsewhere:?}");
        }
    }
}
