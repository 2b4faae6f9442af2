//! `symbolon purge`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use symbolon::{PurgeOptions, PurgeReport};

use crate::duration::duration;
use crate::error::Failure;
use crate::global::Global;
use crate::output;
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon purge --dry-run
  symbolon purge --retention 90d --store sqlite:tokens.db

Users and organizations are removed after everything that belongs to them. After
a purge, the token of a removed authorization is `unknown` instead of `revoked`,
and an imported token can be imported again. A purge can be interrupted at any
time; the next one continues.")]
pub(crate) struct PurgeArgs {
    /// Minimum time since a record was revoked or deleted, such as `12h` or `90d`
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
    retention: Duration,
    /// Show what would be removed without removing anything
    #[arg(long)]
    dry_run: bool,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &PurgeArgs) -> Result<ExitCode, Failure> {
    let engine = global.open()?;
    let how = PurgeOptions { retention: Some(args.retention), dry_run: args.dry_run };
    let progress = Progress::counted(if args.dry_run { "Counting" } else { "Removing" }, None);
    let mut tell = |so_far: usize| progress.set(so_far as u64);
    let purged = engine.maintenance().purge_with(&how, &mut tell);
    progress.finish();
    let purged = purged?;
    if args.json {
        output::print_json(&json!({
            "dryRun": args.dry_run,
            "authorizations": purged.authorizations,
            "buckets": purged.buckets,
            "users": purged.users,
            "organizations": purged.organizations,
            "sessions": purged.sessions,
        }))?;
    } else {
        output::print(text(&purged, args.dry_run))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(purged: &PurgeReport, dry_run: bool) -> String {
    let verb = if dry_run { "Would remove" } else { "Removed" };
    let mut table = output::table(&["", verb]);
    for (what, many) in [
        ("Authorizations", purged.authorizations),
        ("Buckets", purged.buckets),
        ("Users", purged.users),
        ("Organizations", purged.organizations),
        ("Sessions", purged.sessions),
    ] {
        table.add_row([what.to_owned(), output::number(many)]);
    }
    output::lines(&table)
}
