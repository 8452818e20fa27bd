//! Which addresses a guest may reach: the public ones, and what an operator opened.
//!
//! Ranges after the IANA special-purpose registries, as listed in `reference/security.md` §4.3.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use sandbell_domain::NetworkRule;

/// Why an address is not for guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// Refused unless the grant names it.
    Closed(&'static str),
    /// Refused always, whatever a grant says.
    Forbidden(&'static str),
}

/// Whether a guest may reach `address` on `port` with the operator's `networks`.
///
/// An address that carries another in it (NAT64, 6to4, Teredo, …) needs both to be allowed.
pub(crate) fn check(address: IpAddr, port: u16, networks: &[NetworkRule]) -> Result<(), Special> {
    let address = address.to_canonical();
    let inner = match address {
        IpAddr::V4(_) => Vec::new(),
        IpAddr::V6(address) => embedded(address),
    };
    for inner in inner {
        check(IpAddr::V4(inner), port, networks)?;
    }
    match classify(address) {
        Some(Special::Closed(_)) if networks.iter().any(|rule| rule.covers(address, port)) => Ok(()),
        Some(special) => Err(special),
        None => Ok(()),
    }
}

fn classify(address: IpAddr) -> Option<Special> {
    if METADATA.contains(&address) {
        return Some(Special::Forbidden("a cloud's metadata service"));
    }
    match address {
        IpAddr::V4(address) => V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, special)| *special),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, special)| *special)
            .or_else(|| (!GLOBAL.contains(&address)).then_some(Special::Closed("not a global address"))),
    }
}

/// The IPv4 addresses that traffic to `address` can end at.
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let bytes = address.octets();
    let at = |start: usize| Ipv4Addr::new(bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]);
    if NAT64.contains(&address) || SIIT.contains(&address) {
        return vec![at(12)];
    }
    if NAT64_LOCAL.contains(&address) {
        // RFC 6052 §2.2 puts the address around bits 64 to 71 for a /48; operators also use a /96 of it.
        let both = [at(12), Ipv4Addr::new(bytes[6], bytes[7], bytes[9], bytes[10])];
        return both.into_iter().filter(|address| !address.is_unspecified()).collect();
    }
    if COMPATIBLE.contains(&address) && address != Ipv6Addr::UNSPECIFIED && address != Ipv6Addr::LOCALHOST {
        return vec![at(12)];
    }
    if SIX_TO_FOUR.contains(&address) {
        return vec![at(2)];
    }
    if TEREDO.contains(&address) {
        // The relay, and the client with its bits turned over (RFC 4380 §4).
        return vec![at(4), Ipv4Addr::from_bits(!at(12).to_bits())];
    }
    Vec::new()
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(s0, s1, s2, s3, s4, s5, s6, s7), prefix)
}

const fn closed4(a: u8, b: u8, c: u8, d: u8, prefix: u8, reason: &'static str) -> (Ipv4Net, Special) {
    (v4(a, b, c, d, prefix), Special::Closed(reason))
}

const fn closed6(segments: [u16; 8], prefix: u8, reason: &'static str) -> (Ipv6Net, Special) {
    (v6(segments, prefix), Special::Closed(reason))
}

const GLOBAL: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const COMPATIBLE: Ipv6Net = v6([0; 8], 96);
const SIIT: Ipv6Net = v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96);
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
const NAT64_LOCAL: Ipv6Net = v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48);
const TEREDO: Ipv6Net = v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);

/// Where clouds answer with credentials: AWS (instance, ECS, EKS), Google, Azure, Oracle, Alibaba, Tencent, Scaleway.
const METADATA: [IpAddr; 12] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 0, 23)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 42, 42)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// The first range that holds an address gives the reason, so narrow ranges come before wide ones.
const V4: [(Ipv4Net, Special); 20] = [
    (v4(0, 0, 0, 0, 32), Special::Forbidden("the unspecified address, which reaches this machine")),
    (v4(255, 255, 255, 255, 32), Special::Forbidden("the broadcast address")),
    (v4(224, 0, 0, 0, 4), Special::Forbidden("a multicast address")),
    closed4(0, 0, 0, 0, 8, "an address of this network"),
    closed4(10, 0, 0, 0, 8, "a private address"),
    closed4(100, 64, 0, 0, 10, "an address shared behind a carrier's NAT"),
    closed4(127, 0, 0, 0, 8, "a loopback address"),
    closed4(169, 254, 0, 0, 16, "a link-local address"),
    closed4(172, 16, 0, 0, 12, "a private address"),
    closed4(192, 0, 0, 0, 24, "an address for protocols"),
    closed4(192, 0, 2, 0, 24, "an address for documentation"),
    closed4(192, 31, 196, 0, 24, "an AS112 address"),
    closed4(192, 52, 193, 0, 24, "an AMT relay"),
    closed4(192, 88, 99, 0, 24, "a 6to4 relay"),
    closed4(192, 168, 0, 0, 16, "a private address"),
    closed4(192, 175, 48, 0, 24, "an AS112 address"),
    closed4(198, 18, 0, 0, 15, "an address for benchmarks"),
    closed4(198, 51, 100, 0, 24, "an address for documentation"),
    closed4(203, 0, 113, 0, 24, "an address for documentation"),
    closed4(240, 0, 0, 0, 4, "a reserved address"),
];

const V6: [(Ipv6Net, Special); 18] = [
    (v6([0; 8], 128), Special::Forbidden("the unspecified address, which reaches this machine")),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Special::Forbidden("a multicast address")),
    closed6([0, 0, 0, 0, 0, 0, 0, 1], 128, "a loopback address"),
    (COMPATIBLE, Special::Closed("an IPv4 address in IPv6 clothes")),
    (SIIT, Special::Closed("an IPv4 address in IPv6 clothes")),
    (NAT64, Special::Closed("a NAT64 address")),
    (NAT64_LOCAL, Special::Closed("a NAT64 address")),
    closed6([0x100, 0, 0, 0, 0, 0, 0, 0], 63, "an address that discards"),
    closed6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "a segment routing address"),
    closed6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a private address"),
    closed6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "a link-local address"),
    closed6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a site-local address"),
    (TEREDO, Special::Closed("a Teredo address")),
    closed6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "an address for protocols"),
    closed6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "an address for documentation"),
    (SIX_TO_FOUR, Special::Closed("a 6to4 address")),
    closed6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "an AS112 address"),
    closed6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "an address for documentation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(address: &str, networks: &[&str]) -> String {
        let networks: Vec<NetworkRule> = networks.iter().map(|rule| rule.parse().unwrap()).collect();
        match check(address.parse().unwrap(), 443, &networks) {
            Ok(()) => "public".to_owned(),
            Err(Special::Closed(reason)) => reason.to_owned(),
            Err(Special::Forbidden(reason)) => format!("never: {reason}"),
        }
    }

    /// The first and the last address of a range have its reason, and their neighbours have another.
    #[test]
    fn ranges_begin_and_end_where_the_registries_say() {
        let check = |before: &str, first: &str, last: &str, after: &str, reason: &str| {
            for address in [first, last] {
                assert_eq!(verdict(address, &[]), reason, "{address}");
            }
            for address in [before, after].iter().filter(|address| !address.is_empty()) {
                assert_ne!(verdict(address, &[]), reason, "{address}");
            }
        };
        check("0.0.0.0", "0.0.0.1", "0.255.255.255", "1.0.0.0", "an address of this network");
        check("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "a private address");
        check(
            "100.63.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "100.128.0.0",
            "an address shared behind a carrier's NAT",
        );
        check("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", "a loopback address");
        check("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0", "a link-local address");
        check("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "a private address");
        check("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0", "an address for protocols");
        check("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0", "an address for documentation");
        check("192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0", "an AS112 address");
        check("192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0", "an AMT relay");
        check("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0", "a 6to4 relay");
        check("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0", "a private address");
        check("192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0", "an AS112 address");
        check("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0", "an address for benchmarks");
        check(
            "198.51.99.255",
            "198.51.100.0",
            "198.51.100.255",
            "198.51.101.0",
            "an address for documentation",
        );
        check("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0", "an address for documentation");
        check("223.255.255.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "never: a multicast address");
        check("239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255", "a reserved address");
        check(
            "1fff:ffff::",
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::",
            "an address for documentation",
        );
        check("ff::", "100::", "100:0:0:1:ffff:ffff:ffff:ffff", "100:0:0:2::", "an address that discards");
        check("5eff:ffff::", "5f00::", "5f00:ffff::", "5f01::", "a segment routing address");
        check("fbff::", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::", "a private address");
        check("fe7f::", "fe80::", "febf:ffff::", "fec0::", "a link-local address");
        check("febf::", "fec0::", "feff:ffff::", "ff00::", "a site-local address");
        check("feff::", "ff00::", "ffff:ffff::", "", "never: a multicast address");
        check("2000:ffff::", "2001:1::", "2001:1ff:ffff::", "2001:200::", "an address for protocols");
        check(
            "2620:4f:7fff::",
            "2620:4f:8000::",
            "2620:4f:8000:ffff::",
            "2620:4f:8001::",
            "an AS112 address",
        );
        check("3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::", "an address for documentation");
        check(
            "64:ff9a::",
            "64:ff9b:1::808:808",
            "64:ff9b:1:808:8:800:808:808",
            "64:ff9b:2::",
            "a NAT64 address",
        );
        check("64:ff9b:0:1::", "64:ff9b::808:808", "64:ff9b::101:101", "64:ff9c::", "a NAT64 address");
    }

    #[test]
    fn the_rest_of_the_internet_is_public() {
        for address in ["1.1.1.1", "8.8.8.8", "223.255.255.255", "2001:200::", "2606:4700::1111", "3ffe::1"] {
            assert_eq!(verdict(address, &[]), "public", "{address}");
        }
        for address in ["::2:0:0:1", "4000::", "1fff::", "8000::1", "e000::"] {
            assert_eq!(verdict(address, &["::/0"]), "public", "{address}");
            assert_eq!(verdict(address, &[]), "not a global address", "{address}");
        }
    }

    #[test]
    fn an_embedded_address_counts_as_itself() {
        let check = |address: &str, want: &str| assert_eq!(verdict(address, &[]), want, "{address}");
        check("::ffff:10.0.0.1", "a private address");
        check("::ffff:8.8.8.8", "public");
        check("::10.0.0.1", "a private address");
        check("::8.8.8.8", "an IPv4 address in IPv6 clothes");
        check("::1", "a loopback address");
        check("64:ff9b::7f00:1", "a loopback address");
        check("64:ff9b:1:7f00:0:100::", "a loopback address");
        check("64:ff9b::a9fe:a9fe", "never: a cloud's metadata service");
        check("2002:a9fe:a9fe::1", "never: a cloud's metadata service");
        check("2002:808:808::1", "a 6to4 address");
        check("2001:0:7f00:1::f7f7:f7f7", "a loopback address");
        // 0x5601 5601 is 169.254.169.254 with its bits turned over.
        check("2001:0:808:808::5601:5601", "never: a cloud's metadata service");
        check("::ffff:0:10.0.0.1", "a private address");
    }

    #[test]
    fn a_network_opens_what_it_names_and_never_metadata() {
        let check = |address: &str, network: &str, want: &str| assert_eq!(verdict(address, &[network]), want);
        check("10.1.2.3", "10.1.2.3:443", "public");
        check("10.1.2.3", "10.1.2.3", "public");
        check("10.1.2.3", "10.1.2.3:25", "a private address");
        check("10.1.2.4", "10.1.2.3:443", "a private address");
        check("::ffff:10.1.2.3", "10.0.0.0/8:443", "public");
        check("169.254.169.254", "169.254.0.0/16", "never: a cloud's metadata service");
        check("100.100.100.200", "0.0.0.0/0", "never: a cloud's metadata service");
        check("168.63.129.16", "0.0.0.0/0", "never: a cloud's metadata service");
        check("fd00:ec2::254", "::/0", "never: a cloud's metadata service");
        check("0.0.0.0", "0.0.0.0/0", "never: the unspecified address, which reaches this machine");
        check("255.255.255.255", "0.0.0.0/0", "never: the broadcast address");
        check("64:ff9b::a01:203", "64:ff9b::/96", "a private address");
        assert_eq!(verdict("64:ff9b::a01:203", &["64:ff9b::/96", "10.0.0.0/8"]), "public");
    }
}
