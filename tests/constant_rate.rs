//! Sound leaves a page in packets of one size and at one pace, whether there is something to hear or not: sizes and
//! pauses would tell who speaks when, and even what is said.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its numbers"
)]

use std::time::Duration;

use serde_json::json;
use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::home::acquaint;
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;

/// Packets of a look, and looks at either: two seconds each of beeps, and of a microphone that is muted.
const PACKETS: u64 = 20;
const LOOKS: usize = 5;
/// A packet every 20 ms, to within what a busy machine does to a clock.
const PACE_MS: std::ops::RangeInclusive<f64> = 17.0..=23.0;

/// Packets, bytes of payload and milliseconds since the last look, once there are enough packets.
const LOOK: &str = "
    const { pc } = document.querySelector('twocan-call');
    for (const [, stat] of await pc.getStats()) {
        if (stat.type !== 'outbound-rtp' || stat.kind !== 'audio') continue;
        const now = { packets: stat.packetsSent, bytes: stat.bytesSent, at: stat.timestamp };
        const last = globalThis.lastLook ??= now;
        if (now.packets - last.packets < argument) return null;
        globalThis.lastLook = now;
        return [now.packets - last.packets, now.bytes - last.bytes, now.at - last.at];
    }
    return null;";

/// The payload bytes of a packet: the same in each look.
async fn bytes_a_packet(person: &Person) -> Vec<f64> {
    let look = LOOK.replace("argument", &PACKETS.to_string());
    person.page.run("globalThis.lastLook = undefined").await;
    let mut sizes = Vec::new();
    let (mut all_packets, mut all_ms) = (0.0, 0.0);
    while sizes.len() < LOOKS {
        let seen = person.page.until("packets of sound", STEP, &look).await;
        let [packets, bytes, ms] = serde_json::from_value::<[f64; 3]>(seen).unwrap();
        sizes.push(bytes / packets);
        all_packets += packets;
        all_ms += ms;
    }
    let pace = all_ms / all_packets;
    assert!(PACE_MS.contains(&pace), "a packet every {pace} ms");
    sizes
}

#[test]
fn speech_and_silence_look_alike() {
    inside("speech_and_silence_look_alike", async || {
        let driver = Driver::start().await;
        let (ann, bob) = (Person::come(&driver, "Say").await, Person::come(&driver, "Lis").await);
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        ann.page.click("call-voice").await;
        bob.page.click("answer").await;
        bob.page.screen("call").await;

        let speech = bytes_a_packet(&ann).await;
        ann.page.click("mute").await;
        let quiet = "return document.querySelector('twocan-call').pc.getSenders()
            .some(sender => sender.track?.kind === 'audio' && !sender.track.enabled)";
        ann.page
            .until("the microphone to be off", Duration::from_secs(5), quiet)
            .await;
        let silence = bytes_a_packet(&ann).await;
        println!("bytes a packet: speech {speech:?}, silence {silence:?}");
        let first = speech.first().copied().unwrap();
        assert!(
            speech
                .iter()
                .chain(&silence)
                .all(|size| (size - first).abs() < f64::EPSILON),
            "{}",
            json!({ "speech": speech, "silence": silence })
        );
    });
}
