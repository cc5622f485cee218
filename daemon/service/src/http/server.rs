//! Starting and stopping the local API.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use anyhow::{Context as _, bail, ensure};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::entrance::Entrance;
use super::guard::{Control, Guard, Page};
use super::holder::holder;
use super::hub::Listeners;
use super::listen::{Limits, Listener, run};
use super::metrics::Meters;
use super::once::Kept;
use super::pastes::Pastes;
use super::router::{self, App};
use super::seam::{Clips, Echoes, Legs, Loop};
use super::secret::Secret;
use super::site::Site;
use super::{files, view};

/// Where to listen.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The Unix socket; what is left there by a daemon that is gone is replaced.
    pub sock_path: PathBuf,
    /// The token file; likewise.
    pub token_path: PathBuf,
    /// The control listener; loopback, port 0 for any.
    pub control: SocketAddr,
    /// The page listener; loopback, port 0 for any.
    pub page: SocketAddr,
}

/// The local media that calls can be attached to.
#[derive(Clone, Debug)]
pub struct LocalMedia {
    /// WebRTC legs: the page and WHIP or WHEP tools.
    pub legs: Arc<dyn Legs>,
    /// The built-in clip.
    pub clips: Option<Arc<dyn Clips>>,
    /// Test calls.
    pub echoes: Option<Arc<dyn Echoes>>,
}

/// The running API. Dropping it stops it at once and removes its files.
#[derive(Debug)]
pub struct Bound {
    /// The control listener's address.
    pub control: SocketAddr,
    /// The page listener's address.
    pub page: SocketAddr,
    closing: watch::Sender<bool>,
    listeners: JoinSet<()>,
    _files: Files,
}

impl Bound {
    /// Stops: no new connection, a moment for running requests, event streams end, files removed.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        while self.listeners.join_next().await.is_some() {}
    }
}

/// Starts the local API. The daemon holds its home's lock, so whatever lies at the paths is left over.
///
/// # Errors
/// When an address is no loopback address or is taken, or a file cannot be made; the message names it.
pub async fn serve(config: HttpConfig, core: Loop, media: LocalMedia) -> anyhow::Result<Bound> {
    serve_files(config, core, media, files::embedded).await
}

/// As [`serve`], with the page's files from elsewhere.
pub(super) async fn serve_files(
    config: HttpConfig,
    core: Loop,
    media: LocalMedia,
    page_files: files::Files,
) -> anyhow::Result<Bound> {
    let control = bind(config.control, "control").await?;
    let page = bind(config.page, "page").await?;
    let bound = Listeners {
        control: control.local_addr()?,
        page: page.local_addr()?,
    };
    let made = Files {
        paths: vec![config.sock_path.clone(), config.token_path.clone()],
    };
    let token = write_token(&config.token_path)?;
    let socket = bind_socket(&config.sock_path)?;
    core.hub.set_listeners(bound);

    let (closing, stop) = watch::channel(false);
    let entrance = Arc::new(Entrance::default());
    let meters = Arc::new(Meters::default());
    let app = App {
        core,
        legs: media.legs,
        clips: media.clips,
        echoes: media.echoes,
        entrance: Arc::clone(&entrance),
        kept: Arc::new(Kept::default()),
        pastes: Arc::new(Pastes::default()),
        meters: Arc::clone(&meters),
        closing: stop.clone(),
    };
    let routes = router::control(app.clone());
    let owner = nix::unistd::geteuid().as_raw();
    let sites = [
        (Listener::Unix(socket, owner), Guard::Unix, routes.clone()),
        (
            Listener::Tcp(control),
            Guard::Control(Control::new(bound.control, token)),
            routes,
        ),
        (
            Listener::Tcp(page),
            Guard::Page(Page::new(bound.page, entrance)),
            router::page(app, page_files),
        ),
    ];
    let mut listeners = JoinSet::new();
    for (listener, guard, routes) in sites {
        listeners.spawn(run(
            listener,
            Arc::new(Site::new(guard, routes, Arc::clone(&meters))),
            Limits::USUAL,
            stop.clone(),
        ));
    }
    Ok(Bound {
        control: bound.control,
        page: bound.page,
        closing,
        listeners,
        _files: made,
    })
}

async fn bind(address: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    ensure!(
        address.ip().is_loopback(),
        "the {what} address {address} is not a loopback address"
    );
    let bound = TcpListener::bind(address).await;
    match bound {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let (origin, holder) = (view::origin(address), holder(address));
            let holder = holder.unwrap_or_else(|| "another program".to_owned());
            bail!("the {what} address {origin} is in use by {holder}; stop it, or choose another address with --{what}")
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen at the {what} address {address}")),
    }
}

fn write_token(path: &Path) -> anyhow::Result<Secret> {
    let (text, secret) = Secret::fresh()?;
    make_room(path)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make the token file {}", path.display()))?;
    writeln!(file, "{text}").with_context(|| format!("cannot write the token file {}", path.display()))?;
    Ok(secret)
}

fn bind_socket(path: &Path) -> anyhow::Result<UnixListener> {
    make_room(path)?;
    let context = || format!("cannot listen at the socket {}", path.display());
    let listener = UnixListener::bind(path).with_context(context)?;
    // Until here the folder keeps others out, and the user id of whoever connects is checked in any case.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(context)?;
    Ok(listener)
}

/// Makes the folder, and removes what is left over.
fn make_room(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes the socket and the token when the API stops.
#[derive(Debug)]
struct Files {
    paths: Vec<PathBuf>,
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.paths {
            if let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "a runtime file could not be removed");
            }
        }
    }
}
