//! A log file that others move away meanwhile, as logrotate does.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Who may read a log: what requests name is nobody else's business.
const MODE: u32 = 0o640;

/// The file that had a name when it was last looked at, open at its end.
///
/// Each line is one write to the end, so that the lines of several processes follow each other. A line that is written while the
/// file is moved goes where the file went; none is lost. Nobody needs to be told of a rotation.
#[derive(Debug)]
pub(super) struct Appended {
    pub file: File,
    /// Device and inode.
    identity: (u64, u64),
}

impl Appended {
    /// Opens a file, which is made if need be.
    ///
    /// # Errors
    /// It cannot be opened. Of a pipe that nobody reads, that is told or waited for according to the flags.
    pub fn open(path: &Path, flags: OFlags) -> io::Result<Self> {
        crate::owner::make(path, MODE)?;
        let file = File::options()
            .create(true)
            .append(true)
            .mode(MODE)
            .custom_flags(flags.bits() as i32)
            .open(path)?;
        let identity = identity(&file.metadata()?);
        Ok(Self { file, identity })
    }

    /// Tells whether this is the file that has the path now.
    pub fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| identity(&found) == self.identity)
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// The end of the file that has a name, whichever file that is: when it was moved or removed, the next line begins another.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    appended: Appended,
}

impl LogFile {
    /// Opens a file, which is made if need be.
    ///
    /// # Errors
    /// A sentence: it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, String> {
        let appended = Appended::open(path, OFlags::empty())
            .map_err(|error| format!("the log {} cannot be opened: {error}", path.display()))?;
        let path = path.to_owned();
        Ok(Self { path, appended })
    }

    /// Goes on in the file that has the name now. If that cannot be opened, in the one that had it.
    fn follow(&mut self) {
        if !self.appended.is_at(&self.path)
            && let Ok(other) = Appended::open(&self.path, OFlags::empty())
        {
            self.appended = other;
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.follow();
        self.appended.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.appended.file.flush()
    }
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
