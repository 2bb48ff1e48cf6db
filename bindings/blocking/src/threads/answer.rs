use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::shared::lock;

/// A value that one thread sends to another, once.
pub(crate) struct Answer<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

/// What gives an answer. Dropped before it has given one, it gives the one it was made with.
pub(crate) struct Promise<T> {
    answer: Answer<T>,
    otherwise: fn() -> T,
    is_kept: bool,
}

impl<T> Answer<T> {
    pub(crate) fn promised(otherwise: fn() -> T) -> (Self, Promise<T>) {
        let state = Arc::new(Mutex::new(State {
            value: None,
            waker: None,
        }));
        let answer = Self(Arc::clone(&state));
        (
            Self(state),
            Promise {
                answer,
                otherwise,
                is_kept: false,
            },
        )
    }

    /// Waits for it; it is given to one only.
    pub(crate) async fn get(&self) -> T {
        poll_fn(|task| {
            let offered = task.waker().clone();
            let mut state = lock(&self.0);
            if let Some(value) = state.value.take() {
                return Poll::Ready(value);
            }
            let replaced = state.waker.replace(offered);
            drop(state);
            drop(replaced);
            Poll::Pending
        })
        .await
    }
}

impl<T> Promise<T> {
    /// Gives the answer.
    pub(crate) fn keep(mut self, value: T) {
        self.give(value);
    }

    fn give(&mut self, value: T) {
        if std::mem::replace(&mut self.is_kept, true) {
            return;
        }
        let mut state = lock(&self.answer.0);
        state.value = Some(value);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.give((self.otherwise)());
    }
}
