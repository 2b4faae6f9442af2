//! Options that every command accepts.

use std::path::PathBuf;
use std::time::Duration;

use anstream::ColorChoice;
use clap::Args;
use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use symbolon::Timestamp;

use crate::duration::nonzero_duration;
use crate::store_url::StoreUrl;

/// Default of `--store`.
pub(crate) const DEFAULT_STORE: &str = "sqlite:./symbolon/data/symbolon.db";

/// Options that every command accepts, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Store to use: `sqlite:PATH` or `sled:PATH`
    #[arg(
        long, global = true, env = "SYMBOLON_STORE", value_name = "STORE",
        default_value = DEFAULT_STORE,
        value_parser = OsStringValueParser::new().try_map(StoreUrl::parse)
    )]
    pub(crate) store: StoreUrl,
    /// Source of `store`: the command line, the environment or the default.
    #[arg(skip)]
    pub(crate) store_source: Option<ValueSource>,
    /// Key file of the store [default: STORE.keys/key]
    #[arg(long, global = true, env = "SYMBOLON_KEY_FILE", value_name = "PATH")]
    pub(crate) key_file: Option<PathBuf>,
    /// Directory of the journal [default: KEY_FILE.journal]
    #[arg(long, global = true, env = "SYMBOLON_JOURNAL", value_name = "PATH")]
    pub(crate) journal: Option<PathBuf>,
    /// Open a restored store without its journal; tokens revoked after the backup may work again
    #[arg(long, global = true)]
    pub(crate) accept_restore: bool,
    /// Create a store even if the journal records changes of a previous one, which is abandoned
    #[arg(long, global = true)]
    pub(crate) accept_new_store: bool,
    /// Revoke all tokens created before TIME, such as `2026-01-31T12:00:00Z`, on opening the store
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) revoke_before: Option<Timestamp>,
    /// Maximum time to answer checks from memory if the store is unreadable, such as `500ms`
    #[arg(
        long, global = true, env = "SYMBOLON_MAX_STALENESS", value_name = "TIME",
        default_value = "10s", value_parser = nonzero_duration
    )]
    pub(crate) max_staleness: Duration,
    /// Choice of color for the output.
    #[arg(
        long, global = true, value_name = "WHEN", default_value = "auto",
        hide_possible_values = true, help = "When to color the output: auto, always or never",
        value_parser = PossibleValuesParser::new(["auto", "always", "never"])
            .map(|when| color(&when))
    )]
    pub(crate) color: ColorChoice,
}

/// Parses a value of `--color`.
pub(crate) fn color(when: &str) -> ColorChoice {
    match when {
        "always" => ColorChoice::AlwaysAnsi,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}
