//! Log output of the server, on standard error. It never contains a token.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::error::Failure;

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Starts logging the events that `filter` selects.
pub(super) fn start(filter: &str, format: Format) -> Result<(), Failure> {
    let filter: EnvFilter = filter
        .parse()
        .map_err(|_| Failure::Argument("log", format!("invalid level or filter `{filter}`")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that cannot be written is lost. Reporting that would panic, for the same reason.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    // Fails only if a logger is installed already, which then stays in use.
    let _ = match format {
        Format::Text => log.try_init(),
        Format::Json => log.json().try_init(),
    };
    Ok(())
}
