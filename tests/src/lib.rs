//! Tests of the workspace that need more than one crate: raw clients, the conformance table and its servers.
//!
//! - [`apps`]: the applications of the testbed.
//! - [`kit`]: blocking clients exact enough to see, and to break, every byte of the protocols.
//! - [`conformance`]: one table of cases, run over every binding.
//! - [`provision`]: installs the packages that tests in other languages need.
//! - [`testbed`]: starts the server program the cases talk to.

#![forbid(unsafe_code)]

pub mod apps;
pub mod conformance;
pub mod kit;
pub mod provision;
pub mod provision_process;
pub mod testbed;
