//! Programs that tests and the bench start, built when they are needed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo that runs this program, or the one in `PATH`, to be run in the folder of this package.
///
/// Cargo describes the package of what it runs in variables, and build scripts that ask for variables of those names
/// would run again whenever they come and go; here they are gone.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Builds an example beside the test that calls this, in the same profile; cargo does not tell one package of
/// another's examples.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn build_example(name: &str) -> PathBuf {
    let this = env::current_exe().expect("a test knows its own path");
    let profile = this
        .ancestors()
        .nth(2)
        .expect("tests stand in target/PROFILE/deps");
    let target = profile.parent().expect("tests stand in target/PROFILE/deps");
    let mut command = cargo();
    // For the whole workspace, so that what `cargo test --workspace` built is used as it is.
    command
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--example",
            name,
            "--target-dir",
        ])
        .arg(target);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    assert!(
        command.status().expect("cargo can be run").success(),
        "the example {name} does not build"
    );
    profile.join("examples").join(name)
}
