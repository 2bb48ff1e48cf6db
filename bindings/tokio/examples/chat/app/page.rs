//! The files of the page, which are part of the program.

use crate::socketio::http::{Method, StatusCode};
use crate::socketio::{Bytes, RequestHead, Response};

/// Answers what is not for Socket.IO.
pub(crate) fn page(request: &RequestHead, _body: Option<Bytes>) -> Response {
    let (content_type, text) = match (request.method(), request.path()) {
        (Method::Get | Method::Head, "/") => ("text/html; charset=utf-8", include_str!("index.html")),
        (Method::Get | Method::Head, "/chat.css") => ("text/css; charset=utf-8", include_str!("chat.css")),
        (Method::Get | Method::Head, "/chat.js") => {
            ("text/javascript; charset=utf-8", include_str!("chat.js"))
        }
        _ => return Response::new(StatusCode::NOT_FOUND).with_body("text/plain", "There is nothing here.\n"),
    };
    Response::new(StatusCode::OK).with_body(content_type, text)
}
