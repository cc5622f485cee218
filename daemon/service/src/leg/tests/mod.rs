//! Whole legs: a stand-in for a page (`page`) on one side, memory in place of the link on the other.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod page;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use twocan_core::ids::{CallId, LegId, LinkId};
use twocan_core::io::LegFact;
use twocan_core::media::codecs::{self, Codec};
use twocan_core::media::feedback;
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::formats::Formats;

use self::page::{Heard, Page};
use super::gate::{Direction, Gates, LegReport};
use super::peer::{LegError, Legs};
use crate::media::{MediaSender, MediaSink};

const CALL: CallId = CallId([3; 16]);
const PATIENCE: Duration = Duration::from_secs(10);

/// The link, without QUIC.
#[derive(Debug)]
struct Memory {
    to: Gates,
    link: LinkId,
}

impl MediaSender for Memory {
    fn send(&self, flow: u64, packet: &[u8]) {
        self.to.deliver(self.link, flow, Bytes::copy_from_slice(packet));
    }
}

/// One daemon's half.
struct Side {
    gates: Gates,
    legs: Legs,
    facts: UnboundedReceiver<LegReport>,
    role: Role,
}

impl Side {
    fn new(role: Role) -> Self {
        let (sender, facts) = unbounded_channel();
        let gates = Gates::new(sender);
        let legs = Legs::new(gates.clone(), Handle::current(), None).unwrap();
        Self {
            gates,
            legs,
            facts,
            role,
        }
    }

    async fn page(&self, direction: &str) -> Page {
        Page::connect(&self.legs, CALL, self.role, direction).await
    }

    async fn fact(&mut self) -> (LegId, LegFact) {
        let report = tokio::time::timeout(PATIENCE, self.facts.recv())
            .await
            .expect("a fact in time")
            .unwrap();
        assert_eq!(report.call, CALL);
        (report.leg, report.fact)
    }

    async fn until(&self, what: impl Fn(super::gate::MediaCounts) -> bool) {
        let seen = async {
            while !self.gates.counts(CALL).is_some_and(&what) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("counted in time");
    }
}

fn joined() -> (Side, Side) {
    let (caller, callee) = (Side::new(Role::Caller), Side::new(Role::Callee));
    let to_callee = Memory {
        to: callee.gates.clone(),
        link: LinkId(2),
    };
    let to_caller = Memory {
        to: caller.gates.clone(),
        link: LinkId(1),
    };
    caller
        .gates
        .route(CALL, LinkId(1), 8, Role::Caller, Arc::new(to_callee));
    callee
        .gates
        .route(CALL, LinkId(2), 8, Role::Callee, Arc::new(to_caller));
    (caller, callee)
}

/// The stand-in is ready, and offers to show VP8 alone.
fn shows_vp8() -> LegFact {
    LegFact::Warm(Some(Formats::of([Codec::Vp8])))
}

/// RTP of the stand-in's camera.
fn picture(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    [
        &[0x80, page::VP8, high, low, 0, 0, 0, 9][..],
        &page::CAMERA.to_be_bytes(),
        payload,
    ]
    .concat()
}

#[tokio::test]
async fn two_pages_hear_each_other_from_open_to_end_and_not_a_packet_more() {
    let (mut caller, mut callee) = joined();
    let (mut anna, mut ben) = (caller.page("sendrecv").await, callee.page("sendrecv").await);
    assert_eq!(caller.fact().await, (anna.leg, shows_vp8()));
    assert_eq!(callee.fact().await, (ben.leg, shows_vp8()));

    anna.send_rtp(&picture(1, b"too early")).await;
    caller.until(|counts| counts.up_dropped == 1).await;
    caller.gates.open(CALL);
    callee.gates.open(CALL);
    for (page, far) in [(&mut anna, Role::Callee), (&mut ben, Role::Caller)] {
        let pli = feedback::pli(codecs::ssrc(far, FlowKind::Video), page::CAMERA).to_vec();
        assert_eq!(
            page.hear().await,
            Heard::Rtcp(pli),
            "the encoder is asked for a key frame"
        );
    }

    anna.send_rtp(&picture(2, b"hello")).await;
    let far_ssrc = codecs::ssrc(Role::Caller, FlowKind::Video).to_be_bytes();
    let expected = [&[0x80, page::VP8, 0, 2, 0, 0, 0, 9][..], &far_ssrc, b"hello"].concat();
    let heard = ben.hear_media().await;
    assert_eq!(heard, Heard::Rtp(expected), "nothing from before the gate opened");

    callee.gates.end(CALL);
    caller.gates.end(CALL);
    assert_eq!(ben.hear_media().await, Heard::Closed);
    assert_eq!(anna.hear_media().await, Heard::Closed);
    assert!(matches!(
        caller.legs.offer(CALL, Role::Caller, &anna.offer),
        Err(LegError::Ended(_))
    ));
}

#[tokio::test]
async fn packets_that_the_crates_marshalling_spoils_cross_both_legs_unharmed() {
    let (caller, callee) = joined();
    let (mut anna, mut ben) = (caller.page("sendrecv").await, callee.page("sendrecv").await);
    caller.gates.open(CALL);
    callee.gates.open(CALL);

    let padded = [&picture(1, b"")[..], &[0; 99], &[100]].concat();
    let padded = [&[0xA0], &padded[1..]].concat();
    anna.send_rtp(&padded).await;
    let Heard::Rtp(heard) = ben.hear_media().await else {
        panic!("RTP expected")
    };
    assert_eq!(
        (heard[0], &heard[12..]),
        (0xA0, &padded[12..]),
        "RTP padding keeps its length"
    );

    // Feedback on Ben's camera, as Anna knows it: transport-wide feedback with the padding bit.
    let bens = codecs::ssrc(Role::Callee, FlowKind::Video).to_be_bytes();
    let twcc = [
        &[0xAF, 205, 0, 5][..],
        &page::CAMERA.to_be_bytes(),
        &bens,
        &[0, 9, 0, 1, 0, 0, 1, 7, 0x20, 1, 4, 1],
    ];
    anna.send_rtcp(&twcc.concat()).await;
    let heard = ben.hear_rtcp_of(205).await;
    assert_eq!(heard[8..12], page::CAMERA.to_be_bytes(), "it speaks of Ben's own SSRC");
    assert_eq!(heard[12..19], [0, 9, 0, 1, 0, 0, 1]);
}

#[tokio::test]
async fn a_new_page_replaces_the_old_one_and_a_camera_stands_beside_it() {
    let (mut caller, _callee) = joined();
    let mut first = caller.page("sendrecv").await;
    assert_eq!(caller.fact().await, (first.leg, shows_vp8()));
    let second = caller.page("sendrecv").await;
    assert_eq!(caller.fact().await, (first.leg, LegFact::Closed));
    assert_eq!(first.hear().await, Heard::Closed);
    assert_eq!(caller.fact().await, (second.leg, shows_vp8()));
    let camera = caller.page("sendonly").await;
    assert_eq!(
        (caller.fact().await, camera.direction),
        ((camera.leg, LegFact::Warm(None)), Direction::Send)
    );
    caller.legs.close(camera.leg).unwrap();
    assert_eq!(caller.fact().await, (camera.leg, LegFact::Closed));
    assert_eq!(caller.legs.call_of(second.leg), Some(CALL));
}

#[tokio::test]
async fn a_page_that_goes_is_lost_at_once() {
    let (mut caller, _callee) = joined();
    let mut page = caller.page("sendrecv").await;
    assert_eq!(caller.fact().await, (page.leg, shows_vp8()));
    page.leave().await;
    assert_eq!(caller.fact().await, (page.leg, LegFact::Lost));
    let forgotten = async {
        while caller.legs.call_of(page.leg).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, forgotten)
        .await
        .expect("forgotten in time");
    assert!(matches!(caller.legs.close(page.leg), Err(LegError::NoSuchLeg)));
}

#[tokio::test]
async fn a_restart_changes_the_credentials_and_keeps_the_media() {
    let (mut caller, callee) = joined();
    let (mut anna, mut ben) = (caller.page("sendrecv").await, callee.page("sendrecv").await);
    assert_eq!(caller.fact().await, (anna.leg, shows_vp8()));
    assert_eq!(
        caller
            .legs
            .trickle(anna.leg, "a=ice-ufrag:page\r\na=mid:0\r\n")
            .unwrap(),
        None,
        "only candidates"
    );
    let fragment = "a=ice-ufrag:again\r\na=ice-pwd:0123456789012345678901\r\n";
    let answer = caller
        .legs
        .trickle(anna.leg, fragment)
        .unwrap()
        .expect("new credentials");
    assert!(answer.contains("a=candidate:1 1 udp") && !answer.contains("fingerprint"));
    anna.check_with(&answer, "again").await;
    caller.gates.open(CALL);
    callee.gates.open(CALL);
    ben.send_rtp(&picture(1, b"still here")).await;
    assert!(matches!(anna.hear_media().await, Heard::Rtp(packet) if packet.ends_with(b"still here")));
}

#[tokio::test]
async fn a_passive_page_is_spoken_to_first() {
    let (mut caller, _callee) = joined();
    let page = Page::connect_passive(&caller.legs, CALL, Role::Caller).await;
    assert_eq!(caller.fact().await, (page.leg, shows_vp8()));
}
