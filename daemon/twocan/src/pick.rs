//! Which call `answer`, `decline` and `hangup` mean without an id: the only one that fits.

use twocan_api::{Call, CallState, Direction};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::words;

/// What is to be done to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Answer or decline it.
    Respond,
    /// Hang up.
    HangUp,
    /// Keep the stranger at its other end.
    Keep,
}

impl Act {
    fn fits(self, call: &Call) -> bool {
        let rings_here = call.direction == Direction::In && call.state == CallState::Ringing;
        match self {
            Self::Respond => rings_here,
            Self::HangUp => call.state != CallState::Ended && !rings_here,
            Self::Keep => call.stranger.as_ref().is_some_and(|stranger| stranger.can_keep),
        }
    }

    const fn none(self) -> &'static str {
        match self {
            Self::Respond => "No call is ringing here.",
            Self::HangUp => "There is no call to hang up.",
            Self::Keep => "There is no stranger to keep: nobody answered, or the call is over for a while.",
        }
    }
}

/// The id of the only fitting call.
pub(crate) fn only(calls: &[Call], act: Act) -> Result<String, Failure> {
    let fitting: Vec<&Call> = calls.iter().filter(|call| act.fits(call)).collect();
    match fitting.as_slice() {
        [call] => Ok(call.id.clone()),
        [] => Err(Failure::new(
            Exit::Failed,
            act.none(),
            "See all calls with: twocan calls",
        )),
        several => {
            let listed: Vec<String> = several
                .iter()
                .map(|call| format!("{} ({})", call.id, words::peer(call)))
                .collect();
            let text = format!("{} calls fit: {}.", several.len(), listed.join(", "));
            Err(Failure::new(Exit::Usage, text, "Give the id of the one that is meant."))
        }
    }
}

#[cfg(test)]
mod tests {
    use twocan_api::{Media, Peer};

    use super::*;

    fn call(id: &str, direction: Direction, state: CallState) -> Call {
        Call {
            id: id.into(),
            direction,
            state,
            contact: None,
            peer: Peer {
                name: "Ann".into(),
                address: None,
            },
            stranger: None,
            media: Media::default(),
            own_media: Media::default(),
            peer_media: Media::default(),
            peer_takes: None,
            picture_held: None,
            reconnecting: false,
            missed: false,
            reason: None,
        }
    }

    fn pick(calls: &[Call], act: Act) -> Result<String, Exit> {
        only(calls, act).map_err(|failure| failure.exit)
    }

    #[test]
    fn only_a_call_that_rings_here_can_be_answered() {
        let rings = call("a", Direction::In, CallState::Ringing);
        let rings_there = call("b", Direction::Out, CallState::Ringing);
        assert_eq!(
            pick(&[rings.clone(), rings_there.clone()], Act::Respond),
            Ok("a".into())
        );
        assert_eq!(
            pick(std::slice::from_ref(&rings_there), Act::Respond),
            Err(Exit::Failed)
        );
        assert_eq!(pick(&[rings.clone(), rings], Act::Respond), Err(Exit::Usage));
    }

    #[test]
    fn what_is_placed_or_active_can_be_hung_up() {
        let rings = call("a", Direction::In, CallState::Ringing);
        let ended = call("b", Direction::Out, CallState::Ended);
        for state in [CallState::Dialing, CallState::Ringing, CallState::Active] {
            let mine = call("c", Direction::Out, state);
            assert_eq!(
                pick(&[rings.clone(), ended.clone(), mine], Act::HangUp),
                Ok("c".into()),
                "{state:?}"
            );
        }
        assert_eq!(pick(&[rings, ended], Act::HangUp), Err(Exit::Failed));
    }
}
