//! Readiness of many sockets: epoll, level-triggered.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::Outcome;

const EVENTS_PER_WAIT: usize = 1024;

const LONGEST_SLEEP: Duration = Duration::from_millis(20);

/// How the generator waits for a server.
#[derive(Clone, Copy)]
pub(crate) enum Waiting {
    /// Asks again and again. A server that writes then wakes nobody, as it would not with clients elsewhere: between
    /// two processors of a virtual machine, a wake-up costs the writer several times the write.
    Spin,
    /// Leaves the processor to others.
    Sleep,
}

/// What a socket is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    ReadAndWrite,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Self::Read => epoll::EventFlags::IN,
            Self::ReadAndWrite => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        }
    }
}

/// A socket that can be used without waiting; `token` is the number it was added with.
#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) token: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    pub(crate) fn new() -> Outcome<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self {
            epoll,
            events: Vec::with_capacity(EVENTS_PER_WAIT),
        })
    }

    /// Watches a socket for reading until it is closed.
    pub(crate) fn add(&self, socket: impl AsFd, token: usize) -> Outcome<()> {
        let data = epoll::EventData::new_u64(token as u64);
        Ok(epoll::add(&self.epoll, socket, data, Interest::Read.flags())?)
    }

    pub(crate) fn change(&self, socket: impl AsFd, token: usize, interest: Interest) -> Outcome<()> {
        let data = epoll::EventData::new_u64(token as u64);
        Ok(epoll::modify(&self.epoll, socket, data, interest.flags())?)
    }

    /// Puts what is ready into `ready`: what is now, or after some milliseconds at most.
    pub(crate) fn wait(&mut self, waiting: Waiting, ready: &mut Vec<Ready>) -> Outcome<()> {
        let timeout = match waiting {
            Waiting::Spin => Duration::ZERO,
            Waiting::Sleep => LONGEST_SLEEP,
        };
        let timeout = Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        self.events.clear();
        ready.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let write_only = epoll::EventFlags::OUT;
        ready.extend(self.events.iter().map(|event| {
            let (data, flags) = (event.data, event.flags);
            // Hang-ups and errors are learned by reading.
            let readable = flags != write_only;
            Ready {
                token: data.u64() as usize,
                readable,
                writable: flags.contains(write_only),
            }
        }));
        Ok(())
    }
}
