//! A link that goes through something else than the socket.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Weak;
use std::sync::atomic::AtomicUsize;

use super::super::vias::Carrier;
use super::*;

/// Where each side takes the other to be; nobody is there.
const FAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)), 4711);

/// Carries packets to another gate, which takes them to come from `from` by `via`.
#[derive(Debug)]
struct Wire {
    to: Weak<Gate>,
    from: SocketAddr,
    via: Via,
    carried: AtomicUsize,
}

impl Carrier for Wire {
    fn carry(&self, to: SocketAddr, _: Option<u8>, packet: &[u8]) {
        assert_eq!(to, FAR);
        self.carried.fetch_add(1, Ordering::Relaxed);
        if let Some(gate) = self.to.upgrade() {
            gate.arrive(self.from, self.via, packet);
        }
    }
}

fn wire(near: &Peer, near_via: Via, far: &Peer, far_via: Via) -> Arc<Wire> {
    let wire = Arc::new(Wire {
        to: Arc::downgrade(&far.net.shared.gate),
        from: FAR,
        via: far_via,
        carried: AtomicUsize::new(0),
    });
    let carrier: Arc<dyn Carrier> = Arc::clone(&wire) as Arc<dyn Carrier>;
    near.net.shared.gate.vias().attach(near_via, carrier);
    wire
}

#[tokio::test]
async fn a_link_goes_through_what_it_was_dialed_through() {
    for bound in ["127.0.0.1:0", "[::]:0"] {
        let (mut dialer, mut listener) = (Peer::bound(1, bound, 64), Peer::bound(2, bound, 64));
        let (near, far) = (Via::Spare(7), Via::Spare(9));
        let there = wire(&dialer, near, &listener, far);
        let back = wire(&listener, far, &dialer, near);
        listener.net.admit(token(1), PATIENCE);
        let to = (FAR, near);
        dialer.net.dial(DialId(1), listener.key, to, token(1), bounds::MTU_SAFE);
        let (here, up) = (dialer.up().await, listener.up().await);
        assert_eq!((here.remote, here.via, up.remote, up.via), (to.0, near, to.0, far));
        dialer.net.send(here.link, vec![1; 5000]);
        assert_eq!(listener.frame().await, (up.link, vec![1; 5000]));
        listener.net.send_alive(up.link, b"alive");
        let alive = |input| matches!(input, Input::Alive { bytes, .. } if bytes == b"alive").then_some(());
        dialer.input(alive).await;
        let carried = [&there, &back].map(|wire| wire.carried.load(Ordering::Relaxed));
        assert!(carried.iter().all(|carried| *carried > 3), "{carried:?}");
        // A way that is closed carries nothing.
        dialer.net.shared.gate.vias().detach(near);
        dialer.net.transmit(to.0, near, None, &[4, 1]);
        assert_eq!(there.carried.load(Ordering::Relaxed), carried[0]);
    }
}

#[tokio::test]
async fn a_link_goes_through_a_spare_socket_and_others_close() {
    let (mut dialer, mut listener) = (Peer::start(1), Peer::start(2));
    listener.net.open_spares(10..14);
    listener.net.transmit(dialer.at, Via::Spare(12), None, &[4, 9]);
    let knock = |input| {
        if let Input::Datagram { from, .. } = input {
            Some(from)
        } else {
            None
        }
    };
    let spare = dialer.input(knock).await;
    assert_ne!(spare, listener.at);
    listener.net.close_spares(10..12);
    listener.net.close_spares(13..14);
    listener.net.admit(token(1), PATIENCE);
    dialer
        .net
        .dial(DialId(1), listener.key, (spare, Via::Own), token(1), bounds::MTU_SAFE);
    let (here, there) = (dialer.up().await, listener.up().await);
    assert_eq!(
        (here.remote, there.remote, there.via),
        (spare, dialer.at, Via::Spare(12))
    );
    listener.net.send(there.link, vec![3; 3000]);
    assert_eq!(dialer.frame().await, (here.link, vec![3; 3000]));
    dialer.net.transmit(spare, Via::Own, None, &[4, 7]);
    let via = |input| {
        if let Input::Datagram { via, .. } = input {
            Some(via)
        } else {
            None
        }
    };
    assert_eq!(listener.input(via).await, Via::Spare(12));
}
