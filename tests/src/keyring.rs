//! A real keyring, gnome-keyring, on a private bus: open, locked, late, not set up, empty.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use zbus::Connection;
use zbus::zvariant::{OwnedObjectPath, Value};

use crate::desktop::{Desktop, SOON};
use crate::running::pid;
use crate::wait::{at_most, until};

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
const SERVICE: &str = "org.freedesktop.Secret.Service";
/// The password of every keyring here.
const PASSWORD: &str = "sesame";

/// A running keyring. Dropping it ends it; its files stay in its folder for the next one.
#[derive(Debug)]
pub struct Keyring {
    child: Child,
    connection: Connection,
}

impl Keyring {
    /// A keyring as after a login with the password: it is made where there is none, and open.
    pub async fn open(desktop: &Desktop) -> Self {
        Self::start(desktop, &Self::folder(desktop, "keyring"), true).await
    }

    /// The same keyring as after a login without a password: locked, if it was ever open.
    pub async fn locked(desktop: &Desktop) -> Self {
        Self::start(desktop, &Self::folder(desktop, "keyring"), false).await
    }

    /// A keyring in which nothing was ever set up.
    pub async fn unset(desktop: &Desktop) -> Self {
        Self::start(desktop, &Self::folder(desktop, "unset"), false).await
    }

    fn folder(desktop: &Desktop, name: &str) -> PathBuf {
        desktop.folder().join(name)
    }

    async fn start(desktop: &Desktop, folder: &Path, unlocks: bool) -> Self {
        let run = folder.join("run");
        std::fs::create_dir_all(&run).unwrap();
        let mut command = Command::new("gnome-keyring-daemon");
        command
            .args(["--foreground", "--components=secrets", "--control-directory"])
            .arg(&run)
            .args(unlocks.then_some("--unlock"))
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_RUNTIME_DIR", &run)
            .env("DBUS_SESSION_BUS_ADDRESS", desktop.address())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(PASSWORD.as_bytes()).await.unwrap();
        drop(stdin);
        desktop.owned(NAME, true).await;
        let builder = zbus::connection::Builder::address(desktop.address()).unwrap();
        Self {
            child,
            connection: builder.build().await.unwrap(),
        }
    }

    /// Ends it, as at a logout.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn end(mut self, desktop: &Desktop) {
        nix::sys::signal::kill(pid(&self.child), nix::sys::signal::Signal::SIGTERM).unwrap();
        at_most("the keyring's end", SOON, self.child.wait()).await.unwrap();
        desktop.owned(NAME, false).await;
    }

    /// Locks it, as a desktop does with its screen.
    pub async fn lock(&self) {
        let objects = vec![OwnedObjectPath::try_from(LOGIN).unwrap()];
        self.call(ROOT, SERVICE, "Lock", &(objects,)).await;
        self.is_locked(true).await;
    }

    /// Unlocks it, as the window does that asks for the password.
    ///
    /// # Panics
    /// If it does not open.
    pub async fn unlock(&self) {
        let plain = ("plain", Value::from(""));
        let reply = self.call(ROOT, SERVICE, "OpenSession", &plain).await;
        let (_, session): (zbus::zvariant::OwnedValue, OwnedObjectPath) = reply.body().deserialize().unwrap();
        let secret = (session, Vec::<u8>::new(), PASSWORD.as_bytes().to_vec(), "text/plain");
        let at = OwnedObjectPath::try_from(LOGIN).unwrap();
        let interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
        self.call(ROOT, interface, "UnlockWithMasterPassword", &(at, secret))
            .await;
        self.is_locked(false).await;
    }

    /// How many keys of Twocan's it keeps, open or locked.
    ///
    /// # Panics
    /// If it does not say.
    pub async fn keys(&self) -> usize {
        self.items().await.len()
    }

    /// Loses Twocan's keys.
    pub async fn empty(&self) {
        for item in self.items().await {
            self.call(item.as_str(), "org.freedesktop.Secret.Item", "Delete", &())
                .await;
        }
    }

    async fn items(&self) -> Vec<OwnedObjectPath> {
        let wanted = HashMap::from([("service", "twocan")]);
        let reply = self.call(ROOT, SERVICE, "SearchItems", &(wanted,)).await;
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = reply.body().deserialize().unwrap();
        open.into_iter().chain(locked).collect()
    }

    async fn is_locked(&self, is_locked: bool) {
        until(&format!("a keyring locked: {is_locked}"), SOON, async || {
            let asked = ("org.freedesktop.Secret.Collection", "Locked");
            let reply = self.call(LOGIN, "org.freedesktop.DBus.Properties", "Get", &asked).await;
            let value: zbus::zvariant::OwnedValue = reply.body().deserialize().unwrap();
            (bool::try_from(value).unwrap() == is_locked).then_some(())
        })
        .await;
    }

    async fn call<B>(&self, path: &str, interface: &str, method: &str, body: &B) -> zbus::Message
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let call = self
            .connection
            .call_method(Some(NAME), path, Some(interface), method, body);
        at_most(method, SOON, call)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}
