//! Every way in which a request can fail, in one table, and the problem documents made of it (RFC 9457).

use std::ops::RangeInclusive;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use twocan_api::{Problem, Why};
use twocan_core::command::Refusal;
use twocan_core::event::InviteRefusal;

use super::seam::{EchoProblem, LegProblem};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    WrongHost,
    WrongOrigin,
    TokenRequired,
    PageLocked,
    Spent,
    WrongType,
    TooLarge,
    TooSlow,
    Malformed,
    BadQuery,
    BadKey,
    KeyReused,
    NotFound,
    NoSuchContact,
    NoSuchInvite,
    NoSuchPaste,
    NoSuchCall,
    NoSuchLeg,
    NoCurrentCall,
    MethodNotAllowed,
    WrongState,
    CallEnded,
    NotAccepted,
    Unreachable,
    InCall,
    Blocked,
    NoWords,
    SafetyPause,
    SafetyLimit,
    SafetyFailed,
    SafetyUnsupported,
    Ambiguous,
    InviteOwn,
    InviteExpired,
    InviteDamaged,
    InviteNewer,
    InviteUsed,
    InviteUnknown,
    InviteBadProof,
    BadName,
    OutOfBounds,
    BadPath,
    BadAddress,
    BadPassphrase,
    KeyringUnusable,
    NoStranger,
    CannotKeep,
    TooMany,
    BadOffer,
    TooManyLegs,
    NoInterface,
    NoEcho,
    StoreFailed,
    NotReady,
    ShuttingDown,
    Internal,
}

/// HTTP status, stable code, what happened, what to do.
type Row = (u16, &'static str, &'static str, &'static str);

impl Code {
    #[rustfmt::skip]
    const fn row(self) -> Row {
        match self {
            Self::WrongHost => (403, "wrong_host", "The Host header does not name this listener.", "Use the address that `twocan status` shows."),
            Self::WrongOrigin => (403, "wrong_origin", "This request comes from another site, or from a browser where none is served.", "Open the page with `twocan open`; scripts leave out Origin, Referer and Sec-Fetch-Site."),
            Self::TokenRequired => (401, "token_required", "The token is missing or wrong.", "Send `Authorization: Bearer` with the content of the file api.token."),
            Self::PageLocked => (401, "page_locked", "This browser has not been let in.", "Open the page with `twocan open`."),
            Self::Spent => (403, "code_spent", "This link to the page was used already or is older than a minute.", "Open the page again with `twocan open`."),
            Self::WrongType => (415, "wrong_type", "The body has another content type than this route takes.", "Send the body as application/json."),
            Self::TooLarge => (413, "too_large", "The body is too large.", "Send a smaller one."),
            Self::TooSlow => (408, "too_slow", "The body did not arrive in time.", "Send it again."),
            Self::Malformed => (400, "malformed", "The body is not what this route takes.", "Look at the fields that this route names."),
            Self::BadQuery => (400, "bad_query", "The query cannot be used.", "Take `cursor` from `next`, and `limit` from 1 to 200."),
            Self::BadKey => (400, "bad_key", "The Idempotency-Key cannot be used.", "Send one key of 1 to 255 visible ASCII characters."),
            Self::KeyReused => (422, "key_reused", "This Idempotency-Key was used for another request.", "Take a new key for each new request."),
            Self::NotFound => (404, "not_found", "There is nothing at this path.", "Look at the list of routes."),
            Self::NoSuchContact => (404, "no_such_contact", "There is no such contact.", "Look at the list of contacts."),
            Self::NoSuchInvite => (404, "no_such_invite", "There is no such open invite.", "It may have been used, run out or been taken back: make a new one."),
            Self::NoSuchPaste => (404, "no_such_paste", "This link is not held any more.", "Click the link in the message once more, or paste it."),
            Self::NoSuchCall => (404, "no_such_call", "There is no such call.", "Look at the list of calls; ended ones leave it after a minute."),
            Self::NoSuchLeg => (404, "no_such_leg", "There is no such media attachment on this call.", "Attach again with a new offer."),
            Self::NoCurrentCall => (404, "no_current_call", "There is no call at the moment.", "Start or answer one first."),
            Self::MethodNotAllowed => (405, "method_not_allowed", "This path does not take this method.", "Look at the list of routes."),
            Self::WrongState => (409, "wrong_state", "This cannot be done in the present state.", "Look at `state`."),
            Self::CallEnded => (409, "call_ended", "The call is over.", "Start another one."),
            Self::NotAccepted => (409, "not_accepted", "This contact cannot be called yet.", "A pending contact must first be confirmed by the other side, a contested one by you."),
            Self::Unreachable => (409, "unreachable", "The contact cannot be reached at the moment.", "Look at the contact's `why`."),
            Self::InCall => (409, "in_call", "There is a call under way.", "Hang up first."),
            Self::Blocked => (409, "blocked", "You have blocked this contact.", "Unblock the contact first."),
            Self::NoWords => (409, "no_words", "There are no safety words to be answered.", "Ask for words first, and compare them."),
            Self::SafetyPause => (409, "safety_pause", "The last exchange of safety words did not end well.", "Wait a minute, then try again."),
            Self::SafetyLimit => (409, "safety_limit", "Safety words were made five times with this contact today.", "Try again tomorrow, or compare the number on paper."),
            Self::SafetyFailed => (409, "safety_failed", "The exchange of safety words broke off: the connection changed, or the other side did not keep to it.", "Wait a minute, then try again. If this happens every time, somebody may be sitting between you."),
            Self::SafetyUnsupported => (409, "safety_unsupported", "The other side's Twocan does not know safety words.", "Ask for an update there, or compare the number on paper."),
            Self::Ambiguous => (409, "ambiguous", "More than one contact fits that name.", "Write more of the name, or use the id."),
            Self::InviteOwn => (409, "invite_own", "This is your own invite.", "Send it to the person who is to call you."),
            Self::InviteExpired => (409, "invite_expired", "This invite has run out.", "Ask for a new one. If it was made just now, one of the two computers has a wrong clock: look at date and time on both."),
            Self::InviteDamaged => (422, "invite_damaged", "There is no whole invite in this text.", "Copy the whole link, from `twocan:` to its end, and paste it again."),
            Self::InviteNewer => (422, "invite_newer", "This invite was made by a newer Twocan.", "Update Twocan, then paste it again."),
            Self::InviteUsed => (409, "invite_used", "Somebody else has used this invite before you.", "Tell the person who sent it, and ask for a new one."),
            Self::InviteUnknown => (409, "invite_unknown", "The person who made this invite has taken it back.", "Ask for a new one."),
            Self::InviteBadProof => (409, "invite_bad_proof", "This invite was altered on its way to you.", "Ask for a new one, over another channel."),
            Self::BadName => (422, "bad_name", "This name cannot be used.", "Use 1 to 64 characters, none of them a control, invisible, or one that turns the direction of writing."),
            Self::OutOfBounds => (422, "out_of_bounds", "A value is outside its bounds.", "Choose another value."),
            Self::BadPath => (422, "bad_path", "This is not a path of the page.", "Use `/` or `/call/` and a call's id."),
            Self::BadAddress => (422, "bad_address", "Nobody can be called at this address.", "Use the address and port that the other person's Twocan shows, such as 203.0.113.7:2226."),
            Self::BadPassphrase => (422, "bad_passphrase", "This passphrase cannot be used.", "Take 8 to 1024 characters on one line: some words that nobody guesses."),
            Self::KeyringUnusable => (409, "keyring_unusable", "The keyring cannot be used at the moment.", "See that it runs and is unlocked, then try again."),
            Self::NoStranger => (409, "no_stranger", "This call is with one of your contacts.", "Look at the contact: words are compared and names are kept there."),
            Self::CannotKeep => (409, "cannot_keep", "This person cannot be kept as a contact: the call was not answered, or the connection is gone.", "Send an invite link, or ask for one."),
            Self::TooMany => (409, "too_many", "There are too many of these already.", "Remove some first."),
            Self::BadOffer => (422, "bad_offer", "The session description cannot be used.", "Offer Opus, and VP8 for video, over ICE and DTLS-SRTP."),
            Self::TooManyLegs => (409, "too_many_legs", "This call has too many media attachments.", "Remove one first."),
            Self::NoInterface => (503, "no_interface", "This machine has no network interface but the loopback one, and browsers send no media over that alone.", "Connect to any network."),
            Self::NoEcho => (503, "no_echo", "Echo could not be started.", "Try again; `twocan demo` says more."),
            Self::StoreFailed => (507, "store_failed", "The change could not be written to the disk, so nothing was changed.", "Free some space or make the state folder writable, then try again."),
            Self::NotReady => (503, "not_ready", "The daemon is still starting.", "Try again in a moment."),
            Self::ShuttingDown => (503, "shutting_down", "The daemon is shutting down.", "Start it again with `twocan up`."),
            Self::Internal => (500, "internal", "Something went wrong inside the daemon.", "Look at the daemon's log, and report it."),
        }
    }
}

impl Code {
    /// The stable name.
    pub(super) const fn name(self) -> &'static str {
        self.row().1
    }

    /// What happened.
    pub(super) const fn title(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status.
    pub(super) const fn status(self) -> u16 {
        self.row().0
    }

    /// How one shows who one is where that is missing (RFC 9110, section 11.6.1).
    fn scheme(self) -> Option<&'static str> {
        let schemes = [(Self::TokenRequired, "Bearer"), (Self::PageLocked, "Cookie")];
        lookup(&schemes, self)
    }

    /// What a thing is that cannot be in another state: an invite that is pasted, a list that is full.
    fn fixed_state(self) -> Option<&'static str> {
        let states = [
            (Self::InviteOwn, "own"),
            (Self::InviteExpired, "expired"),
            (Self::InviteUsed, "used"),
            (Self::InviteUnknown, "taken_back"),
            (Self::InviteBadProof, "altered"),
            (Self::InCall, "active"),
            (Self::TooMany, "full"),
            (Self::TooManyLegs, "full"),
        ];
        lookup(&states, self)
    }

    /// The same words for an event.
    pub(super) fn why(self) -> Why {
        let (_, code, text, fix) = self.row();
        Why {
            code: code.to_owned(),
            text: text.to_owned(),
            fix: fix.to_owned(),
        }
    }
}

fn lookup(table: &[(Code, &'static str)], code: Code) -> Option<&'static str> {
    table.iter().find(|(listed, _)| *listed == code).map(|(_, text)| *text)
}

/// A request that failed.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    detail: Option<String>,
    state: Option<String>,
}

impl Fault {
    pub(super) fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            state: code.fixed_state().map(str::to_owned),
        }
    }

    /// Replaces the table's advice with one that fits this case.
    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Where a value is outside its bounds, says which value and which bounds.
    pub(super) fn bounds(self, name: &str, bounds: RangeInclusive<u64>) -> Self {
        if self.code != Code::OutOfBounds {
            return self;
        }
        let (least, most) = bounds.into_inner();
        self.detail(format!("`{name}` is from {least} to {most}."))
    }

    /// Names the state that the thing is in, unless the code says it.
    pub(super) fn state(mut self, state: Option<String>) -> Self {
        self.state = self.state.or(state);
        self
    }

    /// The document.
    pub(super) fn document(self) -> Problem {
        let (status, code, title, detail) = self.code.row();
        Problem {
            kind: "about:blank".to_owned(),
            status,
            code: code.to_owned(),
            title: title.to_owned(),
            detail: self.detail.unwrap_or_else(|| detail.to_owned()),
            state: self.state,
        }
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// The document as the body, and beside the response for whoever shows it in another form.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let code = self.code;
        let document = self.document();
        let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&document)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(scheme) = code.scheme() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        response.extensions_mut().insert(document);
        response
    }
}

/// The row of a refused command; `missing` is what [`Refusal::NotFound`] means for it.
pub(super) const fn of_refusal(refusal: Refusal, missing: Code) -> Code {
    match refusal {
        Refusal::NotFound => missing,
        Refusal::WrongState => Code::WrongState,
        Refusal::NotAccepted => Code::NotAccepted,
        Refusal::Unreachable => Code::Unreachable,
        Refusal::InCall => Code::InCall,
        Refusal::Blocked => Code::Blocked,
        Refusal::SafetyPause => Code::SafetyPause,
        Refusal::SafetyLimit => Code::SafetyLimit,
        Refusal::SafetyFailed => Code::SafetyFailed,
        Refusal::SafetyUnsupported => Code::SafetyUnsupported,
        Refusal::InviteOwn => Code::InviteOwn,
        Refusal::InviteExpired => Code::InviteExpired,
        Refusal::InviteDamaged => Code::InviteDamaged,
        Refusal::InviteNewer => Code::InviteNewer,
        Refusal::BadName => Code::BadName,
        Refusal::OutOfBounds => Code::OutOfBounds,
        Refusal::BadAddress => Code::BadAddress,
        Refusal::NoStranger => Code::NoStranger,
        Refusal::CannotKeep => Code::CannotKeep,
        Refusal::TooMany => Code::TooMany,
        Refusal::StoreFailed => Code::StoreFailed,
    }
}

/// The row of an invite that its inviter refused.
pub(super) const fn of_invite(refusal: InviteRefusal) -> Code {
    match refusal {
        InviteRefusal::Used => Code::InviteUsed,
        InviteRefusal::Expired => Code::InviteExpired,
        InviteRefusal::Unknown => Code::InviteUnknown,
        InviteRefusal::BadProof => Code::InviteBadProof,
    }
}

impl From<EchoProblem> for Fault {
    fn from(problem: EchoProblem) -> Self {
        match problem {
            EchoProblem::UnderWay => Code::InCall.into(),
            EchoProblem::NotStarted => Code::NoEcho.into(),
        }
    }
}

impl From<LegProblem> for Fault {
    fn from(problem: LegProblem) -> Self {
        match problem {
            LegProblem::BadOffer(why) => {
                Self::new(Code::BadOffer).detail(format!("The reason: {}.", why.trim_end_matches('.')))
            }
            LegProblem::NotFound => Code::NoSuchLeg.into(),
            LegProblem::CallEnded => Self::new(Code::CallEnded).state(Some("ended".to_owned())),
            LegProblem::TooMany => Code::TooManyLegs.into(),
            LegProblem::NoInterface => Code::NoInterface.into(),
            LegProblem::Failed(why) => {
                tracing::error!(why, "a media leg failed");
                Code::Internal.into()
            }
        }
    }
}
