//! One call, followed from the outside.
//!
//! The event stream is opened before the daemon is asked to do anything, so no change is missed. A call only moves
//! forward (dialing, ringing, active, ended): an event that is older than what is already known is passed over. When
//! both people called at once and the other call goes on, it is that call which is followed from then on.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use twocan_api::client::{Body, Client, ClientError, Events, Frame};
use twocan_api::{Call, CallState, ClipStats, Event, NewCall, NewClip};

use crate::exit::Exit;
use crate::failure::Failure;

/// How long the daemon may take to end a call that it was told to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How long the other call of a glare may take to show itself.
const MERGE_WITHIN: Duration = Duration::from_secs(5);

/// How long the last packets of a clip may take to come back.
const CLIP_TAIL: Duration = Duration::from_secs(2);

/// Between two looks at the clip's statistics.
const CLIP_LOOK: Duration = Duration::from_millis(100);

/// A call with its event stream.
#[derive(Debug)]
pub(crate) struct Follow {
    client: Client,
    events: Events,
    call: Call,
    json: String,
    ringing_since: Option<Instant>,
    active_since: Option<Instant>,
    look_up: bool,
}

impl Follow {
    /// Places a call.
    pub(crate) async fn place(client: &Client, new: &NewCall) -> Result<Self, Failure> {
        let events = open(client).await?;
        Ok(Self::of(client, events, client.new_call(new).await?))
    }

    /// Follows a call that exists.
    pub(crate) async fn existing(client: &Client, id: &str) -> Result<Self, Failure> {
        let events = open(client).await?;
        Ok(Self::of(client, events, client.call(id).await?))
    }

    fn of(client: &Client, events: Events, body: Body<Call>) -> Self {
        let mut follow = Self {
            client: client.clone(),
            events,
            call: body.value,
            json: body.json,
            ringing_since: None,
            active_since: None,
            look_up: false,
        };
        follow.note_times();
        follow
    }

    /// The call as it is known.
    pub(crate) const fn call(&self) -> &Call {
        &self.call
    }

    /// The API's body of it.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.call.state == CallState::Ended
    }

    /// Since when both people have accepted.
    pub(crate) const fn active_since(&self) -> Option<Instant> {
        self.active_since
    }

    /// For how long it rang before it was answered, in milliseconds.
    pub(crate) fn ringing_ms(&self) -> Option<u64> {
        let rang = self.active_since?.saturating_duration_since(self.ringing_since?);
        u64::try_from(rang.as_millis()).ok()
    }

    /// What there is to tell of it: its state, whether its path is gone, and of a stranger the words and his wish.
    fn news(&self) -> (String, CallState, bool, Option<(bool, bool)>) {
        let stranger = self.call.stranger.as_ref();
        let stranger = stranger.map(|stranger| (stranger.safety.words.is_some(), stranger.peer_keeps));
        (self.call.id.clone(), self.call.state, self.call.reconnecting, stranger)
    }

    /// Waits until there is something to tell of the call. Cancel-safe.
    pub(crate) async fn changed(&mut self) -> Result<(), Failure> {
        let before = self.news();
        loop {
            if self.look_up {
                let found = self.client.call(&self.call.id).await?;
                self.look_up = false;
                self.take(found.value, found.json);
            } else {
                let frame = self.events.next_frame().await?;
                self.heed(frame)?;
            }
            if before != self.news() {
                return Ok(());
            }
        }
    }

    /// Answers it.
    pub(crate) async fn answer(&mut self) -> Result<(), Failure> {
        let body = self.client.answer(&self.call.id).await?;
        self.take(body.value, body.json);
        Ok(())
    }

    /// Ends it and waits for the end. A call that ended by itself in the meantime is left as it is.
    pub(crate) async fn hang_up(&mut self) -> Result<(), Failure> {
        match self.client.hang_up(&self.call.id).await {
            Ok(body) => self.take(body.value, body.json),
            Err(refused) if refused.problem().is_some() => {
                let found = self.client.call(&self.call.id).await?;
                self.take(found.value, found.json);
                if !self.is_over() {
                    return Err(refused.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.end().await
    }

    /// Declines it and waits for the end.
    pub(crate) async fn decline(&mut self) -> Result<(), Failure> {
        let body = self.client.decline(&self.call.id).await?;
        self.take(body.value, body.json);
        self.end().await
    }

    /// Hangs up without waiting or asking whether it worked: after an error, so that no call goes on unwatched.
    pub(crate) async fn abandon(&self) {
        drop(self.client.hang_up(&self.call.id).await);
    }

    async fn end(&mut self) -> Result<(), Failure> {
        timeout(END_WITHIN, self.until_over())
            .await
            .unwrap_or_else(|_| Err(stuck()))
    }

    async fn until_over(&mut self) -> Result<(), Failure> {
        while !self.is_over() {
            self.changed().await?;
        }
        Ok(())
    }

    /// After the end by glare: waits for the other call with the same contact and follows it instead. False when there
    /// is none.
    pub(crate) async fn merge(&mut self) -> Result<bool, Failure> {
        let by_glare = self
            .call
            .reason
            .as_ref()
            .is_some_and(|reason| reason.code == "glare_merged");
        if !self.is_over() || !by_glare {
            return Ok(false);
        }
        let listed = self.client.calls().await?.value.items;
        if let Some(other) = listed.into_iter().find(|call| self.is_merged_into(call)) {
            self.follow_instead(self.client.call(&other.id).await?);
            return Ok(true);
        }
        timeout(MERGE_WITHIN, self.other_call()).await.unwrap_or(Ok(false))
    }

    async fn other_call(&mut self) -> Result<bool, Failure> {
        loop {
            let frame = self.events.next_frame().await?;
            if let Some(Event::Call(call)) = frame.event()?
                && self.is_merged_into(&call)
            {
                self.follow_instead(Body {
                    value: *call,
                    json: frame.data,
                });
                return Ok(true);
            }
        }
    }

    fn is_merged_into(&self, other: &Call) -> bool {
        other.id != self.call.id && other.contact == self.call.contact && other.state != CallState::Ended
    }

    fn follow_instead(&mut self, other: Body<Call>) {
        self.call = other.value;
        self.json = other.json;
        self.note_times();
    }

    /// Attaches the built-in clip as the call's leg.
    pub(crate) async fn attach_clip(&self, seconds: u32) -> Result<(), ClientError> {
        self.client.attach_clip(&self.call.id, &NewClip { seconds }).await
    }

    /// The clip's statistics, when its last packets came back or had their time.
    pub(crate) async fn finished_clip(&self) -> Result<ClipStats, ClientError> {
        let give_up = Instant::now() + CLIP_TAIL;
        loop {
            let stats = self.client.clip(&self.call.id).await?.value;
            if stats.done || Instant::now() >= give_up {
                return Ok(stats);
            }
            tokio::time::sleep(CLIP_LOOK).await;
        }
    }

    fn heed(&mut self, frame: Frame) -> Result<(), Failure> {
        match frame.event()? {
            Some(Event::Call(call)) => {
                if call.id == self.call.id {
                    self.take(*call, frame.data);
                }
            }
            Some(Event::Snapshot(_)) => self.look_up = true,
            Some(
                Event::Contact(_)
                | Event::ContactRemoved(_)
                | Event::CallRemoved(_)
                | Event::Invite(_)
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
        Ok(())
    }

    fn take(&mut self, call: Call, json: String) {
        if rank(call.state) >= rank(self.call.state) {
            self.call = call;
            self.json = json;
            self.note_times();
        }
    }

    fn note_times(&mut self) {
        let now = Instant::now();
        match self.call.state {
            CallState::Ringing => _ = self.ringing_since.get_or_insert(now),
            CallState::Active => _ = self.active_since.get_or_insert(now),
            CallState::Dialing | CallState::Ended => {}
        }
    }
}

const fn rank(state: CallState) -> u8 {
    match state {
        CallState::Dialing => 0,
        CallState::Ringing => 1,
        CallState::Active => 2,
        CallState::Ended => 3,
    }
}

/// An event stream that has given its opening snapshot.
async fn open(client: &Client) -> Result<Events, Failure> {
    let mut events = client.events().await?;
    events.snapshot().await?;
    Ok(events)
}

fn stuck() -> Failure {
    Failure::new(
        Exit::Failed,
        "The call did not end in time.",
        "See where it stands with: twocan calls",
    )
}
