//! Safety words: what two people read to each other to be sure that nobody sits between them.
//!
//! A short string that depends on the TLS exporter alone could be ground out by somebody in the middle, who tries key
//! shares until both of his links give the same words. So the dialer first commits to a nonce, the listener answers
//! with another, and only then the dialer reveals his: whoever sits in the middle has to choose before he can know, and
//! has one try in 2^44 a run. [`Exchange`] is one run on one link; whatever does not fit ends it.
//!
//! The messages carry no session number: they belong to one connection and are never sent again on another.

use crate::crypto;
use crate::ids::{DeviceKey, RootKey};
use crate::message::{Commitment, Message, Nonce};

/// How many words are compared.
pub const WORDS: usize = 4;
/// Bits a word stands for.
const WORD_BITS: u32 = 11;
/// The English list of BIP-39: 2,048 words that differ in their first four letters.
const LIST: &str = include_str!("words.txt");
const COMMITMENT: &[u8] = b"twocan safety commitment 1";

/// One end of a link, as both sides know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// The person.
    pub root: RootKey,
    /// The device whose key TLS proved.
    pub device: DeviceKey,
    /// SHA-256 of the device list that `hello` carried.
    pub list: [u8; 32],
}

/// What both sides must agree on before words can be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The link's TLS exporter.
    pub exporter: [u8; 32],
    /// Who opened the connection.
    pub dialer: Party,
    /// Who accepted it.
    pub listener: Party,
}

/// The four words.
pub type Words = [&'static str; WORDS];

/// Where an exchange stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Listener: waits for the commitment.
    Waiting,
    /// Dialer: has committed, waits for the listener's nonce.
    Committed,
    /// Listener: has given its nonce, waits for the dialer's.
    Answered { commitment: [u8; 32] },
    /// The words are known.
    Done,
}

/// One run, at one side.
#[derive(Clone, Debug)]
pub struct Exchange {
    parties: Parties,
    nonce: [u8; 32],
    step: Step,
}

/// What a message led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What to say next.
    pub send: Option<Message>,
    /// The words, once they are known.
    pub words: Option<Words>,
}

/// A message that does not fit: the run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exchange of safety words does not fit")]
pub struct Deviation;

impl Exchange {
    /// The dialer's side, with a fresh nonce, and its commitment.
    #[must_use]
    pub fn dial(parties: Parties, nonce: [u8; 32]) -> (Self, Message) {
        let commitment = commitment(&parties, &nonce);
        let exchange = Self {
            parties,
            nonce,
            step: Step::Committed,
        };
        (exchange, Message::SafetyCommit(Commitment { commitment }))
    }

    /// The listener's side, with a fresh nonce that it keeps to itself until the dialer has committed.
    #[must_use]
    pub const fn listen(parties: Parties, nonce: [u8; 32]) -> Self {
        Self {
            parties,
            nonce,
            step: Step::Waiting,
        }
    }

    /// Whether this side has not given its nonce away yet, so that nobody has learned anything.
    #[must_use]
    pub const fn is_untold(&self) -> bool {
        matches!(self.step, Step::Waiting | Step::Committed)
    }

    /// Takes the next message.
    ///
    /// # Errors
    /// [`Deviation`] for whatever is not the one message that fits.
    pub fn take(&mut self, message: &Message) -> Result<Progress, Deviation> {
        match (self.step, message) {
            // Both users asked at once and the messages crossed.
            (Step::Committed, Message::SafetyAsk) => Ok(Progress {
                send: None,
                words: None,
            }),
            (Step::Waiting, Message::SafetyCommit(body)) => {
                self.step = Step::Answered {
                    commitment: body.commitment,
                };
                Ok(Progress {
                    send: Some(Message::SafetyAnswer(Nonce { nonce: self.nonce })),
                    words: None,
                })
            }
            (Step::Committed, Message::SafetyAnswer(body)) => {
                self.step = Step::Done;
                Ok(Progress {
                    send: Some(Message::SafetyReveal(Nonce { nonce: self.nonce })),
                    words: Some(words(&self.parties, &self.nonce, &body.nonce)),
                })
            }
            (Step::Answered { commitment: committed }, Message::SafetyReveal(body)) => {
                self.step = Step::Done;
                if !crypto::mac_eq(&commitment(&self.parties, &body.nonce), &committed) {
                    return Err(Deviation);
                }
                Ok(Progress {
                    send: None,
                    words: Some(words(&self.parties, &body.nonce, &self.nonce)),
                })
            }
            (Step::Waiting | Step::Committed | Step::Answered { .. } | Step::Done, _) => Err(Deviation),
        }
    }
}

/// SHA-256(label ‖ exporter ‖ dialer's root ‖ listener's root ‖ the dialer's nonce).
fn commitment(parties: &Parties, nonce: &[u8; 32]) -> [u8; 32] {
    let parts: [&[u8]; 5] = [
        COMMITMENT,
        &parties.exporter,
        &parties.dialer.root.0,
        &parties.listener.root.0,
        nonce,
    ];
    crypto::hash(&parts.concat())
}

/// The words of HKDF(exporter, label ‖ both roots ‖ both device keys ‖ both list hashes ‖ both nonces), the dialer's first.
fn words(parties: &Parties, dialer_nonce: &[u8; 32], listener_nonce: &[u8; 32]) -> Words {
    let (dialer, listener) = (&parties.dialer, &parties.listener);
    let info: [&[u8]; 8] = [
        &dialer.root.0,
        &listener.root.0,
        &dialer.device.0,
        &listener.device.0,
        &dialer.list,
        &listener.list,
        dialer_nonce,
        listener_nonce,
    ];
    let [a, b, c, d, e, f, ..] = crypto::derive(&parties.exporter, "safety words", &info).0;
    let mut bits = u64::from_be_bytes([0, 0, a, b, c, d, e, f]) >> 4;
    let list: Vec<&str> = LIST.lines().collect();
    let mut words = [""; WORDS];
    for word in words.iter_mut().rev() {
        let index = usize::try_from(bits % (1 << WORD_BITS)).unwrap_or(0);
        *word = list.get(index).copied().unwrap_or_default();
        bits >>= WORD_BITS;
    }
    words
}

/// The number of two people, to be compared on paper: 60 digits in groups of five, thirty from each root. It is the same on
/// every link and after every restart.
#[must_use]
pub fn number(one: &RootKey, other: &RootKey) -> String {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    let groups: Vec<String> = [low, high].into_iter().flat_map(digits).collect();
    groups.join(" ")
}

/// Six groups of five digits for one person.
fn digits(root: &RootKey) -> Vec<String> {
    let bytes = crypto::derive(&root.0, "safety number", &[]).0;
    let chunks = bytes.as_chunks::<5>().0.iter();
    chunks
        .map(|[a, b, c, d, e]| u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]) % 100_000)
        .map(|group| format!("{group:05}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn party(seed: u8) -> Party {
        Party {
            root: RootKey([seed; 32]),
            device: DeviceKey([seed + 1; 32]),
            list: [seed + 2; 32],
        }
    }

    fn parties() -> Parties {
        Parties {
            exporter: [9; 32],
            dialer: party(10),
            listener: party(20),
        }
    }

    /// Both sides' words after an undisturbed run, each with its own picture of who takes part.
    fn run(here: Parties, there: Parties) -> (Option<Words>, Option<Words>) {
        let (mut dialer, commit) = Exchange::dial(here, [1; 32]);
        let mut listener = Exchange::listen(there, [2; 32]);
        let answer = listener.take(&commit).unwrap().send.unwrap();
        let revealed = dialer.take(&answer).unwrap();
        let heard = listener.take(&revealed.send.unwrap());
        (revealed.words, heard.ok().and_then(|progress| progress.words))
    }

    #[test]
    fn the_list_is_the_one_of_bip_39() {
        let hash = crypto::hash(LIST.as_bytes());
        assert_eq!(hash[..4], [0x2f, 0x5e, 0xed, 0x53]);
        assert_eq!(LIST.lines().count(), 1 << WORD_BITS);
    }

    #[test]
    fn two_honest_sides_show_the_same_words() {
        let (one, other) = run(parties(), parties());
        assert_eq!(one, other);
        assert!(one.unwrap().iter().all(|word| word.len() >= 3));
    }

    #[test]
    fn whatever_differs_between_the_sides_shows() {
        let honest = run(parties(), parties()).0;
        let bend: [fn(&mut Parties); 4] = [
            |there| there.dialer.device = DeviceKey([0; 32]),
            |there| there.dialer.list = [0; 32],
            |there| there.listener.device = DeviceKey([0; 32]),
            |there| there.listener.list = [0; 32],
        ];
        for bend in bend {
            let mut there = parties();
            bend(&mut there);
            let (one, other) = run(parties(), there);
            assert_eq!(one, honest);
            assert!(other.is_some() && other != honest);
        }
    }

    #[test]
    fn another_exporter_or_root_breaks_the_commitment() {
        let bend: [fn(&mut Parties); 3] = [
            |there| there.exporter = [0; 32],
            |there| there.dialer.root = RootKey([0; 32]),
            |there| there.listener.root = RootKey([0; 32]),
        ];
        for bend in bend {
            let mut there = parties();
            bend(&mut there);
            assert_eq!(run(parties(), there).1, None);
        }
    }

    /// Somebody in the middle who learned the listener's nonce wants to reveal a better one of his own.
    #[test]
    fn a_nonce_other_than_the_committed_one_is_a_deviation() {
        let (_, commit) = Exchange::dial(parties(), [1; 32]);
        let mut listener = Exchange::listen(parties(), [2; 32]);
        listener.take(&commit).unwrap();
        let other = Message::SafetyReveal(Nonce { nonce: [3; 32] });
        assert_eq!(listener.take(&other), Err(Deviation));
        let right = Message::SafetyReveal(Nonce { nonce: [1; 32] });
        assert_eq!(listener.take(&right), Err(Deviation), "there is no second try");
    }

    #[test]
    fn every_message_out_of_turn_is_a_deviation() {
        let nonce = Nonce { nonce: [3; 32] };
        let commit = Message::SafetyCommit(Commitment { commitment: [3; 32] });
        let (answer, reveal) = (Message::SafetyAnswer(nonce.clone()), Message::SafetyReveal(nonce));
        for wrong in [&answer, &reveal, &Message::SafetyAsk] {
            assert_eq!(Exchange::listen(parties(), [2; 32]).take(wrong), Err(Deviation));
        }
        for wrong in [&commit, &reveal] {
            assert_eq!(Exchange::dial(parties(), [1; 32]).0.take(wrong), Err(Deviation));
        }
        let (mut done, _) = Exchange::dial(parties(), [1; 32]);
        done.take(&answer).unwrap();
        for wrong in [&commit, &answer, &reveal, &Message::SafetyAsk] {
            assert_eq!(done.take(wrong), Err(Deviation));
        }
    }

    #[test]
    fn the_number_is_the_same_on_both_sides_and_differs_between_people() {
        let (a, b, c) = (RootKey([1; 32]), RootKey([2; 32]), RootKey([3; 32]));
        let shown = number(&a, &b);
        assert_eq!(shown, number(&b, &a));
        assert_ne!(shown, number(&a, &c));
        assert_eq!(shown.chars().filter(char::is_ascii_digit).count(), 60);
        assert_eq!(shown.split(' ').count(), 12);
    }
}
