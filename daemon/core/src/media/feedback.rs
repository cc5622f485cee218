//! RTCP that the daemon itself sends.

/// A picture loss indication (RFC 4585, section 6.3.1): asks the sender of `media_ssrc` for a key frame.
#[must_use]
pub fn pli(sender_ssrc: u32, media_ssrc: u32) -> [u8; 12] {
    let [a, b, c, d] = sender_ssrc.to_be_bytes();
    let [e, f, g, h] = media_ssrc.to_be_bytes();
    [0x81, 206, 0, 2, a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_pli() {
        assert_eq!(pli(0x0102_0304, 0x0506_0708), [0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
