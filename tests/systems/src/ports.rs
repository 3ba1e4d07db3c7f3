//! Ports for programs that are told where to listen.
//!
//! A port that the kernel gives for a moment may be somebody else's when the program binds it. These come from below
//! the range of which the kernel takes its own, and each stays ours: as long as the process that asked for it lives, it
//! holds the UDP port of the same number. `servers/lifetime.py` and `tests/web/stage.mjs` keep to the same rule.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::Mutex;

use anyhow::{Result, bail};

/// Where they are. Linux begins its own at 32,768.
const PORTS: Range<u16> = 10_000..30_000;
/// After so many that are taken, something else is wrong.
const TRIES: u64 = 1_000;

/// What this process holds.
static HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port of 127.0.0.1 that nothing listens on and that nobody else is given while this process lives.
///
/// # Errors
/// When none is found.
pub fn free_port() -> Result<u16> {
    let random = RandomState::new();
    for attempt in 0..TRIES {
        let port =
            PORTS.start + u16::try_from(random.hash_one(attempt) % u64::from(PORTS.end - PORTS.start))?;
        let Ok(held) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(held);
            return Ok(port);
        }
    }
    bail!("none of {TRIES} ports between {} and {} is free", PORTS.start, PORTS.end)
}

/// A port of 127.0.0.1 at which every connection is refused while this value lives.
#[derive(Debug)]
pub struct Refusing(tokio::net::TcpSocket);

impl Refusing {
    /// Takes one. Nothing ever listens there.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn new() -> Result<Self> {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self(socket))
    }

    /// Its number.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn port(&self) -> Result<u16> {
        Ok(self.0.local_addr()?.port())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_and_each_can_be_bound() -> Result<()> {
        let ports: Vec<u16> = (0..50).map(|_| free_port()).collect::<Result<_>>()?;
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 50);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_refusing_port_refuses() -> Result<()> {
        let refusing = Refusing::new()?;
        let error = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, refusing.port()?)).await;
        assert_eq!(error.expect_err("nobody listens").kind(), std::io::ErrorKind::ConnectionRefused);
        Ok(())
    }
}
