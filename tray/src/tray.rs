//! The tray: one loop that hears everything and says what is shown.
//!
//! Whatever happens comes in as a [`Message`]; after each the icon, the menu, the notifications and the ring are worked
//! out anew from the [`State`] and passed on where they differ. Nothing that may take time is waited for in the loop.

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use twocan_api::MePatch;
use twocan_api::client::Client;
use twocan_api::client::browser::Cause;

use crate::act::{Act, With};
use crate::daemon::{self, News};
use crate::icon::{self, Look};
use crate::menu::{self, Item};
use crate::notice::{self, Order, Ring};
use crate::panel::Show;
use crate::perform::Performer;
use crate::program::Own;
use crate::settings::Settings;
use crate::state::{Daemon, State};
use crate::strings as s;
use crate::tell;

/// What can happen.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something of the daemon's.
    News(News),
    /// The menu's line with this key was pressed.
    Clicked(String),
    /// The user wants this; the desktop's token for that click, where it gave one.
    Act(Act, Option<String>),
    /// Whether a panel shows icons.
    Panel(bool),
    /// The icon cannot be made.
    NoIcon(String),
    /// No notification could be shown for this call.
    Unshown(String),
    /// This could not be shown as a notification.
    Untold(String),
    /// Nothing can play the ring.
    Silent,
    /// The session is over.
    BusGone,
    /// The system wants the tray to end.
    Terminated,
}

/// Where what is to be shown goes.
#[derive(Debug)]
pub(crate) struct Outlets {
    /// The panel's thread.
    pub(crate) panel: Sender<Show>,
    /// The notifications' task.
    pub(crate) notices: UnboundedSender<Order>,
    /// The ring's task: how loud.
    pub(crate) ring: watch::Sender<u8>,
    /// The daemon's keeper.
    pub(crate) keeper: mpsc::Sender<daemon::Order>,
}

/// The loop's own.
#[derive(Debug)]
pub(crate) struct Tray {
    state: State,
    settings: Settings,
    settings_file: PathBuf,
    outlets: Outlets,
    performer: Performer,
    shown: Shown,
    has_panel: bool,
    was_told_of_panel: bool,
    wants_page: bool,
    /// Why the daemon did not start, as it was told last.
    failure: Option<String>,
    /// This program's file.
    own: Option<Own>,
    /// What goes on in this one's place.
    successor: Option<PathBuf>,
}

/// What was passed on last.
#[derive(Debug, Default)]
struct Shown {
    look: Option<(Look, String)>,
    menu: Vec<Item>,
    rings: Vec<Ring>,
}

impl Tray {
    pub(crate) fn new(client: Client, settings: Settings, settings_file: PathBuf, outlets: Outlets) -> Self {
        let performer = Performer::new(client, outlets.notices.clone());
        Self {
            state: State::default(),
            settings,
            settings_file,
            outlets,
            performer,
            shown: Shown::default(),
            has_panel: false,
            was_told_of_panel: false,
            wants_page: false,
            failure: None,
            own: Own::note(),
            successor: None,
        }
    }

    /// Runs until the user, the system or the end of the session ends it, or an upgrade: then the program is given that is
    /// to go on.
    pub(crate) async fn run(mut self, mut messages: UnboundedReceiver<Message>) -> Option<PathBuf> {
        self.show();
        while let Some(message) = messages.recv().await {
            if self.hear(message) {
                break;
            }
            self.show();
        }
        self.successor
    }

    /// Takes a message; whether it was the last.
    fn hear(&mut self, message: Message) -> bool {
        match message {
            Message::News(news) => {
                self.news(news);
                return self.successor.is_some();
            }
            Message::Clicked(key) => {
                let acts = menu::acts(&self.shown.menu);
                if let Some(act) = acts.into_iter().find(|act| act.key() == key) {
                    return self.act(act, None);
                }
            }
            Message::Act(act, token) => return self.act(act, token),
            Message::Panel(true) => self.has_panel = true,
            Message::Panel(false) => {
                self.has_panel = false;
                self.no_panel(s::NO_TRAY);
            }
            Message::NoIcon(why) => self.no_panel(&s::no_icon(&why)),
            // The icon rings as well, and takes nobody's keys; a window by itself may.
            Message::Unshown(_) if self.has_panel => {}
            Message::Unshown(call) => self.performer.open(format!("/call/{call}"), Cause::Event),
            Message::Untold(text) => tell(&text),
            Message::Silent => tell(s::NO_PLAYER),
            Message::BusGone | Message::Terminated => return true,
        }
        false
    }

    fn news(&mut self, news: News) {
        match news {
            News::Starting => self.state.daemon(Daemon::Starting),
            News::Up { is_ours, was_started } => {
                if was_started {
                    self.say(s::STARTED, s::STARTED_HELP);
                }
                self.failure = None;
                // Upgrades replace both programs, and the daemon comes back as the new one when no call is on. A daemon
                // of one's own would lose whoever is to end it.
                self.successor = self.own.as_ref().filter(|_| !is_ours).and_then(Own::successor);
                self.state.is_ours = is_ours;
                self.state.daemon(Daemon::Up);
                if std::mem::take(&mut self.wants_page) {
                    self.performer.open("/".into(), Cause::Event);
                }
            }
            News::Event(event) => self.state.apply(*event),
            News::Waits(why) => self.state.daemon(Daemon::Waits(*why)),
            News::Gone => self.state.daemon(Daemon::Gone),
            News::Failed(why) => {
                // It is tried again and again; the menu goes on telling.
                if self.failure.as_ref() != Some(&why) {
                    self.say(s::NOT_STARTED, &why);
                    self.failure = Some(why.clone());
                }
                self.state.is_ours = false;
                self.state.daemon(Daemon::Failed(why));
            }
        }
    }

    /// Does what the user wants; whether that is the end.
    fn act(&mut self, act: Act, token: Option<String>) -> bool {
        let cause = Cause::Click(token);
        match act {
            Act::Quit => return true,
            Act::Start => {
                self.failure = None;
                let _ = self.outlets.keeper.try_send(daemon::Order::Start);
                self.state.daemon(Daemon::Starting);
            }
            Act::Ring(loudness) => {
                self.settings = self.settings.clone().with(loudness);
                if let Err(error) = self.settings.store(&self.settings_file) {
                    let file = self.settings_file.display().to_string();
                    tell(&s::settings_not_kept(&file, &error.to_string()));
                }
            }
            Act::Presence(presence) => self.performer.patch_me(MePatch {
                presence: Some(presence),
                ..MePatch::default()
            }),
            Act::Answer { call, with, at_once } => self.answer(call, with, at_once, cause),
            Act::Show(call) => self.performer.open(format!("/call/{call}"), cause),
            Act::Decline(call) => self.performer.decline(call),
            Act::HangUp(call) => self.performer.hang_up(call),
            Act::Call { contact, video } => self.performer.call(contact, video),
            Act::CopyLink => self.performer.copy_link(),
            Act::CallClipboard => self.performer.call_clipboard(),
            Act::Open => self.performer.open("/".into(), cause),
            Act::Doctor => self.performer.open("/network".into(), cause),
        }
        false
    }

    /// Answers where the user allowed that: when it was offered and still at this moment. Else the page is opened, and the
    /// call goes on ringing until the user answers there.
    fn answer(&self, call: String, with: With, at_once: bool, cause: Cause) {
        let ringing = self.state.ringing().find(|it| it.id == call);
        if at_once && ringing.is_some_and(|it| self.state.is_one_click(it)) {
            return self.performer.answer(call, with, cause);
        }
        let path = match with {
            With::All => format!("/call/{call}"),
            With::Voice => format!("/call/{call}/voice"),
        };
        self.performer.open(path, cause);
    }

    /// There is no place for an icon: that is said once, and the page comes instead.
    fn no_panel(&mut self, why: &str) {
        if std::mem::replace(&mut self.was_told_of_panel, true) {
            return;
        }
        tell(&format!("{why}. {}", s::NO_TRAY_HELP));
        self.say(why, s::NO_TRAY_HELP);
        if self.state.daemon == Daemon::Up {
            self.performer.open("/".into(), Cause::Event);
        } else {
            self.wants_page = true;
        }
    }

    fn say(&self, title: &str, text: &str) {
        let order = Order::Tell {
            title: title.into(),
            text: text.into(),
        };
        drop(self.outlets.notices.send(order));
    }

    /// Passes on what differs from what is shown.
    fn show(&mut self) {
        let look = icon::look(&self.state);
        if self.shown.look.as_ref() != Some(&look) {
            drop(self.outlets.panel.send(Show::Look(look.0, look.1.clone())));
            self.shown.look = Some(look);
        }
        let menu = menu::menu(&self.state, &self.settings);
        if self.shown.menu != menu {
            drop(self.outlets.panel.send(Show::Menu(menu.clone())));
            self.shown.menu = menu;
        }
        let rings = notice::rings(&self.state);
        if self.shown.rings != rings {
            drop(self.outlets.notices.send(Order::Rings(rings.clone())));
            self.shown.rings = rings;
        }
        let loudness = self.loudness();
        self.outlets
            .ring
            .send_if_modified(|now| std::mem::replace(now, loudness) != loudness);
    }

    /// How loud it rings at the moment: softly into a call.
    fn loudness(&self) -> u8 {
        let is_ringing = self.state.ringing().next().is_some();
        match (is_ringing && self.state.may_sound(), self.state.live()) {
            (false, _) => 0,
            (true, None) => self.settings.loudness(),
            (true, Some(_)) => self.settings.loudness() / 3,
        }
    }
}
