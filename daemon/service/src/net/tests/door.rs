//! Strangers at the door: asked for their address, let in or turned away, and met with silence once it is closed.

use twocan_core::crypto::Secret;

use super::*;

const SEED: Secret = Secret([7; 32]);

impl Peer {
    async fn visitor(&mut self) -> (VisitorId, SocketAddr) {
        self.input(|input| {
            if let Input::Visitor { visitor, from } = input {
                Some((visitor, from))
            } else {
                None
            }
        })
        .await
    }

    async fn turned_away(&mut self) -> DialId {
        self.input(|input| {
            if let Input::TurnedAway { dial } = input {
                Some(dial)
            } else {
                None
            }
        })
        .await
    }
}

/// Nobody has asked the loop to be let in.
fn no_visitor(peer: &mut Peer) {
    while let Ok(input) = peer.inputs.try_recv() {
        assert!(!matches!(input, Input::Visitor { .. }), "{input:?}");
    }
}

fn peers() -> (Peer, Peer) {
    (Peer::start(1), Peer::start(2))
}

#[tokio::test]
async fn whoever_is_let_in_becomes_a_link_under_keys_that_are_thrown_away() {
    let (mut caller, mut called) = peers();
    called.net.open_door(&SEED, PATIENCE);
    caller.net.dial_door(DialId(1), called.at, Secret([8; 32]));
    let (visitor, from) = called.visitor().await;
    assert_eq!(from, caller.at);
    called.net.decide(visitor, true);
    let (here, there) = (caller.up().await, called.up().await);
    assert_eq!((here.dial, here.visitor, here.peer), (Some(DialId(1)), None, key_of(7)));
    assert_eq!(
        (there.dial, there.visitor, there.peer),
        (None, Some(visitor), key_of(8))
    );
    assert_eq!(here.exporter, there.exporter);
    // Who is in stays when the door closes.
    called.net.close_door();
    caller.net.send(here.link, b"hello".to_vec());
    assert_eq!(called.frame().await, (there.link, b"hello".to_vec()));
    caller.net.close(here.link, close_code::GOING);
    assert_eq!(called.down().await, (there.link, Some(0)));
}

#[tokio::test]
async fn whoever_is_turned_away_hears_of_it() {
    let (mut caller, mut called) = peers();
    called.net.open_door(&SEED, PATIENCE);
    caller.net.dial_door(DialId(1), called.at, Secret([8; 32]));
    let (visitor, _) = called.visitor().await;
    called.net.decide(visitor, false);
    assert_eq!(caller.turned_away().await, DialId(1));
    called.net.decide(visitor, true);
    no_visitor(&mut called);
}

#[tokio::test]
async fn an_opening_ends_by_itself_although_the_loop_says_nothing() {
    let (caller, mut called) = peers();
    called.net.open_door(&SEED, Duration::ZERO);
    let refused = called.net.socket_stats().quic_refused;
    caller.net.dial_door(DialId(1), called.at, Secret([8; 32]));
    let stats = called.net.clone();
    let dropped = async {
        while stats.socket_stats().quic_refused < refused + 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, dropped).await.unwrap();
    assert_eq!(called.net.socket_stats().quic, 0);
    no_visitor(&mut called);
}

/// A contact's key opens nothing here, nor does a stranger get in where contacts do.
#[tokio::test]
async fn doors_and_links_speak_different_protocols() {
    let (mut caller, mut called) = peers();
    called.net.open_door(&SEED, PATIENCE);
    caller
        .net
        .dial(DialId(1), key_of(7), (called.at, Via::Own), token(1), bounds::MTU_SAFE);
    let (visitor, _) = called.visitor().await;
    called.net.decide(visitor, true);
    assert_eq!(caller.failed_dial().await, DialId(1));
}
