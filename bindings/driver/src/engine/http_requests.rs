//! HTTP requests that the application answers: the gate, the client bundle, the fallback.

use std::sync::Arc;

use bytes::Bytes;

use super::runtime::Handlers;
use super::server::{ServerInstance, ServerMachine};
use crate::core::{BodyFailure, BodyLength, Method, RequestHead, RequestId, Response, StatusCode};
use crate::error::Error;
use crate::handler::catch;

/// An HTTP request that is not for the protocol, or one the gate has to see.
pub(crate) enum ApplicationRequest {
    Handshake(RequestId),
    Request(RequestId, RequestHead),
    Body(RequestId, Result<Bytes, BodyFailure>),
}

/// The request whose body is on its way; few connections ever have one.
#[derive(Default)]
pub(crate) struct AwaitedBody(Option<Box<(RequestId, RequestHead)>>);

/// Answers one request; runs outside the lock, because the application answers.
pub(super) fn answer<I: ServerInstance>(
    instance: &Arc<I>,
    awaited: &mut AwaitedBody,
    request: ApplicationRequest,
) -> Result<(), Error> {
    match request {
        ApplicationRequest::Handshake(request) => ask(instance, move |instance| ask_gate(instance, request)),
        ApplicationRequest::Request(request, head) if head.body_length() != BodyLength::None => {
            awaited.0 = Some(Box::new((request, head)));
            instance.shard().with(instance, |state, now| {
                let limit = state.machine.config().max_payload;
                state.machine.read_body(now, request, limit);
            })
        }
        ApplicationRequest::Request(request, head) => {
            ask(instance, move |instance| respond(instance, request, &head, None))
        }
        ApplicationRequest::Body(request, body) => match (awaited.0.take().map(|waiting| *waiting), body) {
            (Some((own, head)), Ok(body)) if own == request => ask(instance, move |instance| {
                respond(instance, request, &head, Some(body))
            }),
            (_, Err(failure)) => send(instance, request, Response::new(failure.status())),
            (_, Ok(_)) => Ok(()),
        },
    }
}

/// Asks the application, where handlers run.
fn ask<I: ServerInstance>(
    instance: &Arc<I>,
    question: impl FnOnce(&Arc<I>) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    match instance.shard().handlers() {
        Handlers::InPlace => question(instance),
        Handlers::Apart => {
            let owned = Arc::clone(instance);
            instance.shard().spawn_handlers(async move {
                // A poisoned shard has lost the request.
                let _ = question(&owned);
            });
            Ok(())
        }
    }
}

fn respond<I: ServerInstance>(
    instance: &Arc<I>,
    request: RequestId,
    head: &RequestHead,
    body: Option<Bytes>,
) -> Result<(), Error> {
    let from_bundle = instance
        .bundles()
        .filter(|_| is_read(head))
        .and_then(|bundles| bundles.answer(head));
    let response = match (from_bundle, instance.fallback()) {
        (Some(response), _) => response,
        (None, Some(fallback)) => catch(|| Ok(fallback(head, body)))
            .unwrap_or_else(|_| Response::new(StatusCode::INTERNAL_SERVER_ERROR)),
        (None, None) => Response::new(StatusCode::NOT_FOUND),
    };
    send(instance, request, response)
}

fn send<I: ServerInstance>(instance: &Arc<I>, request: RequestId, response: Response) -> Result<(), Error> {
    instance.shard().with(instance, |state, now| {
        state.machine.respond(now, request, response)
    })
}

fn ask_gate<I: ServerInstance>(instance: &Arc<I>, request: RequestId) -> Result<(), Error> {
    let asked = instance
        .shard()
        .with(instance, |state, _| state.machine.request(request))?;
    let Some((head, peer)) = asked else { return Ok(()) };
    let verdict = match instance.gate() {
        Some(gate) => catch(|| Ok(gate(&head, &peer))).unwrap_or_else(|_| Err("Forbidden".to_owned())),
        None => Ok(()),
    };
    instance.shard().with(instance, |state, now| match verdict {
        Ok(()) => state.machine.allow(now, request),
        Err(message) => state.machine.forbid(now, request, &message),
    })
}

/// Whether a request may be answered with a file.
fn is_read(head: &RequestHead) -> bool {
    matches!(head.method(), Method::Get | Method::Head)
}
