//! The bench table: the numbers that people feel, measured over real daemons and browsers, printed as Markdown.
//!
//! `./tests/run bench [ROW…]` runs all rows or those named: `start`, `answer`, `forward`, `latency`, `idle`, `desk`, `presence`, `dht`, `ringing`. Each row that
//! compares does so in one run on one machine, the peer beside us. Everything runs in a network namespace of its own.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, or fails by panicking"
)]

mod coturn;
mod desk;
mod forward;
mod presence;
mod ringing;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::run_inside;
use twocan_tests::packets::{Capture, Packet};
use twocan_tests::person::Person;
use twocan_tests::usage::Usage;
use twocan_tests::wait::until;

/// Starts of a daemon, calls answered.
const RUNS: usize = 20;
/// For how long a call is measured.
const CALL: Duration = Duration::from_secs(15);
/// For how long idleness is measured: three keep-alive ticks.
const IDLE: Duration = Duration::from_secs(60);
/// Links of the idle daemon, and how many of them stand before the memory of the others is counted: what the first ones
/// bring is the program's own warming up.
const LINKS: usize = 50;
const FIRST_LINKS: usize = 10;

fn main() {
    // Cargo adds flags of its own.
    let rows: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let args: Vec<&str> = rows.iter().map(String::as_str).collect();
    run_inside(&args, async || table(&args).await);
}

async fn table(rows: &[&str]) {
    let wanted = |row: &str| rows.is_empty() || rows.contains(&row);
    println!("| what | p50 | p99 |\n|---|---|---|");
    if wanted("start") {
        start().await;
    }
    if wanted("ringing") {
        ringing::ringing().await;
    }
    if wanted("idle") {
        idle().await;
    }
    if wanted("desk") {
        desk::desk().await;
    }
    if wanted("presence") {
        let minutes = rows.iter().find_map(|row| row.parse().ok());
        presence::presence(minutes.unwrap_or_default()).await;
    }
    if wanted("dht") {
        presence::dht().await;
    }
    if wanted("forward") {
        forward::forward().await;
    }
    if wanted("answer") || wanted("latency") {
        calls(&wanted).await;
    }
}

/// From `exec` to the first answer of the API, in a home with an identity.
async fn start() {
    let mut home = Home::up("Ann").await;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        home.stop().await;
        let began = Instant::now();
        home.start().await;
        home.api().get("/v1/status").await;
        times.push(ms(began.elapsed()));
    }
    row("cold start → API (ms)", &mut times);
}

/// A daemon with many links, each shown green first, left alone.
async fn idle() {
    let hub = Home::up("Hub").await;
    let alone = Usage::of(hub.pid());
    let (mut spokes, mut warm) = (Vec::new(), alone);
    for number in 0..LINKS {
        spokes.push(spoke(&hub, number).await);
        if spokes.len() == FIRST_LINKS {
            all_green(&hub, FIRST_LINKS).await;
            warm = Usage::of(hub.pid());
        }
    }
    all_green(&hub, LINKS).await;
    // What the last ones said when they came is no idleness.
    sleep(IDLE / 2).await;
    let (capture, before) = (Capture::start(), Usage::of(hub.pid()));
    sleep(IDLE).await;
    let after = Usage::of(hub.pid());
    let bytes: usize = capture
        .packets(own(hub.ready().udp))
        .iter()
        .map(|packet| packet.bytes.len() + 28)
        .sum();
    let still = hub.api().list("/v1/contacts").await;
    assert!(
        still.iter().all(|contact| contact["reachable"] == "yes"),
        "a dot went grey"
    );

    let minutes = IDLE.as_secs_f64() / 60.0;
    one(
        "idle, 50 links shown green: processor (s/h)",
        (after.cpu - before.cpu).as_secs_f64() / minutes * 60.0,
    );
    one(
        "idle, 50 links: wakeups a second",
        float(after.wakeups - before.wakeups) / IDLE.as_secs_f64(),
    );
    // Seen going and coming on loopback.
    one(
        "idle, bytes a minute and link (UDP and IP)",
        float_usize(bytes) / 2.0 / minutes / float_usize(LINKS),
    );
    one(
        "memory of a daemon without links (MiB)",
        float(alone.memory_kb) / 1024.0,
    );
    one(
        "memory a link (kB)",
        (float(after.own_kb) - float(warm.own_kb)) / float_usize(LINKS - FIRST_LINKS),
    );
}

/// Somebody whom the hub has invited.
async fn spoke(hub: &Home, number: usize) -> Home {
    let spoke = Home::up(&format!("Spoke {number}")).await;
    let invite = hub.api().post("/v1/invites", json!({})).await;
    let link = json!({ "link": invite.body["link"] });
    let added = spoke.api().post("/v1/contacts", link).await;
    assert_eq!(added.status, 201, "{added:?}");
    spoke
}

async fn all_green(hub: &Home, count: usize) {
    until("every contact green", GREEN * 10, async || {
        let contacts = hub.api().list("/v1/contacts").await;
        let green = contacts.iter().filter(|contact| contact["reachable"] == "yes").count();
        (green == count).then_some(())
    })
    .await;
}

/// What a daemon sends and gets.
fn own(udp: SocketAddr) -> impl Fn(&Packet) -> bool {
    move |packet| [packet.from, packet.to].map(SocketAddr::V4).contains(&udp)
}

/// Two pages that call each other.
async fn calls(wanted: &impl Fn(&str) -> bool) {
    let driver = Driver::start_with_large_cameras().await;
    let (ann, bob) = (Person::come(&driver, "Ann").await, Person::come(&driver, "Bob").await);
    acquaint(&ann.home, &bob.home).await;
    if wanted("answer") {
        let mut alone = direct_answers(&ann.page, &bob.page).await;
        row(
            "answer → first frame both ways, the same browsers directly (ms)",
            &mut alone,
        );
        for (row_name, warm) in [
            ("answer → first frame both ways, preview open (ms)", true),
            ("answer → first frame both ways, camera opened by the click (ms)", false),
        ] {
            let mut times = Vec::new();
            for _ in 0..RUNS {
                times.push(answer(&ann, &bob, warm).await);
            }
            row(row_name, &mut times);
        }
    }
    if wanted("forward") || wanted("latency") {
        forward_and_latency(&ann, &bob).await;
    }
}

/// One call from click to first frames, in milliseconds from the click on Answer to the later of the two first frames.
async fn answer(from: &Person, to: &Person, warm: bool) -> f64 {
    from.sees_green().await;
    from.page.click("call-video").await;
    to.page.visible("[data-act=answer]").await;
    if warm {
        let call = to.home.call("the ring", STEP, |call| call["state"] == "ringing").await;
        to.page
            .run_with(
                "history.pushState(null, '', '/call/' + argument); dispatchEvent(new PopStateEvent('popstate'))",
                call["id"].clone(),
            )
            .await;
        to.page.click("preview").await;
        to.page
            .until(
                "the preview",
                STEP,
                "return watched.tracks.filter(track => track.live()).length >= 2",
            )
            .await;
    }
    let warmed = "return document.querySelector('twocan-call')?.pc?.connectionState === 'connected'";
    for person in [from, to] {
        person.page.until("a warm leg", STEP, warmed).await;
        person.page.run(FIRST_FRAME).await;
    }
    to.page.click("answer").await;
    let mut last: f64 = 0.0;
    for person in [from, to] {
        let first = person.page.until("the first frame", STEP, "return watched.first").await;
        last = last.max(first.as_f64().unwrap());
    }
    let clicked = float_i64(to.clicked("answer").await);
    from.page.click("hangup").await;
    for person in [from, to] {
        person.page.click("close").await;
    }
    last - clicked
}

/// Notes when the next frame of the other side is drawn.
const FIRST_FRAME: &str = "
    watched.first = null;
    document.querySelector('video[data-remote]').requestVideoFrameCallback(() => {
        watched.first = performance.timeOrigin + performance.now();
    });";

/// One call at length: what a forwarded packet costs, and how much later it comes than without us.
async fn forward_and_latency(ann: &Person, bob: &Person) {
    let mut direct = direct(&ann.page, &bob.page).await;
    ann.sees_green().await;
    ann.page.click("call-video").await;
    bob.page.click("answer").await;
    for person in [ann, bob] {
        person.sees_frames(60).await;
    }
    let udp = ann.home.ready().udp;
    let (capture, before) = (Capture::start(), Usage::of(ann.home.pid()));
    let mut ours = round_trips(&ann.page, "document.querySelector('twocan-call').pc").await;
    let (after, packets) = (Usage::of(ann.home.pid()), capture.packets(own(udp)).len() / 2);
    ann.page.click("hangup").await;

    let per_packet = (after.cpu - before.cpu).as_secs_f64() * 1e6 / float_usize(packets);
    one("forwarding: processor a packet (µs)", per_packet);
    one(
        "forwarding: packets a second, both ways",
        float_usize(packets) / CALL.as_secs_f64(),
    );
    row("round trip by RTCP, browser ↔ browser direct (ms)", &mut direct);
    row("round trip by RTCP, through both daemons (ms)", &mut ours);
}

/// Round trips of media between two pages, as RTCP reports them, over the length of a call.
async fn round_trips(page: &Page, pc: &str) -> Vec<f64> {
    let script = format!(
        "const found = [];
         for (const [, stat] of await ({pc}).getStats())
            if (stat.type === 'remote-inbound-rtp' && stat.roundTripTime !== undefined) found.push(stat.roundTripTime * 1000);
         return found;"
    );
    let (mut found, end) = (Vec::new(), Instant::now() + CALL);
    while Instant::now() < end {
        let seen = page.run(&script).await;
        found.extend(seen.as_array().unwrap().iter().filter_map(serde_json::Value::as_f64));
        sleep(Duration::from_millis(500)).await;
    }
    found
}

/// The same two browsers without us.
async fn direct(one: &Page, other: &Page) -> Vec<f64> {
    connect(one, other).await;
    let found = round_trips(one, "direct").await;
    part(one, other).await;
    found
}

/// Both are connected and have their cameras open, and send nothing; then one says so to the other, and both begin. Each time anew, as
/// each call has a leg of its own: a connection that has carried pictures knows already how many fit.
async fn direct_answers(one: &Page, other: &Page) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        connect(one, other).await;
        for page in [one, other] {
            page.run(SILENT).await;
        }
        sleep(Duration::from_millis(700)).await;
        one.run("direct.heard = direct.begin()").await;
        let began = other
            .run("direct.said = direct.say(); return performance.timeOrigin + performance.now();")
            .await;
        let mut last: f64 = 0.0;
        for page in [one, other] {
            let first = page.until("the first frame", STEP, "return direct.first").await;
            last = last.max(first.as_f64().unwrap());
        }
        times.push(last - began.as_f64().unwrap());
        part(one, other).await;
    }
    times
}

/// Takes the picture off a connection, and can put it back: `begin` when the other says so, `say` by oneself.
const SILENT: &str = "
    const sender = direct.getSenders().find(sender => sender.track?.kind === 'video');
    const { track } = sender;
    const shown = document.createElement('video');
    Object.assign(shown, { muted: true, autoplay: true });
    Object.assign(shown.style, { position: 'fixed', inset: 0, width: '100vw', height: '100vh' });
    shown.srcObject = new MediaStream([direct.getReceivers().find(it => it.track.kind === 'video').track]);
    document.body.append(shown);
    direct.shown = shown;
    const go = () => {
        direct.first = null;
        shown.requestVideoFrameCallback(() => { direct.first = performance.timeOrigin + performance.now(); });
        return sender.replaceTrack(track);
    };
    direct.begin = () => { direct.wire.onmessage = go; direct.first = null; };
    direct.say = () => { direct.wire.send('answered'); return go(); };
    await sender.replaceTrack(null);";

async fn connect(one: &Page, other: &Page) {
    let offer = one
        .run(&format!(
            "{DIRECT} await pc.setLocalDescription(); return gathered(pc);"
        ))
        .await;
    let answer = format!(
        "{DIRECT} await pc.setRemoteDescription({{ type: 'offer', sdp: argument }});
         await pc.setLocalDescription(); return gathered(pc);"
    );
    let answer = other.run_with(&answer, offer).await;
    one.run_with(
        "await direct.setRemoteDescription({ type: 'answer', sdp: argument })",
        answer,
    )
    .await;
    one.until(
        "a direct connection",
        STEP,
        "return direct.connectionState === 'connected'",
    )
    .await;
}

async fn part(one: &Page, other: &Page) {
    for page in [one, other] {
        page.run("direct.stream.getTracks().forEach(track => track.stop()); direct.shown?.remove(); direct.close();")
            .await;
    }
}

/// A connection that sends what our page would.
const DIRECT: &str = "
    const video = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30 } };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
    const pc = globalThis.direct = new RTCPeerConnection();
    pc.wire = pc.createDataChannel('wire', { negotiated: true, id: 0 });
    pc.stream = stream;
    stream.getTracks().forEach(track => pc.addTrack(track, stream));
    const gathered = pc => new Promise(done => {
        const look = () => pc.iceGatheringState === 'complete' && done(pc.localDescription.sdp);
        pc.addEventListener('icegatheringstatechange', look);
        look();
    });";

/// Prints one row of many values.
fn row(what: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| {
        values
            .get((values.len() * share).div_ceil(100).saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN)
    };
    println!("| {what} | {:.2} | {:.2} |", at(50), at(99));
}

/// Prints one row of one value.
fn one(what: &str, value: f64) {
    println!("| {what} | {value:.2} | |");
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Counts here are far below the 53 bits that a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
const fn float(count: u64) -> f64 {
    count as f64
}

fn float_usize(count: usize) -> f64 {
    float(u64::try_from(count).unwrap())
}

fn float_i64(count: i64) -> f64 {
    float(u64::try_from(count).unwrap())
}
