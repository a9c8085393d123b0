//! What another user of this machine may do with files, by their owners and modes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A user: what the system knows of him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    uid: u32,
    gids: Vec<u32>,
}

/// To read.
pub const READ: u32 = 4;
/// To write.
pub const WRITE: u32 = 2;
/// To execute a program, or to enter a folder.
pub const EXECUTE: u32 = 1;

impl User {
    /// Finds a user by name in `/etc/passwd` and `/etc/group`.
    pub fn find(name: &str) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let group = fs::read_to_string("/etc/group").unwrap_or_default();
        Self::parse(name, &passwd, &group)
    }

    fn parse(name: &str, passwd: &str, group: &str) -> Option<Self> {
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let line = passwd.lines().map(fields).find(|fields| fields[0] == name)?;
        let mut gids = vec![line.get(3)?.parse().ok()?];
        for group in group.lines().map(fields) {
            if group
                .get(3)
                .is_some_and(|members| members.split(',').any(|member| member == name))
            {
                gids.extend(group.get(2).and_then(|gid| gid.parse::<u32>().ok()));
            }
        }
        Some(Self {
            name: name.to_owned(),
            uid: line.get(2)?.parse().ok()?,
            gids,
        })
    }

    /// Checks that the user may do something with a file: also that he can enter all the folders above it.
    ///
    /// # Errors
    /// A sentence that names the file or folder, and what he may not do.
    pub fn check(&self, path: &Path, wanted: u32) -> Result<(), String> {
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        for folder in above.into_iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
            self.check_one(folder, EXECUTE)?;
        }
        self.check_one(path, wanted)
    }

    fn check_one(&self, path: &Path, wanted: u32) -> Result<(), String> {
        let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mode = metadata.mode();
        let granted = if self.uid == 0 {
            READ | WRITE
                | if metadata.is_dir() || mode & 0o111 != 0 {
                    EXECUTE
                } else {
                    0
                }
        } else if metadata.uid() == self.uid {
            mode >> 6
        } else if self.gids.contains(&metadata.gid()) {
            mode >> 3
        } else {
            mode
        };
        let verb = |bit| match (bit, metadata.is_dir()) {
            (READ, _) => "read",
            (WRITE, _) => "write",
            (_, true) => "enter",
            (_, false) => "execute",
        };
        let missing: Vec<&str> = [READ, WRITE, EXECUTE]
            .into_iter()
            .filter(|bit| wanted & bit & !granted != 0)
            .map(verb)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the user {} may not {} {}",
            self.name,
            missing.join(" nor "),
            path.display()
        ))
    }
}

#[cfg(test)]
mod test {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_user_has_all_his_groups() {
        let passwd = "root:x:0:0::/:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n";
        let group = "www-data:x:33:\nktbs:x:900:alice,www-data\nother:x:901:alice\n";
        let user = User::parse("www-data", passwd, group).expect("a user");
        assert_eq!((user.uid, user.gids), (33, vec![33, 900]));
        assert_eq!(User::parse("nobody", passwd, group), None);
    }

    #[test]
    fn modes_are_those_of_owner_group_or_others() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("f");
        fs::write(&file, "").expect("a file");
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        mode(folder.path(), 0o755);
        mode(&file, 0o640);
        let metadata = fs::metadata(&file).expect("a file");
        let user = |uid, gid| User {
            name: "u".to_owned(),
            uid,
            gids: vec![gid],
        };
        let other_uid = metadata.uid() + 12_345;
        assert!(user(other_uid, metadata.gid()).check_one(&file, READ).is_ok());
        let error = user(other_uid, metadata.gid())
            .check_one(&file, READ | WRITE)
            .expect_err("a refusal");
        assert_eq!(error, format!("the user u may not write {}", file.display()));
        assert!(user(other_uid, metadata.gid() + 12_345).check_one(&file, READ).is_err());
        mode(folder.path(), 0o700);
        let error = user(other_uid, metadata.gid() + 12_345)
            .check(&file, READ)
            .expect_err("a refusal");
        assert!(error.starts_with("the user u may not enter "), "{error}");
    }
}
