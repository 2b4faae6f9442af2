//! `symbolon check`: one check, or a stream of them.

mod answer;
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

With --stream each line of standard input is an object such as
  {\"token\":\"…\",\"action\":\"read\",\"type\":\"buckets\",\"id\":\"…\",\"org\":\"my-org\"}
and each line of standard output the decision, in the same order:
  {\"allow\":true,\"id\":\"0804f74142bbf001\",\"permission\":\"read:buckets\"}
  {\"allow\":false,\"reason\":\"revoked\",\"id\":\"0804f74142bbf001\"}

Exits with 0 if it is allowed, 1 if it is denied, and 2 on an error; with
--stream, with 2 if a line was wrong.")]
pub(crate) struct CheckArgs {
    /// What shall be done: `read` or `write`
    #[arg(long, required_unless_present = "stream")]
    action: Option<String>,
    /// To what type of resource, such as `buckets`
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "stream")]
    kind: Option<String>,
    /// To which resource: its id; for buckets, users and orgs also its name; for databases its name
    #[arg(long)]
    id: Option<String>,
    /// The organization of the resource: its id or name
    #[arg(long)]
    org: Option<String>,
    /// Read the token from this file, and not from standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Answer one check for each line of standard input
    #[arg(long, conflicts_with_all = ["action", "kind", "id", "org", "token_file"])]
    stream: bool,
}

pub(crate) fn run(global: &Global, args: &CheckArgs) -> Result<ExitCode, Failure> {
    if args.stream {
        stream::run(global)
    } else {
        single::run(global, args)
    }
}
