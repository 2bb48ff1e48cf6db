use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::error::HandlerError;
use crate::handler::Reply;
use crate::router::{Admission, Verdict};
use crate::testing::{builder, dispatch, event, failure, ready, reply, running, socket, socket_with};

fn auth_of<T>(auth: Option<&str>) -> Result<T, ExtractError>
where
    T: serde::de::DeserializeOwned + Send + 'static,
{
    let (builder, _) = builder();
    let found = Arc::new(Mutex::new(None));
    let slot = found.clone();
    let server = running(builder.guard(move |auth: Result<Auth<T>, ExtractError>| {
        *slot.lock().unwrap() = Some(auth.map(|Auth(value)| value));
    }));
    assert!(matches!(
        ready(Admission::new(socket_with(&server, "/", auth))),
        Verdict::Admit
    ));
    found.lock().unwrap().take().unwrap()
}

#[test]
fn auth_reads_what_the_client_sent() {
    let sent = Some("{\"level\":3}");
    assert_eq!(
        auth_of::<BTreeMap<String, u8>>(sent),
        Ok(BTreeMap::from([("level".to_owned(), 3)]))
    );
    assert!(matches!(auth_of::<u8>(sent), Err(ExtractError::Auth(_))));
}

#[test]
fn no_auth_reads_as_null() {
    assert_eq!(auth_of::<Option<String>>(None), Ok(None));
    assert_eq!(auth_of::<()>(None), Ok(()));
    assert_eq!(
        auth_of::<String>(None),
        Err(ExtractError::Auth("the client sent none".into()))
    );
}

#[test]
fn wrapped_extractors_do_not_fail() {
    let (builder, _) = builder();
    let server = running(builder.on(
        "e",
        |number: Option<Arg<i64>>, state: Option<State<u8>>, data: Option<Data<u8>>| {
            Reply((number.map(|Arg(number)| number), state.is_none(), data.is_none()))
        },
    ));
    let socket = socket(&server);
    assert_eq!(
        reply(dispatch(event(&socket, "e", "\"a\"", Some(0)))),
        "30[null,true,true]"
    );
    assert_eq!(
        reply(dispatch(event(&socket, "e", "5", Some(0)))),
        "30[5,true,true]"
    );
}

#[test]
fn arg_reads_the_first_and_args_all_arguments() {
    let (builder, _) = builder();
    let builder = builder
        .on("first", |Arg(number): Arg<i64>| Reply(number))
        .on("all", |Args(numbers): Args<Vec<i64>>| Reply(numbers.len()))
        .on("pair", |Args((a, b)): Args<(i64, i64)>| Reply(a + b));
    let server = running(builder);
    let socket = socket(&server);
    assert_eq!(
        reply(dispatch(event(&socket, "first", "1,2,3", Some(0)))),
        "30[1]"
    );
    assert_eq!(reply(dispatch(event(&socket, "all", "1,2,3", Some(0)))), "30[3]");
    assert_eq!(reply(dispatch(event(&socket, "pair", "1,2", Some(0)))), "30[3]");
    let error = failure(dispatch(event(&socket, "pair", "1", Some(0))));
    assert!(matches!(error, HandlerError::Extract(ExtractError::Arguments(_))));
}

#[test]
fn errors_of_custom_extractors_are_reported_as_they_are() {
    struct Never;
    impl Extract<crate::handler::EventContext> for Never {
        fn extract(_: &mut crate::handler::EventContext) -> Result<Self, ExtractError> {
            Err(ExtractError::custom("never"))
        }
    }
    let (builder, _) = builder();
    let server = running(builder.on("e", |_: Never| ()));
    let error = failure(dispatch(event(&socket(&server), "e", "", None)));
    assert_eq!(error, HandlerError::Extract(ExtractError::Custom("never".into())));
}
