//! `twocan block WHO`, `twocan unblock WHO`, `twocan relay for|only on|off WHO`, `twocan introducer on|off WHO`,
//! `twocan one-click on|off WHO`, `twocan dnd on|off`.

use clap::ValueEnum;
use twocan_api::client::{Body, Client};
use twocan_api::{Contact, ContactPatch, MePatch, Presence};

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::who;

/// A contact.
#[derive(Debug, clap::Args)]
pub(crate) struct Whom {
    /// A contact's name, its beginning, or its id.
    #[arg(required = true)]
    who: Vec<String>,
}

/// `twocan introducer`, `twocan one-click`.
#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// Whether it is to be so.
    switch: Switch,
    /// A contact's name, its beginning, or its id.
    #[arg(required = true)]
    who: Vec<String>,
}

/// `twocan dnd`.
#[derive(Debug, clap::Args)]
pub(crate) struct Dnd {
    /// Whether not to ring.
    switch: Switch,
}

/// `twocan relay`.
#[derive(Debug, clap::Args)]
pub(crate) struct Relay {
    /// What to switch.
    what: RelayMark,
    /// Whether it is to be so.
    switch: Switch,
    /// A contact's name, its beginning, or its id.
    #[arg(required = true)]
    who: Vec<String>,
}

/// What relays mean to a contact.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RelayMark {
    /// It may use this device as a relay.
    For,
    /// It is to learn no address of yours, and reaches you through relays alone.
    Only,
}

/// A switch.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Changes a contact whom the user has named.
async fn change(who: &[String], patch: &ContactPatch) -> Result<Body<Contact>, Failure> {
    let client = Client::find();
    let contacts = client.contacts().await?.value.items;
    let contact = who::resolve(&contacts, &who.join(" "))?;
    Ok(client.patch_contact(&contact.id, patch).await?)
}

/// Blocks a contact, or takes that back.
pub(crate) async fn block(args: Whom, blocked: bool, out: Out) -> Done {
    let patch = ContactPatch {
        blocked: Some(blocked),
        ..ContactPatch::default()
    };
    let body = change(&args.who, &patch).await?;
    let name = &body.value.name;
    let line = if blocked {
        format!("{name} is blocked and sees you as switched off. Undo with: twocan unblock \"{name}\"")
    } else {
        format!("{name} is not blocked any more.")
    };
    out.result(&body.json, &[line]);
    Ok(Exit::Done)
}

/// Switches what relays mean to a contact.
pub(crate) async fn relay(args: Relay, out: Out) -> Done {
    let on = matches!(args.switch, Switch::On);
    let patch = match args.what {
        RelayMark::For => ContactPatch {
            relay: Some(on),
            ..ContactPatch::default()
        },
        RelayMark::Only => ContactPatch {
            relay_only: Some(on),
            ..ContactPatch::default()
        },
    };
    let body = change(&args.who, &patch).await?;
    let name = &body.value.name;
    let line = match (args.what, on) {
        (RelayMark::For, true) => format!(
            "{name} may use this device as a relay to contacts of yours who may as well. Undo with: twocan relay for off \"{name}\""
        ),
        (RelayMark::For, false) => format!("{name} may not use this device as a relay."),
        (RelayMark::Only, true) => format!(
            "{name} learns no address of yours from here on, and reaches you through relays alone. What {name} knows already stays known. Undo with: twocan relay only off \"{name}\""
        ),
        (RelayMark::Only, false) => format!("{name} may know your addresses."),
    };
    out.result(&body.json, &[line]);
    Ok(Exit::Done)
}

/// Names a contact as introducer, or takes that back.
pub(crate) async fn introducer(args: Named, out: Out) -> Done {
    let introduces = matches!(args.switch, Switch::On);
    let patch = ContactPatch {
        introduces: Some(introduces),
        ..ContactPatch::default()
    };
    let body = change(&args.who, &patch).await?;
    let name = &body.value.name;
    let line = if introduces {
        format!("{name} tells contacts of you both where you are, if they named {name}, too.")
    } else {
        format!("{name} passes nothing on for you any more.")
    };
    out.result(&body.json, &[line]);
    Ok(Exit::Done)
}

/// Says whether a contact's calls are answered by one click.
pub(crate) async fn one_click(args: Named, out: Out) -> Done {
    let one_click = matches!(args.switch, Switch::On);
    let patch = ContactPatch {
        one_click: Some(one_click),
        ..ContactPatch::default()
    };
    let body = change(&args.who, &patch).await?;
    let name = &body.value.name;
    let line = if one_click {
        format!(
            "Answer in the notification or the tray takes {name}'s calls at once, camera and microphone on. Undo with: twocan one-click off \"{name}\""
        )
    } else {
        format!("Answer in the notification or the tray opens the page, and there you take {name}'s calls.")
    };
    out.result(&body.json, &[line]);
    Ok(Exit::Done)
}

/// Turns do not disturb on or off.
pub(crate) async fn dnd(args: Dnd, out: Out) -> Done {
    let (presence, line) = match args.switch {
        Switch::On => (
            Presence::DoNotDisturb,
            "This device does not ring. Undo with: twocan dnd off",
        ),
        Switch::Off => (Presence::Available, "This device rings."),
    };
    let patch = MePatch {
        presence: Some(presence),
        ..MePatch::default()
    };
    let body = Client::find().patch_me(&patch).await?;
    out.result(&body.json, &[line.to_owned()]);
    Ok(Exit::Done)
}
