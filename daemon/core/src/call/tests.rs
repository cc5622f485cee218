//! Two call machines joined by a wire that a test can cut: every way a call can end, as each side sees it.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "two sides, by number; a test fails by panicking"
)]

use std::time::Duration;

use crate::bounds;
use crate::call::incoming::Ringer;
use crate::call::outgoing::{NewCall, Placed};
use crate::call::{Calls, Deed, EndReason, FailCode, PathFacts, Phase};
use crate::command::Media;
use crate::event::{CallView, WhyNot};
use crate::ids::{CallId, ContactId, LegId, LinkId};
use crate::io::LegFact;
use crate::media::codecs::Codec;
use crate::media::formats::Formats;
use crate::media::outlet::Held;
use crate::message::Message;

const CALLER: usize = 0;
const CALLEE: usize = 1;
const FIRST: CallId = CallId([1; 16]);
const SECOND: CallId = CallId([2; 16]);

/// Both sides, the time, and what lies between them.
struct Pair {
    sides: [Calls; 2],
    now: Duration,
    heard: bool,
    may_ring: bool,
    will_ring: bool,
    gates: Vec<(usize, CallId)>,
    ended: Vec<(usize, CallId)>,
}

impl Pair {
    fn new() -> Self {
        Self {
            sides: [Calls::default(), Calls::default()],
            now: Duration::from_secs(100),
            heard: true,
            may_ring: true,
            will_ring: true,
            gates: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// The contact that stands for the other side.
    const fn other(side: usize) -> ContactId {
        ContactId([if side == CALLER { 9 } else { 8 }; 8])
    }

    fn start(&mut self, side: usize, id: CallId) -> Placed {
        let new = NewCall {
            id,
            contact: Self::other(side),
            name: "somebody".into(),
            media: Media {
                audio: true,
                video: true,
            },
            base: 8,
        };
        self.sides[side].start(new, Some(LinkId(1)), self.now)
    }

    /// Carries messages until nothing is left to say.
    fn settle(&mut self) {
        loop {
            let deeds: Vec<(usize, Deed)> = (0..2)
                .flat_map(|side| {
                    let deeds = self.sides[side].take_deeds();
                    deeds.into_iter().map(move |deed| (side, deed))
                })
                .collect();
            if deeds.is_empty() {
                return;
            }
            for (side, deed) in deeds {
                match deed {
                    Deed::Tell(_, message) if self.heard => self.hear(1 - side, &message),
                    Deed::OpenGate(call) => self.gates.push((side, call)),
                    Deed::EndMedia(call) => self.ended.push((side, call)),
                    Deed::Tell(..) | Deed::Route { .. } | Deed::FarTakes(..) | Deed::Changed(_) => {}
                }
            }
        }
    }

    fn hear(&mut self, side: usize, message: &Message) {
        let Message::Ring(ring) = message else {
            return self.sides[side].handle_message(Self::other(side), message, self.now);
        };
        let ringer = Ringer {
            contact: Self::other(side),
            name: "somebody".into(),
            waits: false,
            may_ring: self.may_ring,
            will_ring: self.will_ring,
            own_is_lower: side == CALLER,
            link: LinkId(1),
        };
        self.sides[side].ring(&ringer, ring, self.now);
    }

    /// Lets time pass in small steps; the path is proven all the while, if the sides hear each other.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(100);
            let facts = PathFacts {
                link: Some(LinkId(1)),
                last_proof: self.heard.then_some(self.now),
                why_not: WhyNot::NoAnswer,
            };
            for side in 0..2 {
                self.sides[side].poll(&|_| facts, self.now);
            }
            self.settle();
        }
    }

    fn view(&self, side: usize) -> CallView {
        self.sides[side].get(FIRST).unwrap().view()
    }

    fn ringing() -> Self {
        let mut pair = Self::new();
        assert_eq!(pair.start(CALLER, FIRST), Placed::Started(FIRST));
        pair.settle();
        for side in [CALLER, CALLEE] {
            let phase = pair.sides[side].get(FIRST).map(|call| call.phase);
            assert!(matches!(phase, Some(Phase::Ringing { .. })), "{phase:?}");
        }
        pair
    }

    fn active() -> Self {
        let mut pair = Self::ringing();
        assert!(pair.gates.is_empty());
        assert!(pair.sides[CALLEE].accept(FIRST, pair.now));
        pair.settle();
        assert_eq!(pair.gates, [(CALLEE, FIRST), (CALLER, FIRST)]);
        pair
    }

    fn reason(&self, side: usize, call: CallId) -> Option<EndReason> {
        self.sides[side].get(call)?.view().reason
    }

    #[track_caller]
    fn ends(&self, caller: EndReason, callee: EndReason) {
        assert_eq!(self.reason(CALLER, FIRST), Some(caller), "at the caller");
        assert_eq!(self.reason(CALLEE, FIRST), Some(callee), "at the callee");
        for side in [CALLER, CALLEE] {
            let times = self.ended.iter().filter(|ended| **ended == (side, FIRST)).count();
            let rang = callee != EndReason::Missed || self.may_ring && self.will_ring;
            assert!(times == 1 || (side == CALLEE && !rang), "media ended {times} times");
        }
    }
}

#[test]
fn either_side_hangs_up() {
    for side in [CALLER, CALLEE] {
        let mut pair = Pair::active();
        assert!(pair.sides[side].hang_up(FIRST, pair.now));
        pair.settle();
        pair.ends(EndReason::HungUp, EndReason::HungUp);
        assert!(!pair.sides[side].hang_up(FIRST, pair.now));
    }
}

#[test]
fn declined_and_cancelled() {
    let mut pair = Pair::ringing();
    assert!(!pair.sides[CALLER].decline(FIRST, pair.now));
    assert!(pair.sides[CALLEE].decline(FIRST, pair.now));
    pair.settle();
    pair.ends(EndReason::Declined, EndReason::Declined);
    assert!(!pair.sides[CALLEE].see_missed(FIRST));

    let mut pair = Pair::ringing();
    assert!(pair.sides[CALLER].hang_up(FIRST, pair.now));
    pair.settle();
    pair.ends(EndReason::Cancelled, EndReason::Cancelled);
    assert!(pair.sides[CALLEE].see_missed(FIRST));
    assert!(pair.gates.is_empty());
}

#[test]
fn nobody_answers() {
    let mut pair = Pair::ringing();
    pair.pass(bounds::RING - Duration::from_secs(1));
    assert_eq!(pair.reason(CALLEE, FIRST), None, "the lease is renewed");
    pair.pass(Duration::from_secs(2));
    pair.ends(EndReason::Missed, EndReason::Missed);
}

#[test]
fn a_ring_ends_with_its_caller() {
    let mut pair = Pair::ringing();
    pair.heard = false;
    pair.pass(bounds::RING_LEASE + Duration::from_secs(1));
    pair.ends(EndReason::Unreachable(WhyNot::Silent), EndReason::Missed);
}

#[test]
fn a_path_that_dies_ends_the_call_on_both_sides() {
    let mut pair = Pair::active();
    pair.heard = false;
    pair.pass(bounds::RECONNECTING + Duration::from_secs(1));
    for side in [CALLER, CALLEE] {
        assert!(pair.sides[side].get(FIRST).is_some_and(|call| call.view().reconnecting));
    }
    pair.pass(bounds::LOST);
    let lost = EndReason::Lost { after_s: 30 };
    pair.ends(lost, lost);
}

#[test]
fn who_does_not_ring_or_may_not_be_rung_says_so() {
    let mut pair = Pair::new();
    pair.will_ring = false;
    pair.start(CALLER, FIRST);
    pair.settle();
    pair.ends(EndReason::Unreachable(WhyNot::WillNotRing), EndReason::Missed);

    let mut pair = Pair::new();
    pair.may_ring = false;
    pair.start(CALLER, FIRST);
    pair.settle();
    let why = EndReason::Unreachable(WhyNot::Contested);
    assert_eq!(pair.reason(CALLER, FIRST), Some(why));
    assert!(
        pair.sides[CALLEE].get(FIRST).is_none(),
        "the callee's user hears nothing of it"
    );
}

#[test]
fn an_answer_that_crosses_a_cancellation_is_no_missed_call() {
    let mut pair = Pair::ringing();
    pair.heard = false;
    assert!(pair.sides[CALLEE].accept(FIRST, pair.now));
    let accept = pair.sides[CALLEE].take_deeds();
    pair.heard = true;
    assert!(pair.sides[CALLER].hang_up(FIRST, pair.now));
    for deed in accept {
        if let Deed::Tell(_, message) = deed {
            pair.hear(CALLER, &message);
        }
    }
    pair.settle();
    assert_eq!(pair.reason(CALLEE, FIRST), Some(EndReason::Cancelled));
    assert!(!pair.sides[CALLEE].see_missed(FIRST));
    assert!(pair.gates.is_empty(), "the caller's gate stays shut");
}

#[test]
fn both_call_at_once_and_are_in_the_call_of_the_lower_root() {
    let mut pair = Pair::new();
    pair.start(CALLER, FIRST);
    pair.start(CALLEE, SECOND);
    pair.settle();
    for side in [CALLER, CALLEE] {
        let phase = pair.sides[side].get(FIRST).map(|call| call.phase);
        assert!(matches!(phase, Some(Phase::Active { .. })), "{phase:?}");
        assert!(!pair.sides[side].views().any(|call| call.missed));
    }
    assert_eq!(pair.reason(CALLEE, SECOND), Some(EndReason::GlareMerged));
    assert_eq!(pair.ended, [(CALLEE, SECOND)]);
}

#[test]
fn a_daemon_that_exits_or_restarts_ends_its_calls() {
    let stopped = EndReason::Failed(FailCode::PeerStopped);
    let stops = EndReason::Failed(FailCode::ShuttingDown);
    let mut pair = Pair::active();
    pair.sides[CALLER].went_away(Pair::other(CALLER), pair.now);
    assert_eq!(pair.reason(CALLER, FIRST), Some(stopped));
    let mut pair = Pair::active();
    assert!(pair.sides[CALLEE].any_open());
    pair.sides[CALLEE].shut_down(pair.now);
    assert!(!pair.sides[CALLEE].any_open());
    pair.settle();
    pair.ends(stopped, stops);
    for (stopper, far) in [
        (CALLER, EndReason::Cancelled),
        (CALLEE, EndReason::Unreachable(WhyNot::WentAway)),
    ] {
        let mut pair = Pair::ringing();
        pair.sides[stopper].shut_down(pair.now);
        pair.settle();
        assert_eq!(pair.reason(1 - stopper, FIRST), Some(far));
    }

    let mut pair = Pair::ringing();
    pair.sides[CALLEE].went_away(Pair::other(CALLEE), pair.now);
    assert_eq!(pair.reason(CALLEE, FIRST), Some(EndReason::Cancelled));

    let mut pair = Pair::active();
    pair.sides[CALLER].path_up(Pair::other(CALLER), LinkId(2), false, pair.now);
    let restarted = EndReason::Failed(FailCode::PeerRestarted);
    assert_eq!(pair.reason(CALLER, FIRST), Some(restarted));
}

#[test]
fn a_lost_page_has_its_time_to_come_back() {
    let mut pair = Pair::active();
    pair.sides[CALLER].handle_leg(FIRST, LegId(1), LegFact::Warm(None), pair.now);
    pair.sides[CALLER].handle_leg(FIRST, LegId(1), LegFact::Lost, pair.now);
    pair.pass(bounds::LEG_RETURN - Duration::from_secs(1));
    pair.sides[CALLER].handle_leg(FIRST, LegId(2), LegFact::Warm(None), pair.now);
    pair.pass(bounds::LEG_RETURN);
    assert_eq!(pair.reason(CALLER, FIRST), None);
    pair.sides[CALLER].handle_leg(FIRST, LegId(2), LegFact::Lost, pair.now);
    pair.pass(bounds::LEG_RETURN + Duration::from_secs(1));
    pair.ends(EndReason::Failed(FailCode::LegLost), EndReason::HungUp);
}

#[test]
fn each_side_learns_what_the_other_can_show() {
    let shows = |codecs: &[Codec]| Some(Formats::of(codecs.iter().copied()));
    let mut pair = Pair::ringing();
    pair.sides[CALLEE].handle_leg(
        FIRST,
        LegId(1),
        LegFact::Warm(shows(&[Codec::Vp8, Codec::H264])),
        pair.now,
    );
    pair.settle();
    assert_eq!(
        pair.view(CALLER).peer_takes,
        None,
        "nothing of one's device before one has answered"
    );
    pair.sides[CALLEE].accept(FIRST, pair.now);
    pair.settle();
    assert_eq!(pair.view(CALLER).peer_takes, shows(&[Codec::Vp8, Codec::H264]));
    assert_eq!(pair.view(CALLEE).peer_takes, None, "no leg there");

    pair.sides[CALLEE].handle_leg(FIRST, LegId(2), LegFact::Warm(None), pair.now);
    pair.sides[CALLEE].handle_leg(FIRST, LegId(3), LegFact::Warm(shows(&[Codec::H264])), pair.now);
    pair.settle();
    assert_eq!(
        pair.view(CALLER).peer_takes,
        shows(&[Codec::H264]),
        "what both can show"
    );
    pair.sides[CALLEE].handle_leg(FIRST, LegId(3), LegFact::Closed, pair.now);
    pair.sides[CALLEE].handle_leg(FIRST, LegId(1), LegFact::Closed, pair.now);
    pair.settle();
    assert_eq!(
        pair.view(CALLER).peer_takes,
        shows(&[Codec::Vp8, Codec::H264]),
        "a page that reloads comes back as it was"
    );
}

#[test]
fn a_picture_that_is_held_back_is_shown_as_a_camera_that_is_off() {
    let why = Held::NotShown(Codec::Vp8);
    let mut pair = Pair::active();
    for leg in [LegId(1), LegId(2)] {
        pair.sides[CALLER].handle_leg(FIRST, leg, LegFact::Warm(None), pair.now);
    }
    pair.sides[CALLER].handle_leg(FIRST, LegId(1), LegFact::Held(Some(why)), pair.now);
    pair.settle();
    assert_eq!(pair.view(CALLER).held, Some(why));
    assert!(pair.view(CALLER).own_media.video, "that is what the user wants");
    assert!(!pair.view(CALLEE).peer_media.video);
    pair.sides[CALLER].handle_leg(FIRST, LegId(2), LegFact::Held(None), pair.now);
    assert_eq!(
        pair.view(CALLER).held,
        Some(why),
        "another leg has nothing to do with it"
    );
    pair.sides[CALLER].handle_leg(FIRST, LegId(1), LegFact::Closed, pair.now);
    pair.settle();
    assert_eq!(pair.view(CALLER).held, None);
    assert!(pair.view(CALLEE).peer_media.video);
}
