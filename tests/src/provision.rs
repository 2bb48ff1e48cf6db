//! Tools of other languages that tests need: found on this machine, filled with pinned packages on first use.
//!
//! What a folder of `tests/interop/` pins in its lock file is installed once into
//! `target/provision/<folder>-<hash of the lock file>`; a file lock keeps test binaries that start together from
//! installing twice, and a stamp written last tells a finished installation from an interrupted one.
//!
//! Where a tool is missing there is one line `skipped: …` on standard error and the test returns. Where `CI` is set
//! the same is a panic: a pipeline must not pass by not running.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt, thread};

/// Why a test cannot run here. It is already printed on standard error: just return from the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(String);

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A folder whose `node_modules` holds what `tests/interop/<name>/package-lock.json` pins.
///
/// # Errors
///
/// [`Skip`] if there is no `node` or `npm`, or npm could not install.
pub fn node_modules(name: &str) -> Result<PathBuf, Skip> {
    for tool in ["node", "npm"] {
        find_program(&[tool]).ok_or_else(|| skip(&format!("{tool} is not installed")))?;
    }
    let source = interop_folder(name);
    install(name, &source.join("package-lock.json"), |folder| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), folder.join(file)).map_err(|error| error.to_string())?;
        }
        let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(options).current_dir(folder))
    })
}

/// The interpreter of a virtual environment that holds what `tests/interop/<name>/requirements.txt` pins.
///
/// # Errors
///
/// [`Skip`] if there is no `python3` with `venv`, or pip could not install.
pub fn python_venv(name: &str) -> Result<PathBuf, Skip> {
    let python = find_program(&["python3"]).ok_or_else(|| skip("python3 is not installed"))?;
    let requirements = interop_folder(name).join("requirements.txt");
    let folder = install(name, &requirements, |folder| {
        run(Command::new(&python).args(["-m", "venv"]).arg(folder))?;
        let options = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--requirement",
        ];
        run(Command::new(interpreter(folder)).args(options).arg(&requirements))
    })?;
    Ok(interpreter(&folder))
}

/// The program `binary` of `tests/peers/<name>`, a Rust project with a lock file of its own, built without optimising.
///
/// # Errors
///
/// [`Skip`] if cargo could not fetch or build it.
pub fn rust_peer(name: &str, binary: &str) -> Result<PathBuf, Skip> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
    // Cargo itself locks the folder and knows what has to be built anew.
    let target = target_folder().join("provision").join(format!("peer-{name}"));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(source.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target))
    .map_err(|why| skip(&format!("{name} could not be built: {why}")))?;
    Ok(target.join("debug").join(binary))
}

/// A Chromium that can be driven; the environment variable `CHROMIUM` names another one than that in `PATH`.
///
/// # Errors
///
/// [`Skip`] if there is none.
pub fn chromium() -> Result<PathBuf, Skip> {
    if let Some(path) = env::var_os("CHROMIUM") {
        return Ok(path.into());
    }
    find_program(&["chromium", "chromium-browser", "google-chrome"])
        .ok_or_else(|| skip("chromium is not installed, and CHROMIUM names none"))
}

/// The folder `tests/interop/<name>` of the sources.
#[must_use]
pub fn interop_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

fn interpreter(venv: &Path) -> PathBuf {
    venv.join("bin").join("python")
}

/// Runs `fill` on an empty folder named after `name` and the content of `lock_file`, unless that was done before.
fn install(
    name: &str,
    lock_file: &Path,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, Skip> {
    let pinned = fs::read(lock_file).expect("the lock file is part of the sources");
    let root = target_folder().join("provision");
    fs::create_dir_all(&root).expect("the target folder can be written");
    let folder = root.join(format!("{name}-{:016x}", hash(&pinned)));
    let stamp = folder.join("installed");

    let guard = File::create(folder.with_extension("lock")).expect("the target folder can be written");
    // Released when `guard` is dropped, also if the process dies.
    fs4::FileExt::lock(&guard).expect("files in the target folder can be locked");
    if fs::read(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the target folder can be written");
    }
    fs::create_dir(&folder).expect("the target folder can be written");
    fill(&folder).map_err(|why| skip(&format!("{name} could not be installed: {why}")))?;
    fs::write(&stamp, &pinned).expect("the target folder can be written");
    Ok(folder)
}

/// Another release of Rust may hash otherwise; then the packages are installed once more.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn target_folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// Runs to the end; an error is the end of what the command printed.
fn run(command: &mut Command) -> Result<(), String> {
    let program = Path::new(command.get_program())
        .file_name()
        .map(OsStr::to_owned)
        .unwrap_or_default();
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    // `python -m venv` explains itself on standard output.
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    let lines: Vec<&str> = printed
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let end = lines
        .get(lines.len().saturating_sub(5)..)
        .unwrap_or_default()
        .join(" | ");
    Err(format!("{}: {end}", program.display()))
}

/// Prints it on the process's own standard error, which the test harness does not capture as it does `eprintln!`.
fn skip(why: &str) -> Skip {
    let in_pipeline = env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!in_pipeline, "{why}; with CI set nothing is skipped");
    let test = thread::current().name().unwrap_or("a test").to_owned();
    // That standard error is closed can not be reported.
    let _ = io::stderr().write_all(format!("skipped: {test}: {why}\n").as_bytes());
    Skip(why.to_owned())
}
