//! HTTP requests that are not for the protocol: the gate, the client bundle, the application's fallback.

use std::sync::Arc;

use bytes::Bytes;

use super::runtime::Handlers;
use super::server::{ServerHouse, ServerMachine};
use crate::core::{BodyFailure, BodyLength, Method, RequestHead, RequestId, Response, StatusCode};
use crate::error::Error;
use crate::handler::catch;

/// An HTTP request that is not for the protocol, or one the gate has to see.
pub(crate) enum OwnRequest {
    Handshake(RequestId),
    Request(RequestId, RequestHead),
    Body(RequestId, Result<Bytes, BodyFailure>),
}

/// The request whose body is on its way; few connections ever have one.
#[derive(Default)]
pub(crate) struct Foreign(Option<Box<(RequestId, RequestHead)>>);

/// Answers one request; runs outside the lock, because the application answers.
pub(super) fn answer<H: ServerHouse>(
    house: &Arc<H>,
    foreign: &mut Foreign,
    request: OwnRequest,
) -> Result<(), Error> {
    match request {
        OwnRequest::Handshake(request) => ask(house, move |house| ask_gate(house, request)),
        OwnRequest::Request(request, head) if head.body_length() != BodyLength::None => {
            foreign.0 = Some(Box::new((request, head)));
            house.shard().with(house, |state, now| {
                let limit = state.machine.config().max_payload;
                state.machine.read_body(now, request, limit);
            })
        }
        OwnRequest::Request(request, head) => ask(house, move |house| respond(house, request, &head, None)),
        OwnRequest::Body(request, body) => match (foreign.0.take().map(|waiting| *waiting), body) {
            (Some((own, head)), Ok(body)) if own == request => {
                ask(house, move |house| respond(house, request, &head, Some(body)))
            }
            (_, Err(failure)) => send(house, request, Response::new(failure.status())),
            (_, Ok(_)) => Ok(()),
        },
    }
}

/// Asks the application, where handlers run.
fn ask<H: ServerHouse>(
    house: &Arc<H>,
    question: impl FnOnce(&Arc<H>) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    match house.shard().handlers() {
        Handlers::InPlace => question(house),
        Handlers::Apart => {
            let owned = Arc::clone(house);
            house.shard().spawn_handlers(async move {
                // A poisoned shard has lost the request.
                let _ = question(&owned);
            });
            Ok(())
        }
    }
}

fn respond<H: ServerHouse>(
    house: &Arc<H>,
    request: RequestId,
    head: &RequestHead,
    body: Option<Bytes>,
) -> Result<(), Error> {
    let from_bundle = house
        .bundles()
        .filter(|_| is_read(head))
        .and_then(|bundles| bundles.answer(head));
    let response = match (from_bundle, house.fallback()) {
        (Some(response), _) => response,
        (None, Some(fallback)) => catch(|| Ok(fallback(head, body)))
            .unwrap_or_else(|_| Response::new(StatusCode::INTERNAL_SERVER_ERROR)),
        (None, None) => Response::new(StatusCode::NOT_FOUND),
    };
    send(house, request, response)
}

fn send<H: ServerHouse>(house: &Arc<H>, request: RequestId, response: Response) -> Result<(), Error> {
    house
        .shard()
        .with(house, |state, now| state.machine.respond(now, request, response))
}

fn ask_gate<H: ServerHouse>(house: &Arc<H>, request: RequestId) -> Result<(), Error> {
    let asked = house
        .shard()
        .with(house, |state, _| state.machine.request(request))?;
    let Some((head, peer)) = asked else { return Ok(()) };
    let verdict = match house.gate() {
        Some(gate) => catch(|| Ok(gate(&head, &peer))).unwrap_or_else(|_| Err("Forbidden".to_owned())),
        None => Ok(()),
    };
    house.shard().with(house, |state, now| match verdict {
        Ok(()) => state.machine.allow(now, request),
        Err(message) => state.machine.forbid(now, request, &message),
    })
}

/// Whether a request may be answered with a file.
fn is_read(head: &RequestHead) -> bool {
    matches!(head.method(), Method::Get | Method::Head)
}
