//! Clip and echo in two sets of gates, joined by a wire in memory, in real time.
//!
//! What is due is sent however late a busy machine wakes the task, so the counts are exact.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use twocan_core::ids::LinkId;

use super::*;
use crate::leg::echo::EchoLeg;
use crate::media::{MediaSender, MediaSink};

const CALL: CallId = CallId([7; 16]);
const LINK: LinkId = LinkId(1);
const BASE: u64 = 8;
/// Long enough for a clip that plays to be heard.
const QUIET: Duration = Duration::from_millis(150);

/// What the wire does to the packet with this number.
type Fault = fn(usize, FlowKind, Vec<u8>) -> Option<Vec<u8>>;

/// One direction: carries to the other side's gates, at once and in order.
#[derive(Debug)]
struct Wire {
    to: UnboundedSender<(u64, Bytes)>,
    fault: Fault,
    count: AtomicUsize,
}

impl MediaSender for Wire {
    fn send(&self, flow: u64, packet: &[u8]) {
        let (_, kind) = FlowKind::split(flow).unwrap();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(packet) = (self.fault)(number, kind, packet.to_vec()) {
            self.to.send((flow, packet.into())).ok();
        }
    }
}

fn wire(to: Gates, fault: Fault) -> Arc<Wire> {
    let (sender, mut packets) = unbounded_channel();
    tokio::spawn(async move {
        while let Some((flow, packet)) = packets.recv().await {
            to.deliver(LINK, flow, packet);
        }
    });
    Arc::new(Wire {
        to: sender,
        fault,
        count: AtomicUsize::new(0),
    })
}

fn gates() -> Gates {
    Gates::new(unbounded_channel().0)
}

/// Two sides whose gates are closed; `fault` strikes on the way back.
fn two_sides(fault: Fault) -> (Gates, Gates) {
    let (caller, callee) = (gates(), gates());
    caller.route(CALL, LINK, BASE, Role::Caller, wire(callee.clone(), intact));
    callee.route(CALL, LINK, BASE, Role::Callee, wire(caller.clone(), fault));
    (caller, callee)
}

#[expect(clippy::unnecessary_wraps, reason = "it is a fault that does nothing")]
fn intact(_: usize, _: FlowKind, packet: Vec<u8>) -> Option<Vec<u8>> {
    Some(packet)
}

/// A whole call of so many seconds: what came back, and how many packets were sent.
async fn echoed(seconds: u32, fault: Fault) -> (ClipReport, u64) {
    let (caller, callee) = two_sides(fault);
    let clips = Clips::default();
    clips
        .attach(&caller, &Handle::current(), CALL, Role::Caller, seconds)
        .unwrap();
    EchoLeg::attach(&callee, CALL).unwrap();
    callee.open(CALL);
    caller.open(CALL);
    let report = until(&clips, |report| report.done).await;
    // The gate itself has asked for one key frame.
    (report, caller.counts(CALL).unwrap().up)
}

async fn until(clips: &Clips, wanted: fn(&ClipReport) -> bool) -> ClipReport {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    let looks = async {
        loop {
            look.tick().await;
            let report = clips.report(CALL).unwrap();
            if wanted(&report) {
                return report;
            }
        }
    };
    timeout(Duration::from_secs(60), looks).await.unwrap()
}

#[tokio::test]
async fn everything_comes_back_at_its_rate() {
    let (report, _) = echoed(3, intact).await;
    assert_eq!(
        (report.audio_packets, report.video_frames, report.lost_packets),
        (150, 90, 0)
    );
    assert!((25.0..35.0).contains(&report.video_fps), "{report:?}");
    assert!(report.answer_to_media_ms.unwrap() <= 1000.0, "{report:?}");
}

#[tokio::test]
async fn a_changed_frame_is_not_counted() {
    let (report, _) = echoed(2, |number, kind, mut packet| {
        if kind == FlowKind::Video && number > 100 {
            *packet.last_mut().unwrap() ^= 1;
        }
        Some(packet)
    })
    .await;
    assert!((1..60).contains(&report.video_frames), "{report:?}");
    assert_eq!((report.audio_packets, report.lost_packets), (100, 0));
}

#[tokio::test]
async fn lost_packets_are_counted_and_cost_their_frames() {
    let (report, _) = echoed(2, |number, _, packet| (number % 20 != 10).then_some(packet)).await;
    let (whole, _) = echoed(2, intact).await;
    assert!(report.lost_packets >= 10, "{report:?}");
    assert!(report.video_frames < whole.video_frames && report.video_frames > 0);
    assert!(report.audio_packets < 100);
}

/// On the way back the two requests for a key frame come first: the callee's own, and the echo of the caller's.
#[tokio::test]
async fn the_first_and_the_last_packets_are_missed_too() {
    let (first, _) = echoed(1, |number, _, packet| (number > 5).then_some(packet)).await;
    assert_eq!(first.lost_packets, 4, "{first:?}");
    let (last, sent) = echoed(1, |number, _, packet| (number < 102).then_some(packet)).await;
    assert_eq!(last.lost_packets, sent - 100, "{last:?}");
    assert!(last.audio_packets < 50);
}

#[tokio::test]
async fn copies_count_once() {
    let (caller, callee) = two_sides(intact);
    let clips = Clips::default();
    clips
        .attach(&caller, &Handle::current(), CALL, Role::Caller, 1)
        .unwrap();
    let twice = Arc::new(Twice(wire(caller.clone(), intact)));
    callee.route(CALL, LINK, BASE, Role::Callee, twice);
    EchoLeg::attach(&callee, CALL).unwrap();
    callee.open(CALL);
    caller.open(CALL);
    let report = until(&clips, |report| report.done).await;
    assert_eq!(
        (report.audio_packets, report.video_frames, report.lost_packets),
        (50, 30, 0)
    );
}

#[derive(Debug)]
struct Twice(Arc<Wire>);

impl MediaSender for Twice {
    fn send(&self, flow: u64, packet: &[u8]) {
        self.0.send(flow, packet);
        self.0.send(flow, packet);
    }
}

#[tokio::test]
async fn two_clips_count_each_other() {
    let (caller, callee) = two_sides(|number, _, packet| (number != 50).then_some(packet));
    let [here, there] = [Clips::default(), Clips::default()];
    here.attach(&caller, &Handle::current(), CALL, Role::Caller, 2).unwrap();
    there
        .attach(&callee, &Handle::current(), CALL, Role::Callee, 2)
        .unwrap();
    callee.open(CALL);
    caller.open(CALL);
    let (lossy, whole) = (
        until(&here, |report| report.done).await,
        until(&there, |report| report.done).await,
    );
    assert_eq!(
        (whole.audio_packets, whole.video_frames, whole.lost_packets),
        (100, 60, 0)
    );
    assert_eq!(lossy.lost_packets, 1, "{lossy:?}");
}

#[tokio::test]
async fn nothing_is_sent_before_the_gate_opens_or_after_the_call() {
    let (caller, callee) = two_sides(intact);
    let clips = Clips::default();
    clips
        .attach(&caller, &Handle::current(), CALL, Role::Caller, 30)
        .unwrap();
    EchoLeg::attach(&callee, CALL).unwrap();
    callee.open(CALL);
    assert!(
        timeout(QUIET, until(&clips, |report| report.done || report.audio_packets > 0))
            .await
            .is_err()
    );
    assert_eq!(callee.counts(CALL).unwrap().down, 0);
    assert_eq!(caller.counts(CALL).unwrap().up_dropped, 0, "it does not even try");
    caller.open(CALL);
    until(&clips, |report| report.audio_packets > 10 && report.video_frames > 5).await;
    caller.end(CALL);
    let report = until(&clips, |report| report.done).await;
    let heard = callee.counts(CALL).unwrap().down;
    assert!(timeout(QUIET, std::future::pending::<()>()).await.is_err());
    assert_eq!(callee.counts(CALL).unwrap().down, heard);
    assert_eq!(clips.report(CALL), Some(report));
    let late = clips.attach(&caller, &Handle::current(), CALL, Role::Caller, 1);
    assert_eq!(late, Err(ClipError::Ended(Ended)));
}

#[tokio::test]
async fn silence_is_no_media() {
    let (report, _) = echoed(1, |_, _, _| None).await;
    assert_eq!(
        report,
        ClipReport {
            done: true,
            ..ClipReport::default()
        }
    );
}
