//! `symbolon key`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::json;
use symbolon::{Engine, KeyId, StoreKey};
use symbolon_files::KeyFile;

use crate::error::Failure;
use crate::global::Global;
use crate::{key_rotation, output};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon key show
  symbolon key rotate")]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print the ids of the secrets in the key file, but no secret
    Show(ShowArgs),
    /// Generate a new secret and seal every record under it
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon key show
  symbolon key show --json")]
struct ShowArgs {
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon key rotate
  symbolon key rotate --store sled:./tokens --key-file ./key

Every token keeps working. Of the old secret, only the key for hashing tokens
is kept, for the tokens hashed with it: a copy of the old key file can no longer
be used to forge records. Stop every process that uses the store first.

If a rotation is interrupted, the store keeps working, and the next `key rotate`
completes it. After a rotation, copy the key file to a safe place and make a new
backup: older copies of the key file do not open the store, and older backups
need the key file from their time.")]
struct RotateArgs {
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &KeyArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        KeyCommand::Show(args) => show(global, args),
        KeyCommand::Rotate(args) => rotate(global, args),
    }
}

fn show(global: &Global, args: &ShowArgs) -> Result<ExitCode, Failure> {
    let key = global.load_key()?;
    let ids: Vec<String> = key.ids().map(|id| id.to_string()).collect();
    let rotating = key.is_rotating();
    if args.json {
        output::print_json(&json!({ "keys": ids, "rotating": rotating }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["Key", "Use"]);
    let last = ids.len().saturating_sub(1);
    for (at, id) in ids.into_iter().enumerate() {
        let role = match (at == last, rotating) {
            (true, _) => "current",
            (false, true) => "former; still seals records, run `symbolon key rotate`",
            (false, false) => "former; only for the hashes of older tokens",
        };
        table.add_row([id, role.to_owned()]);
    }
    output::print(output::lines(&table))?;
    Ok(ExitCode::SUCCESS)
}

fn rotate(global: &Global, args: &RotateArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let path = global.key_path();
    let store = global.open_store()?.ok_or_else(|| Failure::NoStore(global.store.clone()))?;
    // Opened before a secret is generated, to verify that the key and the journal fit the store.
    let opened =
        global.start(&store, global.lock_key_exclusively()?, Engine::open, global.options())?;
    let alone = opened.close();
    let before = global.load_key()?;
    let interrupted = before.is_rotating();
    let key = begin(&path, before)?;
    let current = key.ids().last();
    let (sealed, _) = key_rotation::complete(global, &store, key, alone)?;
    let done = Done { current, sealed, interrupted, seconds: start.elapsed().as_secs_f64() };
    match args.json {
        true => output::print_json(&done.json())?,
        false => output::print(done.text(&path))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the key with a new secret, which is on disk before any record is sealed under it. After
/// an interrupted rotation, returns the key as it is: it has the new secret already.
fn begin(path: &Path, before: StoreKey) -> Result<StoreKey, Failure> {
    if before.is_rotating() {
        return Ok(before);
    }
    let key = before.rotated().map_err(symbolon::AdminError::from)?;
    KeyFile::replace(path, &key)?;
    Ok(key)
}

struct Done {
    current: Option<KeyId>,
    sealed: usize,
    interrupted: bool,
    seconds: f64,
}

impl Done {
    fn current(&self) -> String {
        self.current.map(|id| id.to_string()).unwrap_or_default()
    }

    fn text(&self, path: &Path) -> String {
        let mut text = format!(
            "Key {} is current; sealed {} under it in {:.2} s.\n",
            self.current(),
            output::count(self.sealed, "record"),
            self.seconds,
        );
        if self.interrupted {
            text.push_str(
                "This completed an interrupted rotation; no further key was generated.\n",
            );
        }
        text.push_str(&format!(
            "\nCopy `{}` to a safe place, and make a new backup: \
             older backups need the old key file too.\n",
            path.display()
        ));
        text
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "current": self.current(),
            "sealed": self.sealed,
            "completedAnInterruptedOne": self.interrupted,
            "seconds": self.seconds,
        })
    }
}
