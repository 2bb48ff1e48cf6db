use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;

use super::built;
use crate::client::{Client, SimpleClient};
use crate::core::ClientTarget;
use crate::error::BuildError;
use crate::net::Endpoint;
use crate::testing::{namespace_ids, pending_once, ready, text};
use crate::{Arg, Bytes, State};

const URL: &str = "http://127.0.0.1:3000";

fn names<Style>(builder: crate::client::ClientBuilder<crate::Async, Style>) -> Vec<String> {
    let inner = built(builder).expect("it is sound");
    inner.namespace_names().map(str::to_owned).collect()
}

#[test]
fn the_main_namespace_is_joined_when_it_is_mentioned_or_alone() {
    assert_eq!(names(Client::builder(URL)), ["/"]);
    assert_eq!(names(Client::builder(URL).namespace("/chat", |ns| ns)), ["/chat"]);
    let mentioned = Client::builder(URL).namespace("/chat", |ns| ns).on("a", || ());
    assert_eq!(names(mentioned), ["/", "/chat"]);
    let mentioned = Client::builder(URL)
        .namespace("/chat", |ns| ns)
        .namespace("/", |ns| ns);
    assert_eq!(names(mentioned), ["/", "/chat"]);
    assert_eq!(
        names(SimpleClient::builder(URL).namespace("/a").namespace("/b")),
        ["/a", "/b"]
    );
    let with_auth = SimpleClient::builder(URL)
        .auth(&Token { token: "t" })
        .namespace("/a");
    assert_eq!(names(with_auth), ["/", "/a"]);
}

#[derive(Serialize)]
struct Token {
    token: &'static str,
}

fn error(builder: crate::ClientBuilder<crate::Async>) -> BuildError {
    match built(builder) {
        Ok(_) => panic!("the builder contradicts itself"),
        Err(error) => error,
    }
}

#[test]
fn mistakes_are_named_when_the_client_starts() {
    assert!(matches!(
        error(Client::builder("http://127.0.0.1:3000/chat")),
        BuildError::InvalidUrl { message } if message.contains(".namespace(")
    ));
    assert!(matches!(
        error(Client::builder(URL).header("x y", "z")),
        BuildError::InvalidHeader { name, .. } if name == "x y"
    ));
    assert!(matches!(
        error(Client::builder(URL).auth("token")),
        BuildError::InvalidAuth { namespace, .. } if namespace == "/"
    ));
    let binary = BTreeMap::from([("key", Bytes::from_static(b"\x00"))]);
    assert!(matches!(
        error(Client::builder(URL).namespace("/a", |ns| ns.auth(&binary))),
        BuildError::InvalidAuth { namespace, .. } if namespace == "/a"
    ));
    assert!(matches!(
        error(Client::builder(URL).on("connect", || ())),
        BuildError::ReservedEvent { .. }
    ));
    assert!(matches!(
        error(Client::builder(URL).on("a", |_: State<u8>| ())),
        BuildError::MissingState { .. }
    ));
    assert!(matches!(
        error(Client::builder(URL).on("a", |_: Arg<u8>| ()).on("a", || ())),
        BuildError::DuplicateEvent { .. }
    ));
    assert!(matches!(
        error(Client::builder(URL).namespace("chat", |ns| ns)),
        BuildError::InvalidNamespace { .. }
    ));
}

fn target<Style>(
    builder: crate::client::ClientBuilder<crate::Async, Style>,
) -> Result<(Endpoint, ClientTarget), String> {
    ready(built(builder).expect("it is sound").target())
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn a_target_has_what_is_fixed_and_what_callbacks_add() {
    let builder = Client::builder("http://127.0.0.1:3000?a=1")
        .query("b", "2")
        .query_with(|| Ok::<_, Infallible>([("c", "3")]))
        .query_with(async || {
            pending_once().await;
            Ok::<_, Infallible>(vec![("d".to_owned(), "4")])
        })
        .header("x-one", "1")
        .headers_with(async || Ok::<_, Infallible>(BTreeMap::from([("x-two", "2")])));
    let (endpoint, target) = target(builder).unwrap();
    assert_eq!(endpoint.authority(), "127.0.0.1:3000");
    assert_eq!(target.authority, "127.0.0.1:3000");
    assert_eq!(
        target.query,
        [pair("a", "1"), pair("b", "2"), pair("c", "3"), pair("d", "4")]
    );
    assert_eq!(target.headers.get("x-one"), Some(&b"1"[..]));
    assert_eq!(target.headers.get("x-two"), Some(&b"2"[..]));
}

#[test]
fn the_url_is_asked_for_anew_each_time() {
    let attempts = Arc::new(AtomicU32::new(0));
    let builder = Client::builder(URL).url_with(move || {
        Ok::<_, Infallible>(format!("http://s{}", attempts.fetch_add(1, Ordering::Relaxed)))
    });
    let inner = built(builder).unwrap();
    let authority = || ready(inner.target()).map(|(endpoint, _)| endpoint.authority().to_owned());
    assert_eq!(authority(), Ok("s0".to_owned()));
    assert_eq!(authority(), Ok("s1".to_owned()));
}

#[test]
fn callbacks_that_fail_are_attempts_that_fail() {
    let failure = |builder| target(builder).expect_err("the callback failed");
    assert_eq!(
        failure(Client::builder(URL).url_with(|| Err::<&str, _>("nowhere"))),
        "url_with failed: nowhere"
    );
    let bad_url = failure(Client::builder(URL).url_with(|| Ok::<_, Infallible>("http://a/b")));
    assert!(bad_url.contains(".path("), "{bad_url}");
    let bad_header = failure(Client::builder(URL).headers_with(|| Ok::<_, Infallible>([("a", "b\r\nc")])));
    assert!(
        bad_header.starts_with("headers_with failed: header \"a\""),
        "{bad_header}"
    );
    let panicked = failure(
        Client::builder(URL).query_with(|| -> Result<[(&str, &str); 0], Infallible> { panic!("oh") }),
    );
    assert!(panicked.contains("panicked: oh"), "{panicked}");
}

#[test]
fn each_namespace_is_asked_for_with_its_own_auth() {
    let count = AtomicU32::new(0);
    let builder = Client::builder(URL)
        .namespace("/a", |ns| ns.auth(&Token { token: "t" }))
        .namespace("/b", |ns| ns.auth(&()))
        .auth_with(move || {
            Ok::<_, Infallible>(BTreeMap::from([("n", count.fetch_add(1, Ordering::Relaxed))]))
        });
    let inner = built(builder).unwrap();
    let ids = namespace_ids(3);
    let packet = |position: usize| text(&ready(inner.auth(ids[position])).unwrap());
    assert_eq!(packet(0), "0{\"n\":0}");
    assert_eq!(packet(1), "0/a,{\"token\":\"t\"}");
    assert_eq!(packet(2), "0/b,");
    assert_eq!(packet(0), "0{\"n\":1}");
}

#[test]
fn an_auth_that_cannot_be_made_says_why() {
    let failure = |builder| {
        let inner = built(builder).unwrap();
        ready(inner.auth(namespace_ids(1)[0])).expect_err("there is no auth")
    };
    let panicked = failure(
        Client::builder(URL).auth_with(async || -> Result<(), Infallible> {
            pending_once().await;
            panic!("oh")
        }),
    );
    assert_eq!(panicked, "auth_with of / failed: it panicked: oh");
    let no_object = failure(Client::builder(URL).auth_with(|| Ok::<_, Infallible>(7)));
    assert!(no_object.contains("no JSON object"), "{no_object}");
}
