//! A client's connection: one request after the other.

use std::sync::Arc;

use socketio_core::http::{HeadDecoder, HeadLimits, Method, RequestHead};

use super::exchange::{Exchange, Outcome};
use super::line::{Line, within};
use super::pool::Owner;
use super::quirks::{Cuts, Manner, Struck};
use super::tunnel::tunnel;
use super::{Inner, PATIENCE};

/// What comes on a connection that rests.
enum Next {
    Request(RequestHead),
    /// Nothing for too long.
    Rested,
    /// Its end, or what is no request.
    Gone,
}

/// Serves a connection to its end.
pub(super) async fn serve(proxy: Arc<Inner>, mut client: Line, owner: Owner, from: String) {
    let mut served = 0_u64;
    let outcome = loop {
        let head = match next(&proxy, &mut client, served > 0).await {
            Next::Request(head) => head,
            Next::Rested => {
                proxy.count(|tally| tally.cuts += 1);
                break Outcome::Close;
            }
            Next::Gone => break Outcome::Gone,
        };
        if served > 0 && proxy.strikes(proxy.quirks.clients, &head) {
            match proxy.quirks.clients.manner {
                Manner::End => break Outcome::Close,
                Manner::Reset => break Outcome::Broken,
            }
        }
        served += 1;
        let exchange = Exchange {
            proxy: &proxy,
            client: &mut client,
            owner,
            from: &from,
            head,
        };
        match exchange.run().await {
            Outcome::Stay => {}
            other => break other,
        }
    };
    proxy.pool.leave(owner);
    match outcome {
        Outcome::Stay | Outcome::Gone => drop(client),
        Outcome::Close => client.finish(&proxy.world).await,
        Outcome::Broken => client.reset(),
        Outcome::Tunnel(server) => {
            proxy.count(|tally| tally.tunnels += 1);
            tunnel(&proxy.world, client, *server, proxy.quirks.upgrades).await;
        }
    }
}

async fn next(proxy: &Inner, client: &mut Line, has_served: bool) -> Next {
    let mut decoder = HeadDecoder::new(&HeadLimits::default());
    let rest = match has_served {
        true => proxy.quirks.clients.after,
        false => Some(PATIENCE),
    };
    let mut is_mid_head = false;
    loop {
        match decoder.poll_head(&mut client.input) {
            Ok(Some(head)) => return Next::Request(head),
            Ok(None) => {}
            Err(_) => return Next::Gone,
        }
        let patience = if is_mid_head { Some(PATIENCE) } else { rest };
        match within(&proxy.world, patience, client.read()).await {
            Some(Ok(1..)) => is_mid_head = true,
            None if !is_mid_head => return Next::Rested,
            Some(_) | None => return Next::Gone,
        }
    }
}

impl Inner {
    /// Whether a request is lost with its connection.
    pub(super) fn strikes(&self, cuts: Cuts, head: &RequestHead) -> bool {
        let can_be = match cuts.struck {
            Struck::Polls => head.method() == Method::Get,
            Struck::All => true,
        };
        let mut state = self.lock();
        let strikes = can_be && state.chance.once_in(cuts.at_request);
        state.tally.strikes += u64::from(strikes);
        strikes
    }
}
