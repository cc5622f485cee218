//! `twocan add LINK`: pastes a link and waits until both sides hold the contact, then a moment for its dot, so that a
//! script may call next and a person is not told "checking" about a path that just proved itself.

use std::io::Read as _;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use twocan_api::client::{Body, Client, ClientError, Events};
use twocan_api::{Contact, ContactRemoved, ContactState, Event, NewContact, NewReply, REPLY_SCHEME, Reachable};

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::words;

/// How long the inviter may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long the dot of a new contact may take.
const DOT: Duration = Duration::from_secs(5);

/// The most that is read from standard input: a long mail around a link.
const MOST_BYTES: u64 = 1 << 20;

/// `twocan add`.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The link, or the whole message around it; `-` reads it from standard input. A reply link that an invitee sent back is
    /// taken, too.
    #[arg(required = true, value_name = "LINK", allow_hyphen_values = false)]
    link: Vec<String>,
    /// What to call the contact, instead of the name in the link.
    #[arg(long)]
    name: Option<String>,
}

/// What came of a redemption.
#[derive(Debug)]
pub(crate) enum Added {
    /// Both sides hold the contact.
    Held(Body<Contact>),
    /// The inviter is silent; the contact stays pending.
    Waiting(Body<Contact>),
}

/// Adds a contact.
pub(crate) async fn run(args: Add, out: Out) -> Done {
    let link = text(&args.link)?;
    let client = Client::find();
    if link.to_ascii_lowercase().contains(REPLY_SCHEME) {
        return take_reply(&client, link, out).await;
    }
    let new = NewContact {
        link,
        name: args.name,
        temporary: false,
    };
    let (mut events, contact) = redeem(&client, &new).await?;
    if contact.value.state == ContactState::Pending {
        out.progress(&format!("Waiting for {} …", contact.value.name));
    }
    match settle(&client, &mut events, contact).await? {
        Added::Held(contact) => {
            let contact = dot(&client, &mut events, contact).await?;
            out.result(&contact.json, &[words::contact(&contact.value)]);
            out.hint(&format!(
                "Added, not yet verified. Call with: twocan call \"{}\"",
                contact.value.name
            ));
            Ok(Exit::Done)
        }
        Added::Waiting(contact) => {
            out.result(&contact.json, &[words::contact(&contact.value)]);
            out.hint(&format!(
                "{} has not answered yet. The contact stays; leave Twocan running.",
                contact.value.name
            ));
            if let Some(reply) = &contact.value.reply {
                out.hint(&words::reply_hint(&contact.value.name, reply));
            }
            Ok(Exit::Unreachable)
        }
    }
}

/// Takes what an invitee sent back, and waits until his invite is used.
async fn take_reply(client: &Client, reply: String, out: Out) -> Done {
    let mut events = client.events().await?;
    events.snapshot().await?;
    let invite = client.take_reply(&NewReply { reply }).await?;
    out.progress("Looking for whoever sent this …");
    let used = async {
        loop {
            if let Some(Event::InviteRemoved(removed)) = events.next_frame().await?.event()?
                && removed.id == invite.value.id
            {
                return Ok::<_, Failure>(());
            }
        }
    };
    let outcome = timeout_at(Instant::now() + PATIENCE, used).await;
    out.result(&invite.json, &[]);
    match outcome {
        Ok(used) => {
            used?;
            out.hint("Found: see `twocan contacts`.");
            Ok(Exit::Done)
        }
        Err(_) => {
            out.hint(
                "Not found yet. Twocan goes on looking while it runs; the other side must leave theirs running, too.",
            );
            Ok(Exit::Unreachable)
        }
    }
}

/// Pastes a link. The events are those that follow.
pub(crate) async fn redeem(client: &Client, new: &NewContact) -> Result<(Events, Body<Contact>), Failure> {
    let mut events = client.events().await?;
    events.snapshot().await?;
    let contact = client.add_contact(new).await?;
    Ok((events, contact))
}

/// Waits until both sides hold the contact, or for as long as the inviter may take.
///
/// # Errors
/// The inviter refused, and the contact is gone.
pub(crate) async fn settle(client: &Client, events: &mut Events, mut contact: Body<Contact>) -> Result<Added, Failure> {
    let give_up = Instant::now() + PATIENCE;
    while contact.value.state == ContactState::Pending {
        match timeout_at(give_up, change(client, events, &contact.value.id)).await {
            Ok(changed) => contact = changed?,
            Err(_) => return Ok(Added::Waiting(contact)),
        }
    }
    Ok(Added::Held(contact))
}

/// The contact once it is known whether it can be reached, or as it is after [`DOT`].
async fn dot(client: &Client, events: &mut Events, mut contact: Body<Contact>) -> Result<Body<Contact>, Failure> {
    let give_up = Instant::now() + DOT;
    while contact.value.reachable == Reachable::Checking {
        match timeout_at(give_up, change(client, events, &contact.value.id)).await {
            Ok(changed) => contact = changed?,
            Err(_) => break,
        }
    }
    Ok(contact)
}

/// The next state of one contact.
async fn change(client: &Client, events: &mut Events, id: &str) -> Result<Body<Contact>, Failure> {
    loop {
        let frame = events.next_frame().await?;
        match frame.event()? {
            Some(Event::Contact(contact)) => {
                if contact.id == id {
                    return Ok(Body {
                        value: *contact,
                        json: frame.data,
                    });
                }
            }
            Some(Event::ContactRemoved(removed)) => {
                if removed.id == id {
                    return Err(refused(removed, frame.data));
                }
            }
            // Events were missed: ask.
            Some(Event::Snapshot(_)) => return client.contact(id).await.map_err(gone),
            Some(
                Event::Call(_)
                | Event::Invite(_)
                | Event::CallRemoved(_)
                | Event::InviteRemoved(_)
                | Event::Door(_)
                | Event::Me(_)
                | Event::Network(_)
                | Event::Key(_)
                | Event::Warning(_)
                | Event::Gap(_),
            )
            | None => {}
        }
    }
}

/// The inviter said no, and the daemon removed the contact.
fn refused(removed: ContactRemoved, json: String) -> Failure {
    match removed.why {
        Some(why) => Failure::explained(Exit::Failed, why, json),
        None => Failure {
            json: Some(json),
            ..Failure::new(Exit::Failed, "The contact was removed.", "Ask for a new link.")
        },
    }
}

fn gone(error: ClientError) -> Failure {
    match error.problem() {
        Some(problem) if problem.status == 404 => {
            Failure::new(Exit::Failed, "The link was refused.", "Ask for a new link.")
        }
        Some(_) | None => error.into(),
    }
}

/// The pasted text. Several words are one text: a shell splits what a mail wrapped.
fn text(words: &[String]) -> Result<String, Failure> {
    let joined = words.join(" ");
    if joined != "-" {
        return Ok(joined);
    }
    let mut read = String::new();
    match std::io::stdin().lock().take(MOST_BYTES).read_to_string(&mut read) {
        Ok(_) => Ok(read),
        Err(error) => {
            let text = format!("Standard input cannot be read: {error}.");
            Err(Failure::new(Exit::Failed, text, "Give the link as an argument."))
        }
    }
}
