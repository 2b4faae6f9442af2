//! A small database over HTTP: `symbolon-example-http-database [FOLDER [ADDRESS]]`.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::path::Path;

use symbolon_example_http_database::access::{Access, options};
use symbolon_example_http_database::application;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "database".into());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let access = Access::open(Path::new(&folder), options())?;
    if let Some(file) = access.made() {
        println!("wrote a new token to {}", file.display());
    }
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}; stop with Ctrl-C", listener.local_addr()?);
    let stop = async {
        // If the signal cannot be handled, the server runs until it is killed.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, application(&access)).with_graceful_shutdown(stop).await?;
    Ok(())
}
