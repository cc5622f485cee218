//! Where a relay server is: `turn:host:port`, `turns:host:port` (RFC 7065).

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnUrl {
    /// A name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How it is spoken to.
    pub transport: Transport,
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream that everybody on the way can read.
    Tcp,
    /// A stream within TLS.
    Tls,
}

impl TurnUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What it should be, to complete a sentence that begins with its name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "is \"turn:host:port\", \"turn:host:port?transport=tcp\" or \"turns:host:port\", not \"{}\"",
                text.chars().take(80).collect::<String>()
            )
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        let (transport, usual) = match (scheme, query) {
            ("turn", None | Some("transport=udp")) => (Transport::Udp, 3478),
            ("turn", Some("transport=tcp")) => (Transport::Tcp, 3478),
            ("turns", None | Some("transport=tcp")) => (Transport::Tls, 5349),
            _ => return Err(wrong()),
        };
        let (host, port) = split_port(place).ok_or_else(wrong)?;
        Ok(Self {
            host,
            port: port.unwrap_or(usual),
            transport,
        })
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn split_port(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                if behind.is_empty() {
                    None
                } else {
                    Some(behind.strip_prefix(':')?)
                },
            )
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_');
    if host.is_empty() || !host.bytes().all(is_host) {
        return None;
    }
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port: &u16| *port > 0)?),
        None => None,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        for (text, host, port, transport) in [
            ("turn:relay.example", "relay.example", 3478, Transport::Udp),
            ("turn:192.0.2.1:3479", "192.0.2.1", 3479, Transport::Udp),
            (
                "turn:relay.example:80?transport=tcp",
                "relay.example",
                80,
                Transport::Tcp,
            ),
            ("turns:relay.example:443", "relay.example", 443, Transport::Tls),
            (
                "turns:[2001:db8::1]:443?transport=tcp",
                "2001:db8::1",
                443,
                Transport::Tls,
            ),
        ] {
            let wanted = TurnUrl {
                host: host.into(),
                port,
                transport,
            };
            assert_eq!(TurnUrl::parse(text), Ok(wanted), "{text}");
        }
        for bad in [
            "",
            "relay.example",
            "stun:relay.example",
            "turn:",
            "turn:host:0",
            "turn:host:port",
            "turns:host?transport=udp",
            "turn:a b",
            "turn:[::1",
            "turn:host:1:2",
        ] {
            assert!(TurnUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
