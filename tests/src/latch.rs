//! A latch that handlers wait at until the test opens it.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Holds back every task that waits at it until it is opened. Clones are the same latch.
///
/// A handler may run for as long as it likes, whatever becomes of its server or client, so the test ends its handlers
/// itself.
#[derive(Clone, Debug)]
pub struct Latch(Arc<Semaphore>);

impl Latch {
    /// A closed latch.
    #[must_use]
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets all that wait go on, and all that come later.
    pub fn open(&self) {
        self.0.close();
    }

    /// Lets `count` go on, the first to come first.
    pub fn release(&self, count: usize) {
        self.0.add_permits(count);
    }

    /// Waits to be released, or until it is open.
    pub async fn wait(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}
