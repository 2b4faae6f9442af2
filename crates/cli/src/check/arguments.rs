//! Options of `symbolon check`.

use std::path::PathBuf;

use clap::Args;

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
    pub(super) action: Option<String>,
    /// Resource type, such as `buckets`
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "stream")]
    pub(super) kind: Option<String>,
    /// ID of the resource, or its name (buckets, users, orgs and databases)
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Name or ID of the resource's organization
    #[arg(long)]
    pub(super) org: Option<String>,
    /// Read the token from FILE instead of standard input
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Check each line of standard input
    #[arg(long, conflicts_with_all = ["action", "kind", "id", "org", "token_file"])]
    pub(super) stream: bool,
}
