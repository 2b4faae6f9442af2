//! What the tests need of the system, and installing what is missing.

use std::process::{Command, Stdio};

use crate::Failure;
use crate::shell::{is_installed, run};

/// A package manager, and how it installs.
struct Manager {
    name: &'static str,
    install: &'static [&'static str],
}

const MANAGERS: [Manager; 5] = [
    Manager {
        name: "apt-get",
        install: &["install", "-y", "--no-install-recommends"],
    },
    Manager {
        name: "dnf",
        install: &["install", "-y"],
    },
    Manager {
        name: "apk",
        install: &["add"],
    },
    Manager {
        name: "pacman",
        install: &["-S", "--noconfirm"],
    },
    Manager {
        name: "zypper",
        install: &["install", "-y"],
    },
];

/// Something that the tests need.
struct Need {
    what: &'static str,
    found: fn() -> bool,
    /// The packages that bring it, for each of [`MANAGERS`].
    packages: [&'static [&'static str]; MANAGERS.len()],
}

const NEEDS: [Need; 5] = [
    // SQLite is compiled from its C source.
    Need {
        what: "a C compiler",
        found: || ["cc", "gcc", "clang"].into_iter().any(is_installed),
        packages: [
            &["build-essential"],
            &["gcc"],
            &["build-base"],
            &["base-devel"],
            &["gcc"],
        ],
    },
    Need {
        what: "Python with the module venv",
        found: makes_environments,
        packages: [
            &["python3", "python3-venv"],
            &["python3"],
            &["python3"],
            &["python"],
            &["python3"],
        ],
    },
    Need {
        what: "bash and xargs",
        found: || is_installed("bash") && is_installed("xargs"),
        packages: [&["bash", "findutils"]; MANAGERS.len()],
    },
    Need {
        what: "curl",
        found: || is_installed("curl"),
        packages: [&["curl"]; MANAGERS.len()],
    },
    Need {
        what: "jq",
        found: || is_installed("jq"),
        packages: [&["jq"]; MANAGERS.len()],
    },
];

/// Installs what is missing through the system's package manager, and says so.
///
/// # Errors
///
/// If there is no package manager that is known, or it fails.
pub(crate) fn what_is_missing() -> Result<(), Failure> {
    let missing: Vec<_> = NEEDS.iter().filter(|need| !(need.found)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|need| need.what).collect();
    let names = names.join(", ");
    let known = MANAGERS.iter().enumerate();
    let mut known = known.filter(|(_, manager)| is_installed(manager.name));
    let Some((number, manager)) = known.next() else {
        return Err(format!(
            "this is missing, and no package manager that is known; install it: {names}"
        )
        .into());
    };
    let packages = missing.iter().filter_map(|need| need.packages.get(number));
    let packages: Vec<_> = packages.flat_map(|some| some.iter()).collect();
    eprintln!(
        "this is missing, installing it with {}: {names}",
        manager.name
    );
    if manager.name == "apt-get" {
        run(Command::new(manager.name).arg("update"))?;
    }
    run(Command::new(manager.name)
        .args(manager.install)
        .args(packages))
}

/// Some systems have Python without what makes an environment.
fn makes_environments() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import ensurepip, venv"]);
    python.stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}
