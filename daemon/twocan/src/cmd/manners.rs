//! `twocan block WHO`, `twocan unblock WHO`, `twocan introducer on|off WHO`, `twocan dnd on|off`.

use clap::ValueEnum;
use twocan_api::client::Client;
use twocan_api::{ContactPatch, MePatch, Presence};

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;
use crate::who;

/// A contact.
#[derive(Debug, clap::Args)]
pub(crate) struct Whom {
    /// A contact's name, its beginning, or its id.
    #[arg(required = true)]
    who: Vec<String>,
}

/// `twocan introducer`.
#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// Whether the contact is one.
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

/// A switch.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Blocks a contact, or takes that back.
pub(crate) async fn block(args: Whom, blocked: bool, out: Out) -> Done {
    let client = Client::find();
    let contacts = client.contacts().await?.value.items;
    let contact = who::resolve(&contacts, &args.who.join(" "))?;
    let patch = ContactPatch {
        blocked: Some(blocked),
        ..ContactPatch::default()
    };
    let body = client.patch_contact(&contact.id, &patch).await?;
    let name = &body.value.name;
    let line = if blocked {
        format!("{name} is blocked and sees you as switched off. Undo with: twocan unblock \"{name}\"")
    } else {
        format!("{name} is not blocked any more.")
    };
    out.result(&body.json, &[line]);
    Ok(Exit::Done)
}

/// Names a contact as introducer, or takes that back.
pub(crate) async fn introducer(args: Named, out: Out) -> Done {
    let client = Client::find();
    let contacts = client.contacts().await?.value.items;
    let contact = who::resolve(&contacts, &args.who.join(" "))?;
    let introduces = match args.switch {
        Switch::On => true,
        Switch::Off => false,
    };
    let patch = ContactPatch {
        introduces: Some(introduces),
        ..ContactPatch::default()
    };
    let body = client.patch_contact(&contact.id, &patch).await?;
    let name = &body.value.name;
    let line = if introduces {
        format!("{name} tells contacts of you both where you are, if they named {name}, too.")
    } else {
        format!("{name} passes nothing on for you any more.")
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
