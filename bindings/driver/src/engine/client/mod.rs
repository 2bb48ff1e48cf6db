//! The Socket.IO client on the driver's loop.
//!
//! ```text
//!   connect() ──► core: Attempt ──► task: the application's URL, headers … ──► proceed
//!                       Dial    ──► task: the connector, then the connection's loop
//!                       Joining ──► task: the application's auth           ──► join
//!                       events  ──► the hub, strands, calls
//! ```
//!
//! All tasks end when the last handle is gone and the connection is closed: the timer's is the last.

mod effect;
mod jobs;
mod machine;
mod start;

pub(crate) use jobs::ClientJob;
pub(crate) use machine::ClientMachine;
pub(crate) use start::{retire, start_client};
