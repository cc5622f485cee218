//! Sockets on the loopback address.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn gate(bind: UdpBind) -> (io::Result<Gate>, mpsc::Receiver<Input>) {
    let (events, inputs) = mpsc::channel(8);
    let passes = Passes {
        cids: CidKey::generate().unwrap(),
        admissions: Arc::default(),
        door: Arc::default(),
    };
    (Gate::bind(bind, passes, events), inputs)
}

#[test]
fn addresses_are_mapped_both_ways() {
    let v4: SocketAddr = "192.0.2.1:5".parse().unwrap();
    let v6: SocketAddr = "[2001:db8::1]:5".parse().unwrap();
    assert_eq!(native(v4, true), "[::ffff:192.0.2.1]:5".parse::<SocketAddr>().unwrap());
    assert_eq!(plain(native(v4, true)), v4);
    assert_eq!(native(v4, false), v4);
    assert_eq!((native(v6, true), plain(v6)), (v6, v6));
}

#[tokio::test]
async fn joined_segments_are_sifted_one_by_one() {
    let (gate, mut inputs) = gate(UdpBind::Explicit("127.0.0.1:0".parse().unwrap()));
    let gate = gate.unwrap();
    let own = gate.own_cid();
    let quic = |fill: u8, len: usize| {
        let mut packet = [&[0x40], &*own].concat();
        packet.resize(len, fill);
        packet
    };
    let mut buffer = [quic(1, 40), vec![0xC0; 40], vec![5; 40], vec![1; 40], quic(2, 30)].concat();
    let mut meta = RecvMeta {
        len: buffer.len(),
        stride: 40,
        ..RecvMeta::default()
    };
    gate.sift(&mut buffer, &mut meta);
    assert_eq!(buffer.get(..meta.len).unwrap(), [quic(1, 40), quic(2, 30)].concat());
    assert!(matches!(inputs.try_recv(), Ok(Input::Datagram { bytes, .. }) if bytes == [5; 40]));
    assert!(matches!(inputs.try_recv(), Ok(Input::Stun { bytes, .. }) if bytes == [1; 40]));
    let stats = SocketStats {
        knocks: 2,
        knocks_dropped: 0,
        quic: 2,
        quic_refused: 1,
        other: 0,
    };
    assert_eq!(gate.stats(), stats);
}

#[tokio::test]
async fn only_a_node_that_was_asked_is_heard_and_a_connection_goes_before() {
    let (gate, mut inputs) = gate(UdpBind::Explicit("127.0.0.1:0".parse().unwrap()));
    let gate = gate.unwrap();
    let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let node = far.local_addr().unwrap();
    let message = b"d2:ip6:aaaaaa1:rd2:id20:nnnnnnnnnnnnnnnnnnnne1:t4:abcd1:y1:re";
    assert!(!gate.is_for_quinn(message, native(node, true)));
    assert!(inputs.try_recv().is_err(), "unasked");
    gate.transmit(node, Via::Own, None, b"d1:y1:qe");
    let elsewhere = SocketAddr::new(node.ip(), node.port() ^ 1);
    assert!(!gate.is_for_quinn(message, native(elsewhere, true)));
    assert!(inputs.try_recv().is_err(), "from another port");
    assert!(!gate.is_for_quinn(message, native(node, true)));
    let heard = inputs.try_recv();
    assert!(matches!(heard, Ok(Input::Krpc { from, bytes }) if from == node && bytes == message));
    let mut quic = [b"d".as_slice(), &*gate.own_cid()].concat();
    quic.resize(60, 7);
    assert!(gate.is_for_quinn(&quic, native(node, true)), "a packet of a connection");
    assert!(inputs.try_recv().is_err());
    assert_eq!((gate.stats().quic_refused, gate.stats().knocks), (2, 1));
}

#[tokio::test]
async fn knocks_leave_half_of_the_queue_to_the_links() {
    let (gate, _inputs) = gate(UdpBind::Explicit("127.0.0.1:0".parse().unwrap()));
    let gate = gate.unwrap();
    for _ in 0..8 {
        assert!(!gate.is_for_quinn(&[4], gate.local()));
    }
    assert_eq!((gate.stats().knocks, gate.stats().knocks_dropped), (4, 4));
}

/// Receives one packet with the hops that it had left.
fn hops(socket: &std::net::UdpSocket) -> Option<i32> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    use std::os::fd::AsRawFd as _;

    let (mut bytes, mut space) = ([0; 16], nix::cmsg_space!(i32));
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    let received = recvmsg::<()>(socket.as_raw_fd(), &mut buffers, Some(&mut space), MsgFlags::empty()).unwrap();
    received.cmsgs().unwrap().find_map(|option| {
        if let ControlMessageOwned::Ipv4Ttl(hops) | ControlMessageOwned::Ipv6HopLimit(hops) = option {
            Some(hops)
        } else {
            None
        }
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn a_life_of_its_own_is_one_packets_alone() {
    use nix::sys::socket::{setsockopt, sockopt};

    for (bound, far) in [
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("[::]:0", "127.0.0.1:0"),
        ("[::]:0", "[::1]:0"),
    ] {
        let (gate, _inputs) = gate(UdpBind::Explicit(bound.parse().unwrap()));
        let far = std::net::UdpSocket::bind(far).unwrap();
        let to = far.local_addr().unwrap();
        if to.is_ipv4() {
            setsockopt(&far, sockopt::Ipv4RecvTtl, &true).unwrap();
        } else {
            setsockopt(&far, sockopt::Ipv6RecvHopLimit, &true).unwrap();
        }
        let gate = gate.unwrap();
        for ttl in [Some(2), Some(4), None] {
            gate.transmit(to, Via::Own, ttl, &[4]);
        }
        let hops = [hops(&far), hops(&far), hops(&far)];
        assert_eq!(hops, [Some(2), Some(4), Some(64)], "from {bound} to {to}");
    }
}

#[tokio::test]
async fn nothing_is_heard_from_an_address_that_stands_for_something_else() {
    let (gate, mut inputs) = gate(UdpBind::Explicit("[::]:0".parse().unwrap()));
    let mut meta = RecvMeta {
        addr: vias::join(Via::Spare(1), "203.0.113.1:5".parse().unwrap()).unwrap(),
        len: 40,
        stride: 40,
        ..RecvMeta::default()
    };
    gate.unwrap().sift(&mut [5; 40], &mut meta);
    assert_eq!((meta.len, inputs.try_recv().is_err()), (0, true));
}

#[tokio::test]
async fn an_explicit_port_that_is_taken_is_an_error() {
    let (first, _inputs) = gate(UdpBind::Explicit("127.0.0.1:0".parse().unwrap()));
    let taken = first.as_ref().unwrap().local();
    let (second, _inputs) = gate(UdpBind::Explicit(taken));
    assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn the_default_port_gives_way_to_the_next_free_one() {
    let (first, _inputs) = gate(UdpBind::Default);
    let (second, _inputs) = gate(UdpBind::Default);
    let (first, second) = (first.unwrap().local(), second.unwrap().local());
    assert!(first.port() >= PORT && first.port() != second.port());
}
