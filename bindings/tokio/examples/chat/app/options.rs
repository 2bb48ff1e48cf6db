//! The words on the command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, io};

const USAGE: &str = concat!(
    "usage: ",
    env!("CARGO_BIN_NAME"),
    " [--port N] [--client-bundle PATH]
  --port N              where to listen on 127.0.0.1; default 3000, 0 takes any that is free
  --client-bundle PATH  serve the JavaScript client from here, a file or a folder such as
                        node_modules/socket.io-client/dist; without it pages load it from cdn.socket.io"
);

/// What the user may choose.
pub(crate) struct Options {
    /// Where to listen.
    pub(crate) address: SocketAddr,
    /// Where the JavaScript client is, if the server has it.
    pub(crate) client_bundle: Option<PathBuf>,
}

impl Options {
    /// Reads the command line; what to end with if it cannot be understood.
    pub(crate) fn from_command_line() -> Result<Self, ExitCode> {
        Self::parse(env::args().skip(1)).ok_or_else(|| {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        })
    }

    /// Says where it was that nobody can listen.
    pub(crate) fn cannot_listen(&self, error: io::Error) -> io::Error {
        io::Error::other(format!("cannot listen on {}: {error}", self.address))
    }

    fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            address: (Ipv4Addr::LOCALHOST, 3000).into(),
            client_bundle: None,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--port" => options.address.set_port(words.next()?.parse().ok()?),
                "--client-bundle" => options.client_bundle = Some(words.next()?.into()),
                _ => return None,
            }
        }
        Some(options)
    }
}
