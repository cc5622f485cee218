//! A far side that sends what is none of ours loses its link, and nothing else happens.

use twocan_core::media::fragment;

use super::*;

const GARBAGE: u64 = close_code::GARBAGE as u64;

/// A network with one good link and one to a rogue whose control stream is open.
struct Scene {
    friend: Peer,
    friend_link: LinkId,
    peer: Peer,
    rogue: Rogue,
    rogue_link: LinkId,
    send: quinn::SendStream,
    _recv: quinn::RecvStream,
}

impl Scene {
    async fn set() -> Self {
        let (friend, friend_link, mut peer, _) = linked().await;
        let rogue = Rogue::connect(9, &peer, 9).await;
        let (send, recv) = rogue.control().await;
        let rogue_link = peer.up().await.link;
        Self {
            friend,
            friend_link,
            peer,
            rogue,
            rogue_link,
            send,
            _recv: recv,
        }
    }

    /// The rogue's link was closed for garbage; the friend's lives.
    async fn ends_well(mut self) {
        assert_eq!(self.rogue.closed().await, GARBAGE);
        assert_eq!(self.peer.down().await, (self.rogue_link, None));
        self.friend.net.send(self.friend_link, b"still here".to_vec());
        assert_eq!(self.peer.frame().await.1, b"still here");
        assert!(self.peer.media.try_recv().is_err());
    }
}

#[tokio::test]
async fn impossible_frame_lengths() {
    let too_long = u32::try_from(bounds::CONTROL_FRAME + 1).unwrap();
    for len in [0, too_long, u32::MAX] {
        let mut scene = Scene::set().await;
        scene.send.write_all(&len.to_be_bytes()).await.unwrap();
        scene.ends_well().await;
    }
}

#[tokio::test]
async fn a_control_stream_that_ends_within_a_frame() {
    for part in [&[0, 0][..], &[0, 0, 0, 9], &[0, 0, 0, 9, 1, 2]] {
        let mut scene = Scene::set().await;
        scene.send.write_all(part).await.unwrap();
        scene.send.finish().unwrap();
        scene.ends_well().await;
    }
}

#[tokio::test]
async fn a_control_stream_that_ends_and_no_close() {
    let mut scene = Scene::set().await;
    scene.send.finish().unwrap();
    scene.ends_well().await;
}

#[tokio::test]
async fn a_control_stream_that_is_reset() {
    let mut scene = Scene::set().await;
    scene.send.reset(VarInt::from_u32(5)).unwrap();
    scene.ends_well().await;
}

#[tokio::test]
async fn datagrams_of_unknown_flows() {
    for bytes in [
        &[][..],
        &[0],
        &[3],
        &[4, 1],
        &[7, 9, 9],
        &[0x40],
        &[0xC0, 0, 0],
        &[0x40, 5],
    ] {
        let scene = Scene::set().await;
        scene
            .rogue
            .connection
            .send_datagram(Bytes::copy_from_slice(bytes))
            .unwrap();
        scene.ends_well().await;
    }
}

#[tokio::test]
async fn fragments_of_what_is_no_media() {
    for inner in [&[0, 1, 2, 3][..], &[1, 1], &[2, 0, 0, 0, 0, 9], &[7, 7]] {
        let scene = Scene::set().await;
        for half in fragment::split(inner, 1000, 7).unwrap() {
            scene.rogue.connection.send_datagram(half.into()).unwrap();
        }
        scene.ends_well().await;
    }
}

#[tokio::test]
async fn a_flood_of_garbage_is_logged_once_and_without_address() {
    let log = log::Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let mut scene = Scene::set().await;
    for _ in 0..50 {
        scene.rogue.connection.send_datagram(Bytes::from_static(&[5])).unwrap();
    }
    scene.send.write_all(&[0xFF; 1000]).await.unwrap();
    scene.ends_well().await;
    let lines = log.lines();
    assert!(lines.len() == 1 && lines[0].starts_with("WARN"), "{lines:?}");
    assert!(!lines[0].contains("127.0.0.1"), "{lines:?}");
}

#[tokio::test]
async fn another_stream_first_is_no_link() {
    let (mut friend, friend_link, mut peer, there) = linked().await;
    let rogue = Rogue::connect(9, &peer, 9).await;
    let (mut send, _recv) = rogue.connection.open_bi().await.unwrap();
    send.write_all(&[8, 0, 0, 0, 1, 1]).await.unwrap();
    assert_eq!(rogue.closed().await, GARBAGE);
    peer.net.send(there, b"alone".to_vec());
    assert_eq!(friend.frame().await, (friend_link, b"alone".to_vec()));
    friend.net.send(friend_link, b"still here".to_vec());
    let next = peer.input(Some).await;
    assert!(matches!(next, Input::Control { .. }), "no LinkUp: {next:?}");
}

#[tokio::test]
async fn no_second_stream_can_be_opened() {
    let scene = Scene::set().await;
    assert!(timeout(QUIET, scene.rogue.connection.open_bi()).await.is_err());
    assert!(timeout(QUIET, scene.rogue.connection.open_uni()).await.is_err());
}

#[tokio::test]
async fn a_far_side_that_does_not_read_is_let_go() {
    let mut scene = Scene::set().await;
    for _ in 0..400 {
        scene.peer.net.send(scene.rogue_link, vec![1; 8000]);
    }
    assert_eq!(scene.rogue.closed().await, u64::from(close_code::TOO_MUCH));
    assert_eq!(scene.peer.down().await, (scene.rogue_link, None));
}
