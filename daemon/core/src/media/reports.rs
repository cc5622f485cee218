//! What RTCP reports say about one stream (RFC 3550, section 6.4).

use super::breaker::Report;
use super::bytes::{slice, u8_at, u32_at};
use super::rtcp::{HEADER, Packets, RECEIVER_REPORT, SENDER_REPORT};

const BLOCK: usize = 24;
const SENDER_INFO: usize = 20;

/// The middle of the NTP time of a sender report of `ssrc` in a compound.
pub(super) fn sender_time(compound: &[u8], ssrc: u32) -> Option<u32> {
    Packets::of(compound).flatten().find_map(|packet| {
        let is_own = packet.kind == SENDER_REPORT && u32_at(packet.bytes, HEADER) == Ok(ssrc);
        let middle = u32_at(packet.bytes, HEADER + 6).ok()?;
        is_own.then_some(middle)
    })
}

/// What a compound reports about `ssrc`, first to last.
pub(super) fn about(compound: &[u8], ssrc: u32) -> impl Iterator<Item = Report> {
    let blocks = Packets::of(compound).flatten().flat_map(|packet| {
        let first = match packet.kind {
            SENDER_REPORT => Some(4 + SENDER_INFO),
            RECEIVER_REPORT => Some(4),
            _ => None,
        };
        let all = first.and_then(|first| {
            let end = HEADER + first + BLOCK * usize::from(packet.count);
            slice(packet.bytes, HEADER + first, end).ok()
        });
        all.unwrap_or_default().chunks_exact(BLOCK)
    });
    blocks
        .filter(move |block| u32_at(block, 0) == Ok(ssrc))
        .filter_map(read)
}

fn read(block: &[u8]) -> Option<Report> {
    Some(Report {
        fraction_lost: u8_at(block, 4).ok()?,
        highest: u32_at(block, 8).ok()?,
        last_sender_report: u32_at(block, 16).ok()?,
        delay: u32_at(block, 20).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn reports_are_read_where_they_stand() {
        let block = [7, 0x8000_0009, 0x0001_0002, 3, 0xAABB_CCDD, 65_536];
        let report = Report {
            fraction_lost: 128,
            highest: 0x0001_0002,
            last_sender_report: 0xAABB_CCDD,
            delay: 65_536,
        };
        let receiver = words(&[&[0x81C9_0007, 5][..], &block].concat());
        let sender = words(&[&[0x81C8_000C, 5, 0x1111_AABB, 0xCCDD_2222, 0, 0, 0][..], &block].concat());
        for compound in [&receiver, &sender, &[receiver.clone(), sender.clone()].concat()] {
            assert_eq!(about(compound, 7).next(), Some(report));
            assert_eq!(about(compound, 8).next(), None);
            for cut in 0..compound.len() {
                let _ = about(compound.get(..cut).expect("shorter"), 7).count();
            }
        }
        assert_eq!(sender_time(&sender, 5), Some(0xAABB_CCDD));
        assert_eq!(sender_time(&sender, 6), None);
        assert_eq!(sender_time(&receiver, 5), None);
    }
}
