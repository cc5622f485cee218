//! `/v1/key`: where the key is kept that seals identity and contacts.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use twocan_api as api;
use zeroize::Zeroizing;

use super::extract;
use super::problem::{Code, Fault};
use super::router::App;
use super::seam::KeyMove;
use crate::store::secrets::{CannotMove, Target, is_passphrase};

/// Where the key is.
#[utoipa::path(get, path = "/v1/key", operation_id = "getKey", tag = "status",
    responses((status = 200, description = "Where it is", body = api::KeyPlace)))]
pub(super) async fn show(State(app): State<App>) -> Json<api::KeyPlace> {
    Json(app.published().facts.key.clone())
}

/// Moves the key to another store, or changes its passphrase.
///
/// The key itself stays the same: copies of files and of keyrings that were made before still open what they opened. Whatever
/// interrupts it, the next start finds the key. Where it is already, nothing happens, but a passphrase is changed.
#[utoipa::path(put, path = "/v1/key", operation_id = "moveKey", tag = "status",
    request_body(content = api::KeyPut, content_type = "application/json", description = "Where it shall be"),
    responses((status = 200, description = "Where it is", body = api::KeyPlace)))]
pub(super) async fn put(State(app): State<App>, body: Body) -> Result<Json<api::KeyPlace>, Fault> {
    let put: api::KeyPut = extract::json(body).await?;
    match app.core.move_key(target(put)?).await {
        Some(KeyMove::Done(place)) => Ok(Json(place)),
        Some(KeyMove::Refused(why)) => Err(refused(&why)),
        Some(KeyMove::Busy) => Err(Fault::new(Code::WrongState)
            .state(Some("moving".to_owned()))
            .detail("The key is being moved already: wait for that.")),
        None => Err(Code::ShuttingDown.into()),
    }
}

fn target(put: api::KeyPut) -> Result<Target, Fault> {
    let passphrase = put.passphrase.map(Zeroizing::new);
    match (put.store, passphrase) {
        (api::KeyStore::Keyring, None) => Ok(Target::Keyring),
        (api::KeyStore::File, None) => Ok(Target::File),
        (api::KeyStore::Passphrase, Some(passphrase)) if is_passphrase(&passphrase) => {
            Ok(Target::Passphrase(passphrase))
        }
        (api::KeyStore::Passphrase, _) => Err(Code::BadPassphrase.into()),
        (api::KeyStore::Credential, _) => Err(Fault::new(Code::OutOfBounds)
            .detail("What systemd hands over is read and never written: `store` is keyring, passphrase or file.")),
        (api::KeyStore::Keyring | api::KeyStore::File, Some(_)) => {
            Err(Fault::new(Code::OutOfBounds).detail("`passphrase` goes with the store `passphrase` alone."))
        }
    }
}

fn refused(why: &CannotMove) -> Fault {
    match why {
        CannotMove::Keyring(why) => Fault::new(Code::KeyringUnusable)
            .state(Some(why.name().to_owned()))
            .detail(why.refusal()),
        CannotMove::Passphrase => Code::BadPassphrase.into(),
        CannotMove::Io(error) => {
            tracing::warn!(%error, "the key cannot be moved");
            Code::StoreFailed.into()
        }
    }
}
