//! One request and its response.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socketio_core::http::{
    BodyChunk, BodyDecoder, BodyLength, HeadLimits, Method, RequestHead, ResponseDecoder, ResponseHead,
    StatusCode, WebSocketRequest,
};
use socketio_driver::engine::Dial;

use super::config::{Buffering, CloseKind, KeepAliveHeader, Persistence, Upgrades};
use super::connection::Connection;
use super::message::{
    ConnectionOption, body_end, encode_body_part, forwarded_length, own_response, request_head, response_head,
};
use super::pool::{ClientConnectionId, ReusedConnection};
use super::wait::{First, first, within};
use super::{Inner, READ_TIMEOUT};
use crate::World;

/// How long the server may take to accept a connection.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// A request whose head has arrived, and everything needed to respond to it.
pub(super) struct Exchange<'a> {
    pub(super) proxy: &'a Inner,
    pub(super) client: &'a mut Connection,
    pub(super) client_id: ClientConnectionId,
    pub(super) from: &'a str,
    pub(super) head: RequestHead,
}

/// What happens to the client's connection after an exchange.
pub(super) enum Outcome {
    /// It waits for the next request.
    KeepAlive,
    /// It is closed after the response.
    Close,
    /// The client has closed it, or there is no way to respond.
    Gone,
    /// It is reset.
    Reset,
    /// It becomes a WebSocket connection.
    Tunnel(Box<Connection>),
}

/// The body of a request.
enum RequestBody {
    Whole(Bytes),
    /// It is forwarded while it arrives.
    Streamed,
}

/// The result of waiting for the head of a response.
enum Waited {
    Response(ResponseHead),
    /// The server has closed the connection without a response.
    Closed,
    /// The connection was reset, or the response is invalid.
    Failed,
    /// There was no response in time.
    TimedOut,
    /// The client has closed its connection.
    ClientGone,
}

/// The side whose connection was lost.
enum Lost {
    Client,
    Server,
}

impl Exchange<'_> {
    pub(super) async fn run(mut self) -> Outcome {
        self.proxy.count(|statistics| statistics.requests += 1);
        let is_upgrade = !matches!(self.head.websocket(), WebSocketRequest::NotUpgrade);
        let connection_option = match self.proxy.config.upgrades {
            Upgrades::HeadersRemoved => ConnectionOption::KeepAlive,
            Upgrades::Refused(status) if is_upgrade => return self.respond(status).await,
            Upgrades::Ignored if is_upgrade => {
                let gone = async { while let Ok(1..) = self.client.read().await {} };
                let _ = within(&self.proxy.world, Some(READ_TIMEOUT), gone).await;
                return Outcome::Gone;
            }
            _ if is_upgrade => ConnectionOption::Upgrade,
            _ => ConnectionOption::KeepAlive,
        };
        let length = self.head.body_length();
        let body = match &self.proxy.config.buffering {
            Buffering::Streamed if length != BodyLength::None => RequestBody::Streamed,
            _ => {
                let body = read_whole_body(&self.proxy.world, self.client, length);
                match body.await {
                    Ok(body) => RequestBody::Whole(body),
                    Err(_) => return Outcome::Gone,
                }
            }
        };
        self.forward(body, &connection_option).await
    }

    /// Sends the request, again on another connection if the server had closed an idle one, and forwards the response.
    async fn forward(mut self, body: RequestBody, connection_option: &ConnectionOption) -> Outcome {
        loop {
            let reused = self.proxy.pool.take(self.client_id);
            let is_reused = reused.is_some();
            let mut server = match reused {
                Some(ReusedConnection {
                    connection,
                    last_client,
                }) => {
                    let is_shared = last_client != self.client_id;
                    self.proxy
                        .count(|statistics| statistics.shared += u64::from(is_shared));
                    connection
                }
                None => match self.proxy.dial().await {
                    Ok(connection) => connection,
                    Err(_) => return self.respond(StatusCode::BAD_GATEWAY).await,
                },
            };
            let may_retry = is_reused && self.head.method() == Method::Get;
            let waited = match self.send(&mut server, &body, connection_option).await {
                Err(Lost::Client) => return Outcome::Gone,
                Err(Lost::Server) => Waited::Closed,
                Ok(())
                    if is_reused
                        && self
                            .proxy
                            .loses_request(self.proxy.config.server_keep_alive, &self.head) =>
                {
                    if self.proxy.config.server_keep_alive.close_kind == CloseKind::Reset {
                        server.reset();
                    }
                    return self.respond(StatusCode::BAD_GATEWAY).await;
                }
                Ok(()) => {
                    let (world, timeout) = (&self.proxy.world, self.proxy.config.response_timeout);
                    let waited = within(world, timeout, self.wait(&mut server)).await;
                    waited.unwrap_or(Waited::TimedOut)
                }
            };
            return match waited {
                Waited::Response(head) => self.forward_response(server, head).await,
                Waited::Closed if may_retry => {
                    self.proxy.count(|statistics| statistics.retries += 1);
                    continue;
                }
                Waited::Closed | Waited::Failed => self.respond(StatusCode::BAD_GATEWAY).await,
                Waited::TimedOut => self.respond(StatusCode::GATEWAY_TIMEOUT).await,
                Waited::ClientGone => Outcome::Gone,
            };
        }
    }

    async fn send(
        &mut self,
        server: &mut Connection,
        body: &RequestBody,
        connection_option: &ConnectionOption,
    ) -> Result<(), Lost> {
        let format = self.proxy.config.format;
        let length = match body {
            RequestBody::Whole(body) if body.is_empty() => self.head.body_length(),
            RequestBody::Whole(body) => BodyLength::Length(body.len() as u64),
            RequestBody::Streamed => self.head.body_length(),
        };
        let length = forwarded_length(length, format.requests);
        let head = request_head(&self.head, format, length, connection_option, self.from);
        server.write(&head).await.map_err(|_| Lost::Server)?;
        match body {
            RequestBody::Whole(body) if body.is_empty() => {}
            RequestBody::Whole(body) => {
                let body = encode_body_part(length, body);
                server.write(&body).await.map_err(|_| Lost::Server)?;
            }
            RequestBody::Streamed => {
                let mut decoder = BodyDecoder::new(self.head.body_length());
                while let Some(data) = read_body_part(&self.proxy.world, self.client, &mut decoder)
                    .await
                    .map_err(|_| Lost::Client)?
                {
                    let data = encode_body_part(length, &data);
                    server.write(&data).await.map_err(|_| Lost::Server)?;
                }
            }
        }
        server.write(body_end(length)).await.map_err(|_| Lost::Server)
    }

    /// Waits for the head of the response, or until the client closes its connection.
    async fn wait(&mut self, server: &mut Connection) -> Waited {
        let mut decoder = ResponseDecoder::new(&HeadLimits::default());
        loop {
            match decoder.poll_head(&mut server.input) {
                Ok(Some(head)) => return Waited::Response(head),
                Ok(None) => {}
                Err(_) => return Waited::Failed,
            }
            match first(server.read(), self.client.read()).await {
                First::Left(Ok(1..)) | First::Right(Ok(1..)) => {}
                First::Left(Ok(_)) if !decoder.is_mid_head() => return Waited::Closed,
                First::Left(_) => return Waited::Failed,
                First::Right(_) => return Waited::ClientGone,
            }
        }
    }

    async fn forward_response(mut self, mut server: Connection, head: ResponseHead) -> Outcome {
        let format = self.proxy.config.format;
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            if self.proxy.config.upgrades == Upgrades::ClosedAtResponse {
                server.finish(&self.proxy.world).await;
                return Outcome::Close;
            }
            let response = response_head(&head, format, BodyLength::None, &ConnectionOption::Upgrade);
            return match self.client.write(&response).await {
                Ok(()) => Outcome::Tunnel(Box::new(server)),
                Err(_) => Outcome::Gone,
            };
        }
        let forwarded = match self.proxy.config.buffering.clone() {
            Buffering::Streamed => self.stream_response(&mut server, &head).await,
            Buffering::Whole(delay) => {
                match read_whole_body(&self.proxy.world, &mut server, head.body_length()).await {
                    Err(_) => return self.respond(StatusCode::BAD_GATEWAY).await,
                    Ok(body) => {
                        let delay = self.proxy.lock().random.time(&delay);
                        self.keep(server, &head);
                        self.proxy.world.sleep(delay).await;
                        return match self.send_whole_response(&head, &body).await {
                            Ok(()) => self.outcome(),
                            Err(_) => Outcome::Gone,
                        };
                    }
                }
            }
        };
        match forwarded {
            Ok(()) => {
                self.keep(server, &head);
                self.outcome()
            }
            Err(_) => Outcome::Gone,
        }
    }

    async fn stream_response(&mut self, server: &mut Connection, head: &ResponseHead) -> io::Result<()> {
        let format = self.proxy.config.format;
        let length = forwarded_length(head.body_length(), format.responses);
        let response = response_head(head, format, length, &self.connection_option());
        self.client.write(&response).await?;
        let mut decoder = BodyDecoder::new(head.body_length());
        while let Some(data) = read_body_part(&self.proxy.world, server, &mut decoder).await? {
            self.client.write(&encode_body_part(length, &data)).await?;
        }
        self.client.write(body_end(length)).await
    }

    async fn send_whole_response(&mut self, head: &ResponseHead, body: &Bytes) -> io::Result<()> {
        let format = self.proxy.config.format;
        let length = match head.status().allows_body() {
            true => forwarded_length(BodyLength::Length(body.len() as u64), format.responses),
            false => BodyLength::None,
        };
        let mut response = response_head(head, format, length, &self.connection_option());
        if !body.is_empty() {
            response.unsplit(encode_body_part(length, body));
        }
        response.extend_from_slice(body_end(length));
        self.client.write(&response).await
    }

    /// Keeps the connection to the server for another request.
    fn keep(&self, server: Connection, head: &ResponseHead) {
        if head.keep_alive() {
            // A connection that the pool does not keep is closed here.
            let _ = self.proxy.pool.put(&self.proxy.world, self.client_id, server);
        }
    }

    /// Responds without the server, and closes: the body of the request may not have been read.
    async fn respond(&mut self, status: StatusCode) -> Outcome {
        self.proxy.count(|statistics| statistics.own_responses += 1);
        let response = own_response(status, self.proxy.config.format, &ConnectionOption::Close);
        match self.client.write(&response).await {
            Ok(()) => Outcome::Close,
            Err(_) => Outcome::Gone,
        }
    }

    fn outcome(&self) -> Outcome {
        match self.connection_option() {
            ConnectionOption::Close => Outcome::Close,
            _ => Outcome::KeepAlive,
        }
    }

    fn connection_option(&self) -> ConnectionOption {
        let config = &self.proxy.config;
        if !self.head.keep_alive() || config.persistence == Persistence::Close {
            return ConnectionOption::Close;
        }
        match (
            config.client_keep_alive.header,
            config.client_keep_alive.idle_timeout,
        ) {
            (KeepAliveHeader::Sent, Some(timeout)) => ConnectionOption::KeepAliveFor(timeout.as_secs()),
            _ => ConnectionOption::KeepAlive,
        }
    }
}

impl Inner {
    async fn dial(&self) -> io::Result<Connection> {
        self.count(|statistics| statistics.dials += 1);
        let dialled = within(&self.world, Some(DIAL_TIMEOUT), self.host.dial(self.server)).await;
        let stream = dialled.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(Connection::new(stream))
    }
}

/// Reads the next part of a body; `None` after the last.
async fn read_body_part(
    world: &World,
    connection: &mut Connection,
    decoder: &mut BodyDecoder,
) -> io::Result<Option<Bytes>> {
    loop {
        match decoder
            .poll_chunk(&mut connection.input)
            .map_err(io::Error::other)?
        {
            Some(BodyChunk::Data(data)) => return Ok(Some(data)),
            Some(BodyChunk::End) => return Ok(None),
            None => {}
        }
        let read = within(world, Some(READ_TIMEOUT), connection.read()).await;
        if read.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))? == 0 && !decoder.handle_end() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn read_whole_body(
    world: &World,
    connection: &mut Connection,
    length: BodyLength,
) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    let mut decoder = BodyDecoder::new(length);
    while let Some(data) = read_body_part(world, connection, &mut decoder).await? {
        body.extend_from_slice(&data);
    }
    Ok(body.freeze())
}
