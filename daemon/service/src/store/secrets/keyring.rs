//! The user's keyring: the Secret Service of the session bus (GNOME Keyring, KWallet, KeePassXC).
//!
//! A store object of its own for each job, never the library's default store: that one is kept for the life of a process, and
//! whoever asked it before the keyring was there never sees it come. The keyring is looked at before each job, without a question to
//! the user: the library would ask for the password of a locked keyring at each attempt, and it says "no entry" of one that has
//! not been set up. So "the key is not there" is said only by a keyring that is set up and has nothing locked.
//!
//! Calls block, and a keyring may take as long as it likes: each job has a thread, and whoever waits for it stops waiting in
//! time. The job goes on; asked again, its answer is what counts, and no second one is begun beside it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use keyring_core::Entry;
use keyring_core::api::CredentialStoreApi as _;
use secret_service::EncryptionType;
use secret_service::blocking::SecretService;
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

use super::record::Id;

/// How long a job is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The attributes that the library gives to an entry.
const SERVICE: (&str, &str) = ("service", "twocan");
const USER: &str = "username";
/// What the user sees in a program that shows the keyring.
const LABEL: &str = "Twocan: key of identity and contacts";
/// The variable that names the session bus, and its usual place.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
const RUNTIME: &str = "XDG_RUNTIME_DIR";

/// Why a keyring cannot be used now. Each may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// No session bus, or no keyring on it.
    Absent,
    /// Locked, or a part of it that may hold the key.
    Locked,
    /// There, but nothing has been set up to keep secrets in.
    Unset,
    /// It does not answer.
    Silent,
}

/// What keeps keys by id.
pub(super) trait Ring: Send + Sync + std::fmt::Debug {
    /// Whether a key could be put there now.
    fn look(&self) -> Result<(), NotReady>;
    /// What is kept under this id; `None` only where the ring is sure that there is nothing.
    fn get(&self, id: &Id) -> Result<Option<Zeroizing<Vec<u8>>>, NotReady>;
    /// Keeps a secret; what was kept under this id is replaced.
    fn put(&self, id: &Id, secret: &str) -> Result<(), NotReady>;
    /// Keeps nothing under this id any more.
    fn delete(&self, id: &Id) -> Result<(), NotReady>;
    /// Asks the user for the password, in a window of the keyring's, and waits for nothing.
    fn ask_to_unlock(&self);
}

/// The keyring of the session.
#[derive(Debug, Default)]
pub(super) struct SessionRing {
    under_way: Mutex<Option<UnderWay>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Job {
    Look,
    Get(Id),
    Put(Id, Zeroizing<String>),
    Delete(Id),
}

#[derive(Debug)]
enum Answer {
    Done,
    Secret(Option<Zeroizing<Vec<u8>>>),
}

type Outcome = Result<Answer, NotReady>;

/// A job that has a thread.
struct UnderWay {
    job: Job,
    outcome: Receiver<Outcome>,
}

impl std::fmt::Debug for UnderWay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("UnderWay")
    }
}

impl Ring for SessionRing {
    fn look(&self) -> Result<(), NotReady> {
        self.run(Job::Look).map(drop)
    }

    fn get(&self, id: &Id) -> Result<Option<Zeroizing<Vec<u8>>>, NotReady> {
        match self.run(Job::Get(id.clone()))? {
            Answer::Secret(secret) => Ok(secret),
            Answer::Done => Err(NotReady::Silent),
        }
    }

    fn put(&self, id: &Id, secret: &str) -> Result<(), NotReady> {
        self.run(Job::Put(id.clone(), Zeroizing::new(secret.to_owned())))
            .map(drop)
    }

    fn delete(&self, id: &Id) -> Result<(), NotReady> {
        self.run(Job::Delete(id.clone())).map(drop)
    }

    fn ask_to_unlock(&self) {
        if is_bus_there() {
            // Where the system gives no thread, the user unlocks the keyring by other means.
            drop(Builder::new().name("keyring".into()).spawn(unlock));
        }
    }
}

impl SessionRing {
    fn run(&self, job: Job) -> Outcome {
        if !is_bus_there() {
            return Err(NotReady::Absent);
        }
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match under_way.take() {
            Some(current) if current.job == job => current,
            Some(other) => match other.outcome.try_recv() {
                Err(std::sync::mpsc::TryRecvError::Empty) => {
                    *under_way = Some(other);
                    return Err(NotReady::Silent);
                }
                Ok(_) | Err(std::sync::mpsc::TryRecvError::Disconnected) => begin(job)?,
            },
            None => begin(job)?,
        };
        match current.outcome.recv_timeout(PATIENCE) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => Err(NotReady::Silent),
            Err(RecvTimeoutError::Timeout) => {
                *under_way = Some(current);
                Err(NotReady::Silent)
            }
        }
    }
}

fn begin(job: Job) -> Result<UnderWay, NotReady> {
    let (told, outcome) = channel();
    let own = job.clone();
    let spawned = Builder::new().name("keyring".into()).spawn(move || {
        // Whoever asked may wait no longer.
        let _ = told.send(perform(&own));
    });
    spawned.map_err(|_| NotReady::Silent)?;
    Ok(UnderWay { job, outcome })
}

/// Whether there may be a session bus: the library would look at the same two places. None is started.
fn is_bus_there() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(address) = set(BUS) {
        return !address.to_string_lossy().starts_with("autolaunch:");
    }
    let folder = set(RUNTIME).map_or_else(usual_runtime, PathBuf::from);
    folder.join("bus").exists()
}

fn usual_runtime() -> PathBuf {
    Path::new("/run/user").join(nix::unistd::geteuid().to_string())
}

fn perform(job: &Job) -> Outcome {
    let service = SecretService::connect(EncryptionType::Dh).map_err(|error| absent(&error))?;
    match job {
        Job::Look => set_up(&service).map(|()| Answer::Done),
        Job::Get(id) => get(&service, id).map(Answer::Secret),
        Job::Put(id, secret) => {
            set_up(&service)?;
            let kept = entry(id)?.set_secret(secret.as_bytes());
            kept.map(|()| Answer::Done).map_err(|error| refused(&error))
        }
        Job::Delete(id) => {
            if is_kept(&service, id)? {
                entry(id)?.delete_credential().map_err(|error| refused(&error))?;
            }
            Ok(Answer::Done)
        }
    }
}

fn get(service: &SecretService<'_>, id: &Id) -> Result<Option<Zeroizing<Vec<u8>>>, NotReady> {
    if !is_kept(service, id)? {
        return Ok(None);
    }
    match entry(id)?.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(error) => Err(refused(&error)),
    }
}

/// Whether a key could be put there now.
fn set_up(service: &SecretService<'_>) -> Result<(), NotReady> {
    match service.get_default_collection() {
        Ok(collection) if collection.is_locked().map_err(|error| absent(&error))? => Err(NotReady::Locked),
        Ok(_) => Ok(()),
        Err(secret_service::Error::NoResult) => Err(NotReady::Unset),
        Err(error) => Err(absent(&error)),
    }
}

/// Whether there is an entry that can be read. "No" is said only where nothing is locked and something is set up.
fn is_kept(service: &SecretService<'_>, id: &Id) -> Result<bool, NotReady> {
    let attributes = HashMap::from([SERVICE, (USER, id.as_str())]);
    let found = service.search_items(attributes).map_err(|error| absent(&error))?;
    if !found.unlocked.is_empty() {
        return Ok(true);
    }
    if !found.locked.is_empty() {
        return Err(NotReady::Locked);
    }
    for collection in service.get_all_collections().map_err(|error| absent(&error))? {
        if collection.is_locked().map_err(|error| absent(&error))? {
            return Err(NotReady::Locked);
        }
    }
    set_up(service).map(|()| false)
}

fn entry(id: &Id) -> Result<Entry, NotReady> {
    let store = Store::new().map_err(|error| refused(&error))?;
    let label = HashMap::from([("label", LABEL)]);
    let (_, service) = SERVICE;
    store
        .build(service, id.as_str(), Some(&label))
        .map_err(|error| refused(&error))
}

/// Opens the keyring's window, and stays until it is closed.
fn unlock() {
    let Ok(service) = SecretService::connect(EncryptionType::Dh) else {
        return;
    };
    if let Ok(collection) = service.get_default_collection()
        && let Err(error) = collection.unlock()
    {
        tracing::debug!(%error, "the keyring was not unlocked");
    }
}

fn absent(error: &secret_service::Error) -> NotReady {
    tracing::debug!(%error, "no keyring answers");
    NotReady::Absent
}

/// It was there a moment ago, so it went away, or was locked.
fn refused(error: &keyring_core::Error) -> NotReady {
    tracing::debug!(%error, "the keyring refuses");
    NotReady::Locked
}
