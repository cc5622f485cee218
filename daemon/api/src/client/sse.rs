//! Server-sent events, parsed as they come in pieces (WHATWG HTML, "Interpreting an event stream").
//!
//! The parser holds at most one unfinished line and one unfinished event; both are bounded together, so that a stream
//! that never ends a line cannot fill the memory.

use super::ClientError;

/// The most that one event may take: a snapshot of many contacts fits many times.
const MOST_BYTES: usize = 16 << 20;

/// One event as it stood in the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The last id that the stream gave, at or before this event; empty before the first.
    pub id: String,
    /// The event's name.
    pub name: String,
    /// Its data: the exact JSON body.
    pub data: String,
}

/// Bytes in, frames out.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    id: String,
    name: String,
    data: Option<String>,
}

impl Parser {
    /// Takes the next piece of the stream and appends the events that it completes.
    ///
    /// # Errors
    /// When an event is larger than any that the daemon makes.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Frame>) -> Result<(), ClientError> {
        for &byte in bytes {
            let newline_of_crlf = std::mem::take(&mut self.after_cr) && byte == b'\n';
            if newline_of_crlf {
                continue;
            }
            self.after_cr = byte == b'\r';
            if byte == b'\n' || byte == b'\r' {
                out.extend(self.end_line());
            } else {
                self.line.push(byte);
            }
        }
        let held = self.line.len() + self.data.as_ref().map_or(0, String::len);
        if held > MOST_BYTES {
            return Err(ClientError::Http("an event is too large".into()));
        }
        Ok(())
    }

    fn end_line(&mut self) -> Option<Frame> {
        let raw = std::mem::take(&mut self.line);
        if raw.is_empty() {
            return self.end_event();
        }
        let text = String::from_utf8_lossy(&raw);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = value.to_owned(),
            "event" => self.name = value.to_owned(),
            "data" => self.add_data(value),
            // Comments (an empty field name), `retry` and fields of later standards.
            _ => {}
        }
        None
    }

    fn add_data(&mut self, value: &str) {
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
    }

    /// An event without data is no event.
    fn end_event(&mut self) -> Option<Frame> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take()?;
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(Frame {
            id: self.id.clone(),
            name,
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(pieces: &[&str]) -> Vec<Frame> {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        for piece in pieces {
            parser.feed(piece.as_bytes(), &mut out).unwrap();
        }
        out
    }

    fn frame(id: &str, name: &str, data: &str) -> Frame {
        Frame {
            id: id.into(),
            name: name.into(),
            data: data.into(),
        }
    }

    #[test]
    fn an_event_has_id_name_and_data() {
        let got = parse(&["id: 7-1\nevent: call\ndata: {\"a\":1}\n\n"]);
        assert_eq!(got, [frame("7-1", "call", "{\"a\":1}")]);
    }

    #[test]
    fn every_cut_gives_the_same_events() {
        let whole = ": hello\r\nid:1\r\nevent:me\r\ndata:{}\r\n\r\ndata: a\ndata: b\n\nevent: x\n\nretry: 5\ndata\r\r";
        let expected = [
            frame("1", "me", "{}"),
            frame("1", "message", "a\nb"),
            frame("1", "message", ""),
        ];
        assert_eq!(parse(&[whole]), expected);
        for cut in 0..whole.len() {
            let (left, right) = whole.split_at(cut);
            assert_eq!(parse(&[left, right]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_unfinished_event_waits() {
        assert_eq!(parse(&["data: a\n"]), []);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        let piece = vec![b'a'; MOST_BYTES / 2];
        assert!(parser.feed(&piece, &mut out).is_ok());
        assert!(parser.feed(&piece, &mut out).is_ok());
        assert!(parser.feed(&piece, &mut out).is_err());
    }
}
