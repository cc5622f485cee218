//! The one exchange of the DHT's protocol (BEP 5) that goes through this device's own socket: a ping, whose reply says where the
//! node saw it come from (BEP 42).
//!
//! Questions of others are not read: a node that is only asked answers nobody, and says so in its pings (BEP 43). Reading is
//! strict: a reply is one dictionary of bounded size and depth, whole, its keys ascending as BEP 3 asks, and nothing follows it.
//! Who may answer what is not decided here: see [`super::pings`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What binds a reply to its ping. Nodes copy whatever they are given, but some take nothing but four bytes.
pub type Transaction = [u8; 4];

/// The first byte of every message: a dictionary.
pub const FORM: u8 = b'd';
/// Bytes of the longest reply that is read; those of public nodes have about seventy.
const MOST: usize = 512;
/// Dictionaries and lists within each other.
const DEEPEST: usize = 3;
/// Bytes of a node's id.
const ID: usize = 20;

/// A ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Fresh and random.
    pub tx: Transaction,
    /// Whoever asks has to be called something; drawn for each round, so that it tells nothing.
    pub id: [u8; ID],
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong {
    /// As in the ping.
    pub tx: Transaction,
    /// Where the node saw the ping come from.
    pub seen: SocketAddr,
}

/// Whether these bytes are of this protocol; whether they are a reply, [`parse`] says.
#[must_use]
pub fn is_krpc(bytes: &[u8]) -> bool {
    bytes.first() == Some(&FORM)
}

impl Ping {
    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            b"d1:ad2:id20:".as_slice(),
            &self.id,
            b"e1:q4:ping2:roi1e1:t4:",
            &self.tx,
            b"1:y1:qe",
        ]
        .concat()
    }
}

impl Pong {
    /// The bytes that a node sends which calls itself `id`.
    #[must_use]
    pub fn to_bytes(&self, id: &[u8; ID]) -> Vec<u8> {
        let mut place = match self.seen.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        place.extend(self.seen.port().to_be_bytes());
        let length = place.len().to_string();
        [
            b"d2:ip".as_slice(),
            length.as_bytes(),
            b":",
            &place,
            b"1:rd2:id20:",
            id,
            b"e1:t4:",
            &self.tx,
            b"1:y1:re",
        ]
        .concat()
    }
}

/// Reads one reply to a ping; `None` for whatever else, and for a node that does not say where it saw us.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Pong> {
    if bytes.len() > MOST {
        return None;
    }
    let mut reader = Reader { rest: bytes };
    let message = reader.dictionary(0)?;
    if !reader.rest.is_empty() || message.get(b"y")?.text()? != b"r" {
        return None;
    }
    let mut answer = Reader {
        rest: message.get(b"r")?.0,
    };
    let node = answer.dictionary(1)?;
    if node.get(b"id")?.text()?.len() != ID {
        return None;
    }
    Some(Pong {
        tx: message.get(b"t")?.text()?.try_into().ok()?,
        seen: place(message.get(b"ip")?.text()?)?,
    })
}

/// BEP 42: the IP address, then the port, both as they are on the wire.
fn place(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let ip = if let Ok(ip) = <[u8; 4]>::try_from(ip) {
        IpAddr::from(Ipv4Addr::from(ip))
    } else {
        IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?))
    };
    Some(SocketAddr::new(ip.to_canonical(), u16::from_be_bytes(*port)))
}

/// A whole value as it stands in the message.
#[derive(Clone, Copy, Debug)]
struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// `None` for what is no text.
    fn text(self) -> Option<&'a [u8]> {
        Reader { rest: self.0 }.text()
    }
}

/// The entries of a dictionary, in the order of the message.
#[derive(Debug)]
struct Dictionary<'a>(Vec<(&'a [u8], Value<'a>)>);

impl<'a> Dictionary<'a> {
    fn get(&self, key: &[u8]) -> Option<Value<'a>> {
        let found = self.0.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| *value)
    }
}

#[derive(Debug)]
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// The digits up to and with `end`: no sign, no needless zero, few enough for any length or number here.
    fn digits(&mut self, end: u8) -> Option<usize> {
        let count = self.rest.iter().take(11).position(|byte| *byte == end)?;
        let digits = self.take(count)?;
        self.take(1)?;
        let is_plain = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits.first() != Some(&b'0'));
        let text = std::str::from_utf8(digits).ok().filter(|_| is_plain)?;
        text.parse().ok()
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.digits(b':')?;
        self.take(length)
    }

    fn number(&mut self) -> Option<()> {
        self.take(1)?;
        if self.rest.first() == Some(&b'-') {
            self.take(1)?;
        }
        self.digits(b'e').map(|_| ())
    }

    /// One value of any kind, `depth` dictionaries and lists down.
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        let all = self.rest;
        match all.first()? {
            b'd' => self.dictionary(depth).map(|_| ())?,
            b'l' => self.list(depth)?,
            b'i' => self.number()?,
            _ => self.text().map(|_| ())?,
        }
        all.get(..all.len().checked_sub(self.rest.len())?).map(Value)
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.take(1).filter(|_| depth < DEEPEST)?;
        while *self.rest.first()? != b'e' {
            self.value(depth + 1)?;
        }
        self.take(1).map(|_| ())
    }

    fn dictionary(&mut self, depth: usize) -> Option<Dictionary<'a>> {
        self.take(1).filter(|begin| *begin == [FORM] && depth < DEEPEST)?;
        let mut entries: Vec<(&'a [u8], Value<'a>)> = Vec::new();
        while *self.rest.first()? != b'e' {
            let key = self.text()?;
            if entries.last().is_some_and(|(before, _)| *before >= key) {
                return None;
            }
            entries.push((key, self.value(depth + 1)?));
        }
        self.take(1)?;
        Some(Dictionary(entries))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    /// Replies as libraries in use write them, with what they say besides.
    #[test]
    fn replies_of_others_are_read() {
        let id = [b'n'; ID];
        let plain = [
            b"d2:ip6:".as_slice(),
            &[203, 0, 113, 7, 0x9c, 0x40],
            b"1:rd2:id20:",
            &id,
            b"e1:t4:abcd1:v4:LT\x01\x021:y1:re",
        ]
        .concat();
        let chatty = [
            b"d2:ip6:".as_slice(),
            &[203, 0, 113, 7, 0x9c, 0x40],
            b"1:rd2:id20:",
            &id,
            b"5:nodesl3:abci-7ee1:pi6881ee1:t4:abcd1:v2:UT1:y1:re",
        ]
        .concat();
        for reply in [plain, chatty] {
            let pong = parse(&reply).unwrap();
            assert_eq!(
                (pong.tx, pong.seen.to_string().as_str()),
                (*b"abcd", "203.0.113.7:40000")
            );
        }
    }

    #[test]
    fn what_is_no_such_reply_is_not_taken() {
        let good = Pong {
            tx: *b"abcd",
            seen: "203.0.113.7:5".parse().unwrap(),
        }
        .to_bytes(&[b'n'; ID]);
        assert!(parse(&good).is_some());
        for cut in 0..good.len() {
            assert_eq!(parse(&good[..cut]), None, "cut at {cut}");
        }
        assert_eq!(parse(&[good.as_slice(), b"e"].concat()), None, "something follows");
        let text = |text: &[u8]| parse(text);
        let id = "2:id20:nnnnnnnnnnnnnnnnnnnn";
        for (what, reply) in [
            ("no address", format!("d1:rd{id}e1:t4:abcd1:y1:re")),
            (
                "an address of five bytes",
                format!("d2:ip5:aaaaa1:rd{id}e1:t4:abcd1:y1:re"),
            ),
            (
                "an id that is too short",
                "d2:ip6:aaaaaa1:rd2:id2:nne1:t4:abcd1:y1:re".to_owned(),
            ),
            ("a question", format!("d2:ip6:aaaaaa1:ad{id}e1:q4:ping1:t4:abcd1:y1:qe")),
            ("a failure", "d1:eli201e1:xe2:ip6:aaaaaa1:t4:abcd1:y1:ee".to_owned()),
            ("keys out of order", format!("d1:rd{id}e2:ip6:aaaaaa1:t4:abcd1:y1:re")),
            (
                "a key twice",
                format!("d2:ip6:aaaaaa2:ip6:bbbbbb1:rd{id}e1:t4:abcd1:y1:re"),
            ),
            (
                "a transaction of others",
                format!("d2:ip6:aaaaaa1:rd{id}e1:t2:ab1:y1:re"),
            ),
            ("a needless zero", format!("d2:ip06:aaaaaa1:rd{id}e1:t4:abcd1:y1:re")),
            (
                "a length beyond the end",
                format!("d2:ip9999999999:aaaaaa1:rd{id}e1:t4:abcd1:y1:re"),
            ),
            (
                "too deep",
                format!("d1:allllleeeee2:ip6:aaaaaa1:rd{id}e1:t4:abcd1:y1:re"),
            ),
            ("no dictionary", "l4:spame".to_owned()),
        ] {
            assert_eq!(text(reply.as_bytes()), None, "{what}");
        }
        let long = format!("d2:ip6:aaaaaa1:rd{id}e1:t4:abcd1:v{MOST}:{}1:y1:re", "v".repeat(MOST));
        assert_eq!(text(long.as_bytes()), None, "too long");
        let ping = Ping {
            tx: *b"abcd",
            id: [b'n'; ID],
        }
        .to_bytes();
        assert_eq!(parse(&ping), None, "our own question");
        assert_eq!(ping.len(), 65);
        assert!(good.len() <= ping.len() + 14, "no amplifier: {}", good.len());
    }

    fn any_place() -> impl Strategy<Value = SocketAddr> {
        prop_oneof![
            (any::<[u8; 4]>(), any::<u16>()).prop_map(SocketAddr::from),
            (any::<[u16; 8]>(), any::<u16>())
                .prop_map(|(ip, port)| SocketAddr::new(IpAddr::from(Ipv6Addr::from(ip)).to_canonical(), port)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tx: [u8; 4], seen in any_place(), id: [u8; ID]) {
            let pong = Pong { tx, seen };
            prop_assert_eq!(parse(&pong.to_bytes(&id)), Some(pong));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }

        /// Out of the letters that the format is made of, so that the reader gets deep into it.
        #[test]
        fn near_misses_never_panic(text in "d([dlie0-9:a-z-]{0,12}|2:ip6:|1:r|2:id20:|1:t4:){0,40}e?") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn damaged_replies_never_panic_and_nothing_longer_is_read(
            tx: [u8; 4], seen in any_place(), flips in prop::collection::vec((0..80_usize, any::<u8>()), 0..5), more in 0..4_usize,
        ) {
            let mut bytes = Pong { tx, seen }.to_bytes(&[7; ID]);
            bytes.extend(std::iter::repeat_n(b'e', more));
            prop_assert!(more == 0 || parse(&bytes).is_none());
            for (at, value) in flips {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = parse(&bytes);
        }
    }
}
