//! The process that makes and revokes tokens until it is killed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use fastrand::Rng;
use symbolon::{
    Action, Caller, Engine, Error, Id, Issuer, NewAuthorization, Permission, ResourceType, Rotation,
};

use super::world;
use crate::Failure;
use crate::crash::Backend;

/// The process that is killed; started by `crash --journal`.
#[derive(Debug, Args)]
pub(crate) struct ChildArgs {
    #[arg(long)]
    pub(super) backend: Backend,
    /// Where everything lies.
    #[arg(long)]
    pub(super) dir: PathBuf,
    /// Which of the stores there.
    #[arg(long)]
    pub(super) store: u32,
    /// The number of the copy that it makes, from which follows what it does.
    #[arg(long)]
    pub(super) copy: u32,
    #[arg(long)]
    pub(super) seed: u64,
}

const WRITERS: u64 = 3;
/// A child whose parent was killed itself ends after this time.
const LIFE: Duration = Duration::from_secs(60);
/// So many tokens are held before any is revoked.
const HELD: usize = 4;

pub(crate) fn run(args: &ChildArgs) -> Result<(), Failure> {
    say("opening")?;
    let store = world::store(args.backend, &args.dir, args.store)?;
    let engine = world::engine(store.clone(), &args.dir)?;
    say("opened")?;
    let organization = organization(&engine)?;
    let live = fs::read_to_string(world::live(&args.dir))?;
    let live: Vec<Id> = live
        .lines()
        .map(str::parse)
        .collect::<Result<_, symbolon::InvalidId>>()?;
    let issuer = engine.issuer();
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (issuer, stopped) = (&*issuer, &stopped);
                let mine = |id: &&Id| id.number() % WRITERS == number;
                let held = live.iter().filter(mine).copied().collect();
                let rng = rng(args, number);
                scope.spawn(move || {
                    let done = write(issuer, organization, held, rng, stopped);
                    stopped.store(true, Ordering::Relaxed);
                    done
                })
            })
            .collect();
        let copied = scope.spawn(|| {
            thread::sleep(Duration::from_millis(rng(args, WRITERS).u64(..80)));
            say(&format!("copying {}", args.copy))?;
            let mut file = File::create(world::copy(&args.dir, args.copy))?;
            symbolon::backup::write(&*store, &mut file, &mut |_| ())?;
            say(&format!("copied {}", args.copy))?;
            Ok(())
        });
        writers.into_iter().chain([copied]).try_for_each(|thread| {
            let joined = thread.join();
            joined.unwrap_or_else(|_| Err("a thread panicked".into()))
        })
    })
}

/// Makes a token that reads buckets.
pub(super) fn create(issuer: &Issuer, organization: Id) -> Result<(Id, String), Error> {
    let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
    let new = NewAuthorization::new(organization, [read]);
    let (token, authorization) = issuer.create(&Caller::Root, new)?;
    Ok((authorization.id, token.reveal().to_owned()))
}

/// The only organization, made if it is not there.
pub(super) fn organization(engine: &Engine) -> Result<Id, Error> {
    let issuer = engine.issuer();
    match issuer.organization_named(&Caller::Root, "org") {
        Err(Error::NotFound(_)) => {}
        found => return Ok(found?.id),
    }
    Ok(issuer.create_organization(&Caller::Root, "org", "")?.id)
}

fn write(
    issuer: &Issuer,
    organization: Id,
    mut held: Vec<Id>,
    mut rng: Rng,
    stopped: &AtomicBool,
) -> Result<(), Failure> {
    let started = Instant::now();
    while !stopped.load(Ordering::Relaxed) && started.elapsed() < LIFE {
        if held.len() <= HELD || rng.bool() {
            let (id, token) = create(issuer, organization)?;
            say(&format!("made {id} {token}"))?;
            held.push(id);
            continue;
        }
        let id = held.swap_remove(rng.usize(..held.len()));
        say(&format!("ending {id}"))?;
        if rng.u8(..4) == 0 {
            let (token, new) = issuer.rotate(&Caller::Root, id, &Rotation::default())?;
            say(&format!("ended {id}\nmade {} {}", new.id, token.reveal()))?;
            held.push(new.id);
        } else {
            issuer.revoke(&Caller::Root, id)?;
            say(&format!("ended {id}"))?;
        }
    }
    Ok(())
}

fn rng(args: &ChildArgs, thread: u64) -> Rng {
    let index = u64::from(args.copy) * (WRITERS + 1) + thread;
    Rng::with_seed(args.seed << 32 | index)
}

/// One write, so that what is read of it is whole.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
