//! What is evaluated for every attempt to connect.

use std::fmt::Display;
use std::future::{Future, Ready, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use serde::Serialize;

use crate::core::{Headers, Raw};
use crate::error::HandlerError;
use crate::handler::{catch, marker};
use crate::net::Endpoint;

/// A function that a client calls for every attempt to connect: for its URL, its headers or its query; for its auth it
/// is called whenever the namespace is about to be joined. It may take as long as `connect_timeout`, for the auth
/// `join_timeout`.
///
/// It is `Fn() -> Result<T, E>`, or `Fn() -> impl Future<Output = Result<T, E>> + Send`. An `Err`, or a panic, is an
/// attempt that failed, and counts and is repeated as such.
///
/// ```
/// use std::convert::Infallible;
/// use socketio_driver::client::Client;
///
/// let builder = Client::builder("http://127.0.0.1:3000")
///     .query_with(|| std::env::var("REGION").map(|region| [("region", region)]))
///     .headers_with(async || Ok::<_, Infallible>([("x-trace", "1")]));
/// # let _ = builder;
/// ```
///
/// As with handlers, asynchronous ones need a binding that runs futures:
///
/// ```compile_fail,E0277
/// # use std::convert::Infallible;
/// # use socketio_driver::{Blocking, ClientBuilder};
/// ClientBuilder::<Blocking>::new("http://a").query_with(async || Ok::<_, Infallible>([("a", "b")]));
/// ```
#[diagnostic::on_unimplemented(
    message = "this is not a callback of a client",
    label = "not a callback",
    note = "write a closure without arguments that returns a `Result`, or a future of one: `|| Ok::<_, std::convert::Infallible>(value)`",
    note = "the error must be `Display`, and a future `Send` and `'static`: clone what it needs into an `async move` block"
)]
pub trait Callback<Marker>: Send + Sync + 'static {
    /// What it makes.
    type Value: 'static;
    /// Why it could not.
    type Error: Display + 'static;
    /// Its making.
    type Running: Future<Output = Result<Self::Value, Self::Error>> + Send + 'static;

    /// Begins to make it.
    fn call(&self) -> Self::Running;
}

impl<F, T, E> Callback<marker::Sync<(T, E)>> for F
where
    F: Fn() -> Result<T, E> + Send + Sync + 'static,
    T: Send + 'static,
    E: Display + Send + 'static,
{
    type Value = T;
    type Error = E;
    type Running = Ready<Result<T, E>>;

    fn call(&self) -> Self::Running {
        ready(self())
    }
}

impl<F, Running, T, E> Callback<marker::Async<(Running, T, E)>> for F
where
    F: Fn() -> Running + Send + Sync + 'static,
    Running: Future<Output = Result<T, E>> + Send + 'static,
    T: 'static,
    E: Display + 'static,
{
    type Value = T;
    type Error = E;
    type Running = Running;

    fn call(&self) -> Running {
        self()
    }
}

/// A callback with its types forgotten; the error is a text for the application.
pub(crate) type Produce<T> =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<T, String>> + Send>> + Send + Sync>;

/// Forgets the types of a callback; panics of it and of `convert` are errors.
pub(crate) fn erase<C, M, T>(callback: C, convert: fn(C::Value) -> Result<T, String>) -> Produce<T>
where
    C: Callback<M>,
    T: Send + 'static,
{
    Box::new(move || {
        let running = match catch(|| Ok(callback.call())) {
            Ok(running) => running,
            Err(error) => return Box::pin(ready(Err(panicked(&error)))),
        };
        Box::pin(convert_output(running, convert))
    })
}

async fn convert_output<V, E: Display, T>(
    running: impl Future<Output = Result<V, E>>,
    convert: fn(V) -> Result<T, String>,
) -> Result<T, String> {
    let mut running = std::pin::pin!(running);
    poll_fn(|task| {
        let polled = catch(|| match running.as_mut().poll(task) {
            Poll::Pending => Ok(Poll::Pending),
            Poll::Ready(Ok(value)) => Ok(Poll::Ready(convert(value))),
            Poll::Ready(Err(error)) => Ok(Poll::Ready(Err(error.to_string()))),
        });
        polled.unwrap_or_else(|error| Poll::Ready(Err(panicked(&error))))
    })
    .await
}

fn panicked(error: &HandlerError) -> String {
    match error {
        HandlerError::Panicked(message) => format!("it panicked: {message}"),
        error => error.to_string(),
    }
}

/// What is sent when a namespace is asked for.
#[derive(Default)]
pub enum AuthSource {
    /// Nothing.
    #[default]
    None,
    /// Always this JSON object.
    Fixed(Bytes),
    /// What the callback says, each time.
    Callback(Produce<Option<Bytes>>),
}

/// The JSON of an auth. Servers take objects only (protocol section 3.4); `null` is none.
pub(crate) fn auth_payload<T: Serialize + ?Sized>(auth: &T) -> Result<Option<Bytes>, String> {
    let raw = Raw::encode(auth).map_err(|error| error.to_string())?;
    if !raw.attachments().is_empty() {
        return Err("it holds binary data, which cannot be sent here; send it as text".to_owned());
    }
    match raw.as_str() {
        "null" => Ok(None),
        text if text.starts_with('{') => Ok(Some(Bytes::copy_from_slice(text.as_bytes()))),
        _ => Err("it is no JSON object; use a struct or a map".to_owned()),
    }
}

/// What names a server: a URL as `&str` or `String`, or an [`Endpoint`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no server",
    note = "give a URL as `&str` or `String`, or an `Endpoint`"
)]
pub trait IntoEndpoint {
    /// The server.
    ///
    /// # Errors
    /// A text that says what is wrong with the URL.
    fn into_endpoint(self) -> Result<Endpoint, String>;
}

impl IntoEndpoint for Endpoint {
    fn into_endpoint(self) -> Result<Endpoint, String> {
        Ok(self)
    }
}

impl IntoEndpoint for &str {
    fn into_endpoint(self) -> Result<Endpoint, String> {
        Endpoint::parse(self).map_err(|error| error.to_string())
    }
}

impl IntoEndpoint for &String {
    fn into_endpoint(self) -> Result<Endpoint, String> {
        self.as_str().into_endpoint()
    }
}

impl IntoEndpoint for String {
    fn into_endpoint(self) -> Result<Endpoint, String> {
        self.as_str().into_endpoint()
    }
}

/// Adds one header to a list.
pub(crate) fn add_header(headers: &mut Headers, name: &str, value: &str) -> Result<(), String> {
    headers
        .append(name.to_owned(), value.to_owned())
        .map_err(|error| format!("header {name:?}: {error}"))
}
