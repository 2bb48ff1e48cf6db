use std::cell::Cell;
use std::io::{self, BufRead, IoSlice, Write};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rustls::Connection;

use super::HTTP_1_1;
use super::error::{Opening, Side, failure};
use crate::engine::Stream;

/// Room for records that have arrived: one of the greatest length and the next one's beginning.
const ARRIVED: usize = 18 * 1024;
/// What one write takes at most. It is encrypted and sent before more is taken, so that this bounds what is kept back
/// for a peer that does not read.
const TAKEN: usize = 64 * 1024;
/// Reads of one poll that yield nothing for the application: empty records must not keep others from their turn.
const FRUITLESS_READS: usize = 16;
/// What a client may still send after it was told why its handshake failed.
const LAST_READ: usize = 64 * 1024;

/// A connection that speaks TLS over another one, for a client or a server.
///
/// The handshake happens while the stream is read or written; [`TlsClient::connect`](super::TlsClient::connect) gives
/// out streams that have made it. At most one record that was not read yet and [64 KiB](Self::poll_write) that the
/// peer has not taken yet are kept; an idle stream keeps what rustls does, about 4 KiB.
///
/// # The end
/// [`poll_shutdown`](Stream::poll_shutdown) says `close_notify` and ends the sending side. The peer's `close_notify` is
/// the end of the stream, and an end without it is [`io::ErrorKind::UnexpectedEof`]: somebody may have cut the
/// connection. Everything that arrived before is read first, though, and HTTP and WebSocket say themselves where a
/// message is complete; so a peer that just hangs up between two messages costs nobody anything. What must not be
/// believed is a message that ends with the connection, and of that the reader is told.
pub struct TlsStream<S> {
    stream: S,
    connection: Connection,
    /// Records, or parts of them, that rustls has not taken.
    arrived: BytesMut,
    opening: Opening,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// We have said that nothing more comes.
    Closing,
    /// The peer is told why by an alert that is sent first.
    Failed {
        error: rustls::Error,
        /// What was read since.
        read: usize,
    },
}

/// What came of a read.
enum Received {
    Records,
    End,
}

thread_local! {
    /// A buffer for the next read of this thread, so that idle connections keep none.
    static SPARE: Cell<BytesMut> = Cell::new(BytesMut::new());
}

impl<S: Stream> TlsStream<S> {
    pub(super) fn new(mut connection: Connection, stream: S) -> Self {
        connection.set_buffer_limit(Some(TAKEN));
        Self {
            stream,
            connection,
            arrived: BytesMut::new(),
            opening: Opening::Nothing,
            state: State::Open,
        }
    }

    /// What rustls knows of this connection: version, cipher, the peer's certificates.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Makes the handshake and sends all that belongs to it.
    pub(super) fn poll_handshake(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let State::Failed { .. } = self.state {
                return self.poll_failure(task).map(Err);
            }
            let sent = self.poll_send(task);
            if !self.connection.is_handshaking() {
                ready!(sent)?;
                return Poll::Ready(self.check_protocol());
            }
            // Reading comes before an error of sending: a peer that has hung up may have said why.
            match self.poll_receive(task) {
                Poll::Ready(Ok(Received::Records)) => {}
                Poll::Ready(Ok(Received::End)) => return Poll::Ready(Err(self.cut_short())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    return match sent {
                        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                        _ => Poll::Pending,
                    };
                }
            }
        }
    }

    fn check_protocol(&self) -> io::Result<()> {
        match self.connection.alpn_protocol() {
            None | Some(HTTP_1_1) => Ok(()),
            Some(_) => Err(failure(
                self.side(),
                self.opening,
                rustls::Error::NoApplicationProtocol,
            )),
        }
    }

    const fn side(&self) -> Side {
        match self.connection {
            Connection::Client(_) => Side::Client,
            Connection::Server(_) => Side::Server,
        }
    }

    fn cut_short(&self) -> io::Error {
        let text = if self.connection.is_handshaking() {
            "the peer closed the connection during the TLS handshake; it may not speak TLS at all"
        } else {
            "the peer closed the connection without saying so in TLS; what it sent last may be missing"
        };
        io::Error::new(io::ErrorKind::UnexpectedEof, text)
    }

    /// Sends everything that is encrypted.
    fn poll_send(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.connection.wants_write() {
            let mut sink = Sink {
                stream: &mut self.stream,
                task,
            };
            match self.connection.write_tls(&mut sink) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Why a peer that takes nothing any more has hung up, if it said so: a refused client certificate shows only now.
    fn received_failure(&mut self, task: &mut Context<'_>) -> Option<io::Error> {
        let received = self.poll_receive(task);
        match &self.state {
            State::Failed { error, .. } if received.is_ready() => {
                Some(failure(self.side(), self.opening, error.clone()))
            }
            _ => None,
        }
    }

    /// Gives rustls what has arrived, after reading if that is nothing.
    fn poll_receive(&mut self, task: &mut Context<'_>) -> Poll<io::Result<Received>> {
        if self.arrived.is_empty() {
            let mut buffer = SPARE.take();
            buffer.reserve(ARRIVED);
            let outcome = self.stream.poll_read(task, &mut buffer);
            if buffer.is_empty() {
                SPARE.set(buffer);
            } else {
                self.arrived = buffer;
            }
            if ready!(outcome)? == 0 {
                // Of the end rustls is told, too: whether it was announced shows when its plaintext is read.
                let _ = self.connection.read_tls(&mut io::empty())?;
                return Poll::Ready(Ok(Received::End));
            }
        }
        if let (Opening::Nothing, Some(first)) = (self.opening, self.arrived.first()) {
            self.opening = Opening::of(*first);
        }
        self.decrypt()?;
        // Answers of the handshake, or of a change of keys. If they cannot be sent now, they are by the next flush; if
        // they never can, writing says so.
        let _ = self.poll_send(task);
        Poll::Ready(Ok(Received::Records))
    }

    fn decrypt(&mut self) -> io::Result<()> {
        let taken = self.connection.read_tls(&mut &*self.arrived)?;
        if taken == 0 {
            // Nothing counts behind the peer's close_notify.
            self.arrived.clear();
        }
        self.arrived.advance(taken);
        if self.arrived.is_empty() {
            let mut buffer = std::mem::take(&mut self.arrived);
            buffer.clear();
            SPARE.set(buffer);
        }
        if let Err(error) = self.connection.process_new_packets() {
            self.state = State::Failed { error, read: 0 };
        }
        Ok(())
    }

    /// Appends what is decrypted to the spare room of `buffer`.
    fn take_plaintext(&mut self, buffer: &mut BytesMut) -> usize {
        let before = buffer.len();
        let mut reader = self.connection.reader();
        while let Ok(chunk) = reader.fill_buf() {
            let count = chunk.len().min(buffer.capacity() - buffer.len());
            if count == 0 {
                break;
            }
            buffer.extend_from_slice(&chunk[..count]);
            reader.consume(count);
        }
        buffer.len() - before
    }

    /// Whether the peer has said that nothing more comes.
    fn is_closed_by_peer(&mut self) -> bool {
        self.connection.reader().fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    /// Sends the alert and yields the error. A server then ends its side and reads until the client's end: closing
    /// with unread input would make the client lose the alert, which says that its certificate is missing, say. How
    /// long that takes is bounded by the timers of the server. A client has nobody to explain it to.
    fn poll_failure(&mut self, task: &mut Context<'_>) -> Poll<io::Error> {
        let sent = self.poll_send(task);
        let (side, opening) = (self.side(), self.opening);
        let State::Failed { error, read } = &mut self.state else {
            return Poll::Ready(io::ErrorKind::InvalidData.into());
        };
        let explained = failure(side, opening, error.clone());
        if side == Side::Client || !matches!(ready!(sent), Ok(())) {
            return Poll::Ready(explained);
        }
        if ready!(self.stream.poll_shutdown(task)).is_err() {
            return Poll::Ready(explained);
        }
        let mut buffer = SPARE.take();
        while *read < LAST_READ {
            buffer.clear();
            buffer.reserve(ARRIVED);
            match self.stream.poll_read(task, &mut buffer) {
                Poll::Ready(Ok(count @ 1..)) => *read += count,
                Poll::Ready(Ok(0) | Err(_)) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        *read = LAST_READ;
        Poll::Ready(explained)
    }
}

impl<S: Stream> Stream for TlsStream<S> {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut count = 0;
        for _ in 0..FRUITLESS_READS {
            loop {
                count += self.take_plaintext(buffer);
                let is_full = buffer.len() == buffer.capacity();
                let is_failed = matches!(self.state, State::Failed { .. });
                if is_full || is_failed || self.arrived.is_empty() {
                    break;
                }
                self.decrypt()?;
            }
            if count > 0 {
                return Poll::Ready(Ok(count));
            }
            if let State::Failed { .. } = self.state {
                return self.poll_failure(task).map(Err);
            }
            if self.is_closed_by_peer() {
                return Poll::Ready(Ok(0));
            }
            // What the peer waits for must be out before it is waited for.
            let _ = self.poll_send(task);
            if let Received::End = ready!(self.poll_receive(task))? {
                return Poll::Ready(if self.is_closed_by_peer() {
                    Ok(0)
                } else {
                    Err(self.cut_short())
                });
            }
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes up to 64 KiB once everything before has been sent, and sends what the peer takes at once; the rest is
    /// sent by [`poll_flush`](Stream::poll_flush).
    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let State::Closing = self.state {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(self.poll_handshake(task))?;
        let count = self.connection.writer().write_vectored(slices)?;
        if let Poll::Ready(Err(error)) = self.poll_send(task) {
            return Poll::Ready(Err(self.received_failure(task).unwrap_or(error)));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Err(error) = ready!(self.poll_send(task)) {
            return Poll::Ready(Err(self.received_failure(task).unwrap_or(error)));
        }
        self.stream.poll_flush(task)
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let State::Open = self.state {
            self.connection.send_close_notify();
            self.state = State::Closing;
        }
        ready!(self.poll_send(task))?;
        self.stream.poll_shutdown(task)
    }

    /// Once we have said that nothing more comes, records are not decrypted: they may be garbage, of which rustls would
    /// tell the peer by an alert, and must not after `close_notify`.
    fn poll_discard(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        if let State::Closing = self.state {
            self.arrived = BytesMut::new();
            self.stream.poll_discard(task, buffer)
        } else {
            self.poll_read(task, buffer)
        }
    }
}

/// The stream below as rustls writes to it.
struct Sink<'a, 'b, S> {
    stream: &'a mut S,
    task: &'a mut Context<'b>,
}

impl<S: Stream> Write for Sink<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.stream.poll_write(self.task, slices) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
