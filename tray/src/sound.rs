//! The ring: a short melody made by code, and the program that plays it.
//!
//! [`samples`] is pure: two plucked strings in thirds, twice, then silence, so that one round played over and over is
//! the ring. Playing is a child process, which ends with the ring; no audio library is linked.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::sync::watch;

/// Samples a second, one channel.
pub(crate) const RATE: u32 = 44_100;

/// How long one round takes, in samples: three seconds.
const ROUND: u32 = 3 * RATE;

/// The notes of a round: when it begins, in seconds, and its frequency in hertz (G5, B5, D6, twice).
const NOTES: [(f64, f64); 6] = [
    (0.00, 783.99),
    (0.16, 987.77),
    (0.32, 1174.66),
    (0.75, 783.99),
    (0.91, 987.77),
    (1.07, 1174.66),
];

/// How fast a note fades, in seconds.
const FADE: f64 = 0.28;

/// How fast it begins, in seconds: at once would click.
const ATTACK: f64 = 0.004;

/// What can play a file, best first, and what it wants before the file.
const PLAYERS: [(&str, &[&str]); 3] = [("pw-play", &[]), ("paplay", &[]), ("aplay", &["-q"])];

/// A player that cannot play ends at once; then the next one is tried.
const PLAYS: Duration = Duration::from_millis(500);

/// One round of the ring, at a loudness of 0 to 100.
pub(crate) fn samples(loudness: u8) -> Vec<i16> {
    // Half of it is quieter by 12 dB, about as ears have it.
    let peak = (f64::from(loudness.min(100)) / 100.0).powi(2) * 0.9;
    (0..ROUND)
        .map(|n| {
            let now = f64::from(n) / f64::from(RATE);
            let sum: f64 = NOTES.iter().map(|(from, hertz)| note(now - from, *hertz)).sum();
            sample((sum / 1.6).clamp(-1.0, 1.0) * peak)
        })
        .collect()
}

/// A plucked string, `t` seconds after the plucking.
fn note(t: f64, hertz: f64) -> f64 {
    if t < 0.0 {
        return 0.0;
    }
    let wave = |times: f64| (std::f64::consts::TAU * hertz * times * t).sin();
    let tone = 0.7 * wave(1.0) + 0.2 * wave(2.0) + 0.1 * wave(3.0);
    tone * (t / ATTACK).min(1.0) * (-t / FADE).exp()
}

#[expect(clippy::cast_possible_truncation, reason = "it is clamped to what fits")]
fn sample(value: f64) -> i16 {
    (value * f64::from(i16::MAX))
        .round()
        .clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
}

/// The samples as a WAV file (RIFF, PCM, 16 bits, one channel).
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend(bytes.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(2u16.to_le_bytes());
    file.extend(16u16.to_le_bytes());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Plays the ring while `loudness` is above 0; ends when nobody can change it any more. `silent` is told once when no
/// player is there.
pub(crate) async fn run(mut loudness: watch::Receiver<u8>, silent: impl FnOnce()) {
    let mut silent = Some(silent);
    loop {
        let now = *loudness.borrow_and_update();
        let ended = tokio::select! {
            changed = loudness.changed() => changed.is_err(),
            () = ring(now), if now > 0 => {
                if let Some(silent) = silent.take() {
                    silent();
                }
                loudness.changed().await.is_err()
            }
        };
        if ended {
            return;
        }
    }
}

/// Rings until it is dropped; returns only where nothing can play.
async fn ring(loudness: u8) {
    let Ok(file) = file(loudness) else { return };
    for (player, args) in PLAYERS {
        let Some(program) = crate::program::find(player) else {
            continue;
        };
        while let Ok(true) = play(&program, args, &file).await {}
    }
}

fn file(loudness: u8) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("twocan-ring-")
        .suffix(".wav")
        .tempfile()?;
    file.write_all(&wav(&samples(loudness)))?;
    Ok(file)
}

/// Plays one round; whether it was played.
async fn play(program: &PathBuf, args: &[&str], file: &NamedTempFile) -> io::Result<bool> {
    let begun = tokio::time::Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .arg(file.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let status = child.wait().await?;
    Ok(status.success() && begun.elapsed() > PLAYS)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;

    fn loudest(samples: &[i16]) -> i32 {
        samples
            .iter()
            .map(|sample| i32::from(*sample).abs())
            .max()
            .unwrap_or_default()
    }

    #[test]
    fn a_round_rings_and_then_pauses() {
        let ring = samples(100);
        let second = RATE as usize;
        assert_eq!(ring.len(), 3 * second);
        assert!(loudest(&ring) > 20_000 && loudest(&ring) < 32_000, "{}", loudest(&ring));
        assert!(loudest(&ring[second / 2..second]) > 5_000, "it rings twice");
        assert!(loudest(&ring[5 * second / 2..]) < 500, "the end is quiet");
        assert_eq!(ring[0], 0, "it does not click");
    }

    #[test]
    fn louder_is_louder_and_nothing_is_silence() {
        let peaks: Vec<i32> = [0, 25, 60, 100, 255].map(|volume| loudest(&samples(volume))).into();
        assert_eq!(peaks[0], 0);
        assert!(
            peaks[0] < peaks[1] && peaks[1] < peaks[2] && peaks[2] < peaks[3],
            "{peaks:?}"
        );
        assert_eq!(peaks[3], peaks[4]);
    }

    #[test]
    fn the_file_is_a_wav() {
        let file = wav(&[1, -1]);
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(file.len(), 48);
        assert_eq!(
            u32::from_le_bytes([file[4], file[5], file[6], file[7]]) as usize,
            file.len() - 8
        );
        assert_eq!(&file[44..], [1, 0, 0xff, 0xff]);
    }
}
