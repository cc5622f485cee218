//! Knocks: who is asked where, who is answered, and what a proven exchange leads to.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{AskedKnock, Guest, Node, Peer};
use crate::bounds;
use crate::crypto::{self, Secret};
use crate::ids::{ContactId, DeviceKey, DialId, InviteId, LinkId};
use crate::io::Output;
use crate::knock::{self, Kind, Knock, Lock, LockId, Opened, SealKey};
use crate::reach::search::Slot;
use crate::reach::via::{Place, Via};
use crate::session::Session;
use crate::state::Contact;
use crate::time::Now;

/// A guest is remembered this long after its last knock.
pub(super) const GUEST_LIFE: std::time::Duration = std::time::Duration::from_secs(60);
/// Guests at one time.
const GUESTS: usize = 64;

/// How one knock is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// Whether its tag depends on the clock.
    pub(super) dated: bool,
    /// Whether it has the size of a QUIC packet.
    pub(super) padded: bool,
    /// How many hops it lives.
    pub(super) hops: Option<u8>,
}

impl Question {
    pub(super) const PLAIN: Self = Self {
        dated: true,
        padded: false,
        hops: None,
    };
    pub(super) const PADDED: Self = Self {
        padded: true,
        ..Self::PLAIN
    };
}

impl Node {
    pub(super) fn handle_datagram(&mut self, from: Place, bytes: &[u8], now: Now) {
        let Some(opened) = self.keyring.open(bytes, now) else {
            return;
        };
        if opened.knock.device == self.device || !self.replays.admit(opened.nonce, from, now) {
            return;
        }
        match opened.knock.kind {
            Kind::Knock => self.answer(from, &opened, now),
            Kind::Reply => self.handle_reply(from, &opened, now),
        }
    }

    /// Makes sure that every device of every contact is a peer.
    pub(super) fn meet_all(&mut self) {
        let contacts = &self.state.contacts;
        let proven = contacts
            .iter()
            .filter(|contact| !contact.blocked)
            .flat_map(|contact| contact.devices().into_iter().map(|key| (contact.id, key)));
        let named = contacts
            .iter()
            .filter(|contact| !contact.blocked)
            .filter_map(|contact| Some((contact.id, contact.redeeming.as_ref()?.link.device)));
        // Who has shown itself goes before what a link says.
        let mut owners: BTreeMap<DeviceKey, ContactId> = BTreeMap::new();
        for (contact, device) in proven.chain(named) {
            owners.entry(device).or_insert(contact);
        }
        owners.remove(&self.device);
        for (device, contact) in owners {
            self.meet(device).contact = Some(contact);
        }
        self.keyring_stale = true;
    }

    pub(super) fn meet(&mut self, device: DeviceKey) -> &mut Peer {
        let name = self.rng.bytes();
        self.peers.entry(device).or_insert_with(|| Peer {
            device,
            contact: None,
            guest: None,
            search: crate::reach::search::Search::default(),
            session: Session::new(name),
            link: None,
            dialing: None,
            admitted: None,
            went_away: false,
            birthday: None,
            offers_relay: false,
        })
    }

    /// Sends one round of a search to a place behind somebody who passes packets on: no router of ours is to be opened there.
    pub(super) fn knock_at(&mut self, device: DeviceKey, to: Place, slot: Slot, now: Now) {
        let seals = self.seals(&device);
        let Some(seal) = seals.iter().cycle().nth(slot.index) else {
            return;
        };
        if slot.first {
            self.ask_at(device, to, seal, Question::PADDED, now);
        }
        let question = Question {
            dated: !slot.undated,
            ..Question::PLAIN
        };
        self.ask_at(device, to, seal, question, now);
    }

    pub(super) fn ask_at(&mut self, peer: DeviceKey, to: Place, seal: &SealKey, question: Question, now: Now) {
        let Question { dated, padded, hops } = question;
        let Some(key) = seal.aead_key() else { return };
        let tx = self.rng.bytes();
        let knock = Knock {
            kind: Kind::Knock,
            tx,
            echo: None,
            observed: None,
            ..self.blank_knock(&peer, now)
        };
        let size = if padded {
            usize::from(bounds::MTU_PROVEN)
        } else {
            knock::SIZE
        };
        if let Some(bytes) = knock::seal(&knock, seal, dated, size, now, &mut self.rng) {
            self.asked.insert(
                tx,
                AskedKnock {
                    peer,
                    to,
                    key,
                    padded,
                    is_far: hops.is_none(),
                    at: now.boot,
                },
            );
            self.transmit(to, hops, bytes);
        }
    }

    fn transmit(&mut self, to: Place, ttl: Option<u8>, bytes: Vec<u8>) {
        let Place { at, via } = to;
        self.push(Output::Transmit {
            to: at,
            via,
            ttl,
            bytes,
        });
    }

    pub(super) fn blank_knock(&self, peer: &DeviceKey, now: Now) -> Knock {
        Knock {
            kind: Kind::Knock,
            tx: [0; 16],
            echo: None,
            device: self.device,
            list_sequence: 1,
            candidates: self.candidates_for(peer),
            observed: None,
            time: now.wall,
            session: self
                .peers
                .get(peer)
                .map(|peer| peer.session.memory().session)
                .unwrap_or_default(),
            nat: self.nat_for(peer),
        }
    }

    /// Somebody with a key of ours asks. The answer goes where the question came from, and is no larger.
    fn answer(&mut self, from: Place, opened: &Opened, now: Now) {
        let device = opened.knock.device;
        if !self.may_meet_at(&device, from) || !self.answers.take(opened.lock, now) {
            return;
        }
        if !self.recognise(device, from, opened, now) {
            return;
        }
        let seal = self.answer_seal(&device, opened);
        let tx: [u8; 16] = self.rng.bytes();
        let reply = Knock {
            kind: Kind::Reply,
            tx,
            echo: Some(opened.knock.tx),
            observed: from.is_seen().then_some(from.at),
            ..self.blank_knock(&device, now)
        };
        let Some(bytes) = knock::seal(&reply, &seal, opened.dated, opened.size, now, &mut self.rng) else {
            return;
        };
        self.transmit(from, None, bytes);
        if self.dials(&device) {
            self.knock_back(from, opened, &seal, now);
        } else if let Some(key) = seal.aead_key() {
            let token = knock::token(&key, &opened.knock.tx, &tx);
            if let Some(peer) = self.peers.get_mut(&device) {
                peer.admitted = Some(token);
            }
            self.push(Output::Admit {
                token,
                valid_for: bounds::TOKEN_LIFE,
            });
        }
    }

    /// Whoever sent a keep-alive of a link from somewhere else is asked there, and a second connection follows. What the packet
    /// says is not heard: it may be one that somebody held back.
    pub(super) fn handle_moved(&mut self, link: LinkId, from: Place, now: Now) {
        let Some(device) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let is_current = self.peers.get(&device).is_some_and(|peer| peer.link == Some(link));
        let is_recent = |asked: &AskedKnock| asked.is_far && now.boot < asked.at + bounds::KNOCK_BACK_PAUSE;
        let mut asked = self.asked.values().filter(|asked| is_recent(asked));
        let asked_lately = asked.any(|asked| asked.peer == device && asked.to == from);
        if !is_current || asked_lately || !self.own.may_send_to(&from.at) {
            return;
        }
        if let Some(link) = self.links.get_mut(&link) {
            link.shaken = true;
        }
        if let Some(seal) = self.seals(&device).first() {
            for question in [Question::PADDED, Question::PLAIN] {
                if self.punch.unanswered.take(from.at, now.boot) {
                    self.ask_at(device, from, seal, question, now);
                }
            }
        }
    }

    /// The asking side does not dial: we do, once our own question to it is answered.
    fn knock_back(&mut self, to: Place, opened: &Opened, seal: &SealKey, now: Now) {
        let (device, dated) = (opened.knock.device, opened.dated);
        if !self.wants_link(&device, now) && !self.is_anew(&opened.knock) {
            return;
        }
        // A question under another key does not count: who asks under an invite's may not hold ours yet.
        let key = seal.aead_key();
        let knocked_lately = |asked: &AskedKnock| {
            let is_recent = now.boot < asked.at + bounds::KNOCK_BACK_PAUSE;
            is_recent && asked.is_far && asked.peer == device && asked.to == to && Some(&asked.key) == key.as_ref()
        };
        if !self.asked.values().any(knocked_lately) {
            for padded in [true, false] {
                let question = Question {
                    dated,
                    padded,
                    hops: None,
                };
                self.ask_at(device, to, seal, question, now);
            }
        }
    }

    /// Whether the key that opened a knock may speak for the device that it names. A guest becomes a peer here.
    fn recognise(&mut self, device: DeviceKey, from: Place, opened: &Opened, now: Now) -> bool {
        match opened.lock {
            LockId::Contact(contact) => self
                .peers
                .get(&device)
                .is_some_and(|peer| peer.contact == Some(contact)),
            LockId::Invite(invite) => self.receive_guest(device, invite, from, opened, now),
        }
    }

    fn receive_guest(&mut self, device: DeviceKey, invite: InviteId, from: Place, opened: &Opened, now: Now) -> bool {
        let guest = Guest {
            invite,
            key: opened.answer_key.clone(),
            until: now.boot + GUEST_LIFE,
            places: vec![from],
            nat: opened.knock.nat,
        };
        self.welcome(device, guest)
    }

    /// Makes a guest a peer, unless there are too many.
    pub(super) fn welcome(&mut self, device: DeviceKey, guest: Guest) -> bool {
        let guests = self.peers.values().filter(|peer| peer.guest.is_some()).count();
        if guests >= GUESTS && !self.peers.contains_key(&device) {
            return false;
        }
        self.meet(device).guest = Some(guest);
        true
    }

    /// An answer under the key of the question. An invitee's packets always go to the one-time key.
    fn answer_seal(&self, device: &DeviceKey, opened: &Opened) -> SealKey {
        let redeeming = match opened.lock {
            LockId::Contact(contact) => self
                .state
                .contact(contact)
                .and_then(|contact| contact.redeeming.as_ref()),
            LockId::Invite(_) => None,
        };
        match redeeming.filter(|redemption| {
            redemption.link.device == *device && redemption.pair_key().as_ref() == Some(&opened.answer_key)
        }) {
            Some(redemption) => redemption.seal_key(),
            None => SealKey::Pair {
                key: opened.answer_key.clone(),
                sender: self.root,
            },
        }
    }

    fn handle_reply(&mut self, from: Place, opened: &Opened, now: Now) {
        let Some(asked) = opened.knock.echo.and_then(|echo| self.asked.remove(&echo)) else {
            return;
        };
        let Some(echo) = opened.knock.echo.filter(|_| asked.peer == opened.knock.device) else {
            return;
        };
        let key = crypto::derive(&opened.answer_key.0, "knock seal", &[]);
        let is_late = now.boot >= asked.at + bounds::REPLY_PATIENCE;
        if is_late || key != asked.key || !self.may_meet_at(&asked.peer, from) {
            return;
        }
        self.punch.unanswered.answered(&from.at);
        self.stop_guessing(&asked.peer);
        self.learn_addresses(&asked.peer, &opened.knock.candidates);
        if let Some(contact) = self.peers.get(&asked.peer).and_then(|peer| peer.contact) {
            self.note_nat(contact, opened.knock.nat);
            if from.via == Via::Own {
                self.observed_by(contact, opened.knock.observed, now);
            }
        }
        self.doubt_dead_link(&opened.knock, now);
        // A way through somebody else is for where there is no other.
        let is_wanted = from.via.is_direct() || self.needs_path(&asked.peer);
        if is_wanted && self.dials(&asked.peer) {
            let token = knock::token(&key, &echo, &opened.knock.tx);
            let initial_mtu = if asked.padded {
                bounds::MTU_PROVEN
            } else {
                bounds::MTU_SAFE
            };
            self.dial(asked.peer, from, token, initial_mtu, now);
        }
    }

    fn dial(&mut self, device: DeviceKey, to: Place, token: crate::ids::Token, initial_mtu: u16, now: Now) {
        if !self.wants_link(&device, now) {
            return;
        }
        let dial = DialId(self.next_dial);
        self.next_dial += 1;
        self.dials.insert(dial, (device, to.via));
        if let Some(peer) = self.peers.get_mut(&device) {
            peer.dialing = Some(dial);
        }
        self.push(Output::Dial {
            dial,
            peer: device,
            to: to.at,
            via: to.via,
            token,
            initial_mtu,
        });
    }

    /// Whether another connection to a device is worth opening. A link that is only just up, not silent
    /// and not shaken since, is what the knocks that still arrive were about; an older one is in doubt, for who has a good link does not knock.
    fn wants_link(&self, device: &DeviceKey, now: Now) -> bool {
        let Some(peer) = self.peers.get(device) else {
            return false;
        };
        let is_good = |link: &super::Link| {
            let keepalive = &link.keepalive;
            let is_silent = keepalive.is_doubted() || keepalive.is_unanswered(bounds::KNOCK_BACK_SILENCE, now.boot);
            !is_silent && !link.shaken && now.boot < link.up + bounds::HELLO
        };
        let has_good = peer.link.and_then(|link| self.links.get(&link)).is_some_and(is_good);
        peer.dialing.is_none() && !has_good && !self.has_provisional_link(device)
    }

    /// Whether a knock comes from a daemon that has started anew.
    fn is_anew(&self, knock: &Knock) -> bool {
        self.peers
            .get(&knock.device)
            .is_some_and(|peer| peer.session.is_foreign(&knock.session))
    }

    /// A reply to us from a daemon that has started anew: what we hold of it is dead, and nothing green is to rest on it.
    /// A mere knock does not suffice, for it may be a recording.
    fn doubt_dead_link(&mut self, knock: &Knock, now: Now) {
        if !self.is_anew(knock) {
            return;
        }
        let rings = self.state.will_ring;
        let Some(peer) = self.peers.get(&knock.device) else {
            return;
        };
        let Some(link) = peer.link.and_then(|link| self.links.get_mut(&link)) else {
            return;
        };
        link.keepalive.doubt(now.boot);
        let ask = Output::SendAlive {
            link: link.id,
            bytes: link.keepalive.ask(rings, now.boot),
        };
        self.push(ask);
    }

    fn has_provisional_link(&self, device: &DeviceKey) -> bool {
        self.links
            .values()
            .any(|link| link.peer == *device && link.stage != super::Stage::Ready)
    }

    /// The keys for questions to a device, by turns: an invite may be spent without our knowing, and the newest key may
    /// be one that the far side never learnt of.
    pub(super) fn seals(&self, device: &DeviceKey) -> Vec<SealKey> {
        let Some(peer) = self.peers.get(device) else {
            return Vec::new();
        };
        let pair = |key: &Secret| SealKey::Pair {
            key: key.clone(),
            sender: self.root,
        };
        let contact = peer.contact.and_then(|id| self.state.contact(id));
        let redemption = contact.and_then(|contact| contact.redeeming.as_ref());
        let mut seals: Vec<SealKey> = redemption.map(crate::state::Redemption::seal_key).into_iter().collect();
        seals.extend(contact.iter().flat_map(|contact| &contact.keys).map(pair));
        if seals.is_empty() {
            seals.extend(peer.guest.iter().map(|guest| pair(&guest.key)));
        }
        seals
    }

    /// Where packets of ours may go to find a device: nowhere, if it is to be reached through relays alone.
    pub(super) fn addresses_of(&self, device: &DeviceKey) -> Vec<SocketAddr> {
        if self.is_hidden_from(device) {
            return Vec::new();
        }
        self.known_addresses(device)
    }

    /// Where a device may be: remembered addresses, those of its link being redeemed, and where a guest came from.
    pub(super) fn known_addresses(&self, device: &DeviceKey) -> Vec<SocketAddr> {
        let Some(peer) = self.peers.get(device) else {
            return Vec::new();
        };
        let mut named: Vec<SocketAddr> = Vec::new();
        if let Some(contact) = peer.contact.and_then(|id| self.state.contact(id)) {
            named.extend(&contact.addresses);
            named.extend(
                contact
                    .redeeming
                    .iter()
                    .flat_map(|redemption| &redemption.link.candidates),
            );
        }
        let places = peer.guest.iter().flat_map(|guest| &guest.places);
        named.extend(places.filter(|place| place.via.is_direct()).map(|place| place.at));
        self.own.usable(&named)
    }

    fn learn_addresses(&mut self, device: &DeviceKey, named: &[SocketAddr]) {
        let Some(id) = self.peers.get(device).and_then(|peer| peer.contact) else {
            return;
        };
        let usable = self.own.usable(named);
        if usable.is_empty() {
            return;
        }
        if let Some(contact) = self.state.contact_mut(id) {
            merge_addresses(contact, &usable);
        }
    }

    pub(super) fn refresh_keyring(&mut self, now: Now) {
        if !std::mem::take(&mut self.keyring_stale) {
            return;
        }
        let mut locks = Vec::new();
        for contact in self.state.contacts.iter().filter(|contact| !contact.blocked) {
            let pairs = contact
                .keys
                .iter()
                .cloned()
                .chain(contact.redeeming.iter().filter_map(crate::state::Redemption::pair_key));
            locks.extend(pairs.map(|key| {
                (
                    LockId::Contact(contact.id),
                    Lock::Pair {
                        key,
                        sender: contact.root,
                    },
                )
            }));
        }
        let kept = self.state.invites.iter().filter(|invite| invite.is_kept(now.wall));
        locks.extend(kept.map(|invite| (LockId::Invite(invite.id), Lock::Invite(invite.keys.clone()))));
        self.keyring.set(locks, now);
    }
}

/// Puts newly heard addresses first, each once, bounded.
pub(super) fn merge_addresses(contact: &mut Contact, fresh: &[SocketAddr]) {
    let mut merged = fresh.to_vec();
    merged.extend(contact.addresses.iter().filter(|known| !fresh.contains(known)));
    merged.truncate(bounds::CANDIDATES);
    contact.addresses = merged;
}
