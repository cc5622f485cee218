//! Does what the user asks for: requests to the daemon, each in a task of its own. What goes wrong is told in a
//! notification, in the daemon's words where it has some.

use std::future::Future;

use tokio::sync::mpsc::UnboundedSender;
use twocan_api::client::Client;
use twocan_api::client::browser::Cause;
use twocan_api::{
    CallPatch, MePatch, Media, MediaPatch, NewCall, NewContact, NewInvite, NewReply, REPLY_SCHEME, SCHEME,
};

use crate::act::With;
use crate::notice::Order;
use crate::strings as s;
use crate::trouble::Trouble;
use crate::{browser, clipboard};

/// A line of the menu was clicked, for which the desktop gives no token.
const CLICK: Cause = Cause::Click(None);

/// The daemon, and where to tell.
#[derive(Clone, Debug)]
pub(crate) struct Performer {
    client: Client,
    notices: UnboundedSender<Order>,
}

impl Performer {
    pub(crate) const fn new(client: Client, notices: UnboundedSender<Order>) -> Self {
        Self { client, notices }
    }

    /// Opens a screen of the page.
    pub(crate) fn open(&self, path: String, cause: Cause) {
        self.spawn(|it| async move { browser::open(&it.client, &path, cause).await });
    }

    /// Answers a call and opens its page, which then lends it microphone and camera. The daemon hears first whether the
    /// camera stays off: neither page nor far side can take it for on. A call that is over by then, or was answered
    /// elsewhere, is left alone.
    pub(crate) fn answer(&self, call: String, with: With, cause: Cause) {
        self.spawn(|it| async move {
            let answered = match with {
                With::All => it.client.answer(&call).await,
                With::Voice => match it.client.patch_call(&call, &dark()).await {
                    Ok(_) => it.client.answer(&call).await,
                    Err(error) => Err(error),
                },
            };
            if answered.is_err() {
                return settled(answered);
            }
            browser::open(&it.client, &format!("/call/{call}/answered"), cause).await
        });
    }

    /// Declines a call. One that is over by then is declined well enough.
    pub(crate) fn decline(&self, call: String) {
        self.spawn(|it| async move { settled(it.client.decline(&call).await) });
    }

    /// Hangs a call up.
    pub(crate) fn hang_up(&self, call: String) {
        self.spawn(|it| async move { settled(it.client.hang_up(&call).await) });
    }

    /// Changes oneself.
    pub(crate) fn patch_me(&self, patch: MePatch) {
        self.spawn(|it| async move { Ok(it.client.patch_me(&patch).await.map(drop)?) });
    }

    /// Places a call, and opens its page, which takes part in it.
    pub(crate) fn call(&self, contact: String, video: bool) {
        let new = NewCall {
            to: contact,
            media: Media { audio: true, video },
        };
        self.spawn(|it| async move {
            let call = it.client.new_call(&new).await?.value;
            browser::open(&it.client, &format!("/call/{}", call.id), CLICK).await
        });
    }

    /// Makes an invite and copies its message.
    pub(crate) fn copy_link(&self) {
        self.spawn(|it| async move {
            let invite = it.client.new_invite(&NewInvite::default()).await?.value;
            if blocking(move || clipboard::copy(&invite.text)).await == Some(true) {
                it.say(s::COPIED, s::COPIED_HELP);
                return Ok(());
            }
            it.say(s::NOT_COPIED, s::NOT_COPIED_HELP);
            browser::open(&it.client, "/", CLICK).await
        });
    }

    /// Adds whoever made the link in the clipboard, and opens the page from which to call. Nothing rings before the
    /// user has seen there who it is.
    pub(crate) fn call_clipboard(&self) {
        self.spawn(|it| async move {
            let Some(text) = blocking(clipboard::paste).await.flatten() else {
                it.say(s::NO_LINK, s::NO_CLIPBOARD_HELP);
                return browser::open(&it.client, "/", CLICK).await;
            };
            if text.contains(REPLY_SCHEME) {
                it.client.take_reply(&NewReply { reply: text }).await?;
                it.say(s::REPLY_TAKEN, s::REPLY_TAKEN_HELP);
                return Ok(());
            }
            if !text.contains(SCHEME) {
                return Err(Trouble::new(s::NO_LINK, s::NO_LINK_HELP));
            }
            let new = NewContact {
                link: text,
                name: None,
                temporary: false,
            };
            let contact = it.client.add_contact(&new).await?.value;
            browser::open(&it.client, &format!("/join/{}", contact.id), CLICK).await
        });
    }

    fn say(&self, title: &str, text: &str) {
        let order = Order::Tell {
            title: title.into(),
            text: text.into(),
        };
        drop(self.notices.send(order));
    }

    fn spawn<F>(&self, task: impl FnOnce(Self) -> F)
    where
        F: Future<Output = Result<(), Trouble>> + Send + 'static,
    {
        let (task, it) = (task(self.clone()), self.clone());
        drop(tokio::spawn(async move {
            if let Err(trouble) = task.await {
                it.say(&trouble.title, &trouble.text);
            }
        }));
    }
}

/// The camera stays off.
const fn dark() -> CallPatch {
    CallPatch {
        media: Some(MediaPatch {
            audio: None,
            video: Some(false),
        }),
    }
}

/// The outcome of ending something: that it has ended already is no trouble.
fn settled<T>(outcome: Result<T, twocan_api::client::ClientError>) -> Result<(), Trouble> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if error.problem().is_some_and(|it| [404, 409].contains(&it.status)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Something that blocks, where it does no harm.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(act).await.ok()
}
