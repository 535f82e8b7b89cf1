//! The address at which reports are served, if any.

use std::net::SocketAddr;
use std::str::FromStr;

/// The address at which reports are served, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At this address.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => text
                .parse()
                .map(Self::At)
                .map_err(|_| "write an address and a port, such as 127.0.0.1:7171, or off".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_told_at_an_address_or_nowhere() {
        assert_eq!("off".parse(), Ok(Listen::Off));
        assert_eq!("[::]:80".parse(), Ok(Listen::At(SocketAddr::from(([0_u16; 8], 80)))));
        for wrong in ["", "on", "OFF", "localhost:80", ":7171", "7171", "127.0.0.1"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
