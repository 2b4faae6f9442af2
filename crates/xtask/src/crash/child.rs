//! The process that creates and revokes tokens until it is killed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use symbolon::{
    Action, Admin, AdminError, Caller, Id, NewAuthorization, NewOrganization, Permission,
    ResourceType, Rotation,
};
use symbolon_oracle::random::Rng;

use super::backend::Backend;
use super::files;
use crate::failure::Failure;

/// Arguments of a child that creates and revokes tokens; started by `crash --journal`.
#[derive(Debug, Args)]
pub(super) struct EngineArgs {
    #[arg(long, required = false)]
    dir: PathBuf,
    /// Number of the store
    #[arg(long, required = false)]
    store: u32,
    /// Number of the backup to write, which also seeds the writes
    #[arg(long, required = false)]
    copy: u32,
    #[arg(long, required = false)]
    seed: u64,
}

const WRITERS: u64 = 3;
/// Longest life of a child, in case its parent is killed.
const LIFE: Duration = Duration::from_secs(60);
/// Number of tokens before any is revoked.
const HELD: usize = 4;

pub(super) fn run(backend: Backend, args: &EngineArgs) -> Result<(), Failure> {
    print("opening")?;
    let store = files::store(backend, &args.dir, args.store)?;
    let engine = files::engine(store.clone(), &args.dir)?;
    print("opened")?;
    let root = engine.admin(Caller::Root);
    let organization = organization(&root)?;
    let live = fs::read_to_string(files::live(&args.dir))?;
    let live: Result<Vec<Id>, _> = live.lines().map(str::parse).collect();
    let live = live?;
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..WRITERS {
            let (root, stopped) = (&root, &stopped);
            let mine = |id: &&Id| id.number() % WRITERS == number;
            let held = live.iter().filter(mine).copied().collect();
            let rng = rng(args, number);
            threads.push(scope.spawn(move || {
                let done = write(root, organization, held, rng, stopped);
                stopped.store(true, Ordering::Relaxed);
                done
            }));
        }
        threads.push(scope.spawn(|| {
            thread::sleep(Duration::from_millis(rng(args, WRITERS).u64(..80)));
            print(&format!("copying {}", args.copy))?;
            let mut file = File::create(files::copy(&args.dir, args.copy))?;
            symbolon::backup::write(&*store, &mut file, &mut |_| ())?;
            print(&format!("copied {}", args.copy))?;
            Ok(())
        }));
        let mut joined = threads.into_iter().map(|thread| thread.join());
        joined.try_for_each(|end| end.unwrap_or_else(|_| Err("a thread panicked".into())))
    })
}

/// Creates a token that reads buckets.
pub(super) fn create(root: &Admin, organization: Id) -> Result<(Id, String), AdminError> {
    let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
    let new = NewAuthorization::new(organization, [read]);
    let (token, authorization) = root.authorizations().create(new)?;
    Ok((authorization.id, token.reveal().to_owned()))
}

/// Returns the only organization, and creates it if it does not exist.
pub(super) fn organization(root: &Admin) -> Result<Id, AdminError> {
    match root.organizations().find("org") {
        Err(AdminError::NotFound(_)) => {}
        found => return Ok(found?.id),
    }
    Ok(root.organizations().create(NewOrganization::named("org"))?.id)
}

fn write(
    root: &Admin,
    organization: Id,
    mut held: Vec<Id>,
    mut rng: Rng,
    stopped: &AtomicBool,
) -> Result<(), Failure> {
    let started = Instant::now();
    while !stopped.load(Ordering::Relaxed) && started.elapsed() < LIFE {
        if held.len() <= HELD || rng.bool() {
            let (id, token) = create(root, organization)?;
            print(&format!("created {id} {token}"))?;
            held.push(id);
            continue;
        }
        let id = held.swap_remove(rng.usize(..held.len()));
        print(&format!("revoking {id}"))?;
        if rng.u8(..4) == 0 {
            let (token, new) = root.authorizations().rotate(id, Rotation::default())?;
            let (new, token) = (new.id, token.reveal());
            print(&format!("revoked {id}\ncreated {new} {token}"))?;
            held.push(new);
        } else {
            root.authorizations().revoke(id)?;
            print(&format!("revoked {id}"))?;
        }
    }
    Ok(())
}

fn rng(args: &EngineArgs, thread: u64) -> Rng {
    let index = u64::from(args.copy) * (WRITERS + 1) + thread;
    Rng::with_seed(args.seed << 32 | index)
}

/// Prints a line in one write, so that the parent never reads a part of it.
fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
