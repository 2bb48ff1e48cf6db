//! A runtime whose time and network belong to a test, and streams in memory.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};

use crate::engine::{BoxStream, Dial, Runtime, Stream};

/// The outcome of a future that never waits.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits"),
    }
}

/// What becomes of a dial.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Connected,
    Refused,
    Unreachable,
}

/// A network that answers when the test says so.
#[derive(Clone)]
pub(super) struct TestNetwork(Arc<Mutex<NetworkState>>);

struct NetworkState {
    now: Instant,
    resolved: Vec<SocketAddr>,
    dialled: Vec<String>,
    given_up: Vec<String>,
    answers: HashMap<String, Outcome>,
    /// What those that connect read.
    script: Bytes,
    written: Arc<Mutex<Vec<u8>>>,
}

impl TestNetwork {
    pub(super) fn new(resolved: &[&str]) -> Self {
        Self(Arc::new(Mutex::new(NetworkState {
            now: Instant::now(),
            resolved: resolved.iter().map(|address| address.parse().unwrap()).collect(),
            dialled: Vec::new(),
            given_up: Vec::new(),
            answers: HashMap::new(),
            script: Bytes::new(),
            written: Arc::default(),
        })))
    }

    pub(super) fn runtime(&self) -> Self {
        self.clone()
    }

    pub(super) fn task<T>(&self, future: impl Future<Output = T> + 'static) -> Task<T> {
        Task(Box::pin(future))
    }

    pub(super) fn advance(&self, time: Duration) {
        self.state().now += time;
    }

    pub(super) fn answer(&self, address: &str, outcome: Outcome) {
        self.state().answers.insert(address.to_owned(), outcome);
    }

    /// What streams read from now on.
    pub(super) fn script(&self, script: &'static [u8]) {
        self.state().script = Bytes::from_static(script);
    }

    pub(super) fn written(&self) -> String {
        let written = self.state().written.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    pub(super) fn dialled(&self) -> Vec<String> {
        self.state().dialled.clone()
    }

    pub(super) fn given_up(&self) -> Vec<String> {
        self.state().given_up.clone()
    }

    fn state(&self) -> MutexGuard<'_, NetworkState> {
        self.0.lock().unwrap()
    }
}

/// A future that is polled by hand.
pub(super) struct Task<T>(Pin<Box<dyn Future<Output = T>>>);

impl<T> Task<T> {
    pub(super) fn poll(&mut self) -> Option<T> {
        match self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }
}

impl Runtime for TestNetwork {
    type Stream = ScriptedPeer;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.state().now
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            network: self.clone(),
            deadline,
        }
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

    fn seed(&self) -> io::Result<[u8; 32]> {
        Ok([0; 32])
    }
}

impl Dial for TestNetwork {
    fn resolve(
        &self,
        _: &str,
        _: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static + use<> {
        let resolved = self.state().resolved.clone();
        async move { Ok(resolved) }
    }

    fn dial(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<ScriptedPeer>> + Send + 'static + use<> {
        self.state().dialled.push(address.to_string());
        Dialling {
            network: self.clone(),
            address: Some(address.to_string()),
        }
    }

    fn dial_unix(
        &self,
        _: &std::path::Path,
    ) -> impl Future<Output = io::Result<BoxStream>> + Send + 'static + use<> {
        pending()
    }
}

pub(super) struct Sleep {
    network: TestNetwork,
    deadline: Instant,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.network.state().now >= self.deadline {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

struct Dialling {
    network: TestNetwork,
    /// Until it is answered.
    address: Option<String>,
}

impl Future for Dialling {
    type Output = io::Result<ScriptedPeer>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let address = self.address.clone().expect("polled once more");
        let network = self.network.clone();
        let state = network.state();
        let Some(outcome) = state.answers.get(&address) else {
            return Poll::Pending;
        };
        self.address = None;
        Poll::Ready(match outcome {
            Outcome::Connected => Ok(ScriptedPeer {
                input: state.script.clone(),
                written: Arc::clone(&state.written),
            }),
            Outcome::Refused => Err(io::ErrorKind::ConnectionRefused.into()),
            Outcome::Unreachable => Err(io::ErrorKind::HostUnreachable.into()),
        })
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        if let Some(address) = self.address.take() {
            self.network.state().given_up.push(address);
        }
    }
}

/// A peer that sends what it was given and takes everything.
pub(super) struct ScriptedPeer {
    input: Bytes,
    written: Arc<Mutex<Vec<u8>>>,
}

impl ScriptedPeer {
    pub(super) fn new(input: &[u8]) -> Self {
        Self {
            input: Bytes::copy_from_slice(input),
            written: Arc::default(),
        }
    }

    pub(super) fn written(&self) -> Vec<u8> {
        self.written.lock().unwrap().clone()
    }
}

impl Stream for ScriptedPeer {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let count = self.input.len().min(buffer.capacity() - buffer.len());
        buffer.extend_from_slice(&self.input[..count]);
        self.input.advance(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut written = self.written.lock().unwrap();
        slices.iter().for_each(|slice| written.extend_from_slice(slice));
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
