use crate::eio;
use core::time::Duration;

/// How a Socket.IO server behaves. The defaults are those of the JS server (protocol section 5.1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The Engine.IO server below; its path is `/socket.io/` here.
    pub engine: eio::Config,
    /// How long a client may take to join its first namespace. Default 45 s.
    pub connect_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            engine: eio::Config {
                path: "/socket.io/".to_owned(),
                ..eio::Config::default()
            },
            connect_timeout: Duration::from_secs(45),
        }
    }
}
