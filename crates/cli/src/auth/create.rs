//! `symbolon auth create`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use symbolon::{
    Authorization, Caller, Clock, Id, InvalidTime, NewAuthorization, Origin, Status, SystemClock,
    Timestamp, Token,
};

use super::authorization_output::AuthorizationOutput;
use super::grants::{Grants, is_of_databases};
use crate::arguments::{Global, span};
use crate::error::Failure;
use crate::lookup::Lookup;
use crate::operator;
use crate::output::BOLD;
use crate::write_token::{Form, TokenFile, deliver_token};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon auth create --org my-org --read-buckets --store sqlite:tokens.db
  symbolon auth create --org my-org --user me --write-bucket telegraf \\
    --description 'of the agents' --expires 90d --store sqlite:tokens.db
  symbolon auth create --org my-org --operator --write-token operator.token \\
    --store sled:./tokens

--help lists an option for each type of resource, such as --read-tasks.
An authorization for databases alone is one of a database token, and its
permissions may be changed; every other has permissions that never change.")]
pub(super) struct CreateArgs {
    /// Its organization: the name or id
    #[arg(long, short, value_name = "NAME", required_unless_present = "org_id")]
    org: Option<String>,
    /// Its organization
    #[arg(long, value_name = "ID", conflicts_with = "org")]
    org_id: Option<Id>,
    /// Its user: the name or id; it is dead while that user is not active
    #[arg(long, short, value_name = "NAME")]
    user: Option<String>,
    /// What it is for
    #[arg(
        long,
        short,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    description: String,
    /// When it expires: a time such as `2027-01-01T00:00:00Z`, or how long from now, as in `90d`
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// Create it switched off
    #[arg(long)]
    inactive: bool,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    output: TokenOutput,
}

/// Where a new token goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct TokenOutput {
    /// Write the token to this new file, which only you can read, and print the rest
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, args: &CreateArgs) -> Result<(), Failure> {
    let engine = operator::open(global)?;
    let mut lookup = Lookup::new(&engine);
    let organization = match (&args.org, args.org_id) {
        (Some(text), _) => lookup.organization(text)?,
        (None, Some(id)) => lookup.organization(&id.to_string())?,
        (None, None) => return Err(Failure::Argument("org", "is missing".into())),
    };
    let user = args
        .user
        .as_deref()
        .map(|user| lookup.user(user))
        .transpose()?;
    let user = user.map(|user| user.id);
    let permissions = args.grants.permissions(&lookup, organization.id, user)?;
    let new = NewAuthorization {
        user,
        origin: match is_of_databases(&permissions) {
            true => Origin::V0,
            false => Origin::V2,
        },
        description: args.description.clone(),
        status: match args.inactive {
            true => Status::Inactive,
            false => Status::Active,
        },
        expires_at: args.expires,
        ..NewAuthorization::new(organization.id, permissions)
    };
    args.output.make("Created", &mut lookup, |lookup| {
        Ok(lookup.issuer.create(&Caller::Root, new)?)
    })
}

impl TokenOutput {
    /// Makes a token once there is a place for it, and hands it over.
    pub(super) fn make(
        &self,
        done: &str,
        lookup: &mut Lookup,
        make: impl FnOnce(&Lookup) -> Result<(Token, Authorization), Failure>,
    ) -> Result<(), Failure> {
        let file = self.write_token.as_deref();
        let file = file.map(TokenFile::reserve).transpose()?;
        let (token, made) = make(lookup)?;
        // The token is there and must not be lost, names or not.
        let authorization_output = AuthorizationOutput::new(made.clone(), lookup)
            .unwrap_or_else(|_| AuthorizationOutput::nameless(made));
        deliver_token(
            &token,
            file,
            Form::of(self.json),
            |token, form| match form {
                Form::Json => json(&authorization_output, token) + "\n",
                Form::Text => text(done, &authorization_output, token),
            },
        )
    }
}

/// An authorization, with its token if that is printed.
#[derive(Serialize)]
struct IssuedToken<'a> {
    #[serde(flatten)]
    authorization: &'a AuthorizationOutput,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

fn json(authorization_output: &AuthorizationOutput, token: Option<&Token>) -> String {
    let issued = IssuedToken {
        authorization: authorization_output,
        token: token.map(Token::reveal),
    };
    // Nothing of it can fail; if it did, the text would still hand over the token.
    serde_json::to_string_pretty(&issued).unwrap_or_else(|_| text("", authorization_output, token))
}

fn text(done: &str, authorization_output: &AuthorizationOutput, token: Option<&Token>) -> String {
    let mut text = format!("{done}\n\n");
    for (name, value) in authorization_output.lines() {
        text.push_str(format!("  {BOLD}{name:13}{BOLD:#}  {value}").trim_end());
        text.push('\n');
    }
    if let Some(token) = token {
        let token = token.reveal();
        text.push_str(&format!("  {BOLD}{:13}{BOLD:#}  {token}\n\n", "Token"));
        text.push_str("The token is shown only now: keep it in a safe place.\n");
    }
    text
}

/// A time, or how long from now.
fn expiry(text: &str) -> Result<Timestamp, String> {
    match text.parse() {
        Ok(time) => return Ok(time),
        Err(error @ InvalidTime::Range) => return Err(error.to_string()),
        Err(InvalidTime::Form) => {}
    }
    let from_now = span(text).map_err(|_| {
        format!("`{text}` is no time; write it as in `2027-01-01T00:00:00Z`, `12h` or `90d`")
    })?;
    Ok(SystemClock::default().now().saturating_add(from_now))
}
