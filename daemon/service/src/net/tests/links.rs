//! What two networks do for each other.

use super::*;

#[tokio::test]
async fn both_sides_learn_the_same_link() {
    let (mut dialer, mut listener) = (Peer::start(1), Peer::start(2));
    let (here, there) = link(&mut dialer, &mut listener, 1).await;
    assert_eq!((here.peer, there.peer), (listener.key, dialer.key));
    assert_eq!((here.remote, there.remote), (listener.at, dialer.at));
    assert_eq!(here.exporter, there.exporter);
    assert_ne!(here.exporter, [0; 32]);
    let (again, _) = link(&mut dialer, &mut listener, 2).await;
    assert_ne!(again.exporter, here.exporter);
    assert_ne!(again.link, here.link);
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_refused() {
    let (mut dialer, mut listener) = (Peer::start(1), Peer::start(2));
    listener.net.admit(token(1), PATIENCE);
    dialer.net.dial(
        DialId(1),
        key_of(3),
        (listener.at, Via::Own),
        token(1),
        bounds::MTU_SAFE,
    );
    assert_eq!(dialer.failed_dial().await, DialId(1));
    let (_, there) = link(&mut dialer, &mut listener, 2).await;
    assert_eq!(there.link, LinkId(1), "the refused handshake was no link");
}

#[tokio::test]
async fn frames_arrive_whole_and_in_order_both_ways() {
    let (mut dialer, here, mut listener, there) = linked().await;
    let frame = |number: usize| vec![u8::try_from(number % 251).unwrap(); 1 + number * 641 % bounds::CONTROL_FRAME];
    for number in 0..200 {
        dialer.net.send(here, frame(number));
        listener.net.send(there, frame(number));
        assert_eq!(listener.frame().await, (there, frame(number)));
    }
    for number in 0..200 {
        assert_eq!(dialer.frame().await, (here, frame(number)));
    }
    dialer.net.send(here, vec![7; bounds::CONTROL_FRAME]);
    assert_eq!(listener.frame().await.1.len(), bounds::CONTROL_FRAME);
}

#[tokio::test]
async fn a_loop_that_is_behind_loses_no_frame() {
    let (mut dialer, mut listener) = (Peer::start(1), Peer::bound(2, "127.0.0.1:0", 2));
    let (here, _) = link(&mut dialer, &mut listener, 1).await;
    for number in 0..200_u8 {
        dialer.net.send(here.link, vec![number; 4000]);
    }
    for number in 0..200_u8 {
        assert_eq!(listener.frame().await.1, vec![number; 4000]);
    }
}

#[tokio::test]
async fn keep_alives_come_with_a_round_trip() {
    let (dialer, here, mut listener, there) = linked().await;
    dialer.net.send_alive(here, b"alive");
    let rtt = listener
        .input(|input| {
            if let Input::Rtt { link, rtt } = input {
                Some((link, rtt))
            } else {
                None
            }
        })
        .await;
    assert!(rtt.0 == there && rtt.1 > Duration::ZERO && rtt.1 < PATIENCE);
    let body = listener
        .input(|input| {
            if let Input::Alive { bytes, .. } = input {
                Some(bytes)
            } else {
                None
            }
        })
        .await;
    assert_eq!(body, b"alive");
}

#[tokio::test]
async fn a_keep_alive_from_another_address_tells_of_that_alone() {
    let (dialer, here, mut listener, _) = linked().await;
    let ((to, _), packet) = dialer
        .net
        .shared
        .link(here)
        .unwrap()
        .seal_alive(b"from elsewhere")
        .unwrap();
    let elsewhere = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    elsewhere.send_to(&packet, to).await.unwrap();
    let moved = |input| {
        if let Input::Moved { from, .. } = input {
            Some(from)
        } else {
            None
        }
    };
    assert_eq!(listener.input(moved).await, elsewhere.local_addr().unwrap());
    dialer.net.send_alive(here, b"from here");
    let heard = listener
        .input(|input| {
            if let Input::Alive { bytes, .. } = input {
                Some(bytes)
            } else {
                None
            }
        })
        .await;
    assert_eq!(heard, b"from here");
}

#[tokio::test]
async fn media_goes_to_the_sink_under_its_flow() {
    let (dialer, here, mut listener, there) = linked().await;
    let sender = dialer.net.media_sender(here).unwrap();
    for flow in [8, 63, 64, 1 << 20] {
        sender.send(flow, &[9; 1000]);
        let packet = timeout(PATIENCE, listener.media.recv()).await.unwrap().unwrap();
        assert_eq!(packet, (there, flow, Bytes::from(vec![9; 1000])));
    }
    let stats = dialer.net.stats(here).unwrap();
    assert!(stats.max_datagram >= 1100 && stats.mtu >= 1200 && stats.dropped_datagrams == 0);
    assert!(dialer.net.media_sender(LinkId(99)).is_none() && dialer.net.stats(LinkId(99)).is_none());
}

#[tokio::test]
async fn what_the_path_cannot_carry_in_one_goes_in_two() {
    let (dialer, here, mut listener, there) = linked().await;
    let sender = dialer.net.media_sender(here).unwrap();
    for len in [1163, 1200, 1500, 2048] {
        sender.send(9, &vec![3; len]);
        let packet = timeout(PATIENCE, listener.media.recv()).await.unwrap().unwrap();
        assert_eq!(packet, (there, 9, Bytes::from(vec![3; len])));
    }
    sender.send(9, &vec![4; 10_000]);
    sender.send(9, &[5; 10]);
    let packet = timeout(PATIENCE, listener.media.recv()).await.unwrap().unwrap();
    assert_eq!(packet.2, Bytes::from(vec![5; 10]), "what two cannot carry is dropped");
}

#[tokio::test]
async fn knocks_reach_the_loop_with_a_plain_source() {
    let sender = Peer::start(1);
    let mut receiver = Peer::bound(2, "[::]:0", 64);
    let to = SocketAddr::new(sender.at.ip(), receiver.at.port());
    sender.net.transmit(to, Via::Own, None, &[4, 1, 2, 3]);
    let pick = |input| {
        if let Input::Datagram { from, bytes, .. } = input {
            Some((from, bytes))
        } else {
            None
        }
    };
    let (from, bytes) = receiver.input(pick).await;
    assert_eq!((from, bytes), (sender.at, vec![4, 1, 2, 3]));
    receiver.net.transmit(from, Via::Own, None, &[15]);
    let mut sender = sender;
    let (from, bytes) = sender.input(pick).await;
    assert_eq!((from, bytes), (to, vec![15]));
}

#[tokio::test]
async fn a_dual_stack_socket_links_over_ipv4_both_ways() {
    let (mut v4, mut dual) = (Peer::start(1), Peer::bound(2, "[::]:0", 64));
    dual.at.set_ip(v4.at.ip());
    let (_, there) = link(&mut v4, &mut dual, 1).await;
    assert_eq!(there.remote, v4.at);
    let (here, there) = link(&mut dual, &mut v4, 2).await;
    assert_eq!((here.remote, there.remote), (v4.at, dual.at));
}

#[tokio::test]
async fn what_was_sent_before_a_close_arrives() {
    let (mut dialer, here, mut listener, there) = linked().await;
    for number in 0..20_u8 {
        listener.net.send(there, vec![number; 2000]);
    }
    listener.net.close(there, close_code::REFUSED);
    for number in 0..20_u8 {
        assert_eq!(dialer.frame().await, (here, vec![number; 2000]));
    }
    assert_eq!(dialer.down().await, (here, Some(close_code::REFUSED.into())));
    assert_eq!(listener.down().await, (there, None));
    assert!(listener.net.stats(there).is_none());
    listener.net.close(there, close_code::REFUSED);
    assert!(timeout(QUIET, listener.down()).await.is_err(), "a link goes down once");
}

#[tokio::test]
async fn a_shutdown_says_going() {
    let (mut dialer, here, listener, _) = linked().await;
    timeout(PATIENCE, listener.net.shutdown()).await.unwrap();
    assert_eq!(dialer.down().await, (here, Some(close_code::GOING.into())));
}

#[tokio::test]
async fn a_dropped_network_lets_go_of_its_links_and_port() {
    let (mut dialer, here, listener, _) = linked().await;
    let Peer { net, at, .. } = listener;
    drop(net);
    assert_eq!(dialer.down().await.0, here);
    let rebound = async {
        while std::net::UdpSocket::bind(at).is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, rebound).await.unwrap();
}

#[tokio::test]
async fn the_bound_address_is_told() {
    let mut peer = Peer::start(1);
    let own = peer
        .input(|input| {
            if let Input::Interfaces(own) = input {
                Some(own)
            } else {
                None
            }
        })
        .await;
    assert_eq!(own.hosts().collect::<Vec<_>>(), [peer.at]);
}
