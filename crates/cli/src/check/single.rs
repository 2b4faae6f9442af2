//! A single check.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::str::FromStr;

use symbolon::{Allowed, Denied, InvalidName, ResourceType};

use super::arguments::CheckArgs;
use super::decision_json::Answer;
use super::names::{Checker, NamedRequest, Unknown};
use crate::error::Failure;
use crate::global::Global;
use crate::output::{self, BAD, BOLD, GOOD};

pub(super) fn run(global: &Global, args: &CheckArgs) -> Result<ExitCode, Failure> {
    let asked = NamedRequest {
        action: word("action", args.action.as_deref())?,
        kind: word("type", args.kind.as_deref())?,
        id: args.id.as_deref(),
        org: args.org.as_deref(),
    };
    crate::open::schema().check_request(asked.action, asked.kind)?;
    let engine = global.open()?;
    let mut checker = Checker::new(&engine);
    if let Err(unknown) = checker.request(&asked)? {
        return Err(explain(unknown, &asked));
    }
    let token = token(args)?;
    let decision = checker.decide(&token, &asked);
    if args.json {
        output::print_line(&Answer::of(&decision))?;
    } else {
        output::print(text(&decision))?;
    }
    Ok(ExitCode::from(u8::from(decision.is_err())))
}

fn word<T: FromStr<Err = InvalidName>>(
    name: &'static str,
    text: Option<&str>,
) -> Result<T, Failure> {
    let text = text.unwrap_or_default();
    let parsed = text.parse();
    parsed.map_err(|error| Failure::Argument(name, format!("`{text}`: {error}")))
}

fn explain(unknown: Unknown, asked: &NamedRequest<'_>) -> Failure {
    let id = asked.id.unwrap_or_default().to_owned();
    let what = match (unknown, asked.kind) {
        (Unknown::Organization, _) => {
            let name = asked.org.unwrap_or_default().to_owned();
            return Failure::Unknown { what: "organization", name };
        }
        (_, ResourceType::BUCKETS) if asked.org.is_none() => {
            let reason =
                format!("`{id}` is the name of a bucket; pass its organization with `--org`");
            return Failure::Argument("id", reason);
        }
        (_, ResourceType::BUCKETS) => "bucket",
        (_, ResourceType::USERS) => "user",
        (_, ResourceType::ORGANIZATIONS) => "organization",
        (_, kind) => {
            let reason = format!("`{id}` is not an id; {kind} need an id of 16 hexadecimal digits");
            return Failure::Argument("id", reason);
        }
    };
    Failure::Unknown { what, name: id }
}

/// Maximum number of bytes read; far more than any token has.
const LONGEST: u64 = 1 << 16;

/// Reads the token from its file or standard input, and strips the line ending.
fn token(args: &CheckArgs) -> Result<Vec<u8>, Failure> {
    let mut token = Vec::new();
    match &args.token_file {
        Some(path) => {
            let opened =
                File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut token));
            opened.map_err(|source| Failure::Read { path: path.clone(), source })?;
        }
        None => {
            let input = io::stdin().lock();
            let read = if input.is_terminal() {
                output::ask("Token: ");
                io::BufRead::read_until(&mut input.take(LONGEST), b'\n', &mut token)
            } else {
                input.take(LONGEST).read_to_end(&mut token)
            };
            read.map_err(Failure::Stdin)?;
        }
    }
    for end in [b'\n', b'\r'] {
        if token.last() == Some(&end) {
            token.pop();
        }
    }
    match token.is_empty() {
        true => Err(Failure::NoToken),
        false => Ok(token),
    }
}

fn text(decision: &Result<Allowed, Denied>) -> String {
    let line = |what: &str, value: &str| format!("  {BOLD}{what:13}{BOLD:#}  {value}\n");
    match decision {
        Ok(Allowed { id, permission }) => format!(
            "{GOOD}allow{GOOD:#}\n{}{}",
            line("Authorization", &id.to_string()),
            line("Permission", &permission.to_string())
        ),
        Err(denied) => {
            let id = denied.id().map(|id| line("Authorization", &id.to_string()));
            let reason = line("Reason", denied.reason());
            format!("{BAD}deny{BAD:#}\n{}{reason}", id.unwrap_or_default())
        }
    }
}
