//! Notifications, in the words of the Desktop Notifications Specification (org.freedesktop.Notifications).
//!
//! A call that rings has one notification as long as it rings: opened once, never again after the user dismissed it,
//! closed the moment the call rings no more, whoever answered it. `default`, which a desktop invokes when somebody
//! clicks anywhere on it, is not among its actions and is not heeded. Where nothing can be shown, that is told.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::Value;

use crate::act::Act;
use crate::icon::{self, Look, SIDE};
use crate::menu::{self, Item};
use crate::state::{State, peer};
use crate::strings as s;
use crate::tray::Message;

/// How long a notification service may take, which the bus may have to start first.
const ANSWER: Duration = Duration::from_secs(5);

/// Urgency by the specification: stays until it is dealt with, and shows while others are held back.
const CRITICAL: u8 = 2;
const NORMAL: u8 = 1;

/// The longest token of a desktop that is passed on.
const TOKEN_BYTES: usize = 256;

/// How long something stays that is only told, in milliseconds.
const TOLD_MS: i32 = 8_000;

/// A call that rings, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    /// The call.
    pub(crate) call: String,
    /// Who it is.
    pub(crate) title: String,
    /// What they want.
    pub(crate) body: String,
    /// What can be done about it, with labels.
    pub(crate) actions: Vec<(Act, String)>,
}

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Exactly these calls ring.
    Rings(Vec<Ring>),
    /// Tells something.
    Tell {
        /// What happened.
        title: String,
        /// More about it.
        text: String,
    },
}

/// The notifications that should stand: one for each call that rings.
pub(crate) fn rings(state: &State) -> Vec<Ring> {
    state
        .ringing()
        .map(|call| {
            let at_once = state.is_one_click(call);
            Ring {
                call: call.id.clone(),
                title: s::rings(&peer(call)),
                body: match (call.media.video, at_once) {
                    (true, false) => s::VIDEO_RINGS,
                    (true, true) => s::VIDEO_RINGS_ONE_CLICK,
                    (false, false) => s::VOICE_RINGS,
                    (false, true) => s::VOICE_RINGS_ONE_CLICK,
                }
                .into(),
                actions: menu::answers(call, at_once).into_iter().filter_map(action).collect(),
            }
        })
        .collect()
}

fn action(item: Item) -> Option<(Act, String)> {
    match item {
        Item::Act { label, act, .. } => Some((act, label)),
        Item::Rule | Item::Note(_) | Item::Check { .. } | Item::Sub { .. } => None,
    }
}

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_blocking = false
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification has these")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    fn activation_token(&self, id: u32, activation_token: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// Shows what it is told to, and passes on what is pressed, until nobody tells it anything any more.
pub(crate) async fn run(bus: Connection, mut orders: UnboundedReceiver<Order>, out: UnboundedSender<Message>) {
    let Ok(service) = NotificationsProxy::new(&bus).await else {
        return;
    };
    let (Ok(mut pressed), Ok(mut tokens), Ok(mut closed)) = (
        service.receive_action_invoked().await,
        service.receive_activation_token().await,
        service.receive_notification_closed().await,
    ) else {
        return;
    };
    let mut notices = Notices {
        service,
        out,
        shown: BTreeMap::new(),
        token: None,
    };
    loop {
        tokio::select! {
            // A token comes before the press that it is for.
            biased;
            order = orders.recv() => match order {
                Some(Order::Rings(rings)) => notices.show_exactly(rings).await,
                Some(Order::Tell { title, text }) => notices.tell(&title, &text).await,
                None => return,
            },
            Some(signal) = tokens.next() => if let Ok(args) = signal.args() {
                notices.token = fit(args.activation_token()).map(|token| (*args.id(), token));
            },
            Some(signal) = pressed.next() => if let Ok(args) = signal.args() {
                notices.press(*args.id(), args.action_key());
            },
            Some(signal) = closed.next() => if let Ok(args) = signal.args() {
                notices.forget(*args.id());
            },
        }
    }
}

struct Notices {
    service: NotificationsProxy<'static>,
    out: UnboundedSender<Message>,
    /// By call. Without an id: dismissed, or never shown.
    shown: BTreeMap<String, (Option<u32>, Ring)>,
    /// The right to the focus that the desktop gave for a press, and of which notification.
    token: Option<(u32, String)>,
}

impl Notices {
    async fn show_exactly(&mut self, rings: Vec<Ring>) {
        let over: Vec<String> = self.shown.keys().cloned().collect();
        for call in over.iter().filter(|call| rings.iter().all(|ring| ring.call != **call)) {
            if let Some((Some(id), _)) = self.shown.remove(call) {
                drop(timeout(ANSWER, self.service.close_notification(id)).await);
            }
        }
        for ring in rings {
            if !self.shown.contains_key(&ring.call) {
                let id = self.open(&ring).await;
                if id.is_none() {
                    drop(self.out.send(Message::Unshown(ring.call.clone())));
                }
                self.shown.insert(ring.call.clone(), (id, ring));
            }
        }
    }

    async fn open(&self, ring: &Ring) -> Option<u32> {
        let keys: Vec<(String, &str)> = ring
            .actions
            .iter()
            .map(|(act, label)| (act.key(), label.as_str()))
            .collect();
        let actions: Vec<&str> = keys.iter().flat_map(|(key, label)| [key.as_str(), *label]).collect();
        let hints = HashMap::from([
            ("urgency", Value::from(CRITICAL)),
            ("category", Value::from("call.incoming")),
            ("desktop-entry", Value::from("twocan")),
            // The ring is this program's own.
            ("suppress-sound", Value::from(true)),
            ("image-data", picture()),
        ]);
        let shown = self
            .service
            .notify(s::APP, 0, "", &ring.title, &ring.body, &actions, hints, 0);
        timeout(ANSWER, shown).await.ok()?.ok()
    }

    async fn tell(&self, title: &str, text: &str) {
        let hints = HashMap::from([
            ("urgency", Value::from(NORMAL)),
            ("desktop-entry", Value::from("twocan")),
        ]);
        let body = escape(text);
        let shown = self.service.notify(s::APP, 0, "", title, &body, &[], hints, TOLD_MS);
        if !matches!(timeout(ANSWER, shown).await, Ok(Ok(_))) {
            drop(self.out.send(Message::Untold(format!("{title}. {text}"))));
        }
    }

    /// Passes on an action of a call that still rings, and no other.
    fn press(&mut self, id: u32, key: &str) {
        let token = self.token.take().filter(|(of, _)| *of == id).map(|(_, token)| token);
        let ring = self.shown.values().find(|(shown, _)| *shown == Some(id));
        let act = ring.and_then(|(_, ring)| ring.actions.iter().find(|(act, _)| act.key() == key));
        if let Some((act, _)) = act {
            drop(self.out.send(Message::Act(act.clone(), token)));
        }
    }

    /// It is closed: the call may ring on, but the user does not want to be shown that again.
    fn forget(&mut self, closed: u32) {
        for (id, _) in self.shown.values_mut() {
            if *id == Some(closed) {
                *id = None;
            }
        }
    }
}

/// A token goes into the environment of a browser: what no desktop would make of one is none.
fn fit(token: &str) -> Option<String> {
    let is_plain = token.len() <= TOKEN_BYTES && token.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && !token.is_empty()).then(|| token.to_owned())
}

/// Bodies may hold markup; what others wrote must not.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The icon of a call that rings, as `image-data` wants it: width, height, bytes a row, with opacity, bits, channels.
fn picture() -> Value<'static> {
    let side = i32::try_from(SIDE).unwrap_or_default();
    let image = (side, side, side * 4, true, 8, 4, icon::draw(Look::Ringing));
    Value::from(image)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use twocan_api::{CallState, Direction, Reachable};

    use super::*;
    use crate::state::tests::{call, contact, up};

    #[test]
    fn a_ring_offers_the_three_answers_and_no_default() {
        let mut state = up(Vec::new());
        state.calls = vec![call("c", Direction::In, CallState::Ringing)];
        let rings = rings(&state);
        let ring = rings.first().unwrap();
        assert_eq!(ring.title, "Ann is calling");
        let keys: Vec<String> = ring.actions.iter().map(|(act, _)| act.key()).collect();
        assert_eq!(keys, ["answer:c", "answer-voice:c", "decline:c"]);
        let labels: Vec<&str> = ring.actions.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["Answer", "Answer without camera", "Decline"]);
    }

    /// What a press does is what the notification said when it was shown.
    #[test]
    fn a_ring_says_whether_a_press_answers() {
        let mut state = up(vec![contact("ann", "Ann", Reachable::Yes)]);
        state.calls = vec![call("c", Direction::In, CallState::Ringing)];
        let at_once = |state: &State| {
            let rings = rings(state);
            let ring = rings.first().unwrap().clone();
            let acts = ring.actions.iter();
            let acts = acts.map(|(act, _)| matches!(act, Act::Answer { at_once: true, .. }));
            (ring.body.clone(), acts.collect::<Vec<_>>())
        };
        let (body, acts) = at_once(&state);
        assert!(body.contains("stays off until you answer on the page"), "{body}");
        assert_eq!(acts, [false, false, false]);
        state.contacts.get_mut("ann").unwrap().one_click = true;
        let (body, acts) = at_once(&state);
        assert!(body.contains("turns your camera and microphone on"), "{body}");
        assert_eq!(acts, [true, true, false]);
    }

    #[test]
    fn tokens_are_plain() {
        assert_eq!(fit("xfwm4-1-host_TIME4711"), Some("xfwm4-1-host_TIME4711".into()));
        assert_eq!(
            (fit(""), fit("a b"), fit("a\0"), fit(&"x".repeat(300))),
            (None, None, None, None)
        );
    }

    #[test]
    fn what_does_not_ring_here_is_not_shown() {
        let mut state = up(Vec::new());
        state.calls = vec![
            call("out", Direction::Out, CallState::Ringing),
            call("on", Direction::In, CallState::Active),
            call("over", Direction::In, CallState::Ended),
        ];
        assert_eq!(rings(&state), []);
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(escape("<b>&"), "&lt;b&gt;&amp;");
    }
}
