//! `twocan verify WHO`: makes safety words, shows them, and takes the answer.

use std::io::BufRead as _;
use std::net::{IpAddr, SocketAddr};

use twocan_api::client::{Body, Client};
use twocan_api::{Call, CallState, Contact, Safety, SafetyResult, Why};

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::stop::Stop;
use crate::{who, words};

/// `twocan verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A contact's name, its beginning, or its id; or the address of a stranger in a call.
    #[arg(required = true)]
    who: Vec<String>,
    /// Answer without being asked: the words are the same.
    #[arg(long, conflicts_with = "different")]
    yes: bool,
    /// Answer without being asked: the words are different. Ends the call with this contact.
    #[arg(long)]
    different: bool,
}

/// With whom words are compared.
enum Whom {
    Contact(Contact),
    /// The stranger of a call.
    Stranger(Call),
}

impl Whom {
    async fn find(client: &Client, who: &str) -> Result<Self, Failure> {
        if let Some(call) = stranger_at(client, who).await? {
            return Ok(Self::Stranger(call));
        }
        let contacts = client.contacts().await?.value.items;
        who::resolve(&contacts, who).cloned().map(Self::Contact)
    }

    fn name(&self) -> String {
        match self {
            Self::Contact(contact) => contact.name.clone(),
            Self::Stranger(call) => words::peer(call),
        }
    }

    async fn verify(&self, client: &Client, verify: &twocan_api::Verify) -> Result<Body<Safety>, Failure> {
        let shown = match self {
            Self::Contact(contact) => client.verify(&contact.id, verify).await?,
            Self::Stranger(call) => client.verify_call(&call.id, verify).await?,
        };
        Ok(shown)
    }

    async fn alarm(&self, client: &Client) -> Result<Option<Why>, Failure> {
        match self {
            Self::Contact(contact) => Ok(client.contact(&contact.id).await?.value.alarm),
            Self::Stranger(_) => Ok(Some(words::stranger_differs())),
        }
    }
}

/// The newest call with a stranger at an address, where one is named and the words are there.
async fn stranger_at(client: &Client, who: &str) -> Result<Option<Call>, Failure> {
    let Ok(wanted) = who.trim().parse::<IpAddr>() else {
        return Ok(None);
    };
    let is_there = |call: &Call| {
        let address = call
            .peer
            .address
            .as_deref()
            .and_then(|text| text.parse::<SocketAddr>().ok());
        let has_words = call
            .stranger
            .as_ref()
            .is_some_and(|stranger| stranger.safety.words.is_some());
        has_words && address.is_some_and(|address| address.ip() == wanted)
    };
    let calls = client.calls().await?.value.items;
    let active = |call: &&Call| is_there(call) && call.state == CallState::Active;
    let found = calls
        .iter()
        .find(active)
        .or_else(|| calls.iter().find(|call| is_there(call)));
    Ok(found.cloned())
}

/// Shows the words and answers them where the user, or a flag, does.
pub(crate) async fn run(args: Verify, out: Out) -> Done {
    let mut stop = Stop::listen()?;
    let client = Client::find();
    let whom = Whom::find(&client, &args.who.join(" ")).await?;
    let shown = whom.verify(&client, &twocan_api::Verify::default()).await?;
    out.result(&shown.json, &words::safety(&whom.name(), &shown.value));
    let answer = match (args.yes, args.different) {
        (true, _) => Some(SafetyResult::Same),
        (false, true) => Some(SafetyResult::Different),
        (false, false) if out.is_interactive() => stop.or(ask(&whom.name(), out)).await?,
        (false, false) => None,
    };
    match answer {
        Some(result) => tell(&client, &whom, result, out).await,
        None => Ok(Exit::Done),
    }
}

/// The user's answer; none where nothing clear was typed.
async fn ask(name: &str, out: Out) -> Result<Option<SafetyResult>, Failure> {
    out.progress(&format!("Does {name} have the same words? [y/n]"));
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

async fn tell(client: &Client, whom: &Whom, result: SafetyResult, out: Out) -> Done {
    let verify = twocan_api::Verify { result: Some(result) };
    let answered = whom.verify(client, &verify).await?;
    if result == SafetyResult::Same {
        let line = match whom {
            Whom::Contact(contact) => format!("{} is verified.", contact.name),
            Whom::Stranger(_) => "Nobody sits between you. Keep this person as a contact with: twocan keep".to_owned(),
        };
        out.result(&answered.json, &[line]);
        return Ok(Exit::Done);
    }
    out.result(&answered.json, &[]);
    let alarm = whom.alarm(client).await?;
    let (text, fix) = alarm.map_or_else(Default::default, |why| (why.text, why.fix));
    Err(Failure::new(Exit::Failed, text, fix))
}
