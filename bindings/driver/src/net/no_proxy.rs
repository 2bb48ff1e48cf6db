use std::net::IpAddr;

/// Which hosts are reached without the proxy: `NO_PROXY`, as curl and others read it.
///
/// Entries are separated by commas or spaces. `*` is every host; `example.com` and `.example.com` are that host and
/// all below it; `10.0.0.1` an address and `10.0.0.0/8` all of a network; any of them with `:port` only that port.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Hosts {
    All,
    /// In lower case, without the dot in front.
    Domain(String),
    Network {
        address: IpAddr,
        prefix: u8,
    },
}

impl NoProxy {
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        Self(entries.map(Entry::parse).collect())
    }

    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        self.0
            .iter()
            .any(|entry| entry.port.is_none_or(|only| only == port) && entry.hosts.covers(host))
    }
}

impl Entry {
    fn parse(text: &str) -> Self {
        let without_port = || Self {
            hosts: Hosts::parse(text),
            port: None,
        };
        // `::1` has colons that are not a port's.
        if text.parse::<IpAddr>().is_ok() {
            return without_port();
        }
        let split = text
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match split {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => Self {
                hosts: Hosts::parse(host),
                port: Some(port),
            },
            _ => without_port(),
        }
    }
}

impl Hosts {
    fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('[').trim_end_matches(']');
        if text == "*" {
            return Self::All;
        }
        let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
        match address.parse::<IpAddr>() {
            Ok(address) => {
                let whole = if address.is_ipv4() { 32 } else { 128 };
                // What is no prefix length covers as little as can be.
                let prefix = prefix.parse().map_or(whole, |prefix: u8| prefix.min(whole));
                Self::Network { address, prefix }
            }
            Err(_) => {
                let domain = text.trim_start_matches('*').trim_matches('.');
                Self::Domain(domain.to_ascii_lowercase())
            }
        }
    }

    fn covers(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Domain(domain) => {
                let host = host.trim_end_matches('.');
                let above = host.strip_suffix(domain.as_str());
                !domain.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            Self::Network { address, prefix } => match (address, host.parse::<IpAddr>()) {
                (IpAddr::V4(network), Ok(IpAddr::V4(host))) => {
                    let differing = network.to_bits() ^ host.to_bits();
                    differing.leading_zeros() >= u32::from(*prefix)
                }
                (IpAddr::V6(network), Ok(IpAddr::V6(host))) => {
                    let differing = network.to_bits() ^ host.to_bits();
                    differing.leading_zeros() >= u32::from(*prefix)
                }
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NoProxy;

    #[test]
    fn domains_cover_what_is_below_them_and_nothing_beside() {
        let list = NoProxy::parse("example.com, .intern *.corp");
        for host in [
            "example.com",
            "a.example.com",
            "example.com.",
            "x.intern",
            "intern",
            "b.corp",
        ] {
            assert!(list.covers(host, 80), "{host}");
        }
        for host in ["badexample.com", "example.org", "com", "127.0.0.1"] {
            assert!(!list.covers(host, 80), "{host}");
        }
    }

    #[test]
    fn addresses_networks_and_ports_count() {
        let list = NoProxy::parse("127.0.0.1,10.0.0.0/8,::1,[fd00::]/8,host:8080,[::2]:90");
        for (host, port) in [
            ("127.0.0.1", 1),
            ("10.9.8.7", 1),
            ("::1", 1),
            ("host", 8080),
            ("::2", 90),
        ] {
            assert!(list.covers(host, port), "{host}:{port}");
        }
        for (host, port) in [
            ("127.0.0.2", 1),
            ("11.0.0.1", 1),
            ("host", 80),
            ("::2", 91),
            ("::3", 1),
        ] {
            assert!(!list.covers(host, port), "{host}:{port}");
        }
    }

    #[test]
    fn a_star_covers_all_and_an_empty_list_nothing() {
        assert!(NoProxy::parse("*").covers("host", 1));
        assert!(!NoProxy::parse(" , ").covers("host", 1));
        assert!(!NoProxy::parse(".").covers("host", 1));
    }
}
