use super::StatusCode;
use core::fmt;

/// Why bytes are not a head this side reads, of a request or of a response. The connection cannot be
/// used further: nobody can say where the next message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The request line is not `METHOD SP target SP HTTP/x.y`.
    MalformedRequestLine,
    /// The status line is not `HTTP/x.y SP code SP reason` with a code of 100 to 999.
    MalformedStatusLine,
    /// The first line names a version other than HTTP/1.0 and HTTP/1.1.
    UnsupportedVersion,
    /// A header name is empty, holds a character outside the token set, is followed by whitespace
    /// before its colon, or the line is a folded continuation.
    MalformedHeaderName,
    /// A header value holds a control character or a carriage return of its own.
    MalformedHeaderValue,
    /// A line ends in LF without CR.
    BareLineFeed,
    /// A CR stands where only CRLF may.
    BareCarriageReturn,
    /// The head is longer than [`HeadLimits::head_bytes`](super::HeadLimits::head_bytes).
    HeadTooLarge,
    /// The head has more headers than [`HeadLimits::headers`](super::HeadLimits::headers).
    TooManyHeaders,
    /// The target is longer than [`HeadLimits::target_bytes`](super::HeadLimits::target_bytes).
    TargetTooLong,
    /// An HTTP/1.1 request without `Host`.
    MissingHost,
    /// More than one `Host`.
    RepeatedHost,
    /// `Content-Length` is not one decimal number below 2^64.
    InvalidContentLength,
    /// Two `Content-Length` headers that differ.
    ConflictingContentLengths,
    /// Both `Content-Length` and `Transfer-Encoding`: two readers may see two different requests.
    LengthAndTransferEncoding,
    /// `Transfer-Encoding` is anything but `chunked`, once.
    UnknownTransferEncoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not know it.
    TransferEncodingInHttp10,
    /// `Expect` asks for something other than `100-continue`.
    UnknownExpectation,
    /// A method, target, header name or value given to `from_parts` holds CR, LF or NUL.
    LineBreakInPart,
}

impl HeadError {
    /// The status a server answers with before closing the connection.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::UnsupportedVersion => StatusCode::VERSION_NOT_SUPPORTED,
            Self::HeadTooLarge | Self::TooManyHeaders => StatusCode::HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::UnknownTransferEncoding => StatusCode::NOT_IMPLEMENTED,
            Self::UnknownExpectation => StatusCode::EXPECTATION_FAILED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MalformedRequestLine => "malformed request line: send `METHOD SP target SP HTTP/1.1`",
            Self::MalformedStatusLine => "malformed status line: the server must send `HTTP/1.1 code reason`; if it speaks TLS, use https or wss",
            Self::UnsupportedVersion => "unsupported HTTP version: send HTTP/1.1 or HTTP/1.0",
            Self::MalformedHeaderName => {
                "malformed header name: write `name: value` on one line, without space before the colon"
            }
            Self::MalformedHeaderValue => "malformed header value: remove control characters",
            Self::BareLineFeed => "line ends in LF alone: end lines with CRLF",
            Self::BareCarriageReturn => "CR without LF: end lines with CRLF",
            Self::HeadTooLarge => "head too large: send fewer or shorter headers, or raise Limits::head.head_bytes",
            Self::TooManyHeaders => "too many headers: send fewer, or raise Limits::head.headers",
            Self::TargetTooLong => "request target too long: shorten the query, or raise Limits::head.target_bytes",
            Self::MissingHost => "no Host header: HTTP/1.1 requires one",
            Self::RepeatedHost => "several Host headers: send one",
            Self::InvalidContentLength => "invalid Content-Length: send one decimal number",
            Self::ConflictingContentLengths => "Content-Length headers differ: send one",
            Self::LengthAndTransferEncoding => {
                "both Content-Length and Transfer-Encoding: send the one that describes the body"
            }
            Self::UnknownTransferEncoding => "unknown Transfer-Encoding: send `chunked` or none",
            Self::TransferEncodingInHttp10 => "Transfer-Encoding in HTTP/1.0: send Content-Length",
            Self::UnknownExpectation => "unknown Expect: send `100-continue` or none",
            Self::LineBreakInPart => "CR, LF or NUL in a part of the request: remove it",
        })
    }
}

impl core::error::Error for HeadError {}

/// Why bytes are not a body in the chunked coding (RFC 9112 section 7.1). A server answers with 400; the
/// connection cannot be used further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyError {
    /// A chunk does not start with a hexadecimal size followed by `;` or CRLF.
    InvalidChunkSize,
    /// A chunk size does not fit 64 bits.
    ChunkSizeOverflow,
    /// A line of the coding does not end in CRLF.
    MissingLineEnd,
    /// A chunk's data is not followed by CRLF: its size was wrong.
    MissingChunkEnd,
    /// A chunk extension holds a control character.
    MalformedExtension,
    /// The extensions of one body are longer than [`EXTENSION_BYTES`](super::EXTENSION_BYTES).
    ExtensionTooLong,
    /// A trailer line is not `name: value`.
    MalformedTrailer,
    /// The trailers are longer than [`TRAILER_BYTES`](super::TRAILER_BYTES).
    TrailerTooLong,
}

impl BodyError {
    /// The status to answer with before closing the connection.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::ExtensionTooLong => StatusCode::CONTENT_TOO_LARGE,
            Self::TrailerTooLong => StatusCode::HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidChunkSize => "invalid chunk size: send it in hexadecimal, then CRLF",
            Self::ChunkSizeOverflow => "chunk size beyond 64 bits: send smaller chunks",
            Self::MissingLineEnd => "line of the chunked coding without CRLF: end lines with CRLF",
            Self::MissingChunkEnd => "chunk longer than its size: end its data with CRLF",
            Self::MalformedExtension => "control character in a chunk extension: send no extensions",
            Self::ExtensionTooLong => "chunk extensions too long: send none",
            Self::MalformedTrailer => "malformed trailer: write `name: value`, or send none",
            Self::TrailerTooLong => "trailers too long: send none",
        })
    }
}

impl core::error::Error for BodyError {}

/// Why a header cannot be added to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is not a token.
    InvalidName,
    /// The value holds CR, LF, NUL or another control character.
    InvalidValue,
    /// The header frames the message (`Content-Length`, `Connection`, `Upgrade`, …) and is written
    /// with the message itself.
    Reserved,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidName => "invalid header name: use letters, digits and `-`",
            Self::InvalidValue => "invalid header value: remove CR, LF, NUL and control characters",
            Self::Reserved => "header is written with the message itself: leave it out",
        })
    }
}

impl core::error::Error for HeaderError {}
