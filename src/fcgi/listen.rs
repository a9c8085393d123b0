//! A listening socket of our own, for web servers that start no programs: nginx, Caddy, lighttpd, Apache's mod_proxy_fcgi.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::str::FromStr;

/// Where a program listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:PATH`
    Unix(PathBuf),
    /// `HOST:PORT`
    Internet(Vec<SocketAddr>),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("unix: has no path".to_owned()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => {
                let addresses = text
                    .to_socket_addrs()
                    .map_err(|e| format!("neither unix:PATH nor HOST:PORT: {e}"))?;
                Ok(Self::Internet(addresses.collect()))
            }
        }
    }
}

impl Address {
    /// Tells whether other machines may reach it.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Unix(_) => false,
            Self::Internet(addresses) => addresses.iter().any(|address| !address.ip().is_loopback()),
        }
    }
}

/// A socket on which a program listens. A file that it made for that goes with it.
#[derive(Debug)]
pub struct Bound {
    socket: OwnedFd,
    file: Option<SocketFile>,
}

/// The file of a socket: its path, device and inode.
#[derive(Debug)]
struct SocketFile(PathBuf, u64, u64);

impl Bound {
    /// Listens on an address; `mode` says who may connect to a `unix:PATH`.
    ///
    /// A file that a killed program has left there is replaced. The path is never without a socket meanwhile, and never has one
    /// with other permissions.
    ///
    /// # Errors
    /// Another program listens there, something else is there, or the system refuses.
    pub fn new(address: &Address, mode: u32) -> io::Result<Self> {
        match address {
            Address::Unix(path) => Self::at_path(path, mode),
            Address::Internet(addresses) => Ok(Self {
                socket: TcpListener::bind(&addresses[..])?.into(),
                file: None,
            }),
        }
    }

    fn at_path(path: &Path, mode: u32) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(io::Error::new(ErrorKind::AlreadyExists, "it exists, and is no socket"));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(io::Error::new(ErrorKind::AddrInUse, "another program listens there"));
            }
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut name: OsString = path.as_os_str().to_owned();
        name.push(format!(".{}", process::id()));
        let new = PathBuf::from(name);
        // Only a process with our number can have left it.
        let _ = fs::remove_file(&new);
        let socket = UnixListener::bind(&new)?;
        let put = || {
            fs::set_permissions(&new, fs::Permissions::from_mode(mode))?;
            let file = fs::symlink_metadata(&new)?;
            fs::rename(&new, path)?;
            Ok(SocketFile(path.to_owned(), file.dev(), file.ino()))
        };
        let file = put().inspect_err(|_: &io::Error| {
            let _ = fs::remove_file(&new);
        })?;
        Ok(Self {
            socket: socket.into(),
            file: Some(file),
        })
    }
}

impl AsFd for Bound {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let Some(SocketFile(path, device, inode)) = &self.file else {
            return;
        };
        let is_ours = |there: fs::Metadata| (there.dev(), there.ino()) == (*device, *inode);
        if fs::symlink_metadata(path).is_ok_and(is_ours) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn addresses_are_read() {
        assert_eq!("unix:/a b".parse(), Ok(Address::Unix("/a b".into())));
        let loopback: Address = "127.0.0.1:9000".parse().expect("an address");
        assert!(!loopback.is_public());
        assert!("[::]:9000".parse::<Address>().expect("an address").is_public());
        assert!("0.0.0.0:9000".parse::<Address>().expect("an address").is_public());
        for wrong in ["unix:", "", "9000", "/run/socket", "127.0.0.1:", "127.0.0.1:70000"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_was_left_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let address = Address::Unix(path.clone());
        drop(UnixListener::bind(&path).expect("a socket"));
        assert!(
            path.exists() && UnixStream::connect(&path).is_err(),
            "left by a program"
        );

        let bound = Bound::new(&address, 0o620).expect("replaced");
        let mode = fs::metadata(&path).expect("a socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o620);
        UnixStream::connect(&path).expect("it listens");
        let again = Bound::new(&address, 0o660).map(drop).map_err(|e| e.kind());
        assert_eq!(again, Err(ErrorKind::AddrInUse));
        drop(bound);
        assert!(!path.exists());

        fs::write(&path, "precious").expect("written");
        let over = Bound::new(&address, 0o660).map(drop).map_err(|e| e.kind());
        assert_eq!(over, Err(ErrorKind::AlreadyExists));
        assert_eq!(fs::read_to_string(&path).expect("a file"), "precious");
        let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn the_file_of_another_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let bound = Bound::new(&Address::Unix(path.clone()), 0o660).expect("bound");
        fs::remove_file(&path).expect("ours");
        let _other = UnixListener::bind(&path).expect("another's");
        drop(bound);
        assert!(path.exists());
    }
}
