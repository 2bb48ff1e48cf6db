use std::any::{Any, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::value::{Error as ValueError, UnitDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::client::{ClientReason, ClientSocket};
use crate::core::{Handshake, Reason};
use crate::error::ExtractError;
use crate::extract::{Extract, Requirements};
use crate::handle::{Server, Side, Socket, Subject};
use crate::handler::{ConnectContext, DisconnectContext, EventContext, GuardContext};

/// What a guard learned about a client, with its type forgotten.
pub type SocketData = Arc<dyn Any + Send + Sync>;

/// What [`ServerBuilder::state`](crate::ServerBuilder::state) was given, shared by all handlers.
///
/// A handler that takes a state nobody gave is a [`BuildError`](crate::BuildError); `Option<State<T>>` is
/// not.
pub struct State<T>(pub Arc<T>);

/// What the namespace's guards returned for this client (the last one that returned anything).
///
/// A handler that takes another type than the guards return is a [`BuildError`](crate::BuildError);
/// `Option<Data<T>>` is not.
///
/// It is shared and immutable: put a [`Mutex`](std::sync::Mutex) inside for state that changes.
pub struct Data<T>(pub Arc<T>);

/// What the client sent as `auth`, parsed. A client that sent none counts as one that sent `null`, so that
/// `Auth<Option<T>>` and `Auth<()>` accept it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Auth<T>(pub T);

/// `State` and `Data` are both shared values.
macro_rules! shared {
    ($name:ident) => {
        impl<T> Deref for $name<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self(Arc::clone(&self.0))
            }
        }

        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .debug_tuple(stringify!($name))
                    .field(&self.0)
                    .finish()
            }
        }
    };
}

shared!(State);
shared!(Data);

fn data<T: Send + Sync + 'static>(data: Option<&SocketData>) -> Result<Data<T>, ExtractError> {
    let data = data.and_then(|data| Arc::clone(data).downcast().ok());
    data.map(Data).ok_or_else(|| ExtractError::Data(type_name::<T>()))
}

fn auth<T: DeserializeOwned>(socket: &Socket) -> Result<Auth<T>, ExtractError> {
    let value = match &socket.handshake().auth {
        Some(raw) => raw
            .parse()
            .map_err(|error| ExtractError::Auth(error.to_string()))?,
        None => {
            let nothing: UnitDeserializer<ValueError> = ().into_deserializer();
            T::deserialize(nothing).map_err(|_| ExtractError::Auth("the client sent none".to_owned()))?
        }
    };
    Ok(Auth(value))
}

/// The extractors of what a server knows of a client work in every context of a server.
macro_rules! on_servers {
    ($context:ty) => {
        impl Extract<$context> for Server {
            fn extract(context: &mut $context) -> Result<Self, ExtractError> {
                Ok(context.socket.server())
            }
        }

        impl Extract<$context> for Handshake {
            fn extract(context: &mut $context) -> Result<Self, ExtractError> {
                Ok(context.socket.handshake().clone())
            }
        }

        impl<T: DeserializeOwned> Extract<$context> for Auth<T> {
            fn extract(context: &mut $context) -> Result<Self, ExtractError> {
                auth(&context.socket)
            }
        }
    };
}

/// The extractor of what the builder was given works in every context of both sides.
macro_rules! state {
    ($context:ty $(, $subject:ident)?) => {
        impl<T: Send + Sync + 'static $(, $subject: Subject)?> Extract<$context> for State<T> {
            fn extract(context: &mut $context) -> Result<Self, ExtractError> {
                let state = context.socket.state();
                state.map(State).ok_or_else(|| ExtractError::State(type_name::<T>()))
            }

            fn require(requirements: &mut Requirements) {
                requirements.need_state::<T>();
            }
        }
    };
}

/// The extractors of a socket that has joined.
macro_rules! joined {
    ($context:ident) => {
        state!($context<S>, S);
        on_servers!($context);

        impl Extract<$context<ClientSocket>> for ClientSocket {
            fn extract(context: &mut $context<ClientSocket>) -> Result<Self, ExtractError> {
                Ok(context.socket.clone())
            }
        }

        impl Extract<$context> for Socket {
            fn extract(context: &mut $context) -> Result<Self, ExtractError> {
                Ok(context.socket.clone())
            }
        }

        impl<T: Send + Sync + 'static> Extract<$context> for Data<T> {
            fn extract(context: &mut $context) -> Result<Self, ExtractError> {
                data(context.socket.data())
            }

            fn require(requirements: &mut Requirements) {
                requirements.need_data::<T>();
            }
        }
    };
}

state!(GuardContext);
on_servers!(GuardContext);
joined!(ConnectContext);
joined!(EventContext);
joined!(DisconnectContext);

/// What the guards before this one returned.
impl<T: Send + Sync + 'static> Extract<GuardContext> for Data<T> {
    fn extract(context: &mut GuardContext) -> Result<Self, ExtractError> {
        data(context.data.as_ref())
    }

    fn require(requirements: &mut Requirements) {
        requirements.need_data::<T>();
    }
}

impl Extract<DisconnectContext> for Reason {
    fn extract(context: &mut DisconnectContext) -> Result<Self, ExtractError> {
        Ok(context.reason)
    }
}

impl Extract<DisconnectContext<ClientSocket>> for ClientReason {
    fn extract(context: &mut DisconnectContext<ClientSocket>) -> Result<Self, ExtractError> {
        Ok(context.reason.clone())
    }
}
