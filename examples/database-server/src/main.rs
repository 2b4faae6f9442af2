//! A small database server: `symbolon-example-database [FOLDER [ADDRESS]]`.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use symbolon_example_database::access::{Access, options};
use symbolon_example_database::server::{Limits, Server};

const USAGE: &str = "\
Usage: symbolon-example-database [FOLDER [ADDRESS]]

  FOLDER   Where the tokens are kept; made if it is not there [default: database]
  ADDRESS  Where to listen [default: 127.0.0.1:7878]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.len() > 2 || arguments.iter().any(|argument| argument.starts_with('-')) {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    let mut arguments = arguments.into_iter();
    let folder = arguments.next().unwrap_or_else(|| "database".into());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:7878".into());
    match run(Path::new(&folder), &address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", symbolon::ErrorChain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, address: &str) -> Result<(), Box<dyn Error>> {
    let access = Access::open(folder, options())?;
    for file in access.made() {
        println!("wrote a new token to {}", file.display());
    }
    let server = Server::bind(address, access, Limits::default())?;
    let stopper = server.stopper();
    ctrlc::set_handler(move || stopper.stop())?;
    println!("listening on {}; stop with Ctrl-C", server.address());
    server.run();
    println!("stopped");
    Ok(())
}
