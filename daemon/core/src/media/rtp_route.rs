//! Where the packets of one call belong: an immutable value which the core hands to the shell, so that no packet
//! crosses the core's loop.

use super::flow::{FlowKind, Role};
use super::{codecs, varint};

/// One call's place on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The call's first flow id.
    pub base: u64,
    /// The role of this daemon's user.
    pub role: Role,
}

impl Route {
    /// The flow id to send `kind` under.
    #[must_use]
    pub const fn flow(self, kind: FlowKind) -> u64 {
        kind.id(self.base)
    }

    /// What a packet under `flow` is; `None` where it belongs to another call or to none.
    #[must_use]
    pub fn kind(self, flow: u64) -> Option<FlowKind> {
        let (base, kind) = FlowKind::split(flow)?;
        (base == self.base).then_some(kind)
    }

    /// The SSRC with which our own side sends `kind` on the wire.
    #[must_use]
    pub const fn own_ssrc(self, kind: FlowKind) -> u32 {
        codecs::ssrc(self.role, kind)
    }

    /// The SSRC with which the far side sends `kind`.
    #[must_use]
    pub const fn peer_ssrc(self, kind: FlowKind) -> u32 {
        codecs::ssrc(self.role.other(), kind)
    }

    /// The whole datagram: the flow id of `kind`, then the packet.
    #[must_use]
    pub fn datagram(self, kind: FlowKind, packet: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + packet.len());
        varint::write(&mut out, self.flow(kind));
        out.extend_from_slice(packet);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_finds_its_kind_again() {
        let route = Route {
            base: 16,
            role: Role::Caller,
        };
        for kind in [FlowKind::Audio, FlowKind::Video, FlowKind::VideoRtx, FlowKind::Rtcp] {
            let datagram = route.datagram(kind, b"packet");
            let (flow, packet) = varint::read(&datagram).expect("a varint stands first");
            assert_eq!(route.kind(flow), Some(kind));
            assert_eq!(packet, b"packet");
            assert_eq!(Route { base: 24, ..route }.kind(flow), None);
        }
        assert_eq!(route.kind(super::super::flow::ALIVE), None);
    }
}
