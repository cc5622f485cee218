//! What came back of the clip, as `demo` and `--headless` report it.

use serde_json::{Map, Value, json};
use twocan_api::ClipStats;

use crate::print::table;
use crate::words;

/// The report of one clip.
#[derive(Debug)]
pub(crate) struct Report {
    ringing_ms: Option<u64>,
    stats: ClipStats,
}

impl Report {
    /// `ringing_ms` as the caller saw it; without statistics nothing came back.
    pub(crate) fn new(ringing_ms: Option<u64>, stats: Option<ClipStats>) -> Self {
        Self {
            ringing_ms,
            stats: stats.unwrap_or_default(),
        }
    }

    /// Whether any media came back.
    pub(crate) const fn has_media(&self) -> bool {
        self.stats.audio_packets > 0 || self.stats.video_frames > 0
    }

    /// The keys that scripts read.
    fn keys(&self) -> Map<String, Value> {
        let stats = &self.stats;
        let pairs = [
            ("ringing_ms", json!(self.ringing_ms)),
            ("answer_to_media_ms", json!(stats.answer_to_media_ms)),
            ("rtt_ms", json!(stats.rtt_ms)),
            ("audio_packets", json!(stats.audio_packets)),
            ("video_frames", json!(stats.video_frames)),
            ("video_fps", json!(stats.video_fps)),
            ("lost_packets", json!(stats.lost_packets)),
            ("longest_gap_ms", json!(stats.longest_gap_ms)),
            ("path", json!(stats.path)),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The report alone.
    pub(crate) fn json(&self) -> String {
        Value::Object(self.keys()).to_string()
    }

    /// The call's body with the report's keys beside its own.
    pub(crate) fn json_with(&self, call: &str) -> String {
        let mut body: Map<String, Value> = serde_json::from_str(call).unwrap_or_default();
        body.extend(self.keys());
        Value::Object(body).to_string()
    }

    /// The report for people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let stats = &self.stats;
        let ms = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.1} ms"));
        let rang = self
            .ringing_ms
            .map_or_else(|| "unknown".to_owned(), |value| format!("{value} ms"));
        table(&[
            ["rang for".into(), rang],
            ["answer to media".into(), ms(stats.answer_to_media_ms)],
            ["round trip".into(), ms(stats.rtt_ms)],
            ["audio back".into(), format!("{} packets", stats.audio_packets)],
            [
                "video back".into(),
                format!("{} frames, {:.1} a second", stats.video_frames, stats.video_fps),
            ],
            ["lost".into(), format!("{} packets", stats.lost_packets)],
            ["longest gap".into(), ms(stats.longest_gap_ms)],
            ["path".into(), stats.path.map_or("unknown", words::path_kind).into()],
        ])
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use twocan_api::PathKind;

    use super::*;

    fn report() -> Report {
        let stats = ClipStats {
            answer_to_media_ms: Some(12.5),
            rtt_ms: Some(0.4),
            audio_packets: 250,
            video_frames: 150,
            video_fps: 30.0,
            lost_packets: 0,
            longest_gap_ms: Some(33.4),
            path: Some(PathKind::Lan),
            done: true,
        };
        Report::new(Some(1003), Some(stats))
    }

    #[test]
    fn the_keys_are_what_scripts_read() {
        let got: Value = serde_json::from_str(&report().json()).unwrap();
        let expected = json!({
            "ringing_ms": 1003, "answer_to_media_ms": 12.5, "rtt_ms": 0.4, "audio_packets": 250,
            "video_frames": 150, "video_fps": 30.0, "lost_packets": 0, "longest_gap_ms": 33.4, "path": "lan",
        });
        assert_eq!(got, expected);
    }

    #[test]
    fn beside_a_call_its_own_keys_stay() {
        let got: Value = serde_json::from_str(&report().json_with(r#"{"id":"c1","state":"ended"}"#)).unwrap();
        assert_eq!(
            (&got["id"], &got["state"], &got["path"]),
            (&json!("c1"), &json!("ended"), &json!("lan"))
        );
    }

    #[test]
    fn nothing_back_is_no_media() {
        assert!(report().has_media());
        assert!(!Report::new(None, None).has_media());
        assert!(
            !Report::new(
                Some(1),
                Some(ClipStats {
                    lost_packets: 9,
                    ..ClipStats::default()
                })
            )
            .has_media()
        );
    }
}
