//! The typed client of the local API, over the daemon's Unix socket.
//!
//! Each request has a connection of its own, so a client is only a socket path: cheap to clone, with nothing that can
//! go stale when the daemon restarts. An answer keeps the exact text of its body beside the typed value, because the
//! command line prints bodies as they came. A refusal by the API is [`ClientError::Problem`]; a daemon that is not
//! there is [`ClientError::NotRunning`], told apart from every other trouble.

pub mod browser;
mod error;
mod events;
mod locate;
pub mod service;
mod sse;
mod transport;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::types::{
    Call, CallPatch, ClipStats, Contact, ContactNetwork, ContactPatch, Door, DoorPut, Invite, Keep, KeyPlace, KeyPut,
    List, Me, MePatch, Network, NewCall, NewClip, NewContact, NewInvite, NewPage, NewPaste, NewReply, PageUrl, Paste,
    Pong, Privacy, Safety, Status, Verify,
};

pub use error::ClientError;
pub use events::{Events, Frame};
pub use locate::find_socket;
use transport::Method;

/// A list is fetched in pages of this many items: the most that the API gives.
const PAGE_ITEMS: u32 = 200;

/// A client of one daemon.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// A parsed answer with the text that it was parsed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<T> {
    /// The parsed value.
    pub value: T,
    /// The body as the daemon wrote it.
    pub json: String,
}

impl Client {
    /// A client of the daemon behind this socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// A client of the user's daemon: see [`find_socket`].
    pub fn find() -> Self {
        Self::at(find_socket())
    }

    /// The socket that requests go to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// `GET path`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Body<T>, ClientError> {
        parse(transport::exchange(&self.socket, Method::GET, path, None).await?)
    }

    /// `POST path` with a JSON body.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Body<T>, ClientError> {
        parse(transport::exchange(&self.socket, Method::POST, path, Some(encode_body(body)?)).await?)
    }

    /// `PATCH path` with a JSON body.
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Body<T>, ClientError> {
        parse(transport::exchange(&self.socket, Method::PATCH, path, Some(encode_body(body)?)).await?)
    }

    /// `DELETE path`; whatever body the answer has is dropped.
    pub async fn delete(&self, path: &str) -> Result<(), ClientError> {
        transport::exchange(&self.socket, Method::DELETE, path, None)
            .await
            .map(drop)
    }

    /// `GET /v1/events`: everything once, then every change.
    pub async fn events(&self) -> Result<Events, ClientError> {
        Events::open(&self.socket).await
    }

    /// `GET /v1/status`.
    pub async fn status(&self) -> Result<Body<Status>, ClientError> {
        self.get("/v1/status").await
    }

    /// `GET /v1/key`.
    pub async fn key(&self) -> Result<Body<KeyPlace>, ClientError> {
        self.get("/v1/key").await
    }

    /// `PUT /v1/key`: moves the key.
    pub async fn put_key(&self, put: &KeyPut) -> Result<Body<KeyPlace>, ClientError> {
        let exchange = transport::exchange(&self.socket, Method::PUT, "/v1/key", Some(encode_body(put)?));
        parse(exchange.await?)
    }

    /// `GET /v1/me`.
    pub async fn me(&self) -> Result<Body<Me>, ClientError> {
        self.get("/v1/me").await
    }

    /// `PATCH /v1/me`.
    pub async fn patch_me(&self, patch: &MePatch) -> Result<Body<Me>, ClientError> {
        self.patch("/v1/me", patch).await
    }

    /// `GET /v1/contacts`, all pages.
    pub async fn contacts(&self) -> Result<Body<List<Contact>>, ClientError> {
        self.list("/v1/contacts").await
    }

    /// `GET /v1/contacts/{id}`.
    pub async fn contact(&self, id: &str) -> Result<Body<Contact>, ClientError> {
        self.get(&format!("/v1/contacts/{}", segment(id))).await
    }

    /// `POST /v1/contacts`: redeems a link.
    pub async fn add_contact(&self, new: &NewContact) -> Result<Body<Contact>, ClientError> {
        self.post("/v1/contacts", new).await
    }

    /// `POST /v1/invites/replies`: takes what an invitee sent back by hand.
    pub async fn take_reply(&self, new: &NewReply) -> Result<Body<Invite>, ClientError> {
        self.post("/v1/invites/replies", new).await
    }

    /// `PATCH /v1/contacts/{id}`.
    pub async fn patch_contact(&self, id: &str, patch: &ContactPatch) -> Result<Body<Contact>, ClientError> {
        self.patch(&format!("/v1/contacts/{}", segment(id)), patch).await
    }

    /// `DELETE /v1/contacts/{id}`.
    pub async fn remove_contact(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&format!("/v1/contacts/{}", segment(id))).await
    }

    /// `POST /v1/contacts/{id}/ping`.
    pub async fn ping(&self, id: &str) -> Result<Body<Pong>, ClientError> {
        self.post(&format!("/v1/contacts/{}/ping", segment(id)), &Empty {})
            .await
    }

    /// `POST /v1/contacts/{id}/verify`: makes safety words, or answers them.
    pub async fn verify(&self, id: &str, verify: &Verify) -> Result<Body<Safety>, ClientError> {
        self.post(&format!("/v1/contacts/{}/verify", segment(id)), verify).await
    }

    /// `GET /v1/invites`, all pages.
    pub async fn invites(&self) -> Result<Body<List<Invite>>, ClientError> {
        self.list("/v1/invites").await
    }

    /// `POST /v1/invites`.
    pub async fn new_invite(&self, new: &NewInvite) -> Result<Body<Invite>, ClientError> {
        self.post("/v1/invites", new).await
    }

    /// `DELETE /v1/invites/{id}`.
    pub async fn remove_invite(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&format!("/v1/invites/{}", segment(id))).await
    }

    /// `GET /v1/network`.
    pub async fn network(&self) -> Result<Body<Network>, ClientError> {
        self.get("/v1/network").await
    }

    /// `POST /v1/network/check`: looks now, and returns when that is done.
    pub async fn check_network(&self) -> Result<Body<Network>, ClientError> {
        self.post("/v1/network/check", &Empty {}).await
    }

    /// `GET /v1/contacts/{id}/network`.
    pub async fn contact_network(&self, id: &str) -> Result<Body<ContactNetwork>, ClientError> {
        self.get(&format!("/v1/contacts/{}/network", segment(id))).await
    }

    /// `GET /v1/door`.
    pub async fn door(&self) -> Result<Body<Door>, ClientError> {
        self.get("/v1/door").await
    }

    /// `PUT /v1/door`.
    pub async fn put_door(&self, put: &DoorPut) -> Result<Body<Door>, ClientError> {
        let exchange = transport::exchange(&self.socket, Method::PUT, "/v1/door", Some(encode_body(put)?));
        parse(exchange.await?)
    }

    /// `GET /v1/calls`, all pages.
    pub async fn calls(&self) -> Result<Body<List<Call>>, ClientError> {
        self.list("/v1/calls").await
    }

    /// `GET /v1/calls/{id}`.
    pub async fn call(&self, id: &str) -> Result<Body<Call>, ClientError> {
        self.get(&call_path(id, "")).await
    }

    /// `PATCH /v1/calls/{id}`.
    pub async fn patch_call(&self, id: &str, patch: &CallPatch) -> Result<Body<Call>, ClientError> {
        self.patch(&call_path(id, ""), patch).await
    }

    /// `POST /v1/calls`.
    pub async fn new_call(&self, new: &NewCall) -> Result<Body<Call>, ClientError> {
        self.post("/v1/calls", new).await
    }

    /// `POST /v1/calls/{id}/answer`.
    pub async fn answer(&self, id: &str) -> Result<Body<Call>, ClientError> {
        self.post(&call_path(id, "/answer"), &Empty {}).await
    }

    /// `POST /v1/calls/{id}/decline`.
    pub async fn decline(&self, id: &str) -> Result<Body<Call>, ClientError> {
        self.post(&call_path(id, "/decline"), &Empty {}).await
    }

    /// `POST /v1/calls/{id}/hangup`.
    pub async fn hang_up(&self, id: &str) -> Result<Body<Call>, ClientError> {
        self.post(&call_path(id, "/hangup"), &Empty {}).await
    }

    /// `POST /v1/calls/{id}/keep`.
    pub async fn keep(&self, id: &str, keep: Keep) -> Result<Body<Call>, ClientError> {
        self.post(&call_path(id, "/keep"), &keep).await
    }

    /// `POST /v1/calls/{id}/verify`.
    pub async fn verify_call(&self, id: &str, verify: &Verify) -> Result<Body<Safety>, ClientError> {
        self.post(&call_path(id, "/verify"), verify).await
    }

    /// `POST /v1/calls/{id}/clip`: attaches the built-in clip as the call's leg.
    pub async fn attach_clip(&self, id: &str, new: &NewClip) -> Result<(), ClientError> {
        let path = call_path(id, "/clip");
        transport::exchange(&self.socket, Method::POST, &path, Some(encode_body(new)?))
            .await
            .map(drop)
    }

    /// `GET /v1/calls/{id}/clip`: what came back of the clip.
    pub async fn clip(&self, id: &str) -> Result<Body<ClipStats>, ClientError> {
        self.get(&call_path(id, "/clip")).await
    }

    /// `GET /v1/privacy`: what is stored, and what outsiders can see.
    pub async fn privacy(&self) -> Result<Body<Privacy>, ClientError> {
        self.get("/v1/privacy").await
    }

    /// `POST /v1/pastes`: looks at a link without using it.
    pub async fn look(&self, new: &NewPaste) -> Result<Body<Paste>, ClientError> {
        self.post("/v1/pastes", new).await
    }

    /// `POST /v1/page`: a URL with a one-time code for the user's browser.
    pub async fn page(&self, new: &NewPage) -> Result<Body<PageUrl>, ClientError> {
        self.post("/v1/page", new).await
    }

    /// All pages of a list as one. A list of one page keeps the daemon's own text.
    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Body<List<T>>, ClientError> {
        let first: Body<List<serde_json::Value>> = self.get(&format!("{path}?limit={PAGE_ITEMS}")).await?;
        let mut next = first.value.next.clone();
        if next.is_none() {
            return parse(first.json);
        }
        let mut items = first.value.items;
        while let Some(cursor) = next {
            let more = format!("{path}?limit={PAGE_ITEMS}&cursor={}", segment(&cursor));
            let page: Body<List<serde_json::Value>> = self.get(&more).await?;
            items.extend(page.value.items);
            next = page.value.next;
        }
        let whole = List { items, next: None };
        parse(serde_json::to_string(&whole).map_err(ClientError::Shape)?)
    }
}

/// The body of a POST that says all with its path.
#[derive(Serialize)]
struct Empty {}

fn encode_body(body: &impl Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(ClientError::Shape)
}

fn parse<T: DeserializeOwned>(json: String) -> Result<Body<T>, ClientError> {
    let value = serde_json::from_str(&json).map_err(ClientError::Shape)?;
    Ok(Body { value, json })
}

fn call_path(id: &str, rest: &str) -> String {
    format!("/v1/calls/{}{rest}", segment(id))
}

/// Percent-encodes everything but RFC 3986's unreserved characters, so that what a user typed stays one path segment.
fn segment(raw: &str) -> String {
    let mut encoded = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (byte == b'.' && raw.len() > 2) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
