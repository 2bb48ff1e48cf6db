//! Both sides over a pipe in memory.

mod failures;
mod pipe;
mod transfer;

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};

use bytes::BytesMut;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};

use super::{TlsClient, TlsServer, TlsStream};
use crate::engine::Stream;
use pipe::{Pipe, join};

/// An authority that signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A chain and its key, as PEM.
struct Identity {
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        Self::named("ours")
    }

    /// Authorities of one name are taken for one another until signatures are checked.
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn identity(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self, names: &[&str]) -> TlsServer {
        let identity = self.identity(names, |_| {});
        TlsServer::builder(identity.chain, identity.key).build().unwrap()
    }

    fn client(&self) -> TlsClient {
        TlsClient::builder().only_ca_pem(self.pem()).build().unwrap()
    }
}

async fn read<S: Stream>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut buffer = BytesMut::with_capacity(4096);
    let count = poll_fn(|task| stream.poll_read(task, &mut buffer)).await?;
    assert_eq!(count, buffer.len());
    Ok(buffer.to_vec())
}

async fn write<S: Stream>(stream: &mut S, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = poll_fn(|task| stream.poll_write(task, &[IoSlice::new(bytes)])).await?;
        bytes = &bytes[count..];
    }
    poll_fn(|task| stream.poll_flush(task)).await
}

async fn shutdown<S: Stream>(stream: &mut S) -> io::Result<()> {
    poll_fn(|task| stream.poll_shutdown(task)).await
}

/// What both sides got: the client connects to `host`, says "ping" and reads; the server reads, answers "pong".
fn handshake(
    client: &TlsClient,
    server: &TlsServer,
    host: &str,
) -> (io::Result<Vec<u8>>, io::Result<Vec<u8>>) {
    let (ours, theirs) = Pipe::pair(&[usize::MAX]);
    let client = async {
        let mut stream = client.connect(host, ours).await?;
        write(&mut stream, b"ping").await?;
        read(&mut stream).await
    };
    let server = async {
        let mut stream = server.accept(theirs)?;
        let heard = read(&mut stream).await?;
        write(&mut stream, b"pong").await?;
        Ok(heard)
    };
    join(client, server)
}

/// Both ends of a connection whose handshake is made.
fn connected(sizes: &[usize]) -> (TlsStream<Pipe>, TlsStream<Pipe>) {
    let authority = Authority::new();
    let (ours, theirs) = Pipe::pair(sizes);
    let (client, server) = (authority.client(), authority.server(&["host"]));
    let server = async {
        let mut stream = server.accept(theirs).unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"x");
        write(&mut stream, b"y").await.unwrap();
        stream
    };
    let client = async {
        let mut stream = client.connect("host", ours).await.unwrap();
        write(&mut stream, b"x").await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"y");
        stream
    };
    join(client, server)
}

fn alone<T>(future: impl Future<Output = T>) -> T {
    join(future, async {}).0
}
