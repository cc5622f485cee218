//! What two pages see of each other, and how they are connected without us.

use serde_json::json;
use twocan_tests::chromium::Page;

use super::{PATIENCE, number};

/// Counters at one moment, or what they grew by; of two pages, the mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    frames: f64,
    pub(super) freezes: f64,
    pub(super) frozen: f64,
    bytes: f64,
    pub(super) nacks: f64,
    seconds: f64,
    /// The median of the newest frames, in milliseconds; of a difference, the later one's.
    pub(super) latency: f64,
}

const SEEN: &str = "
    const late = watched.late.splice(0, watched.late.length - 240) && [...watched.late].sort((a, b) => a - b);
    const latency = late[late.length >> 1] ?? 0;
    for (const [, stat] of await watched.pc.getStats()) {
        if (stat.type !== 'inbound-rtp' || stat.kind !== 'video') continue;
        return { frames: stat.framesDecoded, freezes: stat.freezeCount, frozen: stat.totalFreezesDuration,
            bytes: stat.bytesReceived, nacks: stat.nackCount, seconds: stat.timestamp / 1000, latency };
    }
    return {};";

impl Seen {
    pub(super) async fn of(pages: [&Page; 2]) -> Self {
        let mut sum = Self::default();
        for page in pages {
            let seen = page.run(SEEN).await;
            let half = |key| number(&seen, key) / 2.0;
            sum.frames += half("frames");
            sum.freezes += half("freezes");
            sum.frozen += half("frozen");
            sum.bytes += half("bytes");
            sum.nacks += half("nacks");
            sum.seconds += half("seconds");
            sum.latency += half("latency");
        }
        sum
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            frames: self.frames - before.frames,
            freezes: self.freezes - before.freezes,
            frozen: self.frozen - before.frozen,
            bytes: self.bytes - before.bytes,
            nacks: self.nacks - before.nacks,
            seconds: self.seconds - before.seconds,
            latency: self.latency,
        }
    }

    pub(super) fn frames_a_second(&self) -> f64 {
        self.frames / self.seconds
    }

    pub(super) fn mbit_a_second(&self) -> f64 {
        self.bytes * 8.0 / 1e6 / self.seconds
    }
}

/// Notes of each frame that is shown how long ago it was taken, by the sender's own clock, which is ours here.
pub(super) async fn watch(page: &Page, video: &str) {
    let script = "
        const video = document.querySelector(argument);
        watched.late = [];
        const note = (_, frame) => {
            if (frame.captureTime !== undefined) watched.late.push(frame.expectedDisplayTime - frame.captureTime);
            video.requestVideoFrameCallback(note);
        };
        video.requestVideoFrameCallback(note);";
    page.run_with(script, json!(video)).await;
}

/// Connects two pages without us, each sending what our page would; gives the ports of the two ends.
pub(super) async fn connect(pages: [&Page; 2]) -> [u16; 2] {
    let [one, other] = pages;
    let offer = one
        .run(&format!(
            "{DIRECT} await pc.setLocalDescription(); return rated(await gathered(pc));"
        ))
        .await;
    let answer = format!(
        "{DIRECT} await pc.setRemoteDescription({{ type: 'offer', sdp: argument }});
         await pc.setLocalDescription(); return rated(await gathered(pc));"
    );
    let answer = other.run_with(&answer, offer).await;
    one.run_with(
        "await watched.pc.setRemoteDescription({ type: 'answer', sdp: argument })",
        answer,
    )
    .await;
    for page in pages {
        let frames = "
            for (const [, stat] of await watched.pc.getStats())
                if (stat.type === 'inbound-rtp' && stat.kind === 'video') return stat.framesDecoded > 60;
            return false;";
        page.until("frames over a direct connection", PATIENCE, frames).await;
        watch(page, "video[data-direct]").await;
    }
    let ports = one.run(PORTS).await;
    [0, 1].map(|end| {
        ports
            .get(end)
            .and_then(|port| u16::try_from(port.as_u64()?).ok())
            .unwrap()
    })
}

/// Ends what [`connect`] made.
pub(super) async fn part(pages: [&Page; 2]) {
    for page in pages {
        page.run(
            "watched.pc.getSenders().forEach(sender => sender.track?.stop());
             watched.pc.close();
             document.querySelector('video[data-direct]').remove();",
        )
        .await;
    }
}

const PORTS: &str = "
    const stats = await watched.pc.getStats();
    const transport = [...stats.values()].find(stat => stat.type === 'transport');
    const pair = stats.get(transport.selectedCandidatePairId);
    return [stats.get(pair.localCandidateId).port, stats.get(pair.remoteCandidateId).port];";

/// A connection that sends what our page would, over one transport, and shows what comes as large.
const DIRECT: &str = "
    const video = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30 } };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
    const pc = watched.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const shown = document.createElement('video');
    shown.dataset.direct = '';
    Object.assign(shown, { muted: true, autoplay: true, srcObject: new MediaStream() });
    Object.assign(shown.style, { position: 'fixed', inset: 0, width: '100vw', height: '100vh' });
    document.body.append(shown);
    pc.addEventListener('track', event => shown.srcObject.addTrack(event.track));
    stream.getVideoTracks()[0].contentHint = 'motion';
    stream.getTracks().forEach(track => pc.addTrack(track, stream));
    const rated = sdp => sdp.replace(/^(a=rtpmap:(\\d+) VP8\\/90000\\r\\n)/m,
        '$1a=fmtp:$2 x-google-start-bitrate=1000;x-google-max-bitrate=6000\\r\\n');
    const gathered = pc => new Promise(done => {
        const look = () => pc.iceGatheringState === 'complete' && done(pc.localDescription.sdp);
        pc.addEventListener('icegatheringstatechange', look);
        look();
    });";
