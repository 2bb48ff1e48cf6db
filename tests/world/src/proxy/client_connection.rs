//! The connection of a client: one request after the other.

use std::sync::Arc;

use socketio_core::http::{HeadDecoder, HeadLimits, Method, RequestHead};

use super::config::{CloseKind, KeepAlive, LosableRequests};
use super::connection::Connection;
use super::exchange::{Exchange, Outcome};
use super::pool::ClientConnectionId;
use super::tunnel::tunnel;
use super::wait::within;
use super::{Inner, READ_TIMEOUT};

/// What follows on an idle connection.
enum Next {
    Request(RequestHead),
    /// Nothing until the idle timeout.
    IdleTimeout,
    /// The end of the connection, or an invalid request.
    Gone,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    proxy: Arc<Inner>,
    mut client: Connection,
    client_id: ClientConnectionId,
    from: String,
) {
    let mut served = 0_u64;
    let outcome = loop {
        let head = match next(&proxy, &mut client, served > 0).await {
            Next::Request(head) => head,
            Next::IdleTimeout => {
                proxy.count(|statistics| statistics.idle_timeouts += 1);
                break Outcome::Close;
            }
            Next::Gone => break Outcome::Gone,
        };
        if served > 0 && proxy.loses_request(proxy.config.client_keep_alive, &head) {
            match proxy.config.client_keep_alive.close_kind {
                CloseKind::Fin => break Outcome::Close,
                CloseKind::Reset => break Outcome::Reset,
            }
        }
        served += 1;
        let exchange = Exchange {
            proxy: &proxy,
            client: &mut client,
            client_id,
            from: &from,
            head,
        };
        match exchange.run().await {
            Outcome::KeepAlive => {}
            other => break other,
        }
    };
    proxy.pool.remove_client(client_id);
    match outcome {
        Outcome::KeepAlive | Outcome::Gone => drop(client),
        Outcome::Close => client.finish(&proxy.world).await,
        Outcome::Reset => client.reset(),
        Outcome::Tunnel(server) => {
            proxy.count(|statistics| statistics.tunnels += 1);
            tunnel(&proxy.world, client, *server, proxy.config.upgrades).await;
        }
    }
}

async fn next(proxy: &Inner, client: &mut Connection, has_served: bool) -> Next {
    let mut decoder = HeadDecoder::new(&HeadLimits::default());
    let idle_timeout = match has_served {
        true => proxy.config.client_keep_alive.idle_timeout,
        false => Some(READ_TIMEOUT),
    };
    let mut is_mid_head = false;
    loop {
        match decoder.poll_head(&mut client.input) {
            Ok(Some(head)) => return Next::Request(head),
            Ok(None) => {}
            Err(_) => return Next::Gone,
        }
        let timeout = if is_mid_head {
            Some(READ_TIMEOUT)
        } else {
            idle_timeout
        };
        match within(&proxy.world, timeout, client.read()).await {
            Some(Ok(1..)) => is_mid_head = true,
            None if !is_mid_head => return Next::IdleTimeout,
            Some(_) | None => return Next::Gone,
        }
    }
}

impl Inner {
    /// Whether the connection ends and this request is lost with it.
    pub(super) fn loses_request(&self, keep_alive: KeepAlive, head: &RequestHead) -> bool {
        let is_losable = match keep_alive.losable {
            LosableRequests::Polls => head.method() == Method::Get,
            LosableRequests::All => true,
        };
        let mut state = self.lock();
        let is_lost = is_losable && state.random.once_in(keep_alive.request_loss);
        state.statistics.lost_requests += u64::from(is_lost);
        is_lost
    }
}
