/// Defines what a binding of an asynchronous runtime has beyond [`Runtime`](crate::engine::Runtime): the functions
/// `serve`, `serve_engine`, `host`, `connect`, `start` and `connect_simple`, [`Listener`](crate::engine::Listener) for
/// the runtime's listeners, and [`Dial`](crate::engine::Dial).
///
/// | part | what it is |
/// | --- | --- |
/// | `runtime: T = current` | the type, and an expression that gives the one of the caller |
/// | `name` | that of the crate, for the documentation |
/// | `resolve` | an async closure of `(String, u16)` that gives `io::Result<Vec<SocketAddr>>` |
/// | `tcp: L, S => V = view` | a listener with `async fn accept(&self) -> io::Result<(S, SocketAddr)>`, a stream with `async fn connect(SocketAddr) -> io::Result<S>`, and `view`, which makes of an `S` the [`Stream`](crate::engine::Stream) `V` of the runtime, and sees to it that small packets do not wait |
/// | `unix: L, S => V = view` | the same for Unix sockets; may be left out |
///
/// For streams with the traits of `futures-io`, [`IoStream`](crate::engine::IoStream) is such a view. With
/// `pub use socketio_driver::*` beside it, this is a whole binding:
///
/// ```
/// # mod mine {
/// # use std::{future::Pending, io, net::SocketAddr, task::{Context, Poll}, time::Instant};
/// # use socketio_driver::{bytes::BytesMut, engine::{Runtime, Stream}};
/// # pub enum Never {}
/// # impl Stream for Never {
/// #     fn poll_read(&mut self, _: &mut Context<'_>, _: &mut BytesMut) -> Poll<io::Result<usize>> { match *self {} }
/// #     fn poll_write(&mut self, _: &mut Context<'_>, _: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> { match *self {} }
/// #     fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> { match *self {} }
/// # }
/// #[derive(Clone)]
/// pub struct Mine;
///
/// impl Runtime for Mine {
///     // ..
/// #   type Stream = Never;
/// #   type Sleep = Pending<()>;
/// #   fn now(&self) -> Instant { Instant::now() }
/// #   fn sleep_until(&self, _: Instant) -> Pending<()> { std::future::pending() }
/// #   fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}
/// }
///
/// pub struct MyListener;
/// pub struct MyStream;
///
/// impl MyListener {
///     async fn accept(&self) -> io::Result<(MyStream, SocketAddr)> { std::future::pending().await }
/// }
///
/// impl MyStream {
///     async fn connect(_: SocketAddr) -> io::Result<Self> { std::future::pending().await }
/// }
///
/// # async fn my_resolver(_: String, _: u16) -> io::Result<Vec<SocketAddr>> { std::future::pending().await }
/// # fn stream(_: MyStream) -> Never { unreachable!() }
/// socketio_driver::binding! {
///     runtime: Mine = Mine,
///     name: "socketio_mine",
///     resolve: async |host: String, port: u16| my_resolver(host, port).await,
///     tcp: MyListener, MyStream => Never = stream,
/// }
/// # }
/// ```
#[macro_export]
macro_rules! binding {
    (
        runtime: $runtime:ty = $current:expr,
        name: $name:literal,
        resolve: $resolve:expr,
        tcp: $tcp_listener:ty, $tcp:ty => $tcp_stream:ty = $tcp_view:expr,
        $(unix: $unix_listener:ty, $unix:ty => $unix_stream:ty = $unix_view:expr,)?
    ) => {
        /// Serves the connections of `listener` until the server is
        /// [shut down](socketio_driver::Server::shutdown). The listener is one of the runtime's for TCP or Unix
        /// sockets, or one of those [with TLS](socketio_driver::net::tls::TlsServer::wrap).
        ///
        /// # Errors
        /// When the server is served already, its client bundle cannot be read, or the listener fails for good.
        pub async fn serve(
            listener: impl $crate::engine::Listener<$runtime>,
            server: $crate::Server,
        ) -> ::std::io::Result<()> {
            $crate::engine::serve($current, listener, server).await
        }

        /// Serves the connections of `listener` until the Engine.IO server is
        /// [shut down](socketio_driver::bare::EngineServer::shutdown).
        ///
        /// # Errors
        /// When the server is served already, or the listener fails for good.
        pub async fn serve_engine(
            listener: impl $crate::engine::Listener<$runtime>,
            server: $crate::bare::EngineServer,
        ) -> ::std::io::Result<()> {
            $crate::engine::serve_engine($current, listener, server).await
        }

        /// Begins to serve without a listener: a host that parses HTTP itself gives its requests to
        /// [`Server::handle`](socketio_driver::Server::handle), and the streams of upgraded ones to
        /// [`HostedUpgrade::run`](socketio_driver::HostedUpgrade::run).
        ///
        /// The future, which is to be spawned, ends when the server was
        /// [shut down](socketio_driver::Server::shutdown) and its last request and WebSocket have ended, or the time for that is
        /// over. Dropping it ends the server at once.
        ///
        /// # Errors
        /// When the server is served already, or its client bundle cannot be read.
        pub fn host(
            server: &$crate::Server,
        ) -> ::std::io::Result<impl ::std::future::Future<Output = ()> + ::std::marker::Send + 'static + use<>> {
            $crate::engine::host($current, server)
        }

        /// Connects to a server, and waits until every namespace is joined.
        ///
        /// ```no_run
        #[doc = ::std::concat!("use ", $name, "::{Arg, Client};")]
        ///
        /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
        /// let builder = Client::builder("http://127.0.0.1:3000")
        ///     .on("said", |Arg(text): Arg<String>| println!("{text}"));
        #[doc = ::std::concat!("let client = ", $name, "::connect(builder).await?;")]
        /// client.emit("say", "hi")?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        /// When the description contradicts itself, the connection cannot be made, or the server refuses a namespace.
        /// Unless [`retry_initial`](socketio_driver::ClientBuilder::retry_initial) says otherwise, the first attempt that fails
        /// is an error.
        pub async fn connect(
            builder: $crate::ClientBuilder<$crate::Async>,
        ) -> ::std::result::Result<$crate::Client, $crate::client::ConnectError> {
            $crate::engine::connect($current, builder).await
        }

        /// Starts a client and does not wait: what is emitted before it is connected follows
        /// [`offline`](socketio_driver::ClientBuilder::offline).
        ///
        /// # Errors
        /// When the description contradicts itself, or the system has no randomness to give.
        pub fn start(builder: $crate::ClientBuilder<$crate::Async>) -> ::std::io::Result<$crate::Client> {
            $crate::engine::start($current, builder)
        }

        /// Connects a client whose events are taken instead of handed to handlers, and waits until every namespace is
        /// joined. It is described by a URL alone, or with
        /// [`SimpleClient::builder`](socketio_driver::SimpleClient::builder).
        ///
        /// ```no_run
        /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
        #[doc = ::std::concat!("let client = ", $name, "::connect_simple(\"http://127.0.0.1:3000\").await?;")]
        /// client.emit("say", "hi").await?;
        /// let event = client.recv().await?;
        /// println!("{}: {:?}", event.name(), event.arg::<String>());
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        /// As [`connect`].
        pub async fn connect_simple(
            builder: impl ::std::convert::Into<$crate::client::SimpleClientBuilder<$crate::Async>>,
        ) -> ::std::result::Result<$crate::SimpleClient, $crate::client::ConnectError> {
            $crate::engine::connect_simple($current, ::std::convert::Into::into(builder)).await
        }

        impl $crate::engine::Listener<$runtime> for $tcp_listener {
            type Stream = $tcp_stream;

            async fn accept(&mut self) -> ::std::io::Result<(Self::Stream, $crate::Peer)> {
                let (stream, address) = Self::accept(self).await?;
                ::std::result::Result::Ok(($tcp_view(stream), ::std::convert::Into::into(address)))
            }
        }

        $(
            /// Its clients have no address.
            #[cfg(unix)]
            impl $crate::engine::Listener<$runtime> for $unix_listener {
                type Stream = $unix_stream;

                async fn accept(&mut self) -> ::std::io::Result<(Self::Stream, $crate::Peer)> {
                    let (stream, _) = Self::accept(self).await?;
                    ::std::result::Result::Ok(($unix_view(stream), $crate::Peer::Unknown))
                }
            }
        )?

        impl $crate::engine::Dial for $runtime {
            fn resolve(
                &self,
                host: &::std::primitive::str,
                port: ::std::primitive::u16,
            ) -> impl ::std::future::Future<Output = ::std::io::Result<::std::vec::Vec<::std::net::SocketAddr>>>
            + ::std::marker::Send
            + 'static
            + use<> {
                let host = ::std::borrow::ToOwned::to_owned(host);
                async move { ($resolve)(host, port).await }
            }

            fn dial(
                &self,
                address: ::std::net::SocketAddr,
            ) -> impl ::std::future::Future<Output = ::std::io::Result<Self::Stream>>
            + ::std::marker::Send
            + 'static
            + use<> {
                async move { ::std::result::Result::Ok($tcp_view(<$tcp>::connect(address).await?)) }
            }

            $(
                #[cfg(unix)]
                fn dial_unix(
                    &self,
                    path: &::std::path::Path,
                ) -> impl ::std::future::Future<Output = ::std::io::Result<$crate::engine::BoxStream>>
                + ::std::marker::Send
                + 'static
                + use<> {
                    let path = ::std::borrow::ToOwned::to_owned(path);
                    async move {
                        let stream = $unix_view(<$unix>::connect(path).await?);
                        ::std::result::Result::Ok(::std::boxed::Box::new(stream) as $crate::engine::BoxStream)
                    }
                }
            )?
        }
    };
}
