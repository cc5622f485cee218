//! The thread of the media path: one single-threaded runtime for the socket, QUIC and all local legs, so that a packet
//! crosses no thread on its way.

use std::net::SocketAddr;
use std::thread::{Builder, JoinHandle};

use anyhow::Context as _;
use tokio::runtime::{Builder as RuntimeBuilder, Handle};
use tokio::sync::{mpsc, oneshot};
use twocan_core::io::Input;

use crate::net::{Net, NetConfig};

/// The running thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct MediaThread {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MediaThread {
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = RuntimeBuilder::new_current_thread()
            .enable_all()
            .build()
            .context("no media runtime")?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = Builder::new()
            .name("media".into())
            .spawn(move || {
                // Whether told to stop or forgotten, the thread ends.
                let _ = runtime.block_on(stopped);
            })
            .context("no media thread")?;
        Ok(Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    pub(super) async fn start_net(
        &self,
        config: NetConfig,
        inputs: mpsc::Sender<Input>,
    ) -> anyhow::Result<(Net, SocketAddr)> {
        self.handle
            .spawn(async move { Net::start(config, inputs) })
            .await
            .context("the media thread is gone")?
    }

    /// Lets the links say good-bye.
    pub(super) async fn shut_down(&self, net: Net) {
        if self.handle.spawn(async move { net.shutdown().await }).await.is_err() {
            tracing::error!("the network did not shut down in order");
        }
    }
}

impl Drop for MediaThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the media thread has panicked");
        }
    }
}
