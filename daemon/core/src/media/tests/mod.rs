//! The whole path of a packet: leg, wire, other leg; and back.

mod defects;
mod properties;
mod rtcp;
mod rtp;
mod samples;
