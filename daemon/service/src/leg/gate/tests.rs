//! The gate's invariants, with recorders in place of legs and links.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;

use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

const CALL: CallId = CallId([1; 16]);
const OTHER: CallId = CallId([2; 16]);
const LINK: LinkId = LinkId(4);
const BASE: u64 = 16;

#[derive(Debug)]
struct FakeLeg {
    id: LegId,
    direction: Direction,
    seen: Mutex<Vec<(FlowKind, Vec<u8>)>>,
    key_frames: AtomicU64,
    closed: AtomicBool,
}

impl FakeLeg {
    fn new(gates: &Gates, direction: Direction) -> Arc<Self> {
        Arc::new(Self {
            id: gates.next_leg(),
            direction,
            seen: Mutex::default(),
            key_frames: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        })
    }

    fn packets(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Leg for FakeLeg {
    fn id(&self) -> LegId {
        self.id
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn takes(&self) -> Option<Formats> {
        self.direction.receives().then_some(Formats::ALL)
    }

    fn pace(&self) -> Pace {
        Pace::Blind
    }

    fn deliver(&self, kind: FlowKind, packet: &[u8]) {
        self.seen.lock().unwrap().push((kind, packet.to_vec()));
    }

    fn want_key_frame(&self) {
        self.key_frames.fetch_add(1, Ordering::Relaxed);
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct FakeLink(Mutex<Vec<(u64, Vec<u8>)>>);

impl FakeLink {
    fn packets(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl MediaSender for FakeLink {
    fn send(&self, flow: u64, packet: &[u8]) {
        self.0.lock().unwrap().push((flow, packet.to_vec()));
    }
}

fn gates() -> (Gates, UnboundedReceiver<LegReport>) {
    let (facts, heard) = unbounded_channel();
    (Gates::new(facts), heard)
}

fn rtp(sequence: u16) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    vec![0x80, 96, high, low, 0, 0, 0, 1, 0x2C, 0xA1, 0, 2, 9]
}

#[test]
fn only_open_lets_media_pass_and_end_stops_it() {
    let (gates, mut facts) = gates();
    let (leg, link) = (FakeLeg::new(&gates, Direction::Both), Arc::new(FakeLink::default()));
    let uplink = gates.attach(CALL, Arc::clone(&leg) as Arc<dyn Leg>).unwrap();
    let both_ways = || {
        uplink.send(FlowKind::Video, &rtp(1));
        gates.deliver(LINK, FlowKind::Video.id(BASE), Bytes::from_static(b"down"));
    };
    both_ways();
    gates.route(
        CALL,
        LINK,
        BASE,
        Role::Caller,
        Arc::clone(&link) as Arc<dyn MediaSender>,
    );
    both_ways();
    uplink.warm();
    both_ways();
    assert_eq!(
        (leg.packets(), link.packets(), leg.key_frames.load(Ordering::Relaxed)),
        (0, 0, 0)
    );

    gates.open(CALL);
    assert_eq!(
        leg.key_frames.load(Ordering::Relaxed),
        1,
        "the page is asked for a key frame"
    );
    let pli = (
        FlowKind::Rtcp.id(BASE),
        feedback::pli(0x2CA1_0002, 0x2CA2_0002).to_vec(),
    );
    assert_eq!(*link.0.lock().unwrap(), [pli], "and so is the far side");
    both_ways();
    assert_eq!((leg.packets(), link.packets()), (1, 2));
    assert_eq!(
        gates.counts(CALL).unwrap(),
        MediaCounts {
            up: 1,
            up_dropped: 3,
            down: 1,
            down_dropped: 2
        }
    );

    gates.end(CALL);
    both_ways();
    gates.route(
        CALL,
        LINK,
        BASE,
        Role::Caller,
        Arc::clone(&link) as Arc<dyn MediaSender>,
    );
    gates.open(CALL);
    both_ways();
    assert_eq!((leg.packets(), link.packets()), (1, 2), "an ended call stays ended");
    assert!(leg.closed.load(Ordering::Relaxed));
    assert_eq!(gates.attach(CALL, leg).unwrap_err(), Ended);
    assert_eq!(facts.try_recv().unwrap().fact, LegFact::Warm(Some(Formats::ALL)));
    assert!(facts.try_recv().is_err());
}

#[test]
fn a_leg_that_warms_up_late_is_given_key_frames_then() {
    let (gates, _facts) = gates();
    let (leg, link) = (FakeLeg::new(&gates, Direction::Both), Arc::new(FakeLink::default()));
    gates.route(
        CALL,
        LINK,
        BASE,
        Role::Callee,
        Arc::clone(&link) as Arc<dyn MediaSender>,
    );
    gates.open(CALL);
    let uplink = gates.attach(CALL, Arc::clone(&leg) as Arc<dyn Leg>).unwrap();
    assert_eq!((leg.key_frames.load(Ordering::Relaxed), link.packets()), (0, 1));
    uplink.warm();
    assert_eq!((leg.key_frames.load(Ordering::Relaxed), link.packets()), (1, 2));
}

#[test]
fn one_call_is_never_heard_in_another() {
    let (gates, _facts) = gates();
    let (leg, link) = (FakeLeg::new(&gates, Direction::Both), Arc::new(FakeLink::default()));
    gates.route(
        CALL,
        LINK,
        BASE,
        Role::Caller,
        Arc::clone(&link) as Arc<dyn MediaSender>,
    );
    gates.route(OTHER, LINK, BASE + 8, Role::Caller, link);
    gates.attach(CALL, Arc::clone(&leg) as Arc<dyn Leg>).unwrap();
    gates.open(CALL);
    gates.open(OTHER);
    for flow in [FlowKind::Audio.id(BASE + 8), FlowKind::Audio.id(BASE + 16), 2, BASE + 7] {
        gates.deliver(LINK, flow, Bytes::from_static(b"down"));
    }
    gates.deliver(LinkId(5), FlowKind::Audio.id(BASE), Bytes::from_static(b"down"));
    assert_eq!(leg.packets(), 0);
}

#[test]
fn after_a_move_both_links_are_heard_and_the_new_one_is_spoken_on() {
    let (gates, _facts) = gates();
    let leg = FakeLeg::new(&gates, Direction::Both);
    let (old, new) = (Arc::new(FakeLink::default()), Arc::new(FakeLink::default()));
    gates.route(CALL, LINK, BASE, Role::Caller, Arc::clone(&old) as Arc<dyn MediaSender>);
    let uplink = gates.attach(CALL, Arc::clone(&leg) as Arc<dyn Leg>).unwrap();
    gates.open(CALL);
    gates.route(
        CALL,
        LinkId(9),
        8,
        Role::Caller,
        Arc::clone(&new) as Arc<dyn MediaSender>,
    );
    uplink.send(FlowKind::Video, &rtp(1));
    assert_eq!(
        (old.packets(), new.packets()),
        (1, 1),
        "the old link carried the PLI only"
    );
    gates.deliver(LINK, FlowKind::Video.id(BASE), Bytes::from_static(b"late"));
    gates.deliver(LinkId(9), FlowKind::Video.id(8), Bytes::from_static(b"new"));
    assert_eq!(leg.packets(), 2);
    let old_link_now = write(&gates.inner.table)
        .flows
        .get_mut(&(LINK, BASE))
        .unwrap()
        .until
        .replace(Instant::now());
    assert!(old_link_now.unwrap() > Instant::now());
    gates.deliver(LINK, FlowKind::Video.id(BASE), Bytes::from_static(b"too late"));
    assert_eq!(leg.packets(), 2);
}

#[test]
fn a_leg_replaces_one_of_its_direction_and_coexists_with_others() {
    let (gates, mut facts) = gates();
    let link = Arc::new(FakeLink::default());
    gates.route(
        CALL,
        LINK,
        BASE,
        Role::Caller,
        Arc::clone(&link) as Arc<dyn MediaSender>,
    );
    gates.open(CALL);
    let [page, camera, viewer, reloaded] = [Direction::Both, Direction::Send, Direction::Receive, Direction::Both]
        .map(|direction| FakeLeg::new(&gates, direction));
    let [from_page, from_camera, from_viewer, _] =
        [&page, &camera, &viewer, &reloaded].map(|leg| gates.attach(CALL, Arc::clone(leg) as Arc<dyn Leg>).unwrap());
    assert!(page.closed.load(Ordering::Relaxed) && !camera.closed.load(Ordering::Relaxed));
    assert_eq!(
        facts.try_recv().unwrap(),
        LegReport {
            call: CALL,
            leg: page.id,
            fact: LegFact::Closed
        }
    );
    from_page.gone(LegFact::Lost);
    assert!(facts.try_recv().is_err(), "a leg ends once");

    gates.deliver(LINK, FlowKind::Video.id(BASE), Bytes::from_static(b"picture"));
    gates.deliver(LINK, FlowKind::Rtcp.id(BASE), Bytes::from_static(b"feedback"));
    assert_eq!(
        [&page, &camera, &viewer, &reloaded].map(|leg| leg.packets()),
        [0, 1, 2, 2]
    );

    let before = link.packets();
    from_page.send(FlowKind::Video, &rtp(1));
    from_viewer.send(FlowKind::Video, &rtp(2));
    assert_eq!(link.packets(), before, "neither speaks while the camera is there");
    from_camera.send(FlowKind::Video, &rtp(3));
    from_viewer.send(FlowKind::Rtcp, &feedback::pli(1, 2));
    assert_eq!(link.packets(), before + 2);
}

#[test]
fn when_the_camera_leaves_the_page_is_asked_for_a_picture() {
    let (gates, _facts) = gates();
    gates.route(CALL, LINK, BASE, Role::Caller, Arc::new(FakeLink::default()));
    let [page, camera] = [Direction::Both, Direction::Send].map(|direction| FakeLeg::new(&gates, direction));
    let [_, from_camera] = [&page, &camera].map(|leg| gates.attach(CALL, Arc::clone(leg) as Arc<dyn Leg>).unwrap());
    gates.open(CALL);
    assert_eq!(page.key_frames.load(Ordering::Relaxed), 1);
    from_camera.gone(LegFact::Lost);
    assert_eq!(page.key_frames.load(Ordering::Relaxed), 2);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Route,
    Open,
    End,
    Attach(Direction),
    Warm,
    Detach,
    Up,
    Down,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Route),
        Just(Step::Open),
        Just(Step::End),
        prop_oneof![Just(Direction::Both), Just(Direction::Send), Just(Direction::Receive)].prop_map(Step::Attach),
        Just(Step::Warm),
        Just(Step::Detach),
        Just(Step::Up),
        Just(Step::Down),
    ]
}

proptest! {
    /// Whatever happens in whatever order: media crosses only between an effective open and the end.
    #[test]
    fn nothing_passes_a_gate_that_is_not_open(steps in proptest::collection::vec(step(), 1..60)) {
        let (gates, _facts) = gates();
        let link = Arc::new(FakeLink::default());
        let (mut legs, mut uplinks) = (Vec::new(), Vec::new());
        let (mut exists, mut open, mut ended) = (false, false, false);
        for step in steps {
            let crossed = |legs: &Vec<Arc<FakeLeg>>| link.packets() + legs.iter().map(|leg| leg.packets()).sum::<usize>();
            let before = crossed(&legs);
            match step {
                Step::Route => {
                    gates.route(CALL, LINK, BASE, Role::Caller, Arc::clone(&link) as Arc<dyn MediaSender>);
                    exists = true;
                }
                Step::Open => {
                    gates.open(CALL);
                    open |= exists && !ended;
                }
                Step::End => {
                    gates.end(CALL);
                    (ended, open) = (true, false);
                }
                Step::Attach(direction) => {
                    let leg = FakeLeg::new(&gates, direction);
                    if let Ok(uplink) = gates.attach(CALL, Arc::clone(&leg) as Arc<dyn Leg>) {
                        legs.push(leg);
                        uplinks.push(uplink);
                        exists = true;
                    }
                }
                Step::Warm => uplinks.iter().for_each(Uplink::warm),
                Step::Detach => uplinks.iter().for_each(|uplink| uplink.gone(LegFact::Lost)),
                Step::Up => uplinks.iter().for_each(|uplink| uplink.send(FlowKind::Video, &rtp(1))),
                Step::Down => gates.deliver(LINK, FlowKind::Video.id(BASE), Bytes::from_static(b"down")),
            }
            prop_assert!(open || crossed(&legs) == before, "{step:?} crossed a gate that is not open");
            prop_assert_eq!(gates.is_open(CALL), open);
        }
    }
}

#[test]
fn a_picture_that_the_far_side_cannot_show_is_held_back_and_goes_on_without_a_gap() {
    let (gates, mut facts) = gates();
    let (leg, link) = (FakeLeg::new(&gates, Direction::Both), Arc::new(FakeLink::default()));
    let uplink = gates.attach(CALL, Arc::clone(&leg) as Arc<dyn Leg>).unwrap();
    gates.route(
        CALL,
        LINK,
        BASE,
        Role::Caller,
        Arc::clone(&link) as Arc<dyn MediaSender>,
    );
    gates.open(CALL);
    let asked = leg.key_frames.load(Ordering::Relaxed);
    let passed = || -> Vec<u8> {
        let video = FlowKind::Video.id(BASE);
        let sent = link.0.lock().unwrap();
        sent.iter()
            .filter(|(flow, _)| *flow == video)
            .map(|(_, packet)| packet.get(3).copied().unwrap())
            .collect()
    };
    uplink.send(FlowKind::Video, &rtp(1));
    gates.far_takes(CALL, Formats::of([codecs::Codec::H264]));
    assert_eq!(gates.far(CALL), Some(Formats::of([codecs::Codec::H264])));
    for sequence in 2..50 {
        uplink.send(FlowKind::Video, &rtp(sequence));
        uplink.send(FlowKind::Audio, &rtp(sequence));
    }
    assert_eq!(passed(), [1]);
    let why = twocan_core::media::outlet::Held::NotShown(codecs::Codec::Vp8);
    assert_eq!(facts.try_recv().unwrap().fact, LegFact::Held(Some(why)));
    assert!(facts.try_recv().is_err(), "it is said once");
    assert_eq!(gates.counts(CALL).unwrap().up, 49, "sound goes on");

    gates.far_takes(CALL, Formats::ALL);
    uplink.send(FlowKind::Video, &rtp(50));
    uplink.send(FlowKind::Video, &rtp(51));
    assert_eq!(passed(), [1, 2, 3]);
    assert_eq!(facts.try_recv().unwrap().fact, LegFact::Held(None));
    assert_eq!(leg.key_frames.load(Ordering::Relaxed), asked + 1);
}
