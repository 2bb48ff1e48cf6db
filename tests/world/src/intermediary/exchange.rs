//! One request and its answer.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socketio_core::http::{
    BodyChunk, BodyDecoder, BodyLength, HeadLimits, Method, RequestHead, ResponseDecoder, ResponseHead,
    StatusCode, WebSocketRequest,
};
use socketio_driver::engine::Dial;

use super::line::{First, Line, first, within};
use super::message::{Afterwards, answer_head, end, own_answer, passed_on, piece, request_head};
use super::pool::{Owner, Rested};
use super::quirks::{Buffering, Manner, Notice, Persistence, Upgrades};
use super::{Inner, PATIENCE};
use crate::World;

/// How long the server may take to accept a connection.
const DIAL: Duration = Duration::from_secs(10);

/// A request whose head has come.
pub(super) struct Exchange<'a> {
    pub(super) proxy: &'a Inner,
    pub(super) client: &'a mut Line,
    pub(super) owner: Owner,
    pub(super) from: &'a str,
    pub(super) head: RequestHead,
}

/// What becomes of the client's connection.
pub(super) enum Outcome {
    /// It waits for the next request.
    Stay,
    /// It ends after what was written.
    Close,
    /// The client has ended it, or cannot be told what is wrong.
    Gone,
    /// It breaks.
    Broken,
    /// It turns to WebSocket.
    Tunnel(Box<Line>),
}

/// A request's body.
enum Content {
    Whole(Bytes),
    /// It is still to come.
    Streamed,
}

/// What came of waiting for an answer.
enum Waited {
    Answer(ResponseHead),
    /// The server has ended the connection before it said anything.
    Unanswered,
    /// It has broken it, or said what is no answer.
    Broken,
    /// It has not answered in time.
    Late,
    ClientGone,
}

/// Who is gone.
enum Lost {
    Client,
    Server,
}

impl Exchange<'_> {
    pub(super) async fn run(mut self) -> Outcome {
        self.proxy.count(|tally| tally.requests += 1);
        let is_upgrade = !matches!(self.head.websocket(), WebSocketRequest::NotUpgrade);
        let afterwards = match self.proxy.quirks.upgrades {
            Upgrades::Stripped => Afterwards::Stay,
            Upgrades::Refused(status) if is_upgrade => return self.answer_here(status).await,
            Upgrades::Swallowed if is_upgrade => {
                let gone = async { while let Ok(1..) = self.client.read().await {} };
                let _ = within(&self.proxy.world, Some(PATIENCE), gone).await;
                return Outcome::Gone;
            }
            _ if is_upgrade => Afterwards::Upgrade,
            _ => Afterwards::Stay,
        };
        let length = self.head.body_length();
        let content = match &self.proxy.quirks.buffering {
            Buffering::Streamed if length != BodyLength::None => Content::Streamed,
            _ => {
                let body = whole(&self.proxy.world, self.client, length);
                match body.await {
                    Ok(body) => Content::Whole(body),
                    Err(_) => return Outcome::Gone,
                }
            }
        };
        self.forward(content, &afterwards).await
    }

    /// Sends the request, a second time if the server had ended the first connection, and passes the answer on.
    async fn forward(mut self, content: Content, afterwards: &Afterwards) -> Outcome {
        loop {
            let rested = self.proxy.pool.take(self.owner);
            let is_reused = rested.is_some();
            let mut server = match rested {
                Some(Rested { line, last }) => {
                    let is_shared = last != self.owner;
                    self.proxy.count(|tally| tally.shared += u64::from(is_shared));
                    line
                }
                None => match self.proxy.dial().await {
                    Ok(line) => line,
                    Err(_) => return self.answer_here(StatusCode::BAD_GATEWAY).await,
                },
            };
            let may_repeat = is_reused && self.head.method() == Method::Get;
            let waited = match self.send(&mut server, &content, afterwards).await {
                Err(Lost::Client) => return Outcome::Gone,
                Err(Lost::Server) => Waited::Unanswered,
                Ok(()) if is_reused && self.proxy.strikes(self.proxy.quirks.servers, &self.head) => {
                    if self.proxy.quirks.servers.manner == Manner::Reset {
                        server.reset();
                    }
                    return self.answer_here(StatusCode::BAD_GATEWAY).await;
                }
                Ok(()) => {
                    let (world, patience) = (&self.proxy.world, self.proxy.quirks.deadline);
                    let waited = within(world, patience, self.wait(&mut server)).await;
                    waited.unwrap_or(Waited::Late)
                }
            };
            return match waited {
                Waited::Answer(head) => self.pass_on(server, head).await,
                Waited::Unanswered if may_repeat => {
                    self.proxy.count(|tally| tally.repeats += 1);
                    continue;
                }
                Waited::Unanswered | Waited::Broken => self.answer_here(StatusCode::BAD_GATEWAY).await,
                Waited::Late => self.answer_here(StatusCode::GATEWAY_TIMEOUT).await,
                Waited::ClientGone => Outcome::Gone,
            };
        }
    }

    async fn send(
        &mut self,
        server: &mut Line,
        content: &Content,
        afterwards: &Afterwards,
    ) -> Result<(), Lost> {
        let dialect = self.proxy.quirks.dialect;
        let length = match content {
            Content::Whole(body) if body.is_empty() => self.head.body_length(),
            Content::Whole(body) => BodyLength::Length(body.len() as u64),
            Content::Streamed => self.head.body_length(),
        };
        let length = passed_on(length, dialect.requests);
        let head = request_head(&self.head, dialect, length, afterwards, self.from);
        server.write(&head).await.map_err(|_| Lost::Server)?;
        match content {
            Content::Whole(body) if body.is_empty() => {}
            Content::Whole(body) => {
                let body = piece(length, body);
                server.write(&body).await.map_err(|_| Lost::Server)?;
            }
            Content::Streamed => {
                let mut decoder = BodyDecoder::new(self.head.body_length());
                while let Some(data) = read_piece(&self.proxy.world, self.client, &mut decoder)
                    .await
                    .map_err(|_| Lost::Client)?
                {
                    let data = piece(length, &data);
                    server.write(&data).await.map_err(|_| Lost::Server)?;
                }
            }
        }
        server.write(end(length)).await.map_err(|_| Lost::Server)
    }

    /// Waits for the answer, and for the client's end meanwhile.
    async fn wait(&mut self, server: &mut Line) -> Waited {
        let mut decoder = ResponseDecoder::new(&HeadLimits::default());
        loop {
            match decoder.poll_head(&mut server.input) {
                Ok(Some(head)) => return Waited::Answer(head),
                Ok(None) => {}
                Err(_) => return Waited::Broken,
            }
            match first(server.read(), self.client.read()).await {
                First::Left(Ok(1..)) | First::Right(Ok(1..)) => {}
                First::Left(Ok(_)) if !decoder.is_mid_head() => return Waited::Unanswered,
                First::Left(_) => return Waited::Broken,
                First::Right(_) => return Waited::ClientGone,
            }
        }
    }

    async fn pass_on(mut self, mut server: Line, head: ResponseHead) -> Outcome {
        let dialect = self.proxy.quirks.dialect;
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            if self.proxy.quirks.upgrades == Upgrades::Unanswered {
                server.finish(&self.proxy.world).await;
                return Outcome::Close;
            }
            let answer = answer_head(&head, dialect, BodyLength::None, &Afterwards::Upgrade);
            return match self.client.write(&answer).await {
                Ok(()) => Outcome::Tunnel(Box::new(server)),
                Err(_) => Outcome::Gone,
            };
        }
        let passed = match self.proxy.quirks.buffering.clone() {
            Buffering::Streamed => self.stream_answer(&mut server, &head).await,
            Buffering::Whole(delay) => {
                match whole(&self.proxy.world, &mut server, head.body_length()).await {
                    Err(_) => return self.answer_here(StatusCode::BAD_GATEWAY).await,
                    Ok(body) => {
                        let delay = self.proxy.lock().chance.time(&delay);
                        self.keep(server, &head);
                        self.proxy.world.sleep(delay).await;
                        return match self.answer_whole(&head, &body).await {
                            Ok(()) => self.outcome(),
                            Err(_) => Outcome::Gone,
                        };
                    }
                }
            }
        };
        match passed {
            Ok(()) => {
                self.keep(server, &head);
                self.outcome()
            }
            Err(_) => Outcome::Gone,
        }
    }

    async fn stream_answer(&mut self, server: &mut Line, head: &ResponseHead) -> io::Result<()> {
        let dialect = self.proxy.quirks.dialect;
        let length = passed_on(head.body_length(), dialect.answers);
        let answer = answer_head(head, dialect, length, &self.afterwards());
        self.client.write(&answer).await?;
        let mut decoder = BodyDecoder::new(head.body_length());
        while let Some(data) = read_piece(&self.proxy.world, server, &mut decoder).await? {
            self.client.write(&piece(length, &data)).await?;
        }
        self.client.write(end(length)).await
    }

    async fn answer_whole(&mut self, head: &ResponseHead, body: &Bytes) -> io::Result<()> {
        let dialect = self.proxy.quirks.dialect;
        let length = match head.status().allows_body() {
            true => passed_on(BodyLength::Length(body.len() as u64), dialect.answers),
            false => BodyLength::None,
        };
        let mut answer = answer_head(head, dialect, length, &self.afterwards());
        if !body.is_empty() {
            answer.unsplit(piece(length, body));
        }
        answer.extend_from_slice(end(length));
        self.client.write(&answer).await
    }

    /// Leaves the server's connection for another request.
    fn keep(&self, server: Line, head: &ResponseHead) {
        if head.keep_alive() {
            // One that is not kept ends here.
            let _ = self.proxy.pool.put(&self.proxy.world, self.owner, server);
        }
    }

    /// Answers without the server. The body of the request may not have been read.
    async fn answer_here(&mut self, status: StatusCode) -> Outcome {
        self.proxy.count(|tally| tally.own_answers += 1);
        let answer = own_answer(status, self.proxy.quirks.dialect, &Afterwards::Close);
        match self.client.write(&answer).await {
            Ok(()) => Outcome::Close,
            Err(_) => Outcome::Gone,
        }
    }

    fn outcome(&self) -> Outcome {
        match self.afterwards() {
            Afterwards::Close => Outcome::Close,
            _ => Outcome::Stay,
        }
    }

    fn afterwards(&self) -> Afterwards {
        let quirks = &self.proxy.quirks;
        if !self.head.keep_alive() || quirks.persistence == Persistence::Close {
            return Afterwards::Close;
        }
        match (quirks.clients.notice, quirks.clients.after) {
            (Notice::Header, Some(after)) => Afterwards::StayFor(after.as_secs()),
            _ => Afterwards::Stay,
        }
    }
}

impl Inner {
    async fn dial(&self) -> io::Result<Line> {
        self.count(|tally| tally.dials += 1);
        let dialled = within(&self.world, Some(DIAL), self.host.dial(self.server)).await;
        let stream = dialled.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(Line::new(stream))
    }
}

/// The next piece of a body; `None` after the last.
async fn read_piece(world: &World, line: &mut Line, decoder: &mut BodyDecoder) -> io::Result<Option<Bytes>> {
    loop {
        match decoder.poll_chunk(&mut line.input).map_err(io::Error::other)? {
            Some(BodyChunk::Data(data)) => return Ok(Some(data)),
            Some(BodyChunk::End) => return Ok(None),
            None => {}
        }
        let read = within(world, Some(PATIENCE), line.read()).await;
        if read.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))? == 0 && !decoder.handle_end() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn whole(world: &World, line: &mut Line, length: BodyLength) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    let mut decoder = BodyDecoder::new(length);
    while let Some(data) = read_piece(world, line, &mut decoder).await? {
        body.extend_from_slice(&data);
    }
    Ok(body.freeze())
}
