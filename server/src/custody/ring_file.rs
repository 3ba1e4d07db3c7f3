//! The key ring's file: readable by its owner only, replaced as a whole, never half written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::keyring::Keyring;
use crate::error::StartError;

const HEAD: &str = "# The key ring of Weir. The first key seals stored credentials, all of them open.\n\
                    # Keep a copy elsewhere: without this file the stored credentials are lost.\n";

/// Reads a ring file.
///
/// # Errors
/// When it cannot be read or holds no ring.
pub fn load(path: &Path) -> Result<Keyring, StartError> {
    let failed = |error: &dyn std::fmt::Display| {
        StartError::new(format!("the key ring file {} cannot be used: {error}", path.display()))
    };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| failed(&error))?);
    let mode = fs::metadata(path).map_err(|error| failed(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "the key ring file can be read by other users; set its mode to 600");
    }
    Keyring::parse(&SecretString::from(text.as_str())).map_err(|error| failed(&error))
}

/// Writes a ring file, replacing the one that is there.
///
/// # Errors
/// When the folder cannot be written.
pub fn save(path: &Path, ring: &Keyring) -> Result<(), StartError> {
    write(path, ring, |draft| fs::rename(draft, path)).map_err(|error| cannot_write(path, &error))
}

/// Writes a new ring file unless another process has just written one, and reads what is there then.
pub(super) fn create(path: &Path) -> Result<Keyring, StartError> {
    let ring = Keyring::generate().map_err(|error| StartError::new(error.to_string()))?;
    let placed = write(path, &ring, |draft| {
        let placed = fs::hard_link(draft, path);
        fs::remove_file(draft)?;
        placed
    });
    match placed {
        Ok(()) => Ok(ring),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(cannot_write(path, &error)),
    }
}

/// Writes a draft beside the file, flushes it to the disk, and lets `place` put it in its place.
fn write(path: &Path, ring: &Keyring, place: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = draft(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .write_all(HEAD.as_bytes())
        .and_then(|()| file.write_all(ring.text().expose_secret().as_bytes()))
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        fs::remove_file(&draft)?;
        return Err(error);
    }
    place(&draft)?;
    File::open(folder)?.sync_all()
}

/// A name no other process or attempt uses.
fn draft(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", uuid::Uuid::now_v7().simple()));
    name.into()
}

fn cannot_write(path: &Path, error: &io::Error) -> StartError {
    StartError::new(format!("the key ring file {} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_the_ring_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("keyring");
        let ring = create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&path).unwrap().text().expose_secret(), ring.text().expose_secret());
        assert_eq!(create(&path).unwrap().primary(), ring.primary(), "a second ring replaced the first");
        let rotated = ring.rotated().unwrap();
        save(&path, &rotated).unwrap();
        assert_eq!(load(&path).unwrap().primary(), rotated.primary());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn processes_that_start_together_share_one_ring() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        let rings: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| create(&path).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap().primary().clone()).collect()
        });
        assert!(rings.iter().all(|primary| *primary == rings[0]), "{rings:?}");
    }
}
