//! What two NATs mean for a path between them, and the one thing that would help most.

use crate::reach::nat_report::{Known, NatKind, Report};

/// What is to be expected of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Works {
    /// There is one.
    Now,
    /// It comes within seconds when both are up.
    Soon,
    /// One side is hard: it comes after some guessing at ports.
    Slowly,
    /// Both sides are hard: only somebody in between helps.
    Relay,
    /// One side does not know what it is behind.
    #[default]
    Unknown,
}

/// What would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// The user has forbidden to ask the router for a port.
    AllowPortMapping,
    /// The own router answers no port mapping protocol.
    TurnOnPortMapping,
    /// There is a second NAT before the router.
    LeaveDoubleNat,
    /// The same on the far side, whichever of them it is.
    TheirPortMapping,
    /// No STUN server answered, so nothing is known here.
    LetStunAnswer,
}

/// Expectation and remedy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What is to be expected.
    pub works: Works,
    /// What would help; `None` where nothing is needed.
    pub fix: Option<Fix>,
}

/// Of a path to a device that said what it is behind; `is_linked` where there is one now.
#[must_use]
pub fn outlook(own: &Report, theirs: NatKind, is_linked: bool) -> Outlook {
    let kind = own.kind();
    let works = match (kind, theirs) {
        _ if is_linked => Works::Now,
        (NatKind::Easy, NatKind::Easy) => Works::Soon,
        (NatKind::Easy, NatKind::Hard) | (NatKind::Hard, NatKind::Easy) => Works::Slowly,
        (NatKind::Hard, NatKind::Hard) => Works::Relay,
        (NatKind::Unknown, _) | (_, NatKind::Unknown) => Works::Unknown,
    };
    Outlook {
        works,
        fix: fix(own, kind, theirs),
    }
}

/// The best remedy on this side alone, where there is one.
#[must_use]
pub fn own_fix(own: &Report) -> Option<Fix> {
    fix(own, own.kind(), NatKind::Unknown)
}

fn fix(own: &Report, kind: NatKind, theirs: NatKind) -> Option<Fix> {
    match (kind, theirs) {
        (NatKind::Unknown, _) => {
            let answered = own.answers.iter().any(|answer| answer.seen.is_some());
            (!answered && !own.answers.is_empty()).then_some(Fix::LetStunAnswer)
        }
        (NatKind::Hard, _) => Some(match (own.port_mapping.enabled, own.double_nat) {
            (false, _) => Fix::AllowPortMapping,
            (true, Known::Yes) => Fix::LeaveDoubleNat,
            (true, Known::No | Known::Unknown) => Fix::TurnOnPortMapping,
        }),
        (NatKind::Easy, NatKind::Hard) => Some(Fix::TheirPortMapping),
        (NatKind::Easy, NatKind::Easy | NatKind::Unknown) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::reach::nat_report::{Answer, Mapping, PortMapping, Source};

    fn behind(mapping: Mapping) -> Report {
        Report {
            translated: Known::Yes,
            mapping,
            port_mapping: PortMapping {
                enabled: true,
                ..PortMapping::default()
            },
            ..Report::default()
        }
    }

    #[test]
    fn every_pair_has_an_outlook() {
        use NatKind::{Easy, Hard, Unknown};
        let (easy, hard) = (behind(Mapping::EndpointIndependent), behind(Mapping::AddressDependent));
        let unknown = behind(Mapping::Unknown);
        let turn_on = Some(Fix::TurnOnPortMapping);
        for (own, theirs, works, fix) in [
            (&easy, Easy, Works::Soon, None),
            (&easy, Hard, Works::Slowly, Some(Fix::TheirPortMapping)),
            (&easy, Unknown, Works::Unknown, None),
            (&hard, Easy, Works::Slowly, turn_on),
            (&hard, Hard, Works::Relay, turn_on),
            (&hard, Unknown, Works::Unknown, turn_on),
            (&unknown, Easy, Works::Unknown, None),
        ] {
            assert_eq!(outlook(own, theirs, false), Outlook { works, fix });
            assert_eq!(outlook(own, theirs, true), Outlook { works: Works::Now, fix });
        }
    }

    #[test]
    fn the_remedy_is_the_one_that_is_missing() {
        let mut hard = behind(Mapping::Dependent);
        hard.port_mapping.enabled = false;
        assert_eq!(own_fix(&hard), Some(Fix::AllowPortMapping));
        hard.port_mapping.enabled = true;
        hard.port_mapping.external = Some(std::net::SocketAddr::from(([203, 0, 113, 7], 1)));
        hard.double_nat = Known::Yes;
        assert_eq!(own_fix(&hard), Some(Fix::LeaveDoubleNat));
        hard.double_nat = Known::No;
        assert_eq!(own_fix(&hard), None, "the port is mapped");
        assert_eq!(outlook(&hard, NatKind::Easy, false).works, Works::Soon);
    }

    #[test]
    fn silence_of_all_servers_is_worth_a_word() {
        let mut silent = behind(Mapping::Unknown);
        assert_eq!(own_fix(&silent), None, "nobody was asked");
        silent.answers.push(Answer {
            source: Source::Stun(std::net::SocketAddr::from(([198, 51, 100, 1], 3478))),
            seen: None,
            at: Duration::ZERO,
        });
        assert_eq!(own_fix(&silent), Some(Fix::LetStunAnswer));
    }
}
