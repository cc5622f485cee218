//! The public DHT (BitTorrent's Mainline, BEP 5 and BEP 44), through the `mainline` crate and on demand only.
//!
//! The crate's client runs a thread that wakes some twenty times a second as long as it exists. So it exists while there is
//! something to ask, and a little longer; then the nodes that answered are written to the cache, from which the next one
//! starts, and it is dropped. It binds a port of its own, any that is free, takes part under an id drawn anew each time, and
//! stores nothing for others.
//!
//! Its interface blocks, so each question has a thread as long as it is under way, and the core sees to it that there are few.
//! None of them holds up the daemon's end.
//!
//! The nodes that it knows are named to the core as well, which has some of them say where they see the daemon's own socket. For that
//! no client is made.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use mainline::{DEFAULT_BOOTSTRAP_NODES, Dht as Client, MutableItem};
use tokio::sync::mpsc;
use twocan_core::ids::QueryId;
use twocan_core::io::{DhtAnswer, Input, Query};
use twocan_core::reach::record::{Item, Place};

/// A client that has nothing to do is kept this long: an invitee is looked for every few seconds.
const LINGER: Duration = Duration::from_secs(8);
/// A node that has not answered by then does not. Many are gone or behind routers, and a value is put only when all that were
/// asked have answered or are given up; meanwhile another look at the same place only waits for the first one's end.
const ANSWER: Duration = Duration::from_secs(1);
/// Nodes in the cache. With more of them than it asks at a time the crate asks every one of them each time.
const CACHED: usize = 16;
/// With fewer cached nodes than this the built-in ones are asked, too.
const ENOUGH: usize = 8;

/// How to enter the DHT.
#[derive(Clone, Debug)]
pub struct DhtConfig {
    /// Where to enter it, as `host:port`; empty takes the cache and the built-in list.
    pub bootstrap: Vec<String>,
    /// The address to bind; `None` takes all.
    pub bind: Option<Ipv4Addr>,
    /// Where the nodes of the last time are kept.
    pub cache: PathBuf,
}

/// A handle to the thread that asks.
pub struct Dht {
    jobs: Sender<Job>,
}

impl fmt::Debug for Dht {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Dht")
    }
}

enum Job {
    Ask(Query),
    /// Nodes are to be named.
    FindNodes,
    /// A question has come to its end.
    Ended,
    Stop,
}

impl Dht {
    /// Starts the thread, which sleeps until something is asked. Answers come as [`Input::DhtAnswer`].
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(config: DhtConfig, events: mpsc::Sender<Input>) -> anyhow::Result<Self> {
        let (jobs, inbox) = channel();
        let back = jobs.clone();
        let mut worker = Worker {
            config,
            events,
            back,
            client: None,
            under_way: 0,
        };
        thread::Builder::new()
            .name("dht".to_owned())
            .spawn(move || worker.run(&inbox))
            .context("no thread for the DHT")?;
        Ok(Self { jobs })
    }

    /// Asks.
    pub fn ask(&self, query: Query) {
        if self.jobs.send(Job::Ask(query)).is_err() {
            tracing::error!("the thread of the DHT is gone");
        }
    }
}

impl Dht {
    /// Names nodes; ends in [`Input::DhtNodes`].
    pub fn find_nodes(&self) {
        if self.jobs.send(Job::FindNodes).is_err() {
            tracing::error!("the thread of the DHT is gone");
        }
    }
}

impl Drop for Dht {
    fn drop(&mut self) {
        // The thread is gone only if it panicked.
        let _ = self.jobs.send(Job::Stop);
    }
}

struct Worker {
    config: DhtConfig,
    events: mpsc::Sender<Input>,
    back: Sender<Job>,
    client: Option<Client>,
    under_way: usize,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Job>) {
        while let Some(job) = self.next(inbox) {
            match job {
                Job::Ask(query) => self.ask(query),
                Job::FindNodes => self.find_nodes(),
                Job::Ended => self.under_way = self.under_way.saturating_sub(1),
                Job::Stop => return,
            }
        }
    }

    /// The next job; a client without any is parked meanwhile.
    fn next(&mut self, inbox: &Receiver<Job>) -> Option<Job> {
        if self.under_way == 0 && self.client.is_some() {
            match inbox.recv_timeout(LINGER) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => self.park(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        inbox.recv().ok()
    }

    fn ask(&mut self, query: Query) {
        if self.client.is_none() {
            match open(&self.config) {
                Ok(client) => self.client = Some(client),
                Err(error) => tracing::debug!(error = format!("{error:#}"), "no DHT"),
            }
        }
        let Some(id) = query_id(&query) else { return };
        let events = self.events.clone();
        let Some(client) = self.client.clone() else {
            return tell(&events, id, DhtAnswer::Failed);
        };
        let back = self.back.clone();
        let answering = move || {
            let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer(&client, query, &events)));
            if asked.is_err() {
                tracing::debug!("the DHT's client has died");
                tell(&events, id, DhtAnswer::Failed);
            }
            drop(client);
            // Gone only where the daemon ends.
            let _ = back.send(Job::Ended);
        };
        match thread::Builder::new().name("dht query".to_owned()).spawn(answering) {
            Ok(_) => self.under_way += 1,
            Err(_) => tell(&self.events, id, DhtAnswer::Failed),
        }
    }

    /// Those of the client that there is, and those from which one would start. Looking up names takes a while, so it has a thread.
    fn find_nodes(&self) {
        let mut names = self.client.as_ref().map(known_nodes).unwrap_or_default();
        names.extend(entrances(&self.config));
        let events = self.events.clone();
        let naming = move || {
            let found: Vec<SocketAddr> = names.iter().filter_map(|name| first_ipv4(name)).collect();
            // A loop that is gone needs no telling.
            let _ = events.blocking_send(Input::DhtNodes(found));
        };
        if thread::Builder::new()
            .name("dht names".to_owned())
            .spawn(naming)
            .is_err()
        {
            tracing::debug!("no thread to look up nodes of the DHT");
        }
    }

    /// Writes down who has answered, and drops the client.
    fn park(&mut self) {
        let Some(client) = self.client.take() else { return };
        if !self.config.bootstrap.is_empty() {
            return;
        }
        let known = known_nodes(&client);
        let written = if known.is_empty() {
            fs::remove_file(&self.config.cache)
        } else {
            write_private(&self.config.cache, &known.join("\n"))
        };
        if let Err(error) = written {
            tracing::debug!(%error, "the cache of the DHT's nodes is not written");
        }
    }
}

#[expect(
    deprecated,
    reason = "the interface that is not deprecated wants a runtime of its own"
)]
fn known_nodes(client: &Client) -> Vec<String> {
    let mut known = client.to_bootstrap();
    known.truncate(CACHED);
    known
}

/// A new client. Its bootstrap list replaces the built-in one, so both are given where both are meant.
fn open(config: &DhtConfig) -> anyhow::Result<Client> {
    let mut builder = Client::builder();
    // Without a port the crate takes BitTorrent's own, if it is free.
    builder.bootstrap(&entrances(config)).port(0).request_timeout(ANSWER);
    if let Some(address) = config.bind {
        builder.bind_address(address);
    }
    builder.build().context("no socket")
}

/// The DHT of the `mainline` crate is one of IPv4.
fn first_ipv4(name: &str) -> Option<SocketAddr> {
    name.to_socket_addrs().ok()?.find(SocketAddr::is_ipv4)
}

fn entrances(config: &DhtConfig) -> Vec<String> {
    if !config.bootstrap.is_empty() {
        return config.bootstrap.clone();
    }
    let cached = fs::read_to_string(&config.cache).unwrap_or_default();
    let mut all: Vec<String> = cached.lines().take(CACHED).map(str::to_owned).collect();
    if all.len() < ENOUGH {
        all.extend(DEFAULT_BOOTSTRAP_NODES.map(str::to_owned));
    }
    all
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// Which question it is, if it is one for the DHT.
const fn query_id(query: &Query) -> Option<QueryId> {
    match query {
        Query::DhtPut { query, item: _ } | Query::DhtGet { query, place: _ } => Some(*query),
        Query::LanShow { .. } => None,
    }
}

/// A loop that is gone needs no telling.
fn tell(events: &mpsc::Sender<Input>, query: QueryId, answer: DhtAnswer) {
    let _ = events.blocking_send(Input::DhtAnswer { query, answer });
}

fn answer(client: &Client, query: Query, events: &mpsc::Sender<Input>) {
    match query {
        Query::DhtPut { query, item } => tell(events, query, put(client, &item)),
        Query::DhtGet { query, place } => {
            get(client, &place, |item| tell(events, query, DhtAnswer::Found(item)));
            tell(events, query, DhtAnswer::Done);
        }
        Query::LanShow { .. } => {}
    }
}

#[expect(
    deprecated,
    reason = "the interface that is not deprecated wants a runtime of its own"
)]
fn put(client: &Client, item: &Item) -> DhtAnswer {
    let (Ok(signature), Ok(seq)) = (item.signature.as_slice().try_into(), i64::try_from(item.seq)) else {
        return DhtAnswer::Failed;
    };
    let signed = MutableItem::new_signed_unchecked(item.place, signature, &item.value, seq, None);
    match client.put_mutable(signed, None) {
        Ok(_) => DhtAnswer::Stored,
        Err(error) => {
            tracing::debug!(%error, "not stored on the DHT");
            DhtAnswer::Failed
        }
    }
}

/// Each value as it comes, if it is newer than those before.
#[expect(
    deprecated,
    reason = "the interface that is not deprecated wants a runtime of its own"
)]
fn get(client: &Client, place: &Place, mut found: impl FnMut(Item)) {
    let mut newest = None;
    for item in client.get_mutable(place, None, None) {
        let Ok(seq) = u64::try_from(item.seq()) else { continue };
        if newest.is_some_and(|newest| seq <= newest) {
            continue;
        }
        newest = Some(seq);
        found(Item {
            place: *item.key(),
            seq,
            value: item.value().to_vec(),
            signature: item.signature().to_vec(),
        });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn few_cached_nodes_are_helped_out_by_the_built_in_ones() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("deep/dht.nodes");
        let config = DhtConfig {
            bootstrap: Vec::new(),
            bind: None,
            cache: cache.clone(),
        };
        assert_eq!(entrances(&config).len(), DEFAULT_BOOTSTRAP_NODES.len());
        let nodes: Vec<String> = (1..=40).map(|number| format!("192.0.2.{number}:6881")).collect();
        write_private(&cache, &nodes.join("\n")).unwrap();
        assert_eq!(entrances(&config), nodes.get(..CACHED).unwrap());
        write_private(&cache, "192.0.2.1:6881").unwrap();
        assert_eq!(entrances(&config).len(), 1 + DEFAULT_BOOTSTRAP_NODES.len());
    }

    /// Asks and waits for the whole answer.
    fn asked(dht: &Dht, inbox: &mut mpsc::Receiver<Input>, query: Query) -> Vec<DhtAnswer> {
        let id = query_id(&query);
        dht.ask(query);
        let mut answers = Vec::new();
        loop {
            let Some(Input::DhtAnswer { query, answer }) = inbox.blocking_recv() else {
                panic!("the thread is gone")
            };
            assert_eq!(Some(query), id);
            let is_last = !matches!(answer, DhtAnswer::Found(_));
            answers.push(answer);
            if is_last {
                return answers;
            }
        }
    }

    #[test]
    fn what_is_stored_is_found_and_what_is_forged_is_not_stored() {
        let mainline::Testnet { bootstrap, nodes } = mainline::Testnet::builder(6).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (events, mut inbox) = mpsc::channel(16);
        let entrances_of_the_net = bootstrap.clone();
        let config = DhtConfig {
            bootstrap,
            bind: Some(Ipv4Addr::LOCALHOST),
            cache: folder.path().join("dht.nodes"),
        };
        let dht = Dht::start(config, events).unwrap();
        let item = twocan_core::reach::record::sign_word(
            twocan_core::reach::record::Word::Invitee,
            &[1; 16],
            1_900_000_000,
            vec![7; twocan_core::reach::record::VALUE],
        );
        let mut put = |number, item| {
            let query = QueryId(number);
            asked(&dht, &mut inbox, Query::DhtPut { query, item })
        };
        assert_eq!(put(1, item.clone()), [DhtAnswer::Stored]);
        let forged = Item {
            seq: item.seq + 1,
            ..item.clone()
        };
        assert_eq!(put(2, forged), [DhtAnswer::Failed]);
        let place = item.place;
        let found = asked(
            &dht,
            &mut inbox,
            Query::DhtGet {
                query: QueryId(3),
                place,
            },
        );
        assert_eq!(found, [DhtAnswer::Found(item), DhtAnswer::Done]);
        dht.find_nodes();
        let Some(Input::DhtNodes(named)) = inbox.blocking_recv() else {
            panic!("nodes are named")
        };
        let first: SocketAddr = entrances_of_the_net.first().unwrap().parse().unwrap();
        assert!(named.contains(&first), "{named:?}");
        drop(nodes);
    }
}
