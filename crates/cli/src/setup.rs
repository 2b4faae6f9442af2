//! `symbolon setup`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use symbolon::{AdminError, Field, IfNameExists, Schema, SetUpRequest, SetUpResult};

use crate::error::Failure;
use crate::global::Global;
use crate::open;
use crate::output::BOLD;
use crate::write_token::{Form, TokenFile, deliver_token};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon setup --org my-org --user me
  symbolon setup --org my-org --user me --store sled:./tokens \\
    --write-token operator.token

The store and its key are created if they do not exist. A store can be set up
only once.")]
pub(crate) struct SetupArgs {
    /// Name of the first organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// Name of the first user
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Use an existing organization and user with these names, as after an import
    #[arg(long)]
    adopt: bool,
    /// Write the token to the new file FILE, readable by you only, and print nothing
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let first = SetUpRequest {
        organization: args.org.clone(),
        user: args.user.clone(),
        password_hash: None,
        permissions: Schema::influxdb_operator().into(),
        bucket: None,
        token: None,
        if_name_exists: if args.adopt { IfNameExists::Adopt } else { IfNameExists::Refuse },
    };
    // Validates the names before creating any file.
    open::scratch_engine()?.maintenance().set_up(&first)?;
    let file = args.write_token.as_deref();
    let file = file.map(TokenFile::reserve).transpose()?;
    let engine = global.open_or_create()?;
    let not_adopted = |what, name: &str| Failure::NotAdopted { what, name: name.to_owned() };
    let made = engine.maintenance().set_up(&first).map_err(|error| match error {
        AdminError::Exists(Field::OrganizationName) => not_adopted("organization", &args.org),
        AdminError::Exists(Field::UserName) => not_adopted("user", &args.user),
        error => error.into(),
    })?;
    deliver_token(&made.token, file, Form::of(args.json), |token, form| match (token, form) {
        (None, _) => String::new(),
        (_, Form::Json) => format!("{:#}\n", json(&made)),
        (_, Form::Text) => text(&made, global),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn json(made: &SetUpResult) -> serde_json::Value {
    json!({
        "org": { "id": made.organization.id, "name": made.organization.name },
        "user": { "id": made.user.id, "name": made.user.name },
        "auth": {
            "id": made.authorization.id,
            "description": made.authorization.description,
            "token": made.token.reveal(),
        },
    })
}

fn text(made: &SetUpResult, global: &Global) -> String {
    let mut text = format!("Set up {}\n\n", global.store);
    let authorization = (&made.authorization.description, made.authorization.id);
    for (what, (name, id)) in [
        ("Organization", (&made.organization.name, made.organization.id)),
        ("User", (&made.user.name, made.user.id)),
        ("Authorization", authorization),
    ] {
        text.push_str(&format!("  {BOLD}{what:13}{BOLD:#}  {id}  {name}\n"));
    }
    let token = made.token.reveal();
    text.push_str(&format!("  {BOLD}{:13}{BOLD:#}  {token}\n\n", "Token"));
    text.push_str("The token is shown only once. Keep it in a safe place.\n");
    text
}
