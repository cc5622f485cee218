//! `twocan open [PATH or LINK]`: the page in the user's browser.
//!
//! A link is not used: the page asks what is to come of it. What the desktop hands over may come from anybody's mail or
//! web page, so it is nothing but a text: it is looked at by the daemon, and only a link that is whole opens anything.

use twocan_api::client::browser::is_call;
use twocan_api::client::{Client, ClientError};
use twocan_api::{NewPage, NewPaste, REPLY_SCHEME, SCHEME};

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::{browser, desktop};

/// `twocan open`.
#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// The path of the page, such as /call/ID; its start unless told. Or a `twocan:` link, about which the page asks.
    #[arg(value_name = "PATH or LINK")]
    what: Option<String>,
    /// As the desktop's menu does: start Twocan where it is not running, and open a browser without a terminal.
    #[arg(long)]
    desktop: bool,
}

/// Prints the page's one-time URL, and opens it for a person at a terminal or a desktop.
pub(crate) async fn run(args: Open, out: Out) -> Done {
    let opened = open(&args, out).await;
    if let (true, Err(failure)) = (args.desktop, &opened) {
        desktop::tell(failure).await;
    }
    opened
}

async fn open(args: &Open, out: Out) -> Done {
    let client = Client::find();
    if args.desktop {
        desktop::start(&client).await?;
    }
    let path = path(&client, args.what.as_deref()).await?;
    let is_call = path.as_deref().is_some_and(is_call);
    let page = client.page(&NewPage { path }).await?;
    out.result(&page.json, std::slice::from_ref(&page.value.url));
    if args.desktop {
        return browser::open_for_desktop(&page.value.url, is_call).await;
    }
    browser::open_for_person(&page.value.url, is_call, out).await;
    Ok(Exit::Done)
}

/// The path to open: of a link the screen that asks about it.
async fn path(client: &Client, what: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = what.filter(|text| is_link(text)) else {
        return Ok(what.map(str::to_owned));
    };
    let looked = client.look(&NewPaste { text: text.to_owned() }).await;
    let paste = looked.map_err(|error: ClientError| Failure::from(error))?;
    Ok(Some(format!("/link/{}", paste.value.id)))
}

/// Schemes are written in either case (RFC 3986, section 3.1).
fn is_link(text: &str) -> bool {
    let begins = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins(SCHEME) || begins(REPLY_SCHEME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_from_paths() {
        for link in ["twocan:abc", "TwoCan:abc", "twocan-reply:abc", "twocan:"] {
            assert!(is_link(link), "{link}");
        }
        for other in [
            "",
            "/",
            "/call/1",
            "twocan",
            "twöcan:abc",
            " twocan:abc",
            "http://twocan:1/",
        ] {
            assert!(!is_link(other), "{other}");
        }
    }
}
