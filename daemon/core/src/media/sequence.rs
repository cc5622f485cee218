//! Sequence numbers that do not wrap, and what they say about loss.

/// Sequence numbers until they wrap.
const TURN: u64 = 1 << 16;

/// Extends the 16-bit sequence numbers of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turns {
    newest: Option<u64>,
}

impl Turns {
    /// The number nearest to the newest one so far that ends in these 16 bits. The first one gets one turn of headroom,
    /// so that earlier ones which come late have room below it.
    pub fn extend(&mut self, sequence: u16) -> u64 {
        let newest = self.newest.unwrap_or(TURN | u64::from(sequence));
        let ahead = (TURN + u64::from(sequence) - newest % TURN) % TURN;
        let extended = if ahead < TURN / 2 {
            newest + ahead
        } else {
            (newest + ahead).saturating_sub(TURN)
        };
        self.newest = Some(newest.max(extended));
        extended
    }
}

/// Counts the packets of one stream that came and those that did not (RFC 3550, appendix A.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct Losses {
    turns: Turns,
    first: Option<u64>,
    newest: u64,
    received: u64,
}

impl Losses {
    /// Takes note of one packet.
    pub fn push(&mut self, sequence: u16) {
        let at = self.turns.extend(sequence);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.newest = self.newest.max(at);
        self.received += 1;
    }

    /// Packets that came, duplicates counted.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Packets between the first and the newest that did not come; each duplicate hides one.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let expected = self.first.map_or(0, |first| self.newest - first + 1);
        expected.saturating_sub(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_over_the_wrap_in_both_directions() {
        let mut turns = Turns::default();
        let first = turns.extend(65_535);
        assert_eq!(turns.extend(0), first + 1);
        assert_eq!(turns.extend(65_534), first - 1);
        assert_eq!(turns.extend(3), first + 4);
        let mut turns = Turns::default();
        let first = turns.extend(0);
        assert_eq!(turns.extend(65_535), first - 1);
    }

    #[test]
    fn gaps_are_losses_and_disorder_is_none() {
        let mut losses = Losses::default();
        assert_eq!(losses.lost(), 0);
        for sequence in [65_534, 0, 65_535, 3, 1] {
            losses.push(sequence);
        }
        assert_eq!((losses.received(), losses.lost()), (5, 1));
    }
}
