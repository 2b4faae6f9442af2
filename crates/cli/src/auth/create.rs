//! `symbolon auth create`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use symbolon::{
    Authorization, Clock, Id, InvalidTime, NewAuthorization, Organization, Origin, Status,
    SystemClock, Timestamp, Token, User,
};

use super::authorization_output::AuthorizationOutput;
use super::permission_options::{PermissionOptions, is_of_databases};
use crate::duration::duration;
use crate::error::Failure;
use crate::global::Global;
use crate::lookup::Lookup;
use crate::operator_access;
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

--help lists an option for each resource type, such as --read-tasks.
An authorization for databases only is a database token: its permissions can be
changed later. The permissions of any other authorization are fixed.")]
pub(super) struct CreateArgs {
    /// Name or ID of its organization
    #[arg(long, short, value_name = "NAME", required_unless_present = "org_id")]
    org: Option<String>,
    /// ID of its organization
    #[arg(long, value_name = "ID", conflicts_with = "org")]
    org_id: Option<Id>,
    /// Name or ID of its user; its token is refused while the user is inactive
    #[arg(long, short, value_name = "NAME")]
    user: Option<String>,
    /// Description of the authorization
    #[arg(long, short, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Expiry: a time such as `2027-01-01T00:00:00Z`, or a duration from now such as `90d`
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// Create an inactive authorization
    #[arg(long)]
    inactive: bool,
    #[command(flatten)]
    permissions: PermissionOptions,
    #[command(flatten)]
    output: TokenOutput,
}

/// Options for the output of a new token.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct TokenOutput {
    /// Write the token to the new file FILE, readable by you only, and print the rest
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, args: &CreateArgs) -> Result<(), Failure> {
    let engine = operator_access::open(global)?;
    let mut lookup = Lookup::new(&engine);
    let organization = match (&args.org, args.org_id) {
        (Some(text), _) => lookup.find::<Organization>(text)?,
        (None, Some(id)) => lookup.find::<Organization>(&id.to_string())?,
        (None, None) => return Err(Failure::Argument("org", "is missing".into())),
    };
    let user = args.user.as_deref().map(|user| lookup.find::<User>(user)).transpose()?;
    let user = user.map(|user| user.id);
    let permissions = args.permissions.resolve(&lookup, organization.id, user)?;
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
    args.output
        .make("Created", &mut lookup, |lookup| Ok(lookup.root.authorizations().create(new)?))
}

impl TokenOutput {
    /// Reserves the token file if one was given, creates the token with `make` and delivers it.
    pub(super) fn make(
        &self,
        done: &str,
        lookup: &mut Lookup,
        make: impl FnOnce(&Lookup) -> Result<(Token, Authorization), Failure>,
    ) -> Result<(), Failure> {
        let file = self.write_token.as_deref();
        let file = file.map(TokenFile::reserve).transpose()?;
        let (token, made) = make(lookup)?;
        // The token exists now and must be delivered, even if the names cannot be looked up.
        let authorization_output = AuthorizationOutput::new(made.clone(), &mut lookup.names)
            .unwrap_or_else(|_| AuthorizationOutput::nameless(made));
        deliver_token(&token, file, Form::of(self.json), |token, form| match form {
            Form::Json => json(&authorization_output, token) + "\n",
            Form::Text => text(done, &authorization_output, token),
        })
    }
}

/// An authorization and, if it is printed, its token.
#[derive(Serialize)]
struct IssuedToken<'a> {
    #[serde(flatten)]
    authorization: &'a AuthorizationOutput,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

fn json(authorization_output: &AuthorizationOutput, token: Option<&Token>) -> String {
    let issued =
        IssuedToken { authorization: authorization_output, token: token.map(Token::reveal) };
    // Serialization cannot fail. If it did, the text form would still deliver the token.
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
        text.push_str("The token is shown only once. Keep it in a safe place.\n");
    }
    text
}

/// Parses a time, or a duration from now.
fn expiry(text: &str) -> Result<Timestamp, String> {
    match text.parse() {
        Ok(time) => return Ok(time),
        Err(error @ InvalidTime::Range) => return Err(error.to_string()),
        Err(InvalidTime::Form) => {}
    }
    let from_now = duration(text).map_err(|_| {
        format!("invalid time `{text}`; expected a form such as `2027-01-01T00:00:00Z` or `90d`")
    })?;
    Ok(SystemClock::default().now().saturating_add(from_now))
}
