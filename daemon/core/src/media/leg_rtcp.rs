//! What becomes of the SSRCs in a leg's RTCP, both ways.

use super::codecs;
use super::flow::{FlowKind, Role};
use super::rtcp::Translate;
use super::sources::Sources;

/// From the leg to the wire: the leg speaks as itself, about the far side.
pub(super) struct ToWire<'a> {
    pub(super) own: Role,
    pub(super) sources: &'a mut Sources,
}

impl Translate for ToWire<'_> {
    /// An SSRC without media is the leg's name as a mere sender of RTCP.
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        let kind = self.sources.media(ssrc).unwrap_or(FlowKind::Rtcp);
        if kind == FlowKind::Rtcp {
            self.sources.set(FlowKind::Rtcp, Some(ssrc));
        }
        Some(codecs::ssrc(self.own, kind))
    }

    /// The leg knows the far side by its canonical SSRCs.
    fn target(&self, ssrc: u32) -> u32 {
        match codecs::ssrc_owner(ssrc) {
            Some((role, _)) if role != self.own => ssrc,
            Some(_) | None => 0,
        }
    }
}

/// From the wire to the leg: the far side speaks as itself, about the leg.
pub(super) struct ToLeg<'a> {
    pub(super) own: Role,
    pub(super) sources: &'a Sources,
}

impl ToLeg<'_> {
    fn own_flow(&self, ssrc: u32) -> Option<FlowKind> {
        let (role, kind) = codecs::ssrc_owner(ssrc)?;
        (role == self.own).then_some(kind)
    }
}

impl Translate for ToLeg<'_> {
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        let (role, _) = codecs::ssrc_owner(ssrc)?;
        (role != self.own).then_some(ssrc)
    }

    fn target(&self, ssrc: u32) -> u32 {
        self.own_flow(ssrc).and_then(|kind| self.sources.get(kind)).unwrap_or(0)
    }
}
