//! What the server logs: to standard error, never a token.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::error::Failure;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Begins to log what `filter` lets through.
pub(super) fn start(filter: &str, format: Format) -> Result<(), Failure> {
    let filter: EnvFilter = filter
        .parse()
        .map_err(|_| Failure::Argument("log", format!("`{filter}` is no level or filter")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Fails only if somebody logs already, and then that goes on.
    let _ = match format {
        Format::Text => log.try_init(),
        Format::Json => log.json().try_init(),
    };
    Ok(())
}
