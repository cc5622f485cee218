//! `/v1/calls`.

use serde::{Deserialize, Serialize};

use super::{Path, Safety, Why};

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    /// Opaque.
    pub id: String,
    /// Who placed it.
    pub direction: Direction,
    /// Where it stands.
    pub state: CallState,
    /// The contact's id, where it is one.
    pub contact: Option<String>,
    /// With whom.
    pub peer: Peer,
    /// What is known of the other end, where the call goes through a door: ours, or the one at the address that was
    /// called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stranger: Option<Stranger>,
    /// What it carries.
    pub media: Media,
    /// What one's own page sends at the moment, as it last said by PATCH; as `media` until then.
    #[serde(default)]
    pub own_media: Media,
    /// What the other side sends at the moment, as its page last said: false is muted, or camera off.
    #[serde(default)]
    pub peer_media: Media,
    /// The formats in which the other side can show a picture (`VP8`, `VP9`, `H264`, `AV1`), once it has said so; a picture
    /// in another one is held back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer_takes: Option<Vec<String>>,
    /// Why one's own picture does not reach the other side, where the daemon holds it back: `format_not_shown`,
    /// `path_overloaded`, `picture_not_arriving` or `nobody_watching`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub picture_held: Option<Why>,
    /// Active, but its path is silent and being looked for again.
    #[serde(default)]
    pub reconnecting: bool,
    /// It came in, went by unanswered, and was not seen yet (`DELETE /v1/calls/{id}`).
    #[serde(default)]
    pub missed: bool,
    /// Why it ended; null until then.
    pub reason: Option<Reason>,
}

/// Who placed a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It came in.
    In,
    /// It went out.
    Out,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Placed, not yet ringing there.
    Dialing,
    /// Ringing.
    Ringing,
    /// Both people accepted.
    Active,
    /// Over.
    Ended,
}

/// The other end of a call through a door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stranger {
    /// The safety words, which make themselves once the call was answered (`POST /v1/calls/{id}/verify`).
    pub safety: Safety,
    /// Whether the user wants to keep this person as a contact (`POST /v1/calls/{id}/keep`); null until said.
    pub keep: Option<bool>,
    /// Whether the other side said so. When both did, `contact` names the new contact.
    pub peer_keeps: bool,
    /// Whether it can still be said: while the call is up, and as long as it is listed afterwards.
    pub can_keep: bool,
    /// The path, while there is one.
    pub path: Option<Path>,
}

/// `POST /v1/calls/{id}/keep`; an empty body means yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Whether to keep the stranger. A yes cannot be taken back: the other side has been told.
    #[serde(default = "yes")]
    pub keep: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self { keep: true }
    }
}

/// The other end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Peer {
    /// The petname; empty for strangers.
    pub name: String,
    /// The address, where the call goes through a door.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// What a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Sound.
    #[serde(default = "yes")]
    pub audio: bool,
    /// Picture.
    #[serde(default = "yes")]
    pub video: bool,
}

const fn yes() -> bool {
    true
}

impl Default for Media {
    fn default() -> Self {
        Self {
            audio: true,
            video: true,
        }
    }
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reason {
    /// `hung_up`, `declined`, `declined_elsewhere`, `answered_elsewhere`, `busy`, `missed`, `cancelled`, `unreachable`,
    /// `lost`, `glare_merged`, `blocked` or `failed`.
    pub code: String,
    /// The finer cause of `unreachable` and `failed`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Of `lost`: whole seconds from the last sign of life to the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after_s: Option<u64>,
}

/// `PATCH /v1/calls/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallPatch {
    /// What one's own page sends from now on; the other side sees it as `peer_media`. It stops nothing by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media: Option<MediaPatch>,
}

/// A change of what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MediaPatch {
    /// Whether the microphone is on; unchanged where left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub audio: Option<bool>,
    /// Whether the camera is on; unchanged where left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub video: Option<bool>,
}

/// `POST /v1/calls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCall {
    /// WHO: id, exact petname or unique prefix of a contact; or an IP address, with a port where it is not 2226, whose door
    /// is open.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub to: String,
    /// What to send; sound and picture unless told.
    #[serde(default)]
    pub media: Media,
}

/// `POST /v1/calls/{id}/decline`; an empty body means all defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// Whether the person's other devices stop ringing too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub everywhere: Option<bool>,
}
