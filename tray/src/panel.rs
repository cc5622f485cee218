//! The icon in the panel.
//!
//! It lives in a thread of its own: its library waits for the bus where it is called, and its menus may not leave the
//! thread that made them. A menu is made anew for each change, with the keys of [`Act`](crate::act::Act) as ids.

use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::UnboundedSender;
use tray_icon::menu::{CheckMenuItem, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tray_icon::{Icon, MouseButton, TrayIcon, TrayIconBuilder, TrayIconEvent};

use crate::act::Act;
use crate::icon::{self, Look, SIDE};
use crate::menu::Item;
use crate::strings as s;
use crate::tray::Message;

/// What the panel is to show.
#[derive(Clone, Debug)]
pub(crate) enum Show {
    /// The icon, and the same in words.
    Look(Look, String),
    /// The menu.
    Menu(Vec<Item>),
}

/// Starts the thread. It ends with the sender that is returned.
pub(crate) fn start(out: UnboundedSender<Message>) -> Sender<Show> {
    let (show, shows) = channel();
    std::thread::spawn(move || {
        if let Err(why) = run(&shows, &out) {
            drop(out.send(Message::NoIcon(why)));
        }
    });
    show
}

fn run(shows: &Receiver<Show>, out: &UnboundedSender<Message>) -> Result<(), String> {
    listen(out);
    let words = |error: tray_icon::Error| error.to_string();
    let tray = TrayIconBuilder::new()
        .with_id("twocan")
        .with_title(s::APP)
        .with_tooltip(s::STARTING)
        .with_icon(picture(Look::Off)?)
        .with_menu(Box::new(Menu::new()))
        .build()
        .map_err(words)?;
    while let Ok(show) = shows.recv() {
        apply(&tray, show)?;
    }
    Ok(())
}

fn apply(tray: &TrayIcon, show: Show) -> Result<(), String> {
    match show {
        Show::Look(look, text) => {
            tray.set_icon(Some(picture(look)?)).map_err(|error| error.to_string())?;
            tray.set_tooltip(Some(text)).map_err(|error| error.to_string())
        }
        Show::Menu(items) => {
            tray.set_menu(Some(Box::new(build(&items)?)));
            Ok(())
        }
    }
}

/// Passes clicks on: of the menu by the key of what was clicked, of the icon as the wish to see the page.
fn listen(out: &UnboundedSender<Message>) {
    let clicked = out.clone();
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
        drop(clicked.send(Message::Clicked(event.id.0)));
    }));
    let opened = out.clone();
    TrayIconEvent::set_event_handler(Some(move |event: TrayIconEvent| {
        if let TrayIconEvent::Click {
            button: MouseButton::Left,
            ..
        } = event
        {
            drop(opened.send(Message::Act(Act::Open, None)));
        }
    }));
}

fn picture(look: Look) -> Result<Icon, String> {
    Icon::from_rgba(icon::draw(look), SIDE, SIDE).map_err(|error| error.to_string())
}

fn build(items: &[Item]) -> Result<Menu, String> {
    let menu = Menu::new();
    for item in items {
        menu.append(&*widget(item)?).map_err(|error| error.to_string())?;
    }
    Ok(menu)
}

fn widget(item: &Item) -> Result<Box<dyn IsMenuItem>, String> {
    Ok(match item {
        Item::Rule => Box::new(PredefinedMenuItem::separator()),
        Item::Note(text) => Box::new(MenuItem::new(label(text), false, None)),
        Item::Act {
            label: text,
            act,
            enabled,
        } => Box::new(MenuItem::with_id(act.key(), label(text), *enabled, None)),
        Item::Check { label: text, act, on } => {
            Box::new(CheckMenuItem::with_id(act.key(), label(text), true, *on, None))
        }
        Item::Sub { label: text, items } => {
            let sub = Submenu::new(label(text), true);
            for item in items {
                sub.append(&*widget(item)?).map_err(|error| error.to_string())?;
            }
            Box::new(sub)
        }
    })
}

/// A single `&` would underline the letter behind it.
fn label(text: &str) -> String {
    text.replace('&', "&&")
}
