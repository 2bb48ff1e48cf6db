//! HTTP proxies that stand between a client and its server.
