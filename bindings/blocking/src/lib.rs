//! Socket.IO on plain threads.
