//! `twocan verify WHO`: makes safety words, shows them, and takes the answer.

use std::io::BufRead as _;

use twocan_api::client::Client;
use twocan_api::{Contact, SafetyResult};

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::stop::Stop;
use crate::{who, words};

/// `twocan verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A contact's name, its beginning, or its id.
    #[arg(required = true)]
    who: Vec<String>,
    /// Answer without being asked: the words are the same.
    #[arg(long, conflicts_with = "different")]
    yes: bool,
    /// Answer without being asked: the words are different. Ends the call with this contact.
    #[arg(long)]
    different: bool,
}

/// Shows the words of a contact and answers them where the user, or a flag, does.
pub(crate) async fn run(args: Verify, out: Out) -> Done {
    let mut stop = Stop::listen()?;
    let client = Client::find();
    let contacts = client.contacts().await?.value.items;
    let contact = who::resolve(&contacts, &args.who.join(" "))?;
    let shown = client.verify(&contact.id, &twocan_api::Verify::default()).await?;
    out.result(&shown.json, &words::safety(&contact.name, &shown.value));
    let answer = match (args.yes, args.different) {
        (true, _) => Some(SafetyResult::Same),
        (false, true) => Some(SafetyResult::Different),
        (false, false) if out.is_interactive() => stop.or(ask(contact, out)).await?,
        (false, false) => None,
    };
    match answer {
        Some(result) => tell(&client, contact, result, out).await,
        None => Ok(Exit::Done),
    }
}

/// The user's answer; none where nothing clear was typed.
async fn ask(contact: &Contact, out: Out) -> Result<Option<SafetyResult>, Failure> {
    out.progress(&format!("Does {} have the same words? [y/n]", contact.name));
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = line.await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(SafetyResult::Same),
        "n" | "no" => Some(SafetyResult::Different),
        _ => None,
    })
}

async fn tell(client: &Client, contact: &Contact, result: SafetyResult, out: Out) -> Done {
    let verify = twocan_api::Verify { result: Some(result) };
    let answered = client.verify(&contact.id, &verify).await?;
    let name = &contact.name;
    if result == SafetyResult::Same {
        out.result(&answered.json, &[format!("{name} is verified.")]);
        return Ok(Exit::Done);
    }
    out.result(&answered.json, &[]);
    let alarm = client.contact(&contact.id).await?.value.alarm;
    let (text, fix) = alarm.map_or_else(Default::default, |why| (why.text, why.fix));
    Err(Failure::new(Exit::Failed, text, fix))
}
