//! Which hosts and files a source may reach. Hosts come from users, so a source must not become a way into the
//! network Weir runs in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::{ConnectorError, ErrorKind, Result};

/// What the operator allows.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Private networks that sources may be in.
    pub networks: Vec<Network>,
    /// Folders whose SQLite files may be sources.
    pub folders: Vec<PathBuf>,
    /// How long a statement may take at a source.
    pub statement_timeout: Duration,
    /// Where sources of a kind are reached instead of at their own hosts: private links, and tests.
    pub base_urls: BTreeMap<String, Url>,
    /// The key of Weir's own Google service account, as the JSON file Google gives out; customers grant it access.
    pub google_key: Option<SecretString>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            folders: Vec::new(),
            statement_timeout: Duration::from_secs(600),
            base_urls: BTreeMap::new(),
            google_key: None,
        }
    }
}

/// A network in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl std::str::FromStr for Network {
    type Err = ConnectorError;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || ConnectorError::new(ErrorKind::Config, format!("{text:?} is no network such as 10.0.0.0/8"));
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = if bits.is_empty() { most } else { bits.parse().map_err(|_| wrong())? };
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl Network {
    /// Tells whether an address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u8| {
            self.bits == 0 || (a ^ b) >> (u32::from(width) - u32::from(self.bits)) == 0
        };
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

impl Policy {
    /// Resolves a host once and gives the addresses that may be connected to. The connection must go to one of them,
    /// not to whatever the name resolves to next.
    ///
    /// # Errors
    /// `Unavailable` when the name cannot be resolved, `Config` when every address is refused.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let valid =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%');
        if bare.is_empty() || bare.len() > 253 || !bare.bytes().all(valid) {
            let message = format!("{host:?} is no host name or address");
            return Err(ConnectorError::new(ErrorKind::Config, message)
                .hint("give the name alone, without scheme, path or user"));
        }
        let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
            .await
            .map_err(|error| {
                ConnectorError::new(
                    ErrorKind::Unavailable,
                    format!("the host name {bare:?} cannot be resolved"),
                )
                .detail(error.to_string())
                .hint("check the spelling, and that Weir's machine can resolve it")
            })?
            .collect();
        let allowed: Vec<SocketAddr> =
            found.iter().copied().filter(|address| self.allows(address.ip())).collect();
        if allowed.is_empty() {
            let refused =
                found.first().map_or_else(|| "no address".to_owned(), |address| address.ip().to_string());
            let message = format!("the host {bare:?} is {refused}, in a network sources may not reach");
            return Err(ConnectorError::new(ErrorKind::Config, message)
                .hint("if it is meant, the operator can name its network in sources.networks"));
        }
        Ok(allowed)
    }

    /// Tells whether an address may be connected to: public ones, and those in a network the operator named.
    pub fn allows(&self, address: IpAddr) -> bool {
        let plain = plain(address);
        self.networks.iter().any(|network| network.contains(plain)) || public(plain)
    }

    /// Gives the real path of a file that may be a source.
    ///
    /// # Errors
    /// `Config` when it lies outside the allowed folders, `NotFound` when there is none.
    pub fn file(&self, path: &Path) -> Result<PathBuf> {
        let refuse = || {
            ConnectorError::new(
                ErrorKind::Config,
                format!("the file {} is not in a folder sources may read", path.display()),
            )
            .hint("the operator can name its folder in sources.folders")
        };
        // What lies outside is refused before anything tells whether it exists.
        let folders: Vec<PathBuf> =
            self.folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
        let parent = path.parent().and_then(|parent| parent.canonicalize().ok()).ok_or_else(refuse)?;
        if !folders.iter().any(|folder| parent.starts_with(folder)) {
            return Err(refuse());
        }
        let real = path.canonicalize().map_err(|error| {
            ConnectorError::new(ErrorKind::NotFound, format!("there is no file {}", path.display()))
                .detail(error.to_string())
        })?;
        if folders.iter().any(|folder| real.starts_with(folder)) { Ok(real) } else { Err(refuse()) }
    }
}

/// The IPv4 address behind a mapped or translated IPv6 one.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            if let Some(v4) = v6.to_ipv4_mapped() {
                return IpAddr::V4(v4);
            }
            // 64:ff9b::/96 (RFC 6052) and 2002::/16 (RFC 3056) carry an IPv4 address.
            if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
                return IpAddr::V4(join(segments[6], segments[7]));
            }
            if segments[0] == 0x2002 {
                return IpAddr::V4(join(segments[1], segments[2]));
            }
            address
        }
        IpAddr::V4(_) => address,
    }
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

/// Addresses that are nobody's private affair; ranges from the IANA special-purpose registries.
pub(crate) fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_unspecified()
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let first = segments[0];
            !(v6.is_unspecified()
                || v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || first & 0xffc0 == 0xfec0
                || segments[..2] == [0x2001, 0xdb8]
                || segments[..6] == [0; 6]
                // Networks may translate these to IPv4 (RFC 8215, RFC 2765); these are tunnels, nowhere, examples.
                || segments[..3] == [0x64, 0xff9b, 1]
                || segments[..6] == [0, 0, 0, 0, 0xffff, 0]
                || segments[..2] == [0x2001, 0]
                || segments[..4] == [0x100, 0, 0, 0]
                || (first == 0x3fff && segments[1] < 0x1000)
                || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_allowed_by_default() {
        let policy = Policy::default();
        for text in ["8.8.8.8", "2a00:1450::1", "203.1.2.3", "2001:4860::8888", "64:ff9b::808:808"] {
            assert!(policy.allows(text.parse().expect("an address")), "{text}");
        }
        for text in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1:ffff::7f00:1",
            "::ffff:0:127.0.0.1",
            "::ffff:0:a9fe:a9fe",
            "2001::1",
            "100::1",
            "3fff:fff::1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "255.255.255.255",
            "224.0.0.1",
            "fec0::1",
        ] {
            assert!(!policy.allows(text.parse().expect("an address")), "{text}");
        }
    }

    #[test]
    fn the_operator_can_open_networks() {
        let networks =
            vec!["127.0.0.0/8".parse().expect("a network"), "10.2.0.0/16".parse().expect("a network")];
        let policy = Policy { networks, ..Policy::default() };
        for (text, allowed) in
            [("127.0.0.1", true), ("::ffff:127.0.0.9", true), ("10.2.3.4", true), ("10.3.0.1", false)]
        {
            assert_eq!(policy.allows(text.parse().expect("an address")), allowed, "{text}");
        }
        assert!("10.0.0.0/33".parse::<Network>().is_err());
        assert!("ten".parse::<Network>().is_err());
    }

    #[tokio::test]
    async fn hosts_with_more_than_a_name_are_refused() {
        for host in ["http://db", "db/x", "u@db", "", "db name"] {
            let error = Policy::default().resolve(host, 5432).await.expect_err("not a host");
            assert_eq!(error.kind(), ErrorKind::Config, "{host}");
        }
        let error = Policy::default().resolve("localhost", 5432).await.expect_err("loopback");
        assert!(error.action().is_some_and(|hint| hint.contains("sources.networks")));
    }
}
