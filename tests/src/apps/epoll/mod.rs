//! The applications on the core alone, driven by the event loop of its examples.

use std::io;
use std::net::TcpListener;

use socketio_core::Sid;
use socketio_core::sio::{Server, SocketId, Target};

use super::interop::Settings;

mod interop;
mod lab;

/// The example as it stands, its `main` included.
#[path = "../../../../core/examples/epoll.rs"]
#[allow(dead_code, unreachable_pub)]
mod event_loop;

use event_loop::apps::{Bench, Engine, Pace, Suite};

/// Serves the application of this name on the calling thread.
///
/// # Errors
///
/// When there is no such application, or when polling or the listener fails for good.
pub fn serve(listener: TcpListener, app: &str, settings: Settings) -> io::Result<()> {
    match app {
        "engine" => event_loop::run(listener, Engine(Pace::Patient)),
        "hurried-engine" => event_loop::run(listener, Engine(Pace::Hurried)),
        "suite" => event_loop::run(listener, Suite::new(Pace::Patient)),
        "hurried-suite" => event_loop::run(listener, Suite::new(Pace::Hurried)),
        "lab" => event_loop::run(listener, lab::Lab::default()),
        "bench" => event_loop::run(listener, Bench::default()),
        "interop" => event_loop::run(listener, interop::Interop::new(settings)),
        _ => Err(io::Error::other(format!("there is no app {app:?}"))),
    }
}

/// The public ids of sockets, by index: when a socket is gone the server does not know its id any more.
#[derive(Default)]
struct Sids(Vec<Option<Sid>>);

impl Sids {
    /// Lets a socket in; its id, if it was still there.
    fn accept(&mut self, context: &mut event_loop::Context<Server>, socket: SocketId) -> Option<Sid> {
        if !context.server.accept(context.now, socket) {
            return None;
        }
        let sid = context.server.sid(socket)?;
        if socket.index() >= self.0.len() {
            self.0.resize(socket.index() + 1, None);
        }
        self.0[socket.index()] = Some(sid);
        Some(sid)
    }

    /// Forgets a socket that is gone; its id.
    fn remove(&mut self, socket: SocketId) -> Option<Sid> {
        self.0.get_mut(socket.index())?.take()
    }
}

/// The members of a room.
fn members(room: &str) -> Target {
    Target {
        rooms: vec![room.into()],
        ..Target::default()
    }
}
