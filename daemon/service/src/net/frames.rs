//! The control stream's framing.
//!
//! The dialer opens the one stream and writes the varint flow id 0 first. Then, both ways, frames follow: a big-endian
//! u32 length and that many bytes of body, 1 to [`bounds::CONTROL_FRAME`]. The end of the stream between two frames
//! announces that the sender is about to close the connection; anything else is garbage.

use bytes::Bytes;
use quinn::{ReadError, ReadExactError, RecvStream};
use twocan_core::bounds;
use twocan_core::media::{flow, varint};

/// Why nothing more is read from a control stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection is gone.
    Lost,
    /// The far side ended the stream between two frames.
    Finished,
    /// What came is no frame.
    Garbage(&'static str),
}

/// The first bytes of the control stream.
pub(super) fn opening() -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::write(&mut bytes, flow::CONTROL);
    bytes
}

/// The head of a frame with a body of `len` bytes; `None` where no frame can have that length.
pub(super) fn head(len: usize) -> Option<[u8; 4]> {
    let fits = (1..=bounds::CONTROL_FRAME).contains(&len);
    fits.then(|| u32::try_from(len).ok()).flatten().map(u32::to_be_bytes)
}

/// Reads what [`opening`] writes, and nothing beyond it.
pub(super) async fn read_opening(stream: &mut RecvStream) -> Result<(), End> {
    let mut bytes = vec![0; opening().len()];
    fill(stream, &mut bytes).await?;
    if bytes == opening() {
        Ok(())
    } else {
        Err(End::Garbage("the first stream is not the control stream"))
    }
}

/// Reads the next frame's body.
pub(super) async fn read_frame(stream: &mut RecvStream) -> Result<Vec<u8>, End> {
    let mut head = [0; 4];
    fill(stream, &mut head).await?;
    let len = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if !(1..=bounds::CONTROL_FRAME).contains(&len) {
        return Err(End::Garbage("a control frame of impossible length"));
    }
    let mut body = vec![0; len];
    match fill(stream, &mut body).await {
        Err(End::Finished) => Err(End::Garbage("a control frame without its body")),
        Err(end) => Err(end),
        Ok(()) => Ok(body),
    }
}

async fn fill(stream: &mut RecvStream, buffer: &mut [u8]) -> Result<(), End> {
    match stream.read_exact(buffer).await {
        Ok(()) => Ok(()),
        Err(ReadExactError::FinishedEarly(0)) => Err(End::Finished),
        Err(ReadExactError::FinishedEarly(_)) => Err(End::Garbage("half a control frame")),
        Err(ReadExactError::ReadError(ReadError::Reset(_))) => Err(End::Garbage("the control stream was reset")),
        Err(ReadExactError::ReadError(_)) => Err(End::Lost),
    }
}

/// A datagram of `flow` with `body`.
pub(super) fn datagram(flow: u64, body: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(8 + body.len());
    varint::write(&mut bytes, flow);
    bytes.extend_from_slice(body);
    bytes.into()
}

/// A datagram's flow id and body; `None` where it is too short to have a flow id.
pub(super) fn split(datagram: &Bytes) -> Option<(u64, Bytes)> {
    let (flow, body) = varint::read(datagram)?;
    Some((flow, datagram.slice_ref(body)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_bodies_within_the_bound_have_a_head() {
        assert_eq!(head(0), None);
        assert_eq!(head(1), Some([0, 0, 0, 1]));
        assert_eq!(head(bounds::CONTROL_FRAME), Some([0, 1, 0, 0]));
        assert_eq!(head(bounds::CONTROL_FRAME + 1), None);
    }

    #[test]
    fn datagrams_split_as_they_were_joined() {
        let joined = datagram(1032, b"packet");
        assert_eq!(split(&joined).unwrap(), (1032, Bytes::from_static(b"packet")));
        assert_eq!(split(&datagram(1, b"")).unwrap(), (1, Bytes::new()));
        assert_eq!(split(&Bytes::new()), None);
        assert_eq!(split(&Bytes::from_static(&[0x40])), None);
    }
}
