//! What is logged above DEBUG.

use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::*;

/// Keeps the lines at INFO and above of the thread that it is the default of.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

#[tokio::test]
async fn a_quiet_life_logs_nothing() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (mut dialer, mut listener) = (Peer::start(1), Peer::start(2));
    dialer.net.dial(
        DialId(7),
        key_of(3),
        (listener.at, Via::Own),
        token(7),
        bounds::MTU_SAFE,
    );
    let (here, there) = link(&mut dialer, &mut listener, 1).await;
    dialer.net.send(here.link, vec![1]);
    assert_eq!(listener.frame().await.0, there.link);
    dialer
        .net
        .transmit("[2001:db8::1]:1".parse().unwrap(), Via::Own, None, &[4]);
    listener.net.close(there.link, close_code::REPLACED);
    dialer.down().await;
    dialer.net.shutdown().await;
    assert_eq!(log.lines(), [""; 0]);
}
