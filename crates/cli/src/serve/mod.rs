//! `symbolon serve`: the engine over HTTP.

mod config;
mod first_setup;
mod log;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use symbolon_http::{Api, Settings, SetupCode, TokenInReplies};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::error::Failure;
use crate::global::Global;
use crate::output;

pub(crate) use config::defaults;
use first_setup::FirstSetup;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon serve
  symbolon serve --listen 0.0.0.0:8086 --store sqlite:/var/lib/symbolon.db
  SYMBOLON_LISTEN=127.0.0.1:9000 symbolon serve

The store and its key are created if they do not exist. Most options can also be
set in symbolon.toml, as in `listen = \"127.0.0.1:9000\"`. The environment
overrides the file, and the command line overrides both.

Set-up over HTTP needs a code, from `--setup-code-file` or from the variable
SYMBOLON_SETUP_CODE; otherwise one is generated. A generated code is printed if
standard output is a terminal, and otherwise written to the file `setup-code`
in the directory of the key. The first change of the store closes set-up over
HTTP.")]
pub(crate) struct ServeArgs {
    /// Address to listen on
    #[arg(
        long,
        env = "SYMBOLON_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8086"
    )]
    listen: SocketAddr,
    /// Configuration file [default: symbolon.toml, if it exists]
    #[arg(long, env = "SYMBOLON_CONFIG", value_name = "PATH")]
    config: Option<std::path::PathBuf>,
    /// File with the code for set-up over HTTP
    #[arg(long, env = "SYMBOLON_SETUP_CODE_FILE", value_name = "PATH")]
    setup_code_file: Option<std::path::PathBuf>,
    /// Host name to accept for set-up and sign-in, in addition to `localhost` and IP addresses
    #[arg(long, env = "SYMBOLON_ALLOWED_HOST", value_name = "NAME", value_delimiter = ',')]
    allowed_host: Vec<String>,
    /// Text in place of a token in all replies except the one to its creation
    #[arg(long, env = "SYMBOLON_TOKEN_IN_REPLIES", value_name = "WHAT", default_value = "empty")]
    token_in_replies: InReplies,
    /// Log level: error, warn, info, debug or trace, or a filter such as `info,symbolon_http=debug`
    #[arg(long, env = "SYMBOLON_LOG", value_name = "LEVEL", default_value = "info")]
    log: String,
    /// Format of the log, on standard error
    #[arg(long, env = "SYMBOLON_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    log_format: log::Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InReplies {
    Empty,
    Redacted,
}

/// Time that open requests may take after a stop signal.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(global: &Global, args: &ServeArgs) -> Result<ExitCode, Failure> {
    log::start(&args.log, args.log_format)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::Serve)?;
    let done = runtime.block_on(serve(global.clone(), args));
    // Aborts a request that does not finish, such as a backup whose client stopped reading.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done.map(|()| ExitCode::SUCCESS)
}

async fn serve(global: Global, args: &ServeArgs) -> Result<(), Failure> {
    let setup = FirstSetup::new(&global, args.setup_code_file.as_deref())?;
    let stop = shutdown_signal().map_err(Failure::Serve)?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|source| Failure::Listen { address: args.listen, source })?;
    let address = listener.local_addr().map_err(Failure::Serve)?;
    let api = Api::starting(settings(args, setup.code()));
    let (stopping, stopped) = tokio::sync::watch::channel(());
    let server = spawn(listener, api.clone(), stopped);
    output::print(format!("symbolon listens on http://{address}\n"))?;

    let opening = global.clone();
    let opened = tokio::task::spawn_blocking(move || opening.open_or_create());
    let opened = opened.await.map_err(|error| Failure::Serve(error.into()))??;
    let (engine, lock) = opened.into_parts();
    let engine = Arc::new(engine);
    setup.announce(&global, address, &engine)?;
    api.open(Arc::clone(&engine));
    tracing::info!(authorizations = engine.len(), store = %global.store, "ready");

    stop.await;
    tracing::info!("stopping; waiting for open requests");
    if engine.is_setup_open().is_ok_and(|open| !open) {
        first_setup::forget(&global);
    }
    drop(stopping);
    let ended = tokio::time::timeout(PATIENCE, server).await;
    if ended.is_err() {
        tracing::warn!("some requests did not finish in time and are aborted");
    }
    // The engine writes last uses when dropped, so the lock on the key is released after it.
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

/// Returns a future that completes on SIGINT or SIGTERM.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn settings(args: &ServeArgs, code: Option<SetupCode>) -> Settings {
    let mut settings = Settings::default();
    settings.token_in_replies = match args.token_in_replies {
        InReplies::Empty => TokenInReplies::Empty,
        InReplies::Redacted => TokenInReplies::Redacted,
    };
    settings.setup_code = code;
    settings.allowed_hosts.clone_from(&args.allowed_host);
    settings
}
