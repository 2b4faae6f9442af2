//! `symbolon check`: a single check or a stream of checks.

mod decision_json;
mod lines;
mod names;
mod single;
mod stream;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::arguments::Global;
use crate::error::Failure;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon check --action read --type buckets --org my-org < token.txt
  symbolon check --action write --type buckets --org my-org --id telegraf \\
    --token-file token.txt --json
  symbolon check --stream < requests.jsonl > decisions.jsonl

With --stream, each line of standard input is an object such as
  {\"token\":\"…\",\"action\":\"read\",\"type\":\"buckets\",\"id\":\"…\",\"org\":\"my-org\"}
and each line of standard output is the decision, in the same order:
  {\"allow\":true,\"id\":\"0804f74142bbf001\",\"permission\":\"read:buckets\"}
  {\"allow\":false,\"reason\":\"revoked\",\"id\":\"0804f74142bbf001\"}

The exit code is 0 if the action is allowed, 1 if it is denied, and 2 on an
error. With --stream, it is 2 if any line was invalid, otherwise 0.")]
pub(crate) struct CheckArgs {
    /// Action to check: `read` or `write`
    #[arg(long, required_unless_present = "stream")]
    action: Option<String>,
    /// Resource type, such as `buckets`
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "stream")]
    kind: Option<String>,
    /// ID of the resource, or its name (buckets, users, orgs and databases)
    #[arg(long)]
    id: Option<String>,
    /// Name or ID of the resource's organization
    #[arg(long)]
    org: Option<String>,
    /// Read the token from FILE instead of standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
    /// Check each line of standard input
    #[arg(long, conflicts_with_all = ["action", "kind", "id", "org", "token_file"])]
    stream: bool,
}

pub(crate) fn run(global: &Global, args: &CheckArgs) -> Result<ExitCode, Failure> {
    if args.stream { stream::run(global) } else { single::run(global, args) }
}
