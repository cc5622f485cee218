//! `twocan events`: everything that happens, one line an event.

use twocan_api::Event;
use twocan_api::client::{Client, Frame};

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::stop::Stop;
use crate::words;

/// Prints events until a signal ends it, or nobody reads them any more.
pub(crate) async fn run(out: Out) -> Done {
    let mut stop = Stop::listen()?;
    let mut events = Client::find().events().await?;
    loop {
        tokio::select! {
            frame = events.next_frame() => {
                let frame = frame?;
                let is_read = out.stream(&line(&frame), &[told(&frame)?]);
                if !is_read {
                    return Ok(Exit::Done);
                }
            }
            () = stop.asked() => return Ok(Exit::Done),
        }
    }
}

/// One event as one line of JSON; its data stays as the daemon wrote it.
fn line(frame: &Frame) -> String {
    let [id, name] = [&frame.id, &frame.name].map(|text| serde_json::Value::from(text.as_str()));
    // Line ends in JSON stand between tokens only.
    let data = frame.data.replace('\n', " ");
    format!(r#"{{"id":{id},"name":{name},"data":{data}}}"#)
}

/// One event for people.
fn told(frame: &Frame) -> Result<String, Failure> {
    let about = match frame.event()? {
        Some(Event::Snapshot(all)) => {
            format!(
                "{} contacts, {} calls, {} invites",
                all.contacts.len(),
                all.calls.len(),
                all.invites.len()
            )
        }
        Some(Event::Contact(contact)) => words::contact(&contact),
        Some(Event::ContactRemoved(removed)) => removed.why.map_or(removed.id, |why| why.text),
        Some(Event::Call(call)) => format!("{}  {}", words::peer(&call), words::call(&call)),
        Some(Event::CallRemoved(removed)) => removed.id,
        Some(Event::Invite(invite)) => format!("works until {}", invite.expires_at),
        Some(Event::InviteRemoved(removed)) => removed.id,
        Some(Event::Door(door)) => words::door(&door).into_iter().next().unwrap_or_default(),
        Some(Event::Me(me)) => me.person.name,
        Some(Event::Network(network)) => network.summary.text,
        Some(Event::Key(key)) => key.text,
        Some(Event::Warning(why)) => format!("{} {}", why.text, why.fix),
        Some(Event::Gap(_)) => "events were missed".to_owned(),
        None => String::new(),
    };
    Ok(format!("{:<16}{about}", frame.name).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_event_is_one_line_of_json() {
        let frame = Frame {
            id: "7-1".into(),
            name: "door".into(),
            data: "{\n\"open\":true}".into(),
        };
        let got = line(&frame);
        assert!(!got.contains('\n'));
        let parsed: serde_json::Value = serde_json::from_str(&got).unwrap();
        assert_eq!(
            parsed,
            serde_json::json!({"id": "7-1", "name": "door", "data": {"open": true}})
        );
    }

    #[test]
    fn an_event_of_a_later_daemon_is_named() {
        let frame = Frame {
            id: String::new(),
            name: "weather".into(),
            data: "{}".into(),
        };
        assert_eq!(told(&frame).unwrap(), "weather");
    }
}
