//! CBOR (RFC 8949) for the types that have no encoding of their own, and one way in and one way out for the rest.
//!
//! Every structure is a map with small integer keys: a reader skips keys that it does not know.

use std::net::{IpAddr, SocketAddr};

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::bounds;
use crate::crypto::Secret;
use crate::ids::{CallId, ContactId, DeviceKey, InviteId, RelayHandle, RelayTag, RootKey};

/// Encodes; writing to memory cannot fail.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

/// Decodes one value, ignoring whatever follows it.
#[must_use]
pub fn decode<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Option<T> {
    minicbor::decode(bytes).ok()
}

/// Reads a byte string of exactly `N` bytes.
pub(crate) fn fixed<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[u8; N], DecodeError> {
    decoder.bytes()?.try_into().map_err(|_| DecodeError::message("length"))
}

macro_rules! as_bytes {
    ($($name:ident),*) => {$(
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, out: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                out.bytes(&self.0)?;
                Ok(())
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                fixed(decoder).map(Self)
            }
        }
    )*};
}

as_bytes!(
    RootKey,
    DeviceKey,
    CallId,
    ContactId,
    InviteId,
    RelayHandle,
    RelayTag,
    Secret
);

/// An address as 6 or 18 bytes: the IP address, then the port, big-endian.
pub(crate) mod address {
    use super::*;

    pub(crate) fn encode<C, W: Write>(
        address: &SocketAddr,
        out: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let mut bytes = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        bytes.extend_from_slice(&address.port().to_be_bytes());
        out.bytes(&bytes)?;
        Ok(())
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<SocketAddr, DecodeError> {
        let bytes = decoder.bytes()?;
        let (ip, port) = bytes
            .split_at_checked(bytes.len().saturating_sub(2))
            .unwrap_or_default();
        let port: [u8; 2] = port.try_into().map_err(|_| DecodeError::message("address"))?;
        let ip = <[u8; 4]>::try_from(ip)
            .map(IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(ip).map(IpAddr::from))
            .map_err(|_| DecodeError::message("address"))?;
        Ok(SocketAddr::new(ip.to_canonical(), u16::from_be_bytes(port)))
    }
}

/// At most [`bounds::CANDIDATES`] addresses; what a peer sends beyond that is not read.
pub(crate) mod addresses {
    use super::*;

    pub(crate) fn encode<C, W: Write>(
        all: &[SocketAddr],
        out: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let kept = all.iter().take(bounds::CANDIDATES);
        out.array(kept.len() as u64)?;
        for one in kept {
            address::encode(one, out, context)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, context: &mut C) -> Result<Vec<SocketAddr>, DecodeError> {
        let count = decoder.array()?.ok_or_else(|| DecodeError::message("indefinite"))?;
        if count > bounds::CANDIDATES as u64 {
            return Err(DecodeError::message("too many"));
        }
        (0..count).map(|_| address::decode(decoder, context)).collect()
    }
}

/// At most [`bounds::WATCHED_TAGS`] tags; more are an error.
pub(crate) mod tags {
    use super::*;

    pub(crate) fn encode<C, W: Write>(
        all: &[[u8; 16]],
        out: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let kept = all.iter().take(bounds::WATCHED_TAGS);
        out.array(kept.len() as u64)?;
        for one in kept {
            out.bytes(one)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Vec<[u8; 16]>, DecodeError> {
        let count = decoder.array()?.ok_or_else(|| DecodeError::message("indefinite"))?;
        if count > bounds::WATCHED_TAGS as u64 {
            return Err(DecodeError::message("too many"));
        }
        (0..count).map(|_| fixed(decoder)).collect()
    }
}

/// An address that may be absent.
pub(crate) mod maybe_address {
    use super::*;

    pub(crate) fn encode<C, W: Write>(
        value: &Option<SocketAddr>,
        out: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match value {
            Some(address) => address::encode(address, out, context),
            None => out.null().map(drop),
        }
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, context: &mut C) -> Result<Option<SocketAddr>, DecodeError> {
        if decoder.datatype()? == minicbor::data::Type::Null {
            decoder.null()?;
            return Ok(None);
        }
        address::decode(decoder, context).map(Some)
    }
}
