//! The Python package `influxdb-client`, unmodified.

use std::process::Command;

use crate::server::{Server, python};

#[test]
fn the_python_client_works_unchanged() {
    let server = Server::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serve/python_client.py");
    let output = Command::new(python().join("python"))
        .arg(script)
        .env("SYMBOLON_URL", &server.url)
        .env("SYMBOLON_SETUP_CODE", server.home.setup_code())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    // Python only prints an error in a destructor.
    assert!(errors.is_empty(), "{errors}");
    assert!(printed.ends_with("done\n"), "{printed}");
    server.stop();
}
