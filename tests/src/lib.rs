//! Tests of the workspace that need more than one crate: raw clients, the conformance table and its servers.
//!
//! - [`apps`]: the applications of the testbed.
//! - [`belongings`]: what a process has, to be counted before and after.
//! - [`binding`]: all bindings as one table, and what runs on them in the test's process.
//! - [`cargo`]: builds the programs that are started.
//! - [`client_load`]: what clients under load are told and what they tell.
//! - [`kit`]: blocking clients exact enough to see, and to break, every byte of the protocols.
//! - [`conformance`]: one table of cases, run over every binding.
//! - [`live`]: servers that tests of the client talk to.
//! - [`provision`]: installs the packages that tests in other languages need.
//! - [`testbed`]: starts the server program the cases talk to.

#![forbid(unsafe_code)]

pub mod apps;
pub mod belongings;
pub mod binding;
pub mod cargo;
pub mod client_load;
pub mod conformance;
pub mod kit;
pub mod live;
pub mod provision;
pub mod provision_process;
pub mod testbed;
