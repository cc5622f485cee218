//! What carries the conversation with a relay server: a UDP socket, or a stream over TCP, with TLS or without.
//!
//! A stream is written by a task of its own: a server that does not read must not keep us from reading.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

use super::OUTGOING;
use crate::store::turn_url::{Transport, TurnUrl};

/// Bytes read at once.
const BUFFER: usize = 4096;

/// Where systems keep the certificates of those who may vouch for a server; `SSL_CERT_FILE` names another file.
const ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// A conversation's way to the server and back.
pub(super) struct Wire {
    local: SocketAddr,
    remote: SocketAddr,
    kind: Kind,
}

enum Kind {
    Datagrams(UdpSocket),
    Stream {
        reader: Box<dyn AsyncRead + Send + Sync + Unpin>,
        writer: mpsc::Sender<Vec<u8>>,
        task: AbortHandle,
    },
}

impl Wire {
    /// Reaches a server at the first of its addresses that answers.
    pub(super) async fn connect(url: &TurnUrl) -> anyhow::Result<Self> {
        let found = lookup_host((url.host.as_str(), url.port)).await;
        let mut last = anyhow!("it has no address");
        for remote in found.context("its name has no address")? {
            match Self::connect_to(url, remote).await {
                Ok(wire) => return Ok(wire),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(url: &TurnUrl, remote: SocketAddr) -> anyhow::Result<Self> {
        match url.transport {
            Transport::Udp => Self::datagrams(remote).await,
            Transport::Tcp => {
                let stream = tcp(remote).await?;
                let local = stream.local_addr()?;
                Ok(Self::stream(local, remote, stream))
            }
            Transport::Tls => {
                let stream = tcp(remote).await?;
                let local = stream.local_addr()?;
                let name = ServerName::try_from(url.host.clone()).context("no name that a certificate can bear")?;
                let connector = TlsConnector::from(Arc::new(tls_config()?));
                let stream = connector.connect(name, stream).await.context("TLS")?;
                Ok(Self::stream(local, remote, stream))
            }
        }
    }

    async fn datagrams(remote: SocketAddr) -> anyhow::Result<Self> {
        let any: SocketAddr = if remote.is_ipv4() {
            ([0, 0, 0, 0], 0).into()
        } else {
            ([0_u16; 8], 0).into()
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(remote).await?;
        Ok(Self {
            local: socket.local_addr()?,
            remote,
            kind: Kind::Datagrams(socket),
        })
    }

    fn stream(
        local: SocketAddr,
        remote: SocketAddr,
        stream: impl AsyncRead + AsyncWrite + Send + Sync + 'static,
    ) -> Self {
        let (reader, mut sink) = tokio::io::split(stream);
        let (writer, mut queue) = mpsc::channel::<Vec<u8>>(OUTGOING);
        let task = tokio::spawn(async move {
            while let Some(bytes) = queue.recv().await {
                if sink.write_all(&bytes).await.is_err() || sink.flush().await.is_err() {
                    return;
                }
            }
            let _ = sink.shutdown().await;
        });
        Self {
            local,
            remote,
            kind: Kind::Stream {
                reader: Box::new(reader),
                writer,
                task: task.abort_handle(),
            },
        }
    }

    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) const fn remote(&self) -> SocketAddr {
        self.remote
    }

    pub(super) const fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream { .. })
    }

    /// Sends one whole message; what finds no room is lost.
    pub(super) async fn send(&self, bytes: &[u8]) {
        match &self.kind {
            Kind::Datagrams(socket) => {
                if let Err(error) = socket.send(bytes).await {
                    tracing::debug!(%error, "nothing sent to the relay server");
                }
            }
            Kind::Stream { writer, .. } => {
                let _ = writer.try_send(bytes.to_vec());
            }
        }
    }

    /// One datagram, or a piece of the stream. Nothing is lost where this is dropped before it is done.
    pub(super) async fn receive(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut buffer = vec![0; BUFFER];
        let len = match &mut self.kind {
            Kind::Datagrams(socket) => socket.recv(&mut buffer).await.context("the server does not listen")?,
            Kind::Stream { reader, .. } => reader.read(&mut buffer).await?,
        };
        if len == 0 && self.is_stream() {
            bail!("it has closed the connection");
        }
        buffer.truncate(len);
        Ok(buffer)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Kind::Stream { task, .. } = &self.kind {
            task.abort();
        }
    }
}

async fn tcp(remote: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(remote).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// TLS 1.3, or 1.2 where the server knows no better (coturn 4.6 refuses 1.3), and whoever the system trusts.
fn tls_config() -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .context("TLS")?
        .with_root_certificates(roots()?)
        .with_no_client_auth();
    Ok(config)
}

fn roots() -> anyhow::Result<RootCertStore> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let usual = || ROOTS.iter().map(PathBuf::from).find(|path| path.exists());
    let path = named
        .or_else(usual)
        .context("this system has no list of certificates that it trusts")?;
    read_roots(&path).with_context(|| format!("the certificates of {}", path.display()))
}

fn read_roots(path: &Path) -> anyhow::Result<RootCertStore> {
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(path)?.filter_map(Result::ok).collect();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        bail!("there are none");
    }
    Ok(roots)
}
