//! A log file that others move away meanwhile, as logrotate does.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The end of the file that has a name, whichever file that is: when it was moved or removed, the next line begins another.
///
/// Each line is one write to the end, so that the lines of several processes follow each other. A line that is written while the
/// file is moved goes where the file went; none is lost. Nobody needs to be told of a rotation.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    /// Device and inode of the file.
    identity: (u64, u64),
}

impl LogFile {
    /// Opens a file, which is made if need be.
    ///
    /// # Errors
    /// A sentence: it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, String> {
        let (file, identity) =
            open(path).map_err(|error| format!("the log {} cannot be opened: {error}", path.display()))?;
        let path = path.to_owned();
        Ok(Self { path, file, identity })
    }

    /// Goes on in the file that has the name now. If that cannot be opened, in the one that had it.
    fn follow(&mut self) {
        let named = std::fs::metadata(&self.path).map(|found| (found.dev(), found.ino()));
        if named.is_ok_and(|named| named == self.identity) {
            return;
        }
        if let Ok((file, identity)) = open(&self.path) {
            (self.file, self.identity) = (file, identity);
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.follow();
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file at its end. What requests name is nobody else's business, hence the mode of a new one.
fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    let file = File::options().create(true).append(true).mode(0o640).open(path)?;
    let found = file.metadata()?;
    Ok((file, (found.dev(), found.ino())))
}

#[cfg(test)]
mod test {
    use std::fs;

    use super::*;

    #[test]
    fn it_goes_on_in_the_file_of_that_name() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [path, moved] = ["log", "log.1"].map(|name| folder.path().join(name));
        let mut log = LogFile::open(&path).map_err(io::Error::other)?;
        log.write_all(b"1\n")?;
        // Moved, and not made anew.
        fs::rename(&path, &moved)?;
        log.write_all(b"2\n")?;
        assert_eq!(
            (fs::read_to_string(&moved)?, fs::read_to_string(&path)?),
            ("1\n".into(), "2\n".into())
        );
        // Moved, and made anew.
        fs::rename(&path, &moved)?;
        fs::write(&path, "0\n")?;
        log.write_all(b"3\n")?;
        assert_eq!(fs::read_to_string(&path)?, "0\n3\n");
        // Copied, then emptied.
        fs::write(&path, "")?;
        log.write_all(b"4\n")?;
        assert_eq!(fs::read_to_string(&path)?, "4\n");
        // What takes its place cannot be written to.
        fs::rename(&path, &moved)?;
        fs::create_dir(&path)?;
        log.write_all(b"5\n")?;
        assert_eq!(fs::read_to_string(&moved)?, "4\n5\n");
        Ok(())
    }
}
