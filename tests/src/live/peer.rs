//! Published servers with the app `interop` (`tests/interop/README.md`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::binding::Binding;
use crate::provision::{self, Skip, interop_folder};
use crate::provision_process::{ServerCommand, ServerProcess};

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// `socket.io` on node.
    Node,
    /// `socketio.Server`, one thread for each request.
    PythonThreads,
    /// `socketio.AsyncServer` on uvicorn.
    PythonAsync,
    /// socketioxide on hyper.
    Socketioxide,
    /// This workspace's: the program `testbed` at this path, on a binding.
    Testbed(&'static str, Binding),
}

/// Options of a server besides its app.
#[derive(Clone, Debug, Default)]
pub struct PeerOptions {
    /// Options as they stand on the command line, values after names.
    pub words: Vec<OsString>,
}

impl PeerOptions {
    /// With `--name value` besides.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.words.extend([name.into(), value.into()]);
        self
    }
}

impl Peer {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// [`Skip`] where what it needs is not installed.
    ///
    /// # Panics
    ///
    /// If it does not listen in time.
    pub fn start(self, options: PeerOptions) -> Result<ServerProcess, Skip> {
        let (mut words, folder) = match self {
            Self::Node => {
                let script = interop_folder("js").join("server.mjs");
                let packages = provision::node_modules("js")?;
                (vec!["node".into(), script.into_os_string()], Some(packages))
            }
            Self::PythonThreads => (python("server_threads.py")?, None),
            Self::PythonAsync => (python("server_async.py")?, None),
            Self::Socketioxide => {
                let program = provision::rust_peer("socketioxide", "socketioxide-peer")?;
                (vec![program.into_os_string()], None)
            }
            Self::Testbed(testbed, binding) => (
                vec![testbed.into(), "--binding".into(), binding.name().into()],
                None,
            ),
        };
        words.extend(["--app", "interop", "--lifeline", "stdin"].map(OsString::from));
        words.extend(options.words);
        Ok(ServerProcess::start(ServerCommand { words, folder }))
    }
}

fn python(script: &str) -> Result<Vec<OsString>, Skip> {
    let interpreter: PathBuf = provision::python_venv("python")?;
    let script: &Path = &interop_folder("python").join(script);
    Ok(vec![interpreter.into_os_string(), script.into()])
}
