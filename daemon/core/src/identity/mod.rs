//! Who somebody is: a person's root key, and the devices that it vouches for.

pub mod device;
pub mod person;
pub mod sas;

pub use device::{DeviceEntry, DeviceList, ListError, SignedList};
pub use person::Identity;
