//! temporary
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
/// Temporary.
pub trait Wait: Future + Sized {
    /// Temporary.
    fn wait(self) -> Self::Output {
        let mut this = pin!(self);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = this.as_mut().poll(&mut context) {
                return output;
            }
            socketio_driver::engine::step_aside();
            thread::park();
        }
    }
}
impl<T> Wait for socketio_driver::Call<T> {}
