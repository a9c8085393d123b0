//! One private Apache with many virtual hosts, whose configuration a test can shape: unlike that of `make run`, it has
//! several kTBS, users, certificates and mistakes.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::httpd::{Answer, exchange};
use crate::needed::skipped;

/// The modules of every site, where they are not built in.
const MODULES: [&str; 18] = [
    "mpm_event",
    "unixd",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_host",
    "authz_user",
    "auth_basic",
    "alias",
    "env",
    "headers",
    "proxy",
    "proxy_fcgi",
    "setenvif",
    "fcgid",
    "status",
    "socache_shmcb",
    "ssl",
];

/// Apache with a configuration of a test, until it is dropped.
pub struct Site {
    apache: Child,
    folder: tempfile::TempDir,
    /// The port on localhost, for HTTP.
    pub port: u16,
}

impl Site {
    /// Prepares a folder by a function, which returns what the configuration has beyond its frame, and starts Apache.
    /// `None`, and a line that says so, where Apache or one of its modules is missing.
    pub fn start(modules: &[&str], prepare: impl FnOnce(&Folder) -> String) -> Option<Self> {
        let Some(apache) = program() else {
            skipped("httpd");
            return None;
        };
        let modules = load(&[&MODULES[..], modules].concat())?;
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a folder of ours");
        let [port, other_port] = free_ports();
        let text = prepare(&Folder {
            path: folder.path(),
            port,
            other_port,
        });
        let directory = folder.path().display();
        let (user, group) = user();
        let frame = format!(
            "ServerRoot \"{directory}\"\nServerName localhost:{port}\nPidFile \"{directory}/pid\"\n\
             ErrorLog \"{directory}/error.log\"\nLogLevel warn\nListen 127.0.0.1:{port}\n{modules}\
             User {user}\nGroup {group}\nServerLimit 4\nStartServers 1\nThreadsPerChild 32\nMaxRequestWorkers 32\n\
             MaxConnectionsPerChild 0\n<Directory />\nAllowOverride None\nRequire all denied\n</Directory>\n\
             FcgidIPCDir \"{directory}/fcgid\"\nFcgidProcessTableFile \"{directory}/fcgid/table\"\n\
             FcgidErrorScanInterval 1\nFcgidZombieScanInterval 1\nFcgidSpawnScoreUpLimit 100\nFcgidTimeScore 20\n{text}"
        );
        fs::write(folder.path().join("apache.conf"), frame).expect("written");
        own(&folder.path().join("fcgid"));
        let output = fs::File::create(folder.path().join("output")).expect("a file");
        let child = Command::new(apache)
            .args(["-DFOREGROUND", "-f"])
            .arg(folder.path().join("apache.conf"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("Apache can be run");
        let mut site = Self {
            apache: child,
            folder,
            port,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = site.apache.try_wait().expect("a child").is_some();
            assert!(!ended && start.elapsed() < Duration::from_secs(20), "{}", site.log());
            thread::sleep(Duration::from_millis(20));
        }
        Some(site)
    }

    /// Returns a path in the folder of the site.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends a request to a virtual host; the path is sent as it is.
    pub fn send(&self, host: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{headers}\r\n");
        exchange(&mut connection, head.as_bytes(), body)
    }

    /// Gets what must be answered.
    pub fn get(&self, host: &str, path: &str, headers: &str) -> Answer {
        self.send(host, "GET", path, headers, b"").expect("an answer")
    }

    /// Posts Turtle in which `k:` is declared.
    pub fn post(&self, host: &str, path: &str, headers: &str, body: &str) -> Answer {
        let headers = format!("Content-Type: text/turtle\r\n{headers}");
        let body = crate::support::turtle(body);
        self.send(host, "POST", path, &headers, body.as_bytes())
            .expect("an answer")
    }

    /// Returns what Apache and the programs have logged.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        read("output") + &read("error.log")
    }

    /// Waits until the log has a text, and fails if it does not come.
    #[track_caller]
    pub fn expect_log(&self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < Duration::from_secs(5), "no {text}:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the processes that were started by a path, or a command, of the folder.
    pub fn processes(&self, program: &str) -> Vec<Pid> {
        let wanted = self.path(program);
        let is_wanted = |pid: &Pid| {
            let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
            let first = line.split(|&byte| byte == 0).next().unwrap_or_default();
            first == wanted.as_os_str().as_encoded_bytes()
        };
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        entries
            .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
            .filter(is_wanted)
            .collect()
    }

    /// Sends Apache a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.apache), signal).expect("signalled");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.apache);
        let _ = kill_process(group, Signal::TERM);
        let start = Instant::now();
        let mut ended = false;
        while start.elapsed() < Duration::from_secs(10) && !ended {
            thread::sleep(Duration::from_millis(20));
            let gone = matches!(self.apache.try_wait(), Ok(Some(_)));
            ended = gone && test_kill_process_group(group).is_err();
        }
        if !ended {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.apache.wait();
        }
    }
}

/// Where a site is prepared.
pub struct Folder<'f> {
    pub path: &'f Path,
    pub port: u16,
    /// A second free port.
    pub other_port: u16,
}

impl Folder<'_> {
    /// Writes a file, and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path.join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    /// Puts a program under another name.
    pub fn program(&self, name: &str, from: &str) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        // A link, where it can be: the program of a debug build is large.
        if fs::hard_link(from, &path).is_err() {
            fs::copy(from, &path).expect("copied");
        }
    }

    /// Makes a kTBS with its own name, program (`NAME.fcgi`), configuration (`NAME.fcgi.conf`) and store.
    pub fn ktbs(&self, name: &str, root: &str, more: &str) {
        self.program(&format!("{name}.fcgi"), env!("CARGO_BIN_EXE_ktbs"));
        self.conf(&format!("{name}.fcgi.conf"), name, root, more);
    }

    /// Writes the configuration of a kTBS, and makes its store.
    pub fn conf(&self, file: &str, name: &str, root: &str, more: &str) {
        let store = self.path.join("stores").join(name);
        own(&store);
        let text = format!(
            "[server]\nfixed-root-uri = {root}\n[rdf_database]\nrepository = {}\n{more}",
            store.display()
        );
        self.write(file, &text);
    }
}

/// Makes a folder where Apache's user may write.
pub fn own(path: &Path) {
    fs::create_dir_all(path).expect("a folder");
    if rustix::process::geteuid().is_root() {
        let id = |flag: &str| {
            let output = Command::new("id").arg(flag).arg(user().0).output().expect("an id");
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .parse()
                .expect("a number")
        };
        chown(path, Some(id("-u")), Some(id("-g"))).expect("a folder of ours");
    }
}

/// Returns the user and the group that Apache's processes shall have.
pub fn user() -> (String, String) {
    let name = |flags: &[&str]| {
        let output = Command::new("id").args(flags).output().expect("an id");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    if !rustix::process::geteuid().is_root() {
        return (name(&["-un"]), name(&["-gn"]));
    }
    let mut users = ["www-data", "apache", "nobody"].into_iter();
    let user = users
        .find(|user| !name(&["-u", user]).is_empty())
        .expect("a user without privileges");
    (user.to_owned(), name(&["-gn", user]))
}

/// Returns the program of Apache.
pub fn program() -> Option<&'static str> {
    let places = [
        "/usr/sbin/apache2",
        "/usr/sbin/httpd",
        "/usr/bin/httpd",
        "/usr/local/apache2/bin/httpd",
    ];
    places.into_iter().find(|place| Path::new(place).exists())
}

/// Returns the lines that load modules; `None`, and a line that says so: one is missing.
pub fn load(modules: &[&str]) -> Option<String> {
    let built_in = Command::new(program()?).arg("-l").output().expect("Apache can be run");
    let built_in = String::from_utf8_lossy(&built_in.stdout).into_owned();
    let mut lines = String::new();
    for module in modules {
        if built_in.contains(&format!(" mod_{module}.c")) {
            continue;
        }
        let Some(file) = module_file(module) else {
            skipped(&format!("mod_{module}"));
            return None;
        };
        lines.push_str(&format!("LoadModule {module}_module {}\n", file.display()));
    }
    Some(lines)
}

/// Returns the file of a module of Apache.
pub fn module_file(module: &str) -> Option<PathBuf> {
    let folders = [
        "/usr/lib/apache2/modules",
        "/usr/lib64/httpd/modules",
        "/usr/lib/httpd/modules",
        "/usr/libexec/apache2",
    ];
    let files = folders.map(|folder| Path::new(folder).join(format!("mod_{module}.so")));
    files.into_iter().find(|file| file.exists())
}

/// Returns two ports that are free at this moment.
pub fn free_ports() -> [u16; 2] {
    let sockets = [0; 2].map(|port| TcpListener::bind(("127.0.0.1", port)).expect("a free port"));
    sockets.map(|socket| socket.local_addr().expect("an address").port())
}
