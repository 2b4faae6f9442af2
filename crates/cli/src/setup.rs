//! `symbolon setup`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use symbolon::{Authorization, FirstUser, Organization, Schema, Token, User};

use crate::arguments::Global;
use crate::error::Failure;
use crate::open;
use crate::output::{self, BOLD};
use crate::write_token::TokenFile;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon setup --org my-org --user me
  symbolon setup --store sled:./tokens --org my-org --user me --write-token operator.token

The store and its key are made if there is none. It works once for each store.")]
pub(crate) struct SetupArgs {
    /// The name of the first organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// The name of the first user
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Write the token to this new file, which only you can read, and print nothing
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was made.
struct Made {
    token: Token,
    authorization: Authorization,
    organization: Organization,
    user: User,
}

pub(crate) fn run(global: &Global, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let first = FirstUser {
        organization: args.org.clone(),
        user: args.user.clone(),
        password_hash: None,
        permissions: Schema::influxdb_operator().into(),
    };
    // Names that cannot be taken are refused before anything is made.
    open::rehearsal()?.issuer().set_up(&first)?;
    let file = args.write_token.as_deref();
    let file = file.map(TokenFile::reserve).transpose()?;
    let engine = global.open_or_make()?;
    let (token, authorization, organization, user) = engine.issuer().set_up(&first)?;
    let made = Made {
        token,
        authorization,
        organization,
        user,
    };
    match file {
        None => made.show(global, args.json)?,
        Some(file) => {
            if let Err((path, source)) = file.write(&made.token) {
                made.show(global, args.json)?;
                return Err(Failure::TokenFile { path, source });
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Made {
    /// Prints the token for the only time; to standard error if nothing else is left.
    fn show(&self, global: &Global, json: bool) -> Result<(), Failure> {
        let printed = match json {
            true => output::print_all(format!("{:#}\n", self.json())),
            false => output::print_all(self.text(global)),
        };
        printed.inspect_err(|_| output::tell(&self.text(global)))
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "org": { "id": self.organization.id, "name": self.organization.name },
            "user": { "id": self.user.id, "name": self.user.name },
            "auth": {
                "id": self.authorization.id,
                "description": self.authorization.description,
                "token": self.token.reveal(),
            },
        })
    }

    fn text(&self, global: &Global) -> String {
        let mut text = format!("Set up {}\n\n", global.store);
        let authorization = (&self.authorization.description, self.authorization.id);
        for (what, (name, id)) in [
            (
                "Organization",
                (&self.organization.name, self.organization.id),
            ),
            ("User", (&self.user.name, self.user.id)),
            ("Authorization", authorization),
        ] {
            text.push_str(&format!("  {BOLD}{what:13}{BOLD:#}  {id}  {name}\n"));
        }
        let token = self.token.reveal();
        text.push_str(&format!("  {BOLD}{:13}{BOLD:#}  {token}\n\n", "Token"));
        text.push_str("The token is shown only now: keep it in a safe place.\n");
        text
    }
}
