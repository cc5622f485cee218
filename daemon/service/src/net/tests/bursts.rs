//! A key frame is a burst of packets, and all of them arrive.

use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;

use super::*;

const BURST: usize = 150;

/// Returns every packet at once.
#[derive(Debug, Default)]
struct Echo(OnceLock<Net>);

impl MediaSink for Echo {
    fn deliver(&self, link: LinkId, flow: u64, packet: Bytes) {
        self.0.get().unwrap().media_sender(link).unwrap().send(flow, &packet);
    }
}

/// The echo's thread is held up until the whole burst waits in its socket.
#[test]
fn an_echo_loses_nothing_of_a_burst() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (address, listener_address) = channel();
    let (linked, is_linked) = channel();
    let (sent, is_sent) = channel();
    let echo = thread::spawn(move || {
        runtime().block_on(async {
            let echo = Arc::new(Echo::default());
            let sink = Arc::clone(&echo);
            let mut peer = Peer::with_sink(2, "127.0.0.1:0", 64, sink, unbounded_channel().1);
            echo.0.set(peer.net.clone()).unwrap();
            peer.net.admit(token(1), PATIENCE);
            address.send(peer.at).unwrap();
            let link = peer.up().await.link;
            linked.send(()).unwrap();
            is_sent.recv_timeout(PATIENCE).unwrap();
            peer.down().await;
            link
        })
    });
    runtime().block_on(async {
        let mut peer = Peer::start(1);
        peer.net.dial(
            DialId(1),
            key_of(2),
            (listener_address.recv().unwrap(), Via::Own),
            token(1),
            bounds::MTU_SAFE,
        );
        let link = peer.up().await.link;
        is_linked.recv_timeout(PATIENCE).unwrap();
        let sender = peer.net.media_sender(link).unwrap();
        for packet in 0..BURST {
            sender.send(8, &[u8::try_from(packet).unwrap(); 1000]);
            if packet % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        sent.send(()).unwrap();
        for packet in 0..BURST {
            let came = timeout(PATIENCE, peer.media.recv()).await.unwrap().unwrap();
            assert_eq!(came.2, vec![u8::try_from(packet).unwrap(); 1000]);
        }
        peer.net.shutdown().await;
    });
    echo.join().unwrap();
}
