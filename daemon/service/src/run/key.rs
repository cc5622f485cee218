//! Opening the home: once where the key is at hand, again and again where a keyring has it that is not ready.
//!
//! A keyring that is locked, late, or not set up in this session may become ready at any time, so the wait has no end but a signal's.
//! It costs a look every two seconds, on a thread; where there is no session bus, that is a look at a file name. The keyring's
//! own window is asked for once: whoever closes it is not asked every two seconds.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::spawn_blocking;

use super::Voice;
use crate::store::config::SecretStore;
use crate::store::paths::Paths;
use crate::store::secrets::{NotReady, Stores};
use crate::store::state::{Opened, StateFile, StoreError};
use crate::store::waiting::Waiting;

/// Between two looks at the keyring.
const AGAIN: Duration = Duration::from_secs(2);

/// Opens the home, waiting for its keyring where need be.
pub(super) async fn open(paths: &Paths, wanted: SecretStore, voice: &mut impl Voice) -> anyhow::Result<Opened> {
    let stores = Arc::new(Stores::of_process(voice.passphrases()));
    let mut said = None;
    let mut has_asked = false;
    loop {
        let (own, its) = (paths.clone(), Arc::clone(&stores));
        let attempt = spawn_blocking(move || StateFile::open(&own, &its, wanted));
        match attempt.await.context("the state cannot be opened")? {
            Ok(opened) => return Ok(opened),
            Err(StoreError::KeyringNotReady { why }) => {
                if why == NotReady::Locked && !std::mem::replace(&mut has_asked, true) {
                    stores.ask_to_unlock();
                }
                said = say(said, why, paths, voice);
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// A reason that was said, and the file that says it.
type Said = Option<(NotReady, Option<Waiting>)>;

/// Says what is waited for, unless that was said last.
fn say(said: Said, why: NotReady, paths: &Paths, voice: &mut impl Voice) -> Said {
    if said.as_ref().is_some_and(|(last, _)| *last == why) {
        return said;
    }
    voice.waits(&why.why());
    // The old file goes before the new one comes.
    drop(said);
    let file = Waiting::begin(paths, &why.why());
    let file = file.inspect_err(|error| tracing::warn!(%error, "commands cannot be told what Twocan waits for"));
    Some((why, file.ok()))
}
