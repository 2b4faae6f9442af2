//! `symbolon serve`: the engine over HTTP.

mod config;
mod log;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use symbolon_http::{Api, Settings, TokenInReplies};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::arguments::Global;
use crate::error::Failure;
use crate::output::{self, BOLD};

pub(crate) use config::defaults;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon serve
  symbolon serve --listen 0.0.0.0:8086 --store sqlite:/var/lib/symbolon.db
  SYMBOLON_LISTEN=127.0.0.1:9000 symbolon serve

The store and its key are made if there is none. Every option can stand in
symbolon.toml too, as in `listen = \"127.0.0.1:9000\"`; the environment comes
before the file, and the command line before both. Beyond the loopback
interface, set-up needs a code that is printed at the start.")]
pub(crate) struct ServeArgs {
    /// The address to listen on
    #[arg(
        long,
        env = "SYMBOLON_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8086"
    )]
    listen: SocketAddr,
    /// The file with these options [default: symbolon.toml, if there is one]
    #[arg(long, env = "SYMBOLON_CONFIG", value_name = "PATH")]
    config: Option<std::path::PathBuf>,
    /// What stands for a token in replies other than that to its creation
    #[arg(
        long,
        env = "SYMBOLON_TOKEN_IN_REPLIES",
        value_name = "WHAT",
        default_value = "empty"
    )]
    token_in_replies: InReplies,
    /// How much to log to standard error: error, warn, info, debug or trace, or a filter as in
    /// `info,symbolon_http=debug`
    #[arg(
        long,
        env = "SYMBOLON_LOG",
        value_name = "LEVEL",
        default_value = "info"
    )]
    log: String,
    /// How to write the log
    #[arg(
        long,
        env = "SYMBOLON_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    log_format: log::Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InReplies {
    Empty,
    Redacted,
}

/// For how long requests may go on after the server was told to stop.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(global: &Global, args: &ServeArgs) -> Result<ExitCode, Failure> {
    log::start(&args.log, args.log_format)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::Serve)?;
    let done = runtime.block_on(serve(global.clone(), args));
    // A request that does not end, such as a backup that nobody reads, is given up.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done.map(|()| ExitCode::SUCCESS)
}

async fn serve(global: Global, args: &ServeArgs) -> Result<(), Failure> {
    let stop = told_to_stop().map_err(Failure::Serve)?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|source| Failure::Listen {
        address: args.listen,
        source,
    })?;
    let address = listener.local_addr().map_err(Failure::Serve)?;
    let code = match address.ip().is_loopback() {
        true => None,
        false => Some(Arc::new(set_up_code()?)),
    };
    let api = Api::starting(settings(args, code.clone()));
    let (stopping, stopped) = tokio::sync::watch::channel(());
    let server = spawn(listener, api.clone(), stopped);
    output::print(format!("symbolon listens on http://{address}\n"))?;

    let opening = global.clone();
    let opened = tokio::task::spawn_blocking(move || opening.open_or_make());
    let opened = opened
        .await
        .map_err(|error| Failure::Serve(error.into()))??;
    let (engine, lock) = opened.into_parts();
    let engine = Arc::new(engine);
    api.open(Arc::clone(&engine));
    tracing::info!(authorizations = engine.len(), store = %global.store, "ready");
    if !engine.issuer().is_set_up()? {
        tell_first_steps(&global, address, code.as_deref())?;
    }

    stop.await;
    tracing::info!("stopping; open requests may end");
    drop(stopping);
    let ended = tokio::time::timeout(PATIENCE, server).await;
    if ended.is_err() {
        tracing::warn!("some requests did not end in time, and are given up");
    }
    // The engine notes last uses when it ends, and the key is held until then.
    drop((api, engine));
    drop(lock);
    Ok(())
}

fn spawn(
    listener: TcpListener,
    api: Api,
    mut stopped: tokio::sync::watch::Receiver<()>,
) -> JoinHandle<io::Result<()>> {
    let application = symbolon_http::application(api);
    tokio::spawn(async move {
        axum::serve(listener, application)
            .with_graceful_shutdown(async move {
                let _ = stopped.changed().await;
            })
            .await
    })
}

/// Ends when SIGINT or SIGTERM came.
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn settings(args: &ServeArgs, set_up_code: Option<Arc<Zeroizing<String>>>) -> Settings {
    let mut settings = Settings::default();
    settings.token_in_replies = match args.token_in_replies {
        InReplies::Empty => TokenInReplies::Empty,
        InReplies::Redacted => TokenInReplies::Redacted,
    };
    settings.set_up_code = set_up_code;
    settings
}

/// 128 random bits as text.
fn set_up_code() -> Result<Zeroizing<String>, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| symbolon::Error::Random)?;
    Ok(Zeroizing::new(format!(
        "{:032x}",
        u128::from_ne_bytes(random)
    )))
}

fn tell_first_steps(
    global: &Global,
    address: SocketAddr,
    code: Option<&Zeroizing<String>>,
) -> Result<(), Failure> {
    let mut text = format!(
        "\nThe page will be there in a later version. Nothing is set up yet. Make the first organization, user and operator token, here:\n\n  \
         {BOLD}symbolon setup --org my-org --user me --store {}{BOLD:#}\n\nor over HTTP:\n\n  \
         {BOLD}curl http://{address}/api/v2/setup",
        global.store
    );
    if let Some(code) = code {
        text.push_str(&format!(" -H 'X-Symbolon-Setup-Code: {}'", code.as_str()));
    }
    text.push_str(&format!(
        " \\\n    -d '{{\"username\":\"me\",\"password\":\"…\",\"org\":\"my-org\",\"bucket\":\"my-bucket\"}}'{BOLD:#}\n\n"
    ));
    output::print(text)
}
