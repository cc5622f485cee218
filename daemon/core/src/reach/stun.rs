//! STUN binding requests and responses (RFC 8489), with what RFC 5780 adds for looking at a NAT's behaviour.
//!
//! Only what a client of public servers needs: no authentication, no integrity, no TCP. Reading is strict: a message is taken
//! whole or not at all, and nothing follows it. Who may answer what is not decided here: see [`super::survey`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What binds a response to its request (RFC 8489, section 5).
pub type Transaction = [u8; 12];

const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
const HEADER: usize = 20;
/// Bytes of the longest message that is read; responses of public servers have about a hundred.
const MOST: usize = 1280;
/// What the CRC of a FINGERPRINT is mixed with (RFC 8489, section 14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554e;

const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const FAILURE: u16 = 0x0111;

const MAPPED_ADDRESS: u16 = 0x0001;
const CHANGE_REQUEST: u16 = 0x0003;
const SOURCE_ADDRESS: u16 = 0x0004;
const CHANGED_ADDRESS: u16 = 0x0005;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const RESPONSE_PORT: u16 = 0x0027;
const FINGERPRINT: u16 = 0x8028;
const OTHER_ADDRESS: u16 = 0x802C;
/// Attributes from here on may be skipped by whoever does not know them.
const OPTIONAL: u16 = 0x8000;

/// From which of its addresses a server is asked to answer (RFC 5780, section 7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// From its other IP address.
    pub ip: bool,
    /// From its other port.
    pub port: bool,
}

/// A binding request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Fresh and random.
    pub tx: Transaction,
    /// Where the answer should come from; by default from where the request went.
    pub change: Change,
    /// To which port of ours the answer should go, instead of the one where the request came from (RFC 5780, section 7.5).
    pub answer_to: Option<u16>,
}

/// A successful binding response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// As in the request.
    pub tx: Transaction,
    /// Where the server saw the request come from.
    pub mapped: SocketAddr,
    /// The server's other IP address and other port, where it has such.
    pub other: Option<SocketAddr>,
}

/// A message that is one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A binding request: our own one comes back through a NAT that hairpins.
    Request(Request),
    /// The answer.
    Response(Response),
    /// The server will not say.
    Failure(Transaction),
}

impl Request {
    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut attributes = Vec::new();
        if self.change != Change::default() {
            let flags = u32::from(self.change.ip) << 2 | u32::from(self.change.port) << 1;
            put(&mut attributes, CHANGE_REQUEST, &flags.to_be_bytes());
        }
        if let Some(port) = self.answer_to {
            // Two bytes of the four are padding.
            put(&mut attributes, RESPONSE_PORT, &(u32::from(port) << 16).to_be_bytes());
        }
        message(REQUEST, &self.tx, &attributes)
    }
}

impl Response {
    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut attributes = Vec::new();
        let mapped = xored(&address_bytes(&self.mapped), &self.tx);
        put(&mut attributes, XOR_MAPPED_ADDRESS, &mapped);
        if let Some(other) = &self.other {
            put(&mut attributes, OTHER_ADDRESS, &address_bytes(other));
        }
        message(SUCCESS, &self.tx, &attributes)
    }
}

/// Reads one message; `None` for whatever is not a whole and well-formed one.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Message> {
    let (header, body) = bytes.split_first_chunk::<HEADER>()?;
    let [t0, t1, l0, l1, c0, c1, c2, c3, tx @ ..] = *header;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if bytes.len() > MOST || [c0, c1, c2, c3] != COOKIE || length != body.len() {
        return None;
    }
    let read = Attributes::read(bytes, &tx)?;
    match u16::from_be_bytes([t0, t1]) {
        REQUEST => Some(Message::Request(Request {
            tx,
            change: read.change.unwrap_or_default(),
            answer_to: read.answer_to,
        })),
        SUCCESS => Some(Message::Response(Response {
            tx,
            mapped: read.mapped?,
            other: read.other,
        })),
        FAILURE => Some(Message::Failure(tx)),
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Attributes {
    change: Option<Change>,
    answer_to: Option<u16>,
    mapped: Option<SocketAddr>,
    other: Option<SocketAddr>,
}

impl Attributes {
    /// Of an attribute that comes twice the first counts (RFC 8489, section 14).
    fn read(message: &[u8], tx: &Transaction) -> Option<Self> {
        let mut read = Self::default();
        let mut at = HEADER;
        while at < message.len() {
            let (head, rest) = message.get(at..)?.split_first_chunk::<4>()?;
            let [k0, k1, l0, l1] = *head;
            let (kind, length) = (u16::from_be_bytes([k0, k1]), usize::from(u16::from_be_bytes([l0, l1])));
            let value = rest.get(..length)?;
            if kind == FINGERPRINT {
                let is_last = at + 4 + value.len() == message.len();
                return (is_last && fingerprint(message.get(..at)?) == value).then_some(read);
            }
            read.take(kind, value, tx)?;
            at = at.checked_add(4 + length.next_multiple_of(4))?;
        }
        (at == message.len()).then_some(read)
    }

    fn take(&mut self, kind: u16, value: &[u8], tx: &Transaction) -> Option<()> {
        match kind {
            XOR_MAPPED_ADDRESS => {
                self.mapped = self.mapped.or(Some(address(&xored(value, tx))?));
            }
            OTHER_ADDRESS => {
                self.other = self.other.or(Some(address(value)?));
            }
            CHANGE_REQUEST => {
                let flags = u32::from_be_bytes(value.try_into().ok()?);
                let change = Change {
                    ip: flags & 4 != 0,
                    port: flags & 2 != 0,
                };
                self.change = self.change.or(Some(change));
            }
            RESPONSE_PORT => {
                let (port, _) = value.split_first_chunk::<2>()?;
                self.answer_to = self.answer_to.or(Some(u16::from_be_bytes(*port)));
            }
            // What servers of the first STUN (RFC 3489) say besides, and what belongs to a failure.
            MAPPED_ADDRESS | SOURCE_ADDRESS | CHANGED_ADDRESS | ERROR_CODE | UNKNOWN_ATTRIBUTES | OPTIONAL.. => {}
            // A message that demands to be understood and is not (RFC 8489, section 6.3.3).
            _ => return None,
        }
        Some(())
    }
}

fn message(kind: u16, tx: &Transaction, attributes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(attributes.len()).unwrap_or_default();
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&COOKIE);
    bytes.extend_from_slice(tx);
    bytes.extend_from_slice(attributes);
    bytes
}

/// All values written here are whole words, so there is no padding.
fn put(attributes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    attributes.extend_from_slice(&kind.to_be_bytes());
    attributes.extend_from_slice(&u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
    attributes.extend_from_slice(value);
}

/// Family, port, IP address (RFC 8489, section 14.1).
fn address_bytes(address: &SocketAddr) -> Vec<u8> {
    let (family, ip) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let mut bytes = vec![0, family];
    bytes.extend_from_slice(&address.port().to_be_bytes());
    bytes.extend_from_slice(&ip);
    bytes
}

fn address(value: &[u8]) -> Option<SocketAddr> {
    let ([_, family, p0, p1], ip) = value.split_first_chunk::<4>()?;
    let ip = match family {
        1 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
        2 => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), u16::from_be_bytes([*p0, *p1])))
}

/// Port and IP address mixed with cookie and transaction, so that no router on the way rewrites them (section 14.2).
fn xored(value: &[u8], tx: &Transaction) -> Vec<u8> {
    let key = COOKIE.iter().take(2).chain(&COOKIE).chain(tx);
    let (head, rest) = value.split_at(value.len().min(2));
    let mixed = rest.iter().zip(key).map(|(byte, key)| byte ^ key);
    head.iter().copied().chain(mixed).collect()
}

fn fingerprint(message: &[u8]) -> [u8; 4] {
    (crc32(message) ^ FINGERPRINT_MASK).to_be_bytes()
}

/// The CRC of ITU-T V.42, bit by bit: messages are short and few.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _: u8| {
        if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
    };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    /// RFC 5769, section 2.2: an IPv4 response with SOFTWARE, MESSAGE-INTEGRITY and FINGERPRINT.
    const SAMPLE_V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
                             002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7\
                             80280004c07d4c96";
    /// RFC 5769, section 2.3: the same over IPv6.
    const SAMPLE_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
                             002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf1\
                             1784c97c8292c275bfe3ed4180280004c8fb0b4c";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits.as_chunks::<2>().0.iter();
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// The samples carry MESSAGE-INTEGRITY, which nobody here asked for; it is taken out, and the fingerprint made anew.
    fn without_integrity(mut sample: Vec<u8>) -> Vec<u8> {
        let length = sample.len() - 32;
        sample.truncate(length);
        sample[2..4].copy_from_slice(&u16::try_from(length - HEADER + 8).unwrap().to_be_bytes());
        let print = fingerprint(&sample);
        put(&mut sample, FINGERPRINT, &print);
        sample
    }

    #[test]
    fn the_samples_of_rfc_5769_are_read() {
        for (sample, mapped) in [
            (SAMPLE_V4, "192.0.2.1:32853"),
            (SAMPLE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        ] {
            let sample = hex(sample);
            let print = sample.len() - 8;
            assert_eq!(
                fingerprint(&sample[..print]),
                sample[print + 4..],
                "the CRC is the right one"
            );
            assert_eq!(parse(&sample), None, "MESSAGE-INTEGRITY demands to be understood");
            let Some(Message::Response(response)) = parse(&without_integrity(sample)) else {
                panic!("not read")
            };
            assert_eq!(response.mapped, mapped.parse().unwrap());
            assert_eq!(response.tx, hex("b7e7a701bc34d686fa87dfae").as_slice());
            assert_eq!(response.other, None);
        }
    }

    #[test]
    fn what_is_not_whole_is_not_taken() {
        let response = Response {
            tx: [7; 12],
            mapped: "192.0.2.1:5".parse().unwrap(),
            other: Some("192.0.2.2:6".parse().unwrap()),
        };
        let good = response.to_bytes();
        assert_eq!(parse(&good), Some(Message::Response(response)));
        for cut in 0..good.len() {
            assert_eq!(parse(&good[..cut]), None, "cut at {cut}");
        }
        assert_eq!(parse(&[good.as_slice(), &[0]].concat()), None, "something follows");
        let mut bad_print = good.clone();
        bad_print[3] += 8;
        put(&mut bad_print, FINGERPRINT, &[1; 4]);
        assert_eq!(parse(&bad_print), None, "the fingerprint is wrong");
        let mut demanding = good.clone();
        demanding[3] += 4;
        put(&mut demanding, 0x0021, &[]);
        assert_eq!(parse(&demanding), None, "it demands to be understood");
        let mut optional = good;
        optional[3] += 4;
        put(&mut optional, 0x8021, &[]);
        assert_eq!(parse(&optional), Some(Message::Response(response)));
        let nothing = message(SUCCESS, &[7; 12], &[]);
        assert_eq!(parse(&nothing), None, "a response that says nothing");
        assert_eq!(parse(&message(FAILURE, &[7; 12], &[])), Some(Message::Failure([7; 12])));
        assert_eq!(parse(&message(0x0111 | 0x2, &[7; 12], &[])), None, "another method");
    }

    fn any_address() -> impl Strategy<Value = SocketAddr> {
        prop_oneof![
            (any::<[u8; 4]>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::from((ip, port))),
            (any::<[u16; 8]>(), any::<u16>())
                .prop_map(|(ip, port)| { SocketAddr::new(IpAddr::from(Ipv6Addr::from(ip)).to_canonical(), port) }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            tx: [u8; 12], mapped in any_address(), other in prop::option::of(any_address()), ip: bool, port: bool,
            answer_to: Option<u16>,
        ) {
            let response = Response { tx, mapped, other };
            prop_assert_eq!(parse(&response.to_bytes()), Some(Message::Response(response)));
            let request = Request { tx, change: Change { ip, port }, answer_to };
            prop_assert_eq!(parse(&request.to_bytes()), Some(Message::Request(request)));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn damaged_messages_never_panic(
            tx: [u8; 12], mapped in any_address(), cut in 0..64_usize, flips in prop::collection::vec((0..64_usize, any::<u8>()), 0..6),
        ) {
            let mut bytes = Response { tx, mapped, other: Some(mapped) }.to_bytes();
            for (at, value) in flips {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let _ = parse(&bytes);
        }
    }
}
