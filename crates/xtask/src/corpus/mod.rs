//! `cargo xtask corpus`: an import file, a request stream, and the decisions that the written rules demand.
//!
//! This is the oracle of the tests, so it uses nothing of the `symbolon` crates: every rule is written here a second time.
//!
//! | file | holds |
//! |---|---|
//! | `import.json` | organizations, users, buckets and authorizations, in InfluxDB v2's field names |
//! | `requests.jsonl` | one request a line: `token`, `action`, `type`, and maybe `id` and `org` |
//! | `expected.jsonl` | the decision on each line |
//! | `summary.json` | how many lines of each category and reason |
//!
//! All four are the same bytes whenever the options are the same.

mod ask;
mod category;
mod compare;
mod flaw;
mod import;
mod native;
mod oracle;
mod permission;
mod requests;
mod rng;
mod sets;
mod stranger;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod world;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use self::requests::Requests;
use self::summary::Summary;
use self::world::World;
use crate::Failure;

pub(crate) use self::compare::{CompareArgs, compare};
pub(crate) use self::rng::{Rng, Stream};

/// Write a test corpus: authorizations to import, requests, and the decisions expected.
#[derive(Debug, Args)]
pub(crate) struct CorpusArgs {
    /// Authorizations in the import file.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(i64::from(world::FEWEST)..))]
    pub(crate) authorizations: u32,

    /// Lines in the request stream; from 1,000 on, each category has at least one.
    #[arg(long, value_name = "M", default_value_t = 1_000_000)]
    pub(crate) requests: u64,

    /// The same seed gives the same corpus.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Folder to write to; made if it is missing.
    pub(crate) dir: PathBuf,
}

/// Writes the corpus and prints a summary of it.
///
/// # Errors
///
/// A file cannot be written.
pub(crate) fn write(args: &CorpusArgs) -> Result<(), Failure> {
    let world = World::new(args.seed, args.authorizations);
    fs::create_dir_all(&args.dir)
        .map_err(|error| format!("cannot make `{}`: {error}", args.dir.display()))?;

    let mut file = create(&args.dir, "import.json")?;
    import::write(&world, &mut file)?;
    file.flush()?;

    let summary = write_requests(&world, args)?;
    let mut file = create(&args.dir, "summary.json")?;
    serde_json::to_writer_pretty(&mut file, &summary)?;
    writeln!(file)?;
    file.flush()?;

    println!("{summary}");
    Ok(())
}

fn write_requests(world: &World, args: &CorpusArgs) -> Result<Summary, Failure> {
    let mut asked = create(&args.dir, "requests.jsonl")?;
    let mut expected = create(&args.dir, "expected.jsonl")?;
    let mut summary = Summary::new(world);
    let requests = Requests::new(world)?;
    for number in 0..args.requests {
        let line = requests.line(number)?;
        serde_json::to_writer(&mut asked, &line.asked)?;
        writeln!(asked)?;
        serde_json::to_writer(&mut expected, &line.decision)?;
        writeln!(expected)?;
        summary.count(&line);
    }
    asked.flush()?;
    expected.flush()?;
    Ok(summary)
}

fn create(dir: &Path, name: &str) -> Result<BufWriter<File>, Failure> {
    let path = dir.join(name);
    let file = File::create(&path)
        .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(BufWriter::new(file))
}
