//! What forwarding costs and how much later packets come: two phones without screens, packets at an even pace, the
//! daemons between them, and in the same run three peers: the bare loopback, a plain UDP relay that opens nothing, and
//! coturn.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use serde_json::json;
use twocan_tests::chromium::STEP;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::phone::{self, Phone};
use twocan_tests::usage::Usage;

use super::coturn::Coturn;
use super::{float, one, row};

/// For how long each pace is kept.
const LONG: Duration = Duration::from_secs(10);
/// Packets a second, both ways together.
const PACES: [u32; 2] = [300, 3000];
/// Bytes of payload; a browser's video packets have about as many.
pub(super) const PAYLOAD: usize = 1000;
/// Calls answered.
const ANSWERS: usize = 20;
/// Between two packets of a phone that waits for the other one.
const GAP: Duration = Duration::from_millis(2);
/// How long the last packets may take.
const TAIL: Duration = Duration::from_millis(300);
/// Between two looks at whether it is over.
const LOOK: Duration = Duration::from_millis(100);

/// One end of a line: a socket, and what makes the packets that it sends.
pub(super) struct End {
    udp: UdpSocket,
    /// Bytes before each packet that it receives.
    head: usize,
    make: Make,
    next: u16,
}

/// Makes the packet with a number.
type Make = Box<dyn FnMut(u16) -> Vec<u8> + Send>;

impl End {
    pub(super) fn with(udp: UdpSocket, head: usize, make: Make) -> Self {
        Self {
            udp,
            head,
            make,
            next: 0,
        }
    }

    pub(super) fn plain(udp: UdpSocket) -> Self {
        Self::with(udp, 0, Box::new(|sequence| phone::rtp(sequence, PAYLOAD)))
    }

    fn secured(mut phone: Phone) -> Self {
        let udp = phone.udp.try_clone().unwrap();
        let make = Box::new(move |sequence| phone.packet(sequence, PAYLOAD));
        Self::with(udp, 0, make)
    }
}

/// What a pace came to.
struct Pace {
    latencies: Vec<f64>,
    sent: usize,
}

/// All rows.
pub(super) async fn forward() {
    let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
    acquaint(&ann, &bob).await;
    answers(&ann, &bob).await;
    let (rung, [anns, bobs]) = ring(&ann, &bob).await;
    answer(&ann, &rung).await;
    bob.call("active", STEP, |call| call["state"] == "active").await;

    let mut through = [End::secured(anns), End::secured(bobs)];
    for pace in PACES {
        let (_, bare) = keep(pair().map(End::plain), pace).await;
        let (relay, ends) = Relay::start();
        let (_, relayed) = keep(ends.map(End::plain), pace).await;
        let relay_cpu = relay.cpu();
        let (coturn, ends) = Coturn::start();
        let idle = coturn.cpu();
        let (_, turned) = keep(ends, pace).await;
        let coturn_cpu = coturn.cpu() - idle;
        drop(coturn);
        let before = [&ann, &bob].map(|home| Usage::of(home.pid()));
        let ours;
        (through, ours) = keep(through, pace).await;
        let after = [&ann, &bob].map(|home| Usage::of(home.pid()));

        let packets = |pace: &Pace| float(u64::try_from(pace.sent).unwrap());
        let cpu: Duration = after
            .iter()
            .zip(before)
            .map(|(after, before)| after.cpu - before.cpu)
            .sum();
        let woken: u64 = after
            .iter()
            .zip(before)
            .map(|(after, before)| after.wakeups - before.wakeups)
            .sum();
        let of_relay = relay_cpu.as_secs_f64() * 1e6 / packets(&relayed);
        let of_daemon = cpu.as_secs_f64() * 1e6 / packets(&ours) / 2.0;
        one(&format!("{pace}/s: processor a packet, plain relay (µs)"), of_relay);
        let of_coturn = coturn_cpu.as_secs_f64() * 1e6 / packets(&turned);
        one(&format!("{pace}/s: processor a packet, coturn (µs)"), of_coturn);
        one(&format!("{pace}/s: processor a packet and daemon (µs)"), of_daemon);
        one(&format!("{pace}/s: daemon ÷ plain relay"), of_daemon / of_relay);
        one(&format!("{pace}/s: daemon ÷ coturn"), of_daemon / of_coturn);
        let wakeups = float(woken) / packets(&ours) / 2.0;
        one(&format!("{pace}/s: wakeups a packet and daemon"), wakeups);
        let lost = (1.0 - float(u64::try_from(ours.latencies.len()).unwrap()) / packets(&ours)) * 100.0;
        one(&format!("{pace}/s: lost (%)"), lost);
        for (what, mut pace_kept) in [
            ("bare loopback", bare),
            ("plain relay", relayed),
            ("coturn", turned),
            ("both daemons", ours),
        ] {
            row(&format!("{pace}/s: one way, {what} (µs)"), &mut pace_kept.latencies);
        }
    }
}

/// Bob calls Ann; gives Ann's call and both phones, connected while it rings.
async fn ring(ann: &Home, bob: &Home) -> (String, [Phone; 2]) {
    let to = bob.green("Ann", STEP).await["id"].clone();
    let call = bob.api().post("/v1/calls", json!({ "to": to })).await;
    assert_eq!(call.status, 201, "{call:?}");
    let rings = ann.call("the ring", STEP, |call| call["state"] == "ringing").await;
    let (placed, rung) = (call.body["id"].as_str().unwrap(), rings["id"].as_str().unwrap());
    let phones = [
        Phone::join(&ann.api(), rung).await,
        Phone::join(&bob.api(), placed).await,
    ];
    (rung.to_owned(), phones)
}

async fn answer(ann: &Home, call: &str) {
    let answered = ann.api().post(&format!("/v1/calls/{call}/answer"), json!({})).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}

/// The daemons' part of what people wait for: from the answer to the later of the two first packets, where both phones
/// send already.
async fn answers(ann: &Home, bob: &Home) {
    let mut times = Vec::new();
    for _ in 0..ANSWERS {
        let (call, phones) = ring(ann, bob).await;
        let first = phones.map(|phone| tokio::task::spawn_blocking(move || first_heard(End::secured(phone))));
        let began = Instant::now();
        answer(ann, &call).await;
        let mut last = began;
        for heard in first {
            last = last.max(heard.await.unwrap());
        }
        times.push((last - began).as_secs_f64() * 1000.0);
        let ended = ann.api().post(&format!("/v1/calls/{call}/hangup"), json!({})).await;
        assert_eq!(ended.status, 200, "{ended:?}");
    }
    row("answer → first packet both ways (ms)", &mut times);
}

/// Sends until something of the far side comes.
fn first_heard(mut end: End) -> Instant {
    end.udp.set_read_timeout(Some(GAP)).unwrap();
    let (mut buffer, limit) = ([0; 2048], Instant::now() + STEP);
    loop {
        assert!(Instant::now() < limit, "nothing came within {STEP:?}");
        let packet = (end.make)(end.next);
        end.udp.send(&packet).unwrap();
        end.next = end.next.wrapping_add(1);
        let due = Instant::now() + GAP;
        while Instant::now() < due {
            if end
                .udp
                .recv(&mut buffer)
                .is_ok_and(|length| phone::sequence(&buffer[..length]).is_some())
            {
                let heard = Instant::now();
                // The other phone may still wait for one of ours.
                (0..8).for_each(|_| {
                    let packet = (end.make)(end.next);
                    end.udp.send(&packet).unwrap();
                    end.next = end.next.wrapping_add(1);
                    thread::sleep(GAP);
                });
                return heard;
            }
        }
    }
}

/// When each packet of one direction left, in nanoseconds from a common start; 0 for those that have not.
type Left = [AtomicU64];

/// Sends at a pace from both ends to the other, and notes how long each packet takes from one `send` to the other `recv`.
async fn keep(ends: [End; 2], pace: u32) -> ([End; 2], Pace) {
    let work = move || {
        let [mut one, mut other] = ends;
        let start = Instant::now();
        let over = AtomicBool::new(false);
        let [ones, others] = [0, 1].map(|_| (0..=u16::MAX).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
        let ears = [&one, &other].map(|end| (end.udp.try_clone().unwrap(), end.head));
        let (one_ear, other_ear) = (&ears[0], &ears[1]);
        let kept = thread::scope(|scope| {
            let heard = [
                scope.spawn(|| hear(one_ear, &others, start, &over)),
                scope.spawn(|| hear(other_ear, &ones, start, &over)),
            ];
            let said = [
                scope.spawn(|| say(&mut one, &ones, start, pace / 2)),
                scope.spawn(|| say(&mut other, &others, start, pace / 2)),
            ];
            let said = said.map(|thread| thread.join());
            thread::sleep(TAIL);
            over.store(true, Ordering::Relaxed);
            let sent = said.map(Result::unwrap).iter().sum();
            let latencies = heard.map(|thread| thread.join().unwrap()).concat();
            Pace { latencies, sent }
        });
        ([one, other], kept)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Sends `pace` packets a second, evenly.
fn say(end: &mut End, left: &Left, start: Instant, pace: u32) -> usize {
    let mut sent = 0;
    let mut due = Duration::ZERO;
    while due < LONG {
        let packet = (end.make)(end.next);
        thread::sleep(due.saturating_sub(start.elapsed()));
        left[usize::from(end.next)].store(nanos(start), Ordering::Release);
        end.udp.send(&packet).unwrap();
        end.next = end.next.wrapping_add(1);
        sent += 1;
        due += Duration::from_secs(1) / pace;
    }
    sent
}

/// How long the packets that come were under way, in microseconds.
fn hear((udp, head): &(UdpSocket, usize), left: &Left, start: Instant, over: &AtomicBool) -> Vec<f64> {
    udp.set_read_timeout(Some(LOOK)).unwrap();
    let (mut found, mut buffer) = (Vec::new(), [0; 2048]);
    while !over.load(Ordering::Relaxed) {
        let Ok(length) = udp.recv(&mut buffer) else { continue };
        let now = nanos(start);
        let packet = buffer.get(*head..length).unwrap_or_default();
        let left = phone::sequence(packet).map_or(0, |at| left[usize::from(at)].load(Ordering::Acquire));
        if left > 0 {
            found.push(float(now - left) / 1000.0);
        }
    }
    found
}

fn nanos(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap()
}

/// Two sockets on loopback, connected to each other.
fn pair() -> [UdpSocket; 2] {
    let [one, other] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    [one, other]
}

/// A relay such as the least one can be: a thread a direction that waits, receives and sends.
struct Relay {
    cpu: [Arc<AtomicU64>; 2],
}

impl Relay {
    /// Gives the two ends of a line with the relay between them; it ends with the process.
    fn start() -> (Self, [UdpSocket; 2]) {
        let [[one, near_one], [other, near_other]] = [pair(), pair()];
        let cpu = [(&near_one, &near_other), (&near_other, &near_one)].map(|(from, to)| {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let cpu = Arc::new(AtomicU64::new(0));
            let note = Arc::clone(&cpu);
            thread::spawn(move || {
                let mut buffer = [0; 2048];
                while let Ok(length) = from.recv(&mut buffer) {
                    if to.send(&buffer[..length]).is_err() {
                        return;
                    }
                    let used = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
                    note.store(
                        u64::try_from(Duration::from(used).as_nanos()).unwrap(),
                        Ordering::Relaxed,
                    );
                }
            });
            cpu
        });
        (Self { cpu }, [one, other])
    }

    /// Processor time so far.
    fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu.iter().map(|cpu| cpu.load(Ordering::Relaxed)).sum())
    }
}
