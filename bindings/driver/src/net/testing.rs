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
pub(super) struct World(Arc<Mutex<Net>>);

struct Net {
    now: Instant,
    resolved: Vec<SocketAddr>,
    dialled: Vec<String>,
    given_up: Vec<String>,
    answers: HashMap<String, Outcome>,
    /// What those that connect read.
    script: Bytes,
    written: Arc<Mutex<Vec<u8>>>,
}

impl World {
    pub(super) fn new(resolved: &[&str]) -> Self {
        Self(Arc::new(Mutex::new(Net {
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
        self.net().now += time;
    }

    pub(super) fn answer(&self, address: &str, outcome: Outcome) {
        self.net().answers.insert(address.to_owned(), outcome);
    }

    /// What streams read from now on.
    pub(super) fn script(&self, script: &'static [u8]) {
        self.net().script = Bytes::from_static(script);
    }

    pub(super) fn written(&self) -> String {
        let written = self.net().written.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    pub(super) fn dialled(&self) -> Vec<String> {
        self.net().dialled.clone()
    }

    pub(super) fn given_up(&self) -> Vec<String> {
        self.net().given_up.clone()
    }

    fn net(&self) -> MutexGuard<'_, Net> {
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

impl Runtime for World {
    type Stream = Script;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.net().now
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            world: self.clone(),
            deadline,
        }
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

    fn seed(&self) -> io::Result<[u8; 32]> {
        Ok([0; 32])
    }
}

impl Dial for World {
    fn resolve(
        &self,
        _: &str,
        _: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static + use<> {
        let resolved = self.net().resolved.clone();
        async move { Ok(resolved) }
    }

    fn dial(&self, address: SocketAddr) -> impl Future<Output = io::Result<Script>> + Send + 'static + use<> {
        self.net().dialled.push(address.to_string());
        Dialling {
            world: self.clone(),
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
    world: World,
    deadline: Instant,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.world.net().now >= self.deadline {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

struct Dialling {
    world: World,
    /// Until it is answered.
    address: Option<String>,
}

impl Future for Dialling {
    type Output = io::Result<Script>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let address = self.address.clone().expect("polled once more");
        let world = self.world.clone();
        let net = world.net();
        let Some(outcome) = net.answers.get(&address) else {
            return Poll::Pending;
        };
        self.address = None;
        Poll::Ready(match outcome {
            Outcome::Connected => Ok(Script {
                input: net.script.clone(),
                written: Arc::clone(&net.written),
            }),
            Outcome::Refused => Err(io::ErrorKind::ConnectionRefused.into()),
            Outcome::Unreachable => Err(io::ErrorKind::HostUnreachable.into()),
        })
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        if let Some(address) = self.address.take() {
            self.world.net().given_up.push(address);
        }
    }
}

/// A peer that says what it has to say and takes everything.
pub(super) struct Script {
    input: Bytes,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Script {
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

impl Stream for Script {
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
