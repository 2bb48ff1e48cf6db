//! How clients reach the server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socketio_model::Guarantee;

use super::server_app::PORT;
use crate::World;
use crate::proxy::{Proxy, ProxyConfig};
use crate::random::Random;

/// The number of the server's host.
pub(super) const SERVER_HOST: u8 = 2;
/// The number of the proxy's host.
const PROXY_HOST: u8 = 3;
/// The timeouts of proxies without any: connections of peers that vanished must not stay open for ever.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// How clients reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Directly.
    Direct,
    /// Through an HTTP proxy.
    Proxied(ProxyConfig),
}

impl Route {
    /// Through a proxy whose configuration follows from this number.
    pub(super) fn proxied(number: u64) -> Self {
        let mut config = ProxyConfig::random(&mut Random::of(number, "way", 0));
        config
            .client_keep_alive
            .idle_timeout
            .get_or_insert(DEFAULT_TIMEOUT);
        config.response_timeout.get_or_insert(DEFAULT_TIMEOUT);
        Self::Proxied(config)
    }

    /// What it guarantees with this ping interval: if it may end sessions, they may end at any time.
    pub(super) fn guarantee(&self, ping_interval: Duration) -> Guarantee {
        match self {
            Self::Proxied(config) if config.may_end_sessions(ping_interval) => Guarantee::None,
            Self::Direct | Self::Proxied(_) => Guarantee::Reliable,
        }
    }

    /// The longest time that it delays a response.
    pub(super) const fn longest_delay(&self) -> Duration {
        match self {
            Self::Proxied(config) => config.longest_delay(),
            Self::Direct => Duration::ZERO,
        }
    }

    /// How many connections there are between a client and the server.
    pub(super) const fn connections(&self) -> u32 {
        match self {
            Self::Direct => 1,
            Self::Proxied(_) => 2,
        }
    }

    /// The URL to which clients connect.
    pub(super) const fn url(&self) -> &'static str {
        match self {
            Self::Direct => "http://host-2",
            Self::Proxied(_) => "http://host-3",
        }
    }

    /// All addresses at which somebody listens.
    pub(super) fn addresses(world: &World) -> [SocketAddr; 2] {
        [SERVER_HOST, PROXY_HOST].map(|number| SocketAddr::new(world.host(number).address(), PORT))
    }

    /// Starts the proxy, if there is one.
    pub(super) fn start_proxy(&self, world: &World) -> io::Result<Option<Proxy>> {
        match self {
            Self::Direct => Ok(None),
            Self::Proxied(config) => {
                let [server, _] = Self::addresses(world);
                let host = world.host(PROXY_HOST);
                config.clone().start(world, &host, PORT, server).map(Some)
            }
        }
    }
}
