//! IP addresses that trueup never sends a request to, whatever a host name or URL resolves to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is refused: link-local ones, which serve the metadata of instances (169.254.169.254) and the
/// credentials of tasks (169.254.170.2), `fd00:ec2::/32`, which serves the same on EC2, and those that no host has.
///
/// Source: Amazon EC2 user guide, "Access instance metadata"; Amazon ECS developer guide, "Task IAM role".
pub fn is_refused(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_refused_v4(address),
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            address.is_unspecified()
                || address.is_multicast()
                || first & 0xffc0 == 0xfe80
                || (first, second) == (0xfd00, 0x0ec2)
                || embedded(address).is_some_and(is_refused_v4)
        }
    }
}

fn is_refused_v4(address: Ipv4Addr) -> bool {
    address.is_link_local() || address.is_unspecified() || address.is_multicast() || address.is_broadcast()
}

/// The IPv4 address embedded in an IPv6 address: by NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), or in its last 32 bits.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0x64, 0xff9b, 0 | 1, .., high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_to_link_local_metadata_and_unusable_addresses() {
        // address | refused
        let table = "
            10.1.2.3                | no
            100.64.0.1              | no
            127.0.0.1               | no
            140.82.121.4            | no
            169.253.255.255         | no
            169.254.0.1             | yes
            169.254.169.254         | yes
            169.254.170.2           | yes
            169.255.0.0             | no
            0.0.0.0                 | yes
            224.0.0.1               | yes
            255.255.255.255         | yes
            ::                      | yes
            ::1                     | no
            fd12::1                 | no
            fd00:ec1::254           | no
            fd00:ec2::254           | yes
            fd00:ec2::23            | yes
            fe7f::1                 | no
            fe80::1                 | yes
            febf::1                 | yes
            fec0::1                 | no
            ff02::1                 | yes
            2606:50c0:8000::153     | no
            ::ffff:10.1.2.3         | no
            ::ffff:169.254.169.254  | yes
            ::169.254.169.254       | yes
            64:ff9b::169.254.169.254   | yes
            64:ff9b:1::169.254.169.254 | yes
            64:ff9b::8c52:7904      | no
            2002:a9fe:a9fe::1       | yes
            2002:8c52:7904::1       | no
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (address, expected) = row.split_once('|').unwrap();
            assert_eq!(is_refused(address.trim().parse().unwrap()), expected.trim() == "yes", "{row}");
        }
    }
}
