use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use rcgen::date_time_ymd;
use rustls::CertificateError;

use super::pipe::{Pipe, join};
use super::{Authority, alone, handshake, read, shutdown, write};
use crate::engine::Stream;
use crate::net::tls::error::{Opening, Side, failure};
use crate::net::tls::{TlsClient, TlsError, TlsFailure, TlsServer, provider};

fn text(outcome: io::Result<Vec<u8>>) -> String {
    outcome.expect_err("fails").to_string()
}

#[test]
fn garbage_after_our_end_is_discarded() {
    let garbage = [0xff; 100];
    alone(async {
        let (mut client, theirs) = Pipe::pair(&[usize::MAX]);
        let mut server = Authority::new().server(&["host"]).accept(theirs).unwrap();
        shutdown(&mut server).await.unwrap();
        write(&mut client, &garbage).await.unwrap();
        assert_eq!(discard(&mut server).await.unwrap(), garbage.len());
        shutdown(&mut client).await.unwrap();
        assert_eq!(discard(&mut server).await.unwrap(), 0);
    });
}

async fn discard<S: Stream>(stream: &mut S) -> io::Result<usize> {
    let mut buffer = BytesMut::with_capacity(4096);
    poll_fn(|task| stream.poll_discard(task, &mut buffer)).await
}

#[test]
fn a_trusted_server_is_believed() {
    let authority = Authority::new();
    for host in ["host", "127.0.0.1", "::1"] {
        let (client, server) = handshake(&authority.client(), &authority.server(&[host]), host);
        assert_eq!(
            (client.expect(host), server.expect(host)),
            (b"pong".to_vec(), b"ping".to_vec())
        );
    }
}

#[test]
fn another_name_is_named() {
    let authority = Authority::new();
    let server = authority.server(&["a.example", "b.example"]);
    let (client, server_outcome) = handshake(&authority.client(), &server, "c.example");
    let error = client.expect_err("fails");
    assert_eq!(
        error.to_string(),
        "the server's certificate is for a.example, b.example; not for c.example"
    );
    let source = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<TlsFailure>());
    assert!(source.is_some(), "the cause is kept");
    assert_eq!(text(server_outcome), "the client does not accept our certificate");
    let renamed = TlsClient::builder()
        .only_ca_pem(authority.pem())
        .server_name("b.example")
        .build()
        .unwrap();
    assert_eq!(
        handshake(&renamed, &server, "c.example").0.expect("connects"),
        b"pong"
    );
    let (client, _) = handshake(&authority.client(), &server, "10.0.0.1");
    assert_eq!(
        text(client),
        "the server's certificate is for a.example, b.example; not for 10.0.0.1"
    );
}

#[test]
fn certificates_out_of_their_time_are_refused() {
    let authority = Authority::new();
    let server = |from: i32, to: i32| {
        let identity = authority.identity(&["host"], |params| {
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(to, 1, 1);
        });
        TlsServer::builder(identity.chain, identity.key).build().unwrap()
    };
    let expired = text(handshake(&authority.client(), &server(2000, 2001), "host").0);
    assert!(
        expired.starts_with("the server's certificate has expired, "),
        "{expired}"
    );
    let early = text(handshake(&authority.client(), &server(4000, 4001), "host").0);
    assert!(
        early.starts_with("the server's certificate is not valid yet, "),
        "{early}"
    );
}

#[test]
fn an_unknown_authority_is_refused_unless_anybody_is_believed() {
    let (authority, other) = (Authority::new(), Authority::named("theirs"));
    let server = authority.server(&["other.example"]);
    let (client, server_outcome) = handshake(&other.client(), &server, "other.example");
    assert!(text(client).starts_with("the server's certificate is of an unknown issuer"));
    assert_eq!(
        text(server_outcome),
        "the client does not know the issuer of our certificate"
    );
    let anybody = TlsClient::builder()
        .danger_accept_invalid_certificates()
        .build()
        .unwrap();
    assert_eq!(handshake(&anybody, &server, "host").0.expect("connects"), b"pong");
}

#[test]
fn a_certificate_that_signed_itself_is_trusted_when_it_is_given() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["host".to_owned()]).unwrap();
    let server = TlsServer::builder(cert.pem(), signing_key.serialize_pem())
        .build()
        .unwrap();
    let client = TlsClient::builder().ca_pem(cert.pem()).build().unwrap();
    assert_eq!(handshake(&client, &server, "host").0.expect("connects"), b"pong");
}

#[test]
fn a_client_without_a_certificate_learns_that_it_needs_one() {
    let authority = Authority::new();
    let identity = authority.identity(&["host"], |_| {});
    let builder = || TlsServer::builder(identity.chain.clone(), identity.key.clone());
    let required = builder()
        .require_client_certificate(authority.pem())
        .build()
        .unwrap();
    let optional = builder()
        .accept_client_certificate(authority.pem())
        .build()
        .unwrap();

    let (client, server) = handshake(&authority.client(), &required, "host");
    assert_eq!(
        text(client),
        "the server wants a client certificate; give one with client_certificate()"
    );
    assert_eq!(
        text(server),
        "the client showed no certificate, but one is required"
    );
    assert_eq!(
        handshake(&authority.client(), &optional, "host")
            .0
            .expect("connects"),
        b"pong"
    );

    let shown = |authority: &Authority, issuer: &Authority| {
        let own = issuer.identity(&["me"], |_| {});
        let client = TlsClient::builder()
            .only_ca_pem(authority.pem())
            .client_certificate(own.chain, own.key);
        client.build().unwrap()
    };
    let known = shown(&authority, &authority);
    assert_eq!(handshake(&known, &required, "host").0.expect("connects"), b"pong");
    let unknown = shown(&authority, &Authority::named("theirs"));
    for server in [&required, &optional] {
        let (client, server) = handshake(&unknown, server, "host");
        assert_eq!(
            text(client),
            "the server does not know the issuer of our certificate"
        );
        assert!(text(server).starts_with("the client's certificate is of an unknown issuer"));
    }
}

#[test]
fn a_refusal_is_heard_although_writing_fails_first() {
    let authority = Authority::new();
    let identity = authority.identity(&["host"], |_| {});
    let server = TlsServer::builder(identity.chain, identity.key).require_client_certificate(authority.pem());
    let (ours, theirs) = Pipe::pair(&[usize::MAX]);
    let mut server = server.build().unwrap().accept(theirs).unwrap();
    let mut rounds = 0;
    let handshake = poll_fn(|task| {
        rounds += 1;
        assert!(
            server
                .poll_read(task, &mut BytesMut::with_capacity(100))
                .is_pending()
        );
        if rounds == 2 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    let client = authority.client();
    let (stream, ()) = join(client.connect("host", ours), handshake);
    drop(server);
    let mut stream = stream.expect("the handshake is made");
    let error = alone(write(&mut stream, b"ping")).expect_err("is refused");
    assert!(
        error
            .to_string()
            .starts_with("the server wants a client certificate"),
        "{error}"
    );
}

#[test]
fn a_server_of_tls_1_2_says_so_during_the_handshake() {
    let authority = Authority::new();
    let identity = authority.identity(&["host"], |_| {});
    let chain = super::super::pem::certificates(identity.chain.as_bytes()).unwrap();
    let key = super::super::pem::private_key(identity.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let server = TlsServer::from(Arc::new(config));
    assert_eq!(
        handshake(&authority.client(), &server, "host")
            .0
            .expect("connects"),
        b"pong"
    );
    assert!(text(handshake(&authority.client(), &server, "x").0).ends_with("is for host; not for x"));
}

#[test]
fn another_protocol_than_http_1_1_is_refused() {
    let authority = Authority::new();
    let mut roots = rustls::RootCertStore::empty();
    super::super::pem::trust(&mut roots, &[authority.pem().into_bytes()]).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let client = TlsClient::from(Arc::new(config));
    let (client, server) = handshake(&client, &authority.server(&["host"]), "host");
    assert_eq!(text(client), "the server does not speak HTTP/1.1 over TLS");
    assert_eq!(text(server), "the client does not speak HTTP/1.1 over TLS");
}

#[test]
fn plain_http_is_recognised_on_both_sides() {
    let authority = Authority::new();
    let (ours, mut theirs) = Pipe::pair(&[1]);
    let client = authority.client();
    let (outcome, ()) = join(client.connect("host", ours), async {
        write(&mut theirs, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    });
    let error = outcome.err().expect("fails").to_string();
    assert!(
        error.starts_with("the server does not speak TLS but plain HTTP"),
        "{error}"
    );

    let (mut ours, theirs) = Pipe::pair(&[usize::MAX]);
    let mut stream = authority.server(&["host"]).accept(theirs).unwrap();
    let (outcome, ()) = join(read(&mut stream), async {
        write(&mut ours, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        shutdown(&mut ours).await.unwrap();
    });
    assert_eq!(text(outcome), "the client does not speak TLS but plain HTTP");
}

#[test]
fn a_server_that_hangs_up_during_the_handshake_is_an_error() {
    let (ours, mut theirs) = Pipe::pair(&[usize::MAX]);
    let client = Authority::new().client();
    let (outcome, ()) = join(client.connect("host", ours), async {
        read(&mut theirs).await.unwrap();
        shutdown(&mut theirs).await.unwrap();
    });
    let error = outcome.err().expect("fails");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("during the TLS handshake"), "{error}");
}

#[test]
fn a_client_that_never_ends_is_not_listened_to_for_ever_after_a_failure() {
    let (mut ours, theirs) = Pipe::pair(&[usize::MAX]);
    let mut stream = Authority::new().server(&["host"]).accept(theirs).unwrap();
    let (outcome, sent) = join(
        async move {
            let outcome = read(&mut stream).await;
            drop(stream);
            outcome
        },
        async {
            let mut sent = 0;
            while write(&mut ours, &[b'A'; 10_000]).await.is_ok() {
                sent += 10_000;
            }
            sent
        },
    );
    assert!(outcome.is_err());
    assert!(sent < 200_000, "{sent} bytes");
}

#[test]
fn a_revoked_certificate_and_other_failures_have_their_texts() {
    let text = |error| failure(Side::Client, Opening::Record, error).to_string();
    assert_eq!(
        text(rustls::Error::InvalidCertificate(CertificateError::Revoked)),
        "the server's certificate has been revoked"
    );
    assert_eq!(
        text(rustls::Error::AlertReceived(
            rustls::AlertDescription::ProtocolVersion
        )),
        "the server speaks neither TLS 1.2 nor TLS 1.3"
    );
}

#[test]
fn what_cannot_be_used_is_refused_when_it_is_built() {
    let authority = Authority::new();
    let (one, two) = (
        authority.identity(&["a"], |_| {}),
        authority.identity(&["b"], |_| {}),
    );
    let server = |chain: &str, key: &str| TlsServer::builder(chain, key).build().map(drop);
    assert_eq!(server(&one.chain, &two.key), Err(TlsError::KeyMismatch));
    assert_eq!(server(&one.key, &one.key), Err(TlsError::NoCertificate));
    assert_eq!(server(&one.chain, &one.chain), Err(TlsError::NoKey));
    assert_eq!(server("", ""), Err(TlsError::NoCertificate));
    assert_eq!(server(&one.chain[..100], &one.key), Err(TlsError::InvalidPem));
    let client = |builder: crate::net::tls::TlsClientBuilder| builder.build().map(drop);
    assert_eq!(
        client(TlsClient::builder().only_ca_pem("x")),
        Err(TlsError::NoCertificate)
    );
    assert_eq!(
        client(
            TlsClient::builder()
                .danger_accept_invalid_certificates()
                .server_name("a b")
        ),
        Err(TlsError::InvalidServerName)
    );
    let (ours, _theirs) = Pipe::pair(&[1]);
    let error = alone(authority.client().connect("a b", ours))
        .err()
        .expect("fails");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}
