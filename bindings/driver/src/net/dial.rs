use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::failed::failed;
use super::url::authority;
use crate::engine::Dial;

/// How long one address may take before the next is tried beside it (RFC 8305 section 8, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of one host that are tried; a name with more does not need the others.
const ADDRESSES: usize = 16;

/// Connects to a host by TCP: looks its addresses up and takes the first that answers (RFC 8305, "happy eyeballs").
/// Families take turns; an address is tried when the one before it has failed or had its head start. The attempts that
/// are not needed any more are given up.
pub(super) async fn dial<R: Dial>(runtime: &R, host: &str, port: u16) -> io::Result<R::Stream> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let resolved = runtime.resolve(host, port).await;
            resolved.map_err(|error| failed(format!("cannot resolve host {host}"), error))?
        }
    };
    if addresses.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "it has no addresses");
        return Err(failed(format!("cannot resolve host {host}"), error));
    }
    let mut race = Race::new(runtime.clone(), interleave(addresses));
    let won = poll_fn(|task| race.poll(task)).await;
    won.map_err(|failures| explain(host, port, failures))
}

/// The addresses with families taking turns, the resolver's first one first (RFC 8305 section 4).
fn interleave(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut ordered = VecDeque::new();
    while !(first.is_empty() && second.is_empty()) {
        ordered.extend(first.pop_front());
        ordered.extend(second.pop_front());
    }
    ordered.truncate(ADDRESSES);
    ordered
}

type Dialling<R> = Pin<Box<dyn Future<Output = io::Result<<R as crate::engine::Runtime>::Stream>> + Send>>;

/// What came of the addresses that were tried.
type Failures = Vec<(SocketAddr, io::Error)>;

/// Attempts that run beside each other.
struct Race<R: Dial> {
    runtime: R,
    waiting: VecDeque<SocketAddr>,
    running: Vec<(SocketAddr, Dialling<R>)>,
    failures: Failures,
    /// When the next one starts though none has failed.
    next: Option<Pin<Box<R::Sleep>>>,
}

impl<R: Dial> Race<R> {
    fn new(runtime: R, addresses: VecDeque<SocketAddr>) -> Self {
        let mut race = Self {
            runtime,
            waiting: addresses,
            running: Vec::new(),
            failures: Vec::new(),
            next: None,
        };
        race.start_next();
        race
    }

    fn start_next(&mut self) {
        let Some(address) = self.waiting.pop_front() else {
            self.next = None;
            return;
        };
        self.running.push((address, Box::pin(self.runtime.dial(address))));
        let deadline = self.runtime.now() + HEAD_START;
        let another = !self.waiting.is_empty();
        self.next = another.then(|| Box::pin(self.runtime.sleep_until(deadline)));
    }

    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<R::Stream, Failures>> {
        loop {
            let failures = self.failures.len();
            if let Some(stream) = self.poll_running(task) {
                return Poll::Ready(Ok(stream));
            }
            let is_due = |next: &mut Pin<Box<R::Sleep>>| next.as_mut().poll(task).is_ready();
            if self.failures.len() > failures || self.next.as_mut().is_some_and(is_due) {
                self.start_next();
            } else if self.running.is_empty() {
                return Poll::Ready(Err(std::mem::take(&mut self.failures)));
            } else {
                return Poll::Pending;
            }
        }
    }

    fn poll_running(&mut self, task: &mut Context<'_>) -> Option<R::Stream> {
        let mut index = 0;
        while let Some((address, dialling)) = self.running.get_mut(index) {
            match dialling.as_mut().poll(task) {
                Poll::Pending => index += 1,
                Poll::Ready(Ok(stream)) => return Some(stream),
                Poll::Ready(Err(error)) => {
                    self.failures.push((*address, error));
                    drop(self.running.remove(index));
                }
            }
        }
        None
    }
}

fn explain(host: &str, port: u16, mut failures: Failures) -> io::Error {
    let target = authority(host, Some(port));
    let alone = failures.len() == 1;
    match failures.pop() {
        Some((address, error)) if alone => {
            let at = if address.to_string() == target {
                target
            } else {
                format!("{target} ({address})")
            };
            failed(format!("cannot connect to {at}"), error)
        }
        Some((address, error)) => {
            let kind = failures
                .first()
                .map_or_else(|| error.kind(), |(_, error)| error.kind());
            failures.push((address, error));
            let each: Vec<_> = failures
                .iter()
                .map(|(address, error)| format!("{address}: {error}"))
                .collect();
            io::Error::new(kind, format!("cannot connect to {target}: {}", each.join("; ")))
        }
        None => io::Error::new(
            io::ErrorKind::NotFound,
            format!("cannot connect to {target}: no address"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::super::testing::{Outcome, TestNetwork};
    use super::{HEAD_START, dial, interleave};

    const NOT_YET: Duration = Duration::from_millis(249);

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let list = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        let expected = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleave(list), expected);
        assert_eq!(interleave(addresses(&["1.1.1.1:1"; 40])).len(), 16);
    }

    #[test]
    fn the_next_address_is_tried_after_the_head_start_and_the_first_to_answer_wins() {
        let network = TestNetwork::new(&["[::1]:80", "1.1.1.1:80", "[::2]:80"]);
        let (runtime, host) = (network.runtime(), "host");
        let mut dialling = network.task(async move { dial(&runtime, host, 80).await.map(drop) });
        assert!(dialling.poll().is_none());
        assert_eq!(network.dialled(), ["[::1]:80"]);
        network.advance(NOT_YET);
        assert!(dialling.poll().is_none());
        assert_eq!(network.dialled(), ["[::1]:80"]);
        network.advance(HEAD_START - NOT_YET);
        assert!(dialling.poll().is_none());
        assert_eq!(network.dialled(), ["[::1]:80", "1.1.1.1:80"]);
        network.answer("[::1]:80", Outcome::Connected);
        assert!(dialling.poll().expect("ends").is_ok());
        assert_eq!(network.given_up(), ["1.1.1.1:80"]);
        assert_eq!(network.dialled().len(), 2);
    }

    #[test]
    fn a_failure_starts_the_next_at_once_and_all_are_named_at_the_end() {
        let network = TestNetwork::new(&["[::1]:80", "1.1.1.1:80"]);
        let runtime = network.runtime();
        let mut dialling = network.task(async move { dial(&runtime, "host", 80).await.map(drop) });
        network.answer("[::1]:80", Outcome::Refused);
        assert!(dialling.poll().is_none());
        assert_eq!(network.dialled(), ["[::1]:80", "1.1.1.1:80"]);
        network.answer("1.1.1.1:80", Outcome::Unreachable);
        let error = dialling.poll().expect("ends").expect_err("fails");
        assert_eq!(
            error.to_string(),
            "cannot connect to host:80: [::1]:80: connection refused; 1.1.1.1:80: host unreachable"
        );
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn an_address_needs_no_resolver_and_a_failure_names_it_once() {
        let network = TestNetwork::new(&[]);
        let runtime = network.runtime();
        let mut dialling = network.task(async move { dial(&runtime, "::1", 9).await.map(drop) });
        network.answer("[::1]:9", Outcome::Refused);
        let error = dialling.poll().expect("ends").expect_err("fails");
        assert_eq!(error.to_string(), "cannot connect to [::1]:9: connection refused");
    }

    #[test]
    fn a_name_without_addresses_is_an_error_of_resolving() {
        let network = TestNetwork::new(&[]);
        let runtime = network.runtime();
        let mut dialling = network.task(async move { dial(&runtime, "host", 9).await.map(drop) });
        let error = dialling.poll().expect("ends").expect_err("fails");
        assert_eq!(error.to_string(), "cannot resolve host host: it has no addresses");
    }
}
