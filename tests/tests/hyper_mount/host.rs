//! A hyper service that mounts a server beside a route of its own, as any user would write it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{BodyFailure, HostedError, HostedReply, RequestHead, Server, Tokio, TokioStream};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long anything here may take to end.
const DEADLINE: Duration = Duration::from_secs(10);

/// A running host.
pub(crate) struct Host {
    pub(crate) target: Target,
    runtime: Runtime,
    served: JoinHandle<()>,
    hosted: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Host {
    pub(crate) fn start(server: &Server, app: App) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let _in_runtime = runtime.enter();
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let hosted = tokio::spawn(socketio_tokio::host(server).expect("nobody serves it yet"));
        let (stop, stopped) = oneshot::channel();
        let served = runtime.spawn(serve(listener, server.clone(), stopped));
        Self {
            target: Target { address, app },
            runtime,
            served,
            hosted,
            stop,
        }
    }

    /// Waits until the server has ended after its shutdown, then until hyper has served its last connection.
    pub(crate) fn end(self) {
        self.runtime.block_on(async {
            timeout(DEADLINE, self.hosted)
                .await
                .expect("the server ends in time")
                .expect("the server's task does not panic");
            self.stop.send(()).expect("the host still runs");
            timeout(DEADLINE, self.served)
                .await
                .expect("the host ends in time")
                .expect("the host does not panic");
        });
    }
}

async fn serve(listener: TcpListener, server: Server, mut stopped: oneshot::Receiver<()>) {
    let (builder, connections) = (Builder::new(TokioExecutor::new()), GracefulShutdown::new());
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted.expect("connections are accepted"),
            _ = &mut stopped => break,
        };
        stream.set_nodelay(true).expect("delay can be switched off");
        let server = server.clone();
        let service = service_fn(move |request| answer(server.clone(), peer, request));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        // How a connection ends is not tested here.
        tokio::spawn(async move { drop(connection.await) });
    }
    connections.shutdown().await;
}

async fn answer(
    server: Server,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HostedError> {
    if request.uri().path() == "/hello" {
        return Ok(Response::new(Full::from("hello")));
    }
    let Some(head) = head_of(&request) else {
        return Ok(status(StatusCode::BAD_REQUEST));
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let body = request.into_body();
    match server.handle(head, peer.into(), |limit| read(body, limit)).await {
        Ok(HostedReply::Response(response)) => Ok(translate(&response)),
        Ok(HostedReply::Upgrade { response, upgrade }) => {
            tokio::spawn(async move {
                if let Ok(stream) = upgraded.await {
                    upgrade
                        .run(Tokio::current(), TokioStream::new(TokioIo::new(stream)))
                        .await;
                }
            });
            Ok(translate(&response))
        }
        // An error makes hyper close the connection.
        Err(HostedError::Cut) => Err(HostedError::Cut),
        Err(_) => Ok(status(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

fn head_of<B>(request: &Request<B>) -> Option<RequestHead> {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let target = request.uri().path_and_query()?;
    RequestHead::from_parts(request.method().as_str(), target.as_str(), headers).ok()
}

async fn read(body: Incoming, limit: usize) -> Result<Bytes, BodyFailure> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyFailure::TooLarge),
        Err(_) => Err(BodyFailure::Incomplete),
    }
}

fn translate(response: &socketio_tokio::Response) -> Response<Full<Bytes>> {
    let body = match response.body() {
        socketio_tokio::http::Body::Bytes(bytes) => bytes.clone(),
        _ => Bytes::new(),
    };
    let mut translated = Response::builder().status(response.status().as_u16());
    for (name, value) in response.headers().iter() {
        translated = translated.header(name, value);
    }
    translated
        .body(Full::new(body))
        .unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
