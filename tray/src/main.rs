//! `twocan-tray`: Twocan in the tray of the desktop.
//!
//! A client of the local API like any script: it knows the daemon only through `twocan-api`. [`tray`] is the loop;
//! [`menu`], [`icon`], [`notice::rings`] and [`sound::samples`] are pure functions of what is known; [`panel`],
//! [`notice`], [`sound`], [`daemon`] and [`perform`] do what takes time, each beside the loop.

mod act;
mod browser;
mod bus;
mod clipboard;
mod daemon;
mod icon;
mod menu;
mod notice;
mod panel;
mod perform;
mod program;
mod settings;
mod sound;
mod state;
mod strings;
mod tray;
mod trouble;

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};
use tokio::sync::watch;
use twocan_api::client::Client;
use twocan_api::client::browser::Cause;
use zbus::Connection;

use crate::settings::Settings;
use crate::strings as s;
use crate::tray::{Message, Outlets, Tray};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => {}
        ["-h" | "--help"] => return said(s::HELP),
        ["-V" | "--version"] => return said(concat!("twocan-tray ", env!("CARGO_PKG_VERSION"))),
        [first, ..] => {
            tell(&s::unknown_flag(first));
            return ExitCode::from(2);
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> ExitCode {
    let client = Client::find();
    let (out, messages) = unbounded_channel();
    let (orders, for_keeper) = channel(4);
    let Some(bus) = bus::connect().await else {
        return without_bus(&client, out, messages).await;
    };
    if !bus::is_alone(&bus, client.socket()).await {
        tell(s::TWICE);
        drop(browser::open(&client, "/", Cause::Click(None)).await);
        return ExitCode::SUCCESS;
    }
    let file = settings::folder().join("tray.toml");
    let settings = Settings::load(&file).unwrap_or_else(|why| {
        tell(&s::bad_settings(&file.display().to_string(), &why));
        Settings::default()
    });
    let keeper = tokio::spawn(daemon::keep(client.clone(), out.clone(), for_keeper));
    let outlets = Outlets {
        panel: panel::start(out.clone()),
        notices: notices(bus.clone(), out.clone()),
        ring: ring(out.clone()),
        keeper: orders.clone(),
    };
    drop(tokio::spawn(bus::watch_panel(bus, out.clone())));
    drop(tokio::spawn(terminated(out)));
    let successor = Tray::new(client, settings, file, outlets).run(messages).await;
    let _ = orders.send(daemon::Order::End).await;
    drop(keeper.await);
    clipboard::leave();
    let Some(successor) = successor else {
        return ExitCode::SUCCESS;
    };
    // Every connection to the bus ends with this program, so its names are free before the successor has introduced itself.
    // Comes back only if that cannot be.
    let error = Command::new(&successor).exec();
    tell(&s::not_renewed(&successor.display().to_string(), &error.to_string()));
    ExitCode::FAILURE
}

fn notices(bus: Connection, out: UnboundedSender<Message>) -> UnboundedSender<notice::Order> {
    let (orders, for_notices) = unbounded_channel();
    drop(tokio::spawn(notice::run(bus, for_notices, out)));
    orders
}

fn ring(out: UnboundedSender<Message>) -> watch::Sender<u8> {
    let (loudness, for_ring) = watch::channel(0);
    let silent = move || drop(out.send(Message::Silent));
    drop(tokio::spawn(sound::run(for_ring, silent)));
    loudness
}

/// Tells when the system wants the tray to end.
async fn terminated(out: UnboundedSender<Message>) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(out.send(Message::Terminated));
}

/// Nothing can be shown: the page is opened instead, by a daemon that goes on without the tray.
async fn without_bus(
    client: &Client,
    out: UnboundedSender<Message>,
    mut messages: tokio::sync::mpsc::UnboundedReceiver<Message>,
) -> ExitCode {
    tell(s::NO_BUS);
    let (_orders, for_keeper) = channel(1);
    let keeper = tokio::spawn(daemon::keep(client.clone(), out, for_keeper));
    while let Some(message) = messages.recv().await {
        if let Message::News(daemon::News::Up { .. }) = message {
            if let Err(trouble) = browser::open(client, "/", Cause::Click(None)).await {
                tell(&format!("{}. {}", trouble.title, trouble.text));
            }
            break;
        }
        if let Message::News(daemon::News::Failed(why)) = message {
            tell(&format!("{}: {why}", s::NOT_STARTED));
            break;
        }
    }
    keeper.abort();
    ExitCode::FAILURE
}

/// Says something to whoever started the tray; a reader that went away is not an error.
fn tell(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Answers a question.
fn said(text: &str) -> ExitCode {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
    ExitCode::SUCCESS
}
