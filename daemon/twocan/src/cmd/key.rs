//! `twocan key [move STORE]`: where the key is kept that seals identity and contacts.
//!
//! The daemon holds the home, so it moves the key where one runs; else this process takes the home's lock and does it itself. Both
//! print the same body.

use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use tokio::task::spawn_blocking;
use twocan_api::client::{Client, ClientError};
use twocan_api::{KeyPlace, KeyPut};
use twocan_service::store::config::Config;
use twocan_service::store::lock::Lock;
use twocan_service::store::paths::Paths;
use twocan_service::store::secrets::{self, CannotMove, Stores, Target};
use twocan_service::store::state::{StateFile, StoreError};

use crate::exit::Exit;
use crate::failure::{Done, Failure, sentence};
use crate::print::Out;
use crate::secret;

/// `twocan key`.
#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    /// What to do with it; only looks at it unless told.
    #[command(subcommand)]
    to: Option<To>,
}

/// What to do with the key.
#[derive(Debug, Subcommand)]
enum To {
    /// Keep it elsewhere from now on; to passphrase again: change the passphrase.
    Move {
        /// Where.
        store: Store,
    },
}

/// Where a key can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Store {
    /// The keyring of your desktop, which opens with your login.
    Keyring,
    /// Sealed under a passphrase that Twocan asks for at each start.
    Passphrase,
    /// The file state.key, beside what it seals.
    File,
}

/// Shows where the key is, or moves it.
pub(crate) async fn run(args: Key, out: Out) -> Done {
    let client = Client::find();
    match args.to {
        None => show(&client, out).await,
        Some(To::Move { store }) => relocate(&client, store, out).await,
    }
}

async fn show(client: &Client, out: Out) -> Done {
    match client.key().await {
        Ok(key) => Ok(tell(&key.json, &key.value, out)),
        Err(ClientError::NotRunning { waiting, .. }) => {
            let paths = paths()?;
            let place = secrets::place(&paths).map_err(|error| failed(&error))?;
            let place = place.ok_or_else(|| missing(&paths))?;
            if let Some(why) = waiting {
                out.hint(&why.text);
                out.hint(&why.fix);
            }
            tell_place(&place, out)
        }
        Err(error) => Err(error.into()),
    }
}

/// The home is looked for before the user is asked: nobody types a passphrase for nothing.
async fn relocate(client: &Client, store: Store, out: Out) -> Done {
    match client.key().await {
        Ok(_) => {
            let target = spawn_blocking(move || target(store, out)).await;
            let put = put(target.map_err(|error| failed(&error))??);
            let key = client.put_key(&put).await?;
            Ok(tell(&key.json, &key.value, out))
        }
        Err(ClientError::NotRunning { waiting: None, .. }) => {
            let moved = spawn_blocking(move || relocate_here(store, out)).await;
            let place = moved.map_err(|error| failed(&error))??;
            tell_place(&place, out)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the key shall go; asks for the new passphrase, where one is wanted. Blocks.
fn target(store: Store, out: Out) -> Result<Target, Failure> {
    let passphrase = match store {
        Store::Keyring => return Ok(Target::Keyring),
        Store::File => return Ok(Target::File),
        Store::Passphrase => secret::new_passphrase(out),
    };
    match passphrase {
        Ok(passphrase) if secrets::is_passphrase(&passphrase) => Ok(Target::Passphrase(passphrase)),
        Ok(_) => Err(refused(&CannotMove::Passphrase)),
        Err(why) => Err(refused(&why)),
    }
}

/// Moves the key of a home whose daemon does not run. Blocks.
fn relocate_here(store: Store, out: Out) -> Result<KeyPlace, Failure> {
    let paths = paths()?;
    if !StateFile::is_there(&paths).map_err(|error| failed(&error))? {
        return Err(nothing());
    }
    paths.prepare().map_err(|error| failed(&error))?;
    let _lock = Lock::take(&paths).map_err(|error| failed(&error))?;
    let config = Config::load(&paths.config()).map_err(|error| failed(&error))?;
    let stores = Arc::new(Stores::of_process(Box::new(move |_| secret::passphrase(out))));
    let mut file = StateFile::open(&paths, &stores, config.secrets.store)
        .map_err(|error| failed(&error))?
        .file;
    let target = target(store, out)?;
    file.move_key(&target).map_err(|error| refused(&error))
}

fn put(target: Target) -> KeyPut {
    let store = target.store();
    let passphrase = match target {
        Target::Passphrase(passphrase) => Some(passphrase.to_string()),
        Target::Keyring | Target::File => None,
    };
    KeyPut { store, passphrase }
}

fn tell_place(place: &KeyPlace, out: Out) -> Done {
    let json = serde_json::to_string(place).map_err(|error| failed(&error))?;
    Ok(tell(&json, place, out))
}

fn tell(json: &str, place: &KeyPlace, out: Out) -> Exit {
    out.result(json, std::slice::from_ref(&place.text));
    Exit::Done
}

fn paths() -> Result<Paths, Failure> {
    Paths::resolve().map_err(|error| Failure::new(Exit::Failed, sentence(&format!("{error:#}")), ""))
}

fn nothing() -> Failure {
    Failure::new(
        Exit::Failed,
        "There is no identity here yet, and so no key.",
        "Make one by starting Twocan: twocan up",
    )
}

/// No key: because nothing was ever here, or because it is lost.
fn missing(paths: &Paths) -> Failure {
    match StateFile::is_there(paths) {
        Ok(false) => nothing(),
        Ok(true) => failed(&StoreError::KeyMissing { key: paths.key() }),
        Err(error) => failed(&error),
    }
}

fn failed(error: &impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, sentence(&error.to_string()), "")
}

fn refused(why: &impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, sentence(&why.to_string()), "The key is where it was.")
}
