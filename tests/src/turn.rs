//! A relay server: coturn, on loopback.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::wait::until;

/// The server listens within this time.
const READY: Duration = Duration::from_secs(10);

/// A certificate authority of this test's own, and the server's certificate.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes both.
    ///
    /// # Panics
    /// Without `openssl`.
    #[must_use]
    pub fn make() -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-turn-").tempdir().unwrap();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=test authority"];
        let files = ["-keyout", "authority.key", "-out", "authority.pem"];
        openssl(folder.path(), &[&authority[..], &key[..], &files[..]].concat());
        let request = [
            "req",
            "-subj",
            "/CN=127.0.0.1",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
        ];
        openssl(folder.path(), &[&request[..], &key[..]].concat());
        std::fs::write(folder.path().join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        let sign = ["x509", "-req", "-days", "2", "-in", "server.csr", "-out", "server.pem"];
        let by = [
            "-CA",
            "authority.pem",
            "-CAkey",
            "authority.key",
            "-CAcreateserial",
            "-extfile",
            "names",
        ];
        openssl(folder.path(), &[&sign[..], &by[..]].concat());
        Self { folder }
    }

    /// Who vouches for the server.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

fn openssl(folder: &Path, args: &[&str]) {
    let output = Command::new("openssl")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("openssl, of the package openssl");
    assert!(output.status.success(), "openssl {args:?}: {output:?}");
}

/// A running coturn. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    tls_port: u16,
    _folder: TempDir,
}

impl Server {
    /// Who may use it.
    pub const USER: &'static str = "ann";
    /// With which password.
    pub const PASSWORD: &'static str = "a password";

    /// Starts it, over UDP and TCP, and within TLS.
    ///
    /// # Panics
    /// Without coturn, or if it does not listen in time.
    pub async fn start(certificates: &Certificates) -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-turn-").tempdir().unwrap();
        let (port, tls_port) = (free_port(), free_port());
        let of = |name: &str| certificates.folder.path().join(name).display().to_string();
        let child = Command::new("turnserver")
            .args([
                "-n",
                "--no-cli",
                "--no-dtls",
                "--no-multicast-peers",
                "--allow-loopback-peers",
            ])
            .args([
                "--listening-ip=127.0.0.1",
                "--relay-ip=127.0.0.1",
                "--lt-cred-mech",
                "--realm=test",
            ])
            .arg(format!("--user={}:{}", Self::USER, Self::PASSWORD))
            .arg(format!("--listening-port={port}"))
            .arg(format!("--tls-listening-port={tls_port}"))
            .arg(format!("--cert={}", of("server.pem")))
            .arg(format!("--pkey={}", of("server.key")))
            .arg(format!("--userdb={}", folder.path().join("users").display()))
            .arg(format!("--pidfile={}", folder.path().join("pid").display()))
            .arg(format!("--log-file={}", folder.path().join("log").display()))
            .arg("--simple-log")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver, of the package coturn");
        let server = Self {
            child,
            port,
            tls_port,
            _folder: folder,
        };
        let listens = async || TcpStream::connect(("127.0.0.1", tls_port)).ok();
        until("coturn to listen", READY, listens).await;
        server
    }

    /// Its address over UDP.
    #[must_use]
    pub fn udp(&self) -> String {
        format!("turn:127.0.0.1:{}", self.port)
    }

    /// Its address over TCP.
    #[must_use]
    pub fn tcp(&self) -> String {
        format!("turn:127.0.0.1:{}?transport=tcp", self.port)
    }

    /// Its address within TLS.
    #[must_use]
    pub fn tls(&self) -> String {
        format!("turns:127.0.0.1:{}", self.tls_port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago, for UDP and TCP alike.
fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
