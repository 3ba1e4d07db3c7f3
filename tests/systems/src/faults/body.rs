//! Bodies as they are compressed, and what is sent in their place.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::relay::Reply;

/// What a gateway shows people.
pub const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Please sign in to the network</h1></body></html>";
/// The bytes a bomb unpacks to, in MiB.
pub const BOMB_MIB: usize = 256;

/// The same answer, not compressed.
pub fn plain(reply: &Reply) -> Result<Reply> {
    let body = match reply.header("content-encoding") {
        None => return Ok(reply.clone()),
        Some("gzip") => {
            let mut body = Vec::new();
            MultiGzDecoder::new(reply.body.as_slice()).read_to_end(&mut body).context("a damaged answer")?;
            body
        }
        Some(other) => bail!("the answer is packed as {other}"),
    };
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-encoding"));
    Ok(Reply { status: reply.status, headers, body })
}

/// The same answer, compressed.
pub fn packed(reply: &Reply) -> Result<Reply> {
    if reply.header("content-encoding").is_some() {
        return Ok(reply.clone());
    }
    let body = gzip(&reply.body)?;
    Ok(Reply { body, ..reply.clone() }.with("content-encoding", "gzip"))
}

/// Spaces, which JSON takes for nothing, a thousand times as many as are sent. A file of gzip may have many members.
pub fn bomb() -> Result<Vec<u8>> {
    let one = gzip(&vec![b' '; 1 << 20])?;
    Ok(one.repeat(BOMB_MIB))
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_the_same_unpacked() -> Result<()> {
        let reply = Reply::new(200, "application/json", "[1,2,3]");
        assert_eq!(plain(&packed(&reply)?)?, reply);
        assert_eq!(plain(&reply)?, reply);
        Ok(())
    }

    #[test]
    fn a_bomb_is_a_thousand_times_smaller_than_what_it_holds() -> Result<()> {
        let bomb = bomb()?;
        assert!(bomb.len() < (BOMB_MIB << 20) / 900, "{} bytes", bomb.len());
        let mut start = vec![0; 3 << 20];
        MultiGzDecoder::new(bomb.as_slice()).read_exact(&mut start)?;
        assert!(start.iter().all(|byte| *byte == b' '));
        Ok(())
    }
}
