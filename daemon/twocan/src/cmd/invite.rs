//! `twocan invite`.

use twocan_api::NewInvite;
use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;

/// `twocan invite`.
#[derive(Debug, clap::Args)]
pub(crate) struct Invite {
    /// For how many seconds the link works; 48 hours unless told.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    expires_in: Option<u64>,
}

/// Makes an invite and prints the message to send.
pub(crate) async fn run(args: Invite, out: Out) -> Done {
    let invite = Client::find()
        .new_invite(&NewInvite {
            expires_in_s: args.expires_in,
        })
        .await?;
    out.result(&invite.json, std::slice::from_ref(&invite.value.text));
    out.hint(&format!(
        "Send this to one person. It works once, until {}.",
        invite.value.expires_at
    ));
    if let Some(why) = &invite.value.why {
        out.hint(&format!("{} {}", why.text, why.fix));
    }
    Ok(Exit::Done)
}
