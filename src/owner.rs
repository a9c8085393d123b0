//! Whom files belong to: what an administrator makes as root is for the server, which runs as another user.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Makes a file that is not there, if this is root, and gives it to whom its folder belongs to. What is there is left alone, links
/// included: whoever owns the folder chooses where they lead.
///
/// # Errors
/// It cannot be made, or not be given away.
pub fn make(path: &Path, mode: u32) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let owner = std::fs::metadata(folder)?;
    match File::options().write(true).create_new(true).mode(mode).open(path) {
        Ok(file) => fchown(&file, Some(owner.uid()), Some(owner.gid())),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
