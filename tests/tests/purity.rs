//! What the crates are built of. The core is pure, so every crate below it is known by name; the driver names no
//! runtime.
//!
//! A crate that is new here must be pure too: it opens no socket, starts no thread, reads no clock and asks the
//! operating system for no randomness, at least not with the features that are on.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Crates that run futures or ask an operating system on their own.
const RUNTIMES: &[&str] = &[
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-net",
    "async-std",
    "blocking",
    "embassy-executor",
    "futures-executor",
    "getrandom",
    "glommio",
    "mio",
    "monoio",
    "polling",
    "smol",
    "socket2",
    "tokio",
    "tokio-util",
];

#[test]
fn the_core_is_built_of_known_crates() {
    let known: BTreeSet<String> = include_str!("purity/core.txt")
        .lines()
        .map(str::to_owned)
        .collect();
    let found = crates_below("socketio-core", &[]);
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new: {new:?}, gone: {gone:?}; if they are pure, say so in tests/tests/purity/core.txt"
    );
}

#[test]
fn the_core_and_the_driver_name_no_runtime() {
    assert_eq!(
        runtimes_below("socketio-core", &["--no-default-features"]),
        [""; 0]
    );
    // Whence the seed of a server comes, and the keys of `ring`; neither needs anything else of the system.
    for options in ["--no-default-features", "--all-features"] {
        assert_eq!(
            runtimes_below("socketio-driver", &[options]),
            ["getrandom"],
            "{options}"
        );
    }
}

#[test]
fn the_blocking_binding_has_no_runtime_but_its_own_threads() {
    assert_eq!(
        runtimes_below("socketio-blocking", &["--all-features"]),
        ["getrandom", "mio"]
    );
}

fn runtimes_below(package: &str, options: &[&str]) -> Vec<&'static str> {
    let found = crates_below(package, options);
    RUNTIMES
        .iter()
        .copied()
        .filter(|name| found.contains(*name))
        .collect()
}

/// The names of a package and of all it is built of, on any platform.
fn crates_below(package: &str, options: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "--edges", "normal", "--target", "all", "--prefix", "none", "--format", "{p}",
    ];
    let output = Command::new(cargo)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["tree", "--locked", "--package", package])
        .args(arguments)
        .args(options)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("names are text");
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}
