//! Tests of the workspace that need more than one crate: raw clients, the conformance table and its servers.
//!
//! - [`apps`]: the applications of the testbed.
//! - [`binding`]: all bindings as one table, and what runs on them in the test's process.
//! - [`cargo`]: builds the programs that are started.
//! - [`certificates`]: certificate authorities for tests of TLS.
//! - [`client_load`]: the options and the results of load generating clients.
//! - [`kit`]: blocking clients exact enough to see, and to break, every byte of the protocols.
//! - [`conformance`]: one table of cases, run over every binding.
//! - [`live`]: servers that tests of the client connect to.
//! - [`latch`]: holds handlers back until the test lets them go on.
//! - [`provision`]: installs the packages that tests in other languages need.
//! - [`resource_usage`]: memory, threads and descriptors of a process, measured before and after.
//! - [`testbed`]: starts the server program the cases connect to.

#![forbid(unsafe_code)]

pub mod apps;
pub mod binding;
pub mod cargo;
pub mod certificates;
pub mod client_load;
pub mod conformance;
pub mod kit;
pub mod latch;
pub mod live;
pub mod provision;
pub mod provision_process;
pub mod resource_usage;
pub mod testbed;
