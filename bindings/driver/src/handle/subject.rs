//! Whose handlers run: those of a server's sockets or of a client's.

use std::fmt;

use crate::client::{ClientReason, ClientSocket};
use crate::core::{AckToken, ClientAckToken, Reason};
use crate::handle::Socket;

/// Whom handlers are called for: [`Socket`] on a server, [`ClientSocket`](crate::client::ClientSocket) on a client.
///
/// The contexts of handlers, the error reports and the builders of namespaces are generic over it, so that both sides
/// have the same handlers and extractors. It is sealed.
///
/// ```
/// use socketio_driver::handle::Subject;
/// use socketio_driver::handler::EventContext;
/// use socketio_driver::{Arg, Extract, ExtractError};
///
/// /// An extractor of one's own for the handlers of both sides.
/// struct Name(String);
///
/// impl<S: Subject> Extract<EventContext<S>> for Name {
///     fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
///         let Arg(name) = Arg::<String>::extract(context)?;
///         Ok(Self(name))
///     }
/// }
/// ```
pub trait Subject: Side + Clone + fmt::Debug + Send + Sync + 'static {
    /// An acknowledgement that the other side waits for.
    type Token: fmt::Debug + Send + 'static;
    /// Why a namespace was left.
    type Reason: Clone + fmt::Debug + Send + 'static;
}

impl Subject for Socket {
    type Token = AckToken;
    type Reason = Reason;
}

impl Subject for ClientSocket {
    type Token = ClientAckToken;
    type Reason = ClientReason;
}

pub(crate) use sealed::{PendingAck, Side};

mod sealed {
    use std::any::Any;
    use std::sync::Arc;

    use super::{ClientSocket, Socket, Subject};
    use crate::client::AuthSource;
    use crate::core::{AckToken, ClientAckToken, Encoded};
    use crate::error::Error;
    use crate::handler::{ErasedHandler, GuardContext};

    /// What the driver itself needs of a subject.
    pub trait Side: Sized {
        /// What a namespace's handlers are preceded by: guards on a server, the auth on a client.
        type Entry: Default + Send + Sync + 'static;

        /// Which of its router's namespaces it is in.
        fn position(&self) -> usize;

        /// The name of that namespace.
        fn namespace_name(&self) -> &str;

        /// What the application knows it by.
        fn public_id(&self) -> String;

        /// The state of this type that the builder was given.
        fn state<T: Any + Send + Sync>(&self) -> Option<Arc<T>>;

        /// The acknowledgement together with who has to give it.
        fn pending_ack(&self, token: <Self as Subject>::Token) -> PendingAck
        where
            Self: Subject;

        /// The number that the packet of an acknowledgement carries.
        fn number(token: &<Self as Subject>::Token) -> u64
        where
            Self: Subject;
    }

    impl Side for Socket {
        type Entry = Vec<Box<dyn ErasedHandler<GuardContext>>>;

        fn position(&self) -> usize {
            self.namespace_id().index()
        }

        fn namespace_name(&self) -> &str {
            Self::namespace_name(self)
        }

        fn public_id(&self) -> String {
            self.id().to_string()
        }

        fn state<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
            self.inner().router().state()
        }

        fn pending_ack(&self, token: AckToken) -> PendingAck {
            PendingAck::ToClient(self.clone(), token)
        }

        fn number(token: &AckToken) -> u64 {
            token.id()
        }
    }

    impl Side for ClientSocket {
        type Entry = AuthSource;

        fn position(&self) -> usize {
            Self::position(self)
        }

        fn namespace_name(&self) -> &str {
            Self::namespace_name(self)
        }

        fn public_id(&self) -> String {
            self.id()
                .map_or_else(|| "not joined".to_owned(), |id| id.to_string())
        }

        fn state<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
            self.inner().ok()?.router().state()
        }

        fn pending_ack(&self, token: ClientAckToken) -> PendingAck {
            PendingAck::ToServer(self.clone(), token)
        }

        fn number(token: &ClientAckToken) -> u64 {
            token.id()
        }
    }

    /// An acknowledgement that was not given yet, of either side.
    #[derive(Debug)]
    pub enum PendingAck {
        /// A server has to give it.
        ToClient(Socket, AckToken),
        /// A client has to give it.
        ToServer(ClientSocket, ClientAckToken),
    }

    impl PendingAck {
        pub(crate) fn namespace_name(&self) -> &str {
            match self {
                Self::ToClient(socket, _) => socket.namespace_name(),
                Self::ToServer(socket, _) => socket.namespace_name(),
            }
        }

        pub(crate) fn number(&self) -> u64 {
            match self {
                Self::ToClient(_, token) => token.id(),
                Self::ToServer(_, token) => token.id(),
            }
        }

        pub(crate) fn give(self, packet: &Encoded) -> Result<(), Error> {
            match self {
                Self::ToClient(socket, token) => Ok(socket
                    .inner()
                    .with_core(|core, now| core.ack(now, token, packet))??),
                Self::ToServer(socket, token) => {
                    Ok(socket.with_core(|core, _, now| core.ack(now, token, packet))??)
                }
            }
        }
    }
}
