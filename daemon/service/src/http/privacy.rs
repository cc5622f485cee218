//! `GET /v1/privacy`: what is stored, and what outsiders can see, in plain words and with present counts; and
//! `DELETE /v1/data`, which erases all of it.
//!
//! Whoever stores or sends something new says it here.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use twocan_api as api;

use super::extract;
use super::hub::Published;
use super::once::KEYS;
use super::problem::{Code, Fault};
use super::router::App;

const ERASED: &str = "you erase everything, on the page or by DELETE /v1/data";

/// What is stored, and what outsiders can see.
#[utoipa::path(get, path = "/v1/privacy", operation_id = "getPrivacy", tag = "me",
    responses((status = 200, description = "All of it", body = api::Privacy)))]
pub(super) async fn show(State(app): State<App>) -> Json<api::Privacy> {
    let never = [
        "no history of calls",
        "no account, and no server that places calls",
        "no recording",
        "no message to the makers of Twocan, for no reason",
        "no name and no address in the log, unless you ask for it at the level debug",
    ];
    Json(api::Privacy {
        stored: stored(&app.published()),
        outsiders: outsiders(),
        never: never.map(str::to_owned).to_vec(),
    })
}

/// Erases everything and ends the daemon.
///
/// Identity, contacts and invites are gone for good, with their key; the next start makes a new person. Your settings in
/// `config.toml` stay. Contacts are told nothing: to them this device is off.
#[utoipa::path(delete, path = "/v1/data", operation_id = "eraseData", tag = "me",
    request_body(content = api::Erase, content_type = "application/json", description = "That this is meant"),
    responses((status = 204, description = "All of it is gone; the daemon ends")))]
pub(super) async fn erase(State(app): State<App>, body: Body) -> Result<StatusCode, Fault> {
    let api::Erase { everything } = extract::json(body).await?;
    if !everything {
        return Err(Fault::new(Code::OutOfBounds).detail("`everything` must be true: there is no erasing of a part."));
    }
    match app.core.erase().await {
        Some(true) => Ok(StatusCode::NO_CONTENT),
        Some(false) => Err(Fault::new(Code::StoreFailed).detail("Make the state folder writable, then try again.")),
        None => Err(Code::ShuttingDown.into()),
    }
}

fn stored(published: &Published) -> Vec<api::Stored> {
    let shown = &published.snapshot;
    let line = |what: &str, count: Option<usize>, place: &str, protection: &str, until: &str| api::Stored {
        what: what.to_owned(),
        count: count.map(|many| u64::try_from(many).unwrap_or(u64::MAX)),
        place: place.to_owned(),
        protection: protection.to_owned(),
        until: until.to_owned(),
    };
    let (sealed, yours) = ("state.sealed", "only your own user can read the file");
    let (protection, key) = key(published.facts.key.store);
    vec![
        line("your keys, your name, your devices", None, sealed, protection, ERASED),
        line(
            "contacts: petname, keys (those to find them by among them), devices, whether verified or blocked, what relays mean to it, whether one click answers it, the addresses where they were last reached, and what kind of router they are behind",
            Some(shown.contacts.len()),
            sealed,
            protection,
            "you delete the contact; the generation before stays in state.sealed.1 until the next change",
        ),
        line(
            "open invites: secrets, link, expiry",
            Some(shown.invites.len()),
            sealed,
            protection,
            "each expires, or you take it back",
        ),
        line("the key of the two files above", None, key.0, key.1, ERASED),
        line("your settings", None, "config.toml", yours, "you delete the file"),
        line(
            "up to 16 nodes of the public DHT that answered the last time; they are nobody you know",
            None,
            "dht.nodes in the cache folder",
            "none: they are public addresses",
            "they are replaced at the next use, or you delete the file",
        ),
        line(
            "the token for programs of yours",
            None,
            "run/api.token",
            yours,
            "the daemon ends",
        ),
        line(
            "calls under way, ended less than a minute ago, or missed and not seen",
            Some(shown.calls.len()),
            "memory",
            "the daemon alone",
            "a minute after the call, resp. when you have seen it; at the latest the daemon ends",
        ),
        line(
            "where contacts, STUN servers and nodes of the DHT saw this device; which contact rang how often within ten minutes, when strangers rang at your door within an hour, from which network within a minute, and the last safety words",
            None,
            "memory",
            "the daemon alone",
            "the daemon ends",
        ),
        line(
            "which camera, microphone and speaker you chose, how loud others are and the tone while it rings at the other end; in a call, what you switched off",
            None,
            "the browser's storage for the page's address",
            "whoever can use that browser",
            "you clear the browser's data of that address; what you switched off goes with the tab",
        ),
        line(
            &format!("answers to the last {KEYS} requests that carried an Idempotency-Key"),
            None,
            "memory",
            "the daemon alone",
            "newer ones come, or the daemon ends",
        ),
    ]
}

/// How what is sealed is protected; where the key is, and what protects that.
const fn key(store: api::KeyStore) -> (&'static str, (&'static str, &'static str)) {
    match store {
        api::KeyStore::File => (
            "encrypted; the key is beside it in state.key, so whoever can read your files can read this",
            ("state.key", "only your own user can read the file"),
        ),
        api::KeyStore::Keyring => (
            "encrypted; the key is in your keyring",
            (
                "your keyring; state.key says under which name",
                "the password of the keyring; while it is unlocked, every program of yours can read it",
            ),
        ),
        api::KeyStore::Passphrase => (
            "encrypted; the key is sealed under your passphrase",
            (
                "state.key",
                "your passphrase: it is as hard to get at as that is to guess, 64 MiB and some tenths of a second a guess",
            ),
        ),
        api::KeyStore::Credential => (
            "encrypted; the key is handed over by systemd at each start",
            (
                "where the unit's LoadCredential or SetCredentialEncrypted says",
                "what protects that; Twocan never writes it",
            ),
        ),
    }
}

fn outsiders() -> Vec<api::Outsider> {
    let line = |who: &str, sees: &str, hidden: &str| api::Outsider {
        who: who.to_owned(),
        sees: sees.to_owned(),
        hidden: hidden.to_owned(),
    };
    vec![
        line(
            "your contacts",
            "your name, your device's name, the addresses of this device, whether your router is easy or hard to get through, whether it is up and whether it will ring; in a call, whether you are muted or your camera is off",
            "your other contacts, and your calls with them",
        ),
        line(
            "whoever holds an open invite of yours",
            "your name, your public keys and the addresses of this device when the invite was made; whether it is up, by knocking",
            "everything else",
        ),
        line(
            "a contact whose device you use as a relay",
            "when you cannot reach somebody directly: how many there are whom you look for, under marks that mean nothing to it until one of them looks for you there as well; then that you two know each other, both addresses, when packets pass, and how many",
            "who the others are; all that is said, shown or written",
        ),
        line(
            "contacts who use your device as a relay",
            "that it is up, and that it relays for them",
            "your other contacts, and what you do",
        ),
        line(
            "the relay server in your settings, where it is used",
            "your address, your name there, the addresses of the contacts you speak with through it, when packets pass, and how many",
            "who they are, and all that is said, shown or written",
        ),
        line(
            "contacts from whom you hide your address",
            "the address of the relay between you, and what they knew before",
            "the addresses of this device from then on",
        ),
        line(
            "networks between you and a contact, such as your provider",
            "the two IP addresses, when packets pass, and how many; so also that there is a call, and about how long",
            "who you are, and all that is said, shown or written",
        ),
        line(
            "others on your local network, unless you switch it off ([network] lan = false)",
            "that Twocan is there, under a name that is another one every day",
            "who you are: only your contacts recognise the name",
        ),
        line(
            "a contact whom you name as introducer",
            "that you and another contact of theirs, who named them too, know each other",
            "contacts of yours who did not name them",
        ),
        line(
            "nodes of the public DHT, run by strangers, unless you switch it off ([dht] enabled = false)",
            "that your IP address takes part, under an id made anew each time; four of them, when your network is looked at, the port where calls come in, for they are asked where they see it; that it stores 996 bytes of noise at a place that changes every day, and now and then asks for other such places: who watches both can tell that two IP addresses asked for the same place",
            "who you are, whom you know, where anybody is, and that the places of two days belong together; a contact whom you block or remove cannot read where you are from then on",
        ),
        line(
            "the STUN servers of your settings (network.stun in config.toml), run by others",
            "your address, when Twocan starts, when your network changes, and every half hour; one of them, once in each network, for some minutes, that it measures how long the router remembers",
            "who you are, whom you call, and that it is Twocan that asks; an empty list asks nobody",
        ),
        line(
            "your router, where it maps ports on request (network.port_mapping)",
            "that something on this computer wants calls on a port",
            "everything else",
        ),
        line(
            "strangers who scan your address",
            "nothing: no packet of theirs is answered, unless your door is open",
            "that Twocan runs here",
        ),
        line(
            "strangers who ring while your door is open",
            "that Twocan runs here, under a key made for this opening; if you answer, your public keys and your device's name; your name if you keep them",
            "who you are, until you answer; your contacts",
        ),
        line(
            "other programs of your own user on this machine",
            "all that you can see: they can read your files, your keyring while it is unlocked, and use the local API",
            "nothing",
        ),
        line(
            "web pages in your browser",
            "at most that something listens at the local addresses",
            "everything, for both local listeners refuse them",
        ),
    ]
}
