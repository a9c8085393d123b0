//! The sample for a directory, with a real one: OpenLDAP's slapd, over TLS.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use super::shared::make_certificate;
use super::site::{Site, free_ports};
use crate::needed::{installed, skipped};

const CONF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conf");

/// Two people, one of whom is in the group that may write; the directory itself has a name and a password for the web server.
const ENTRIES: &str = "dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit

dn: ou=services,dc=example,dc=org
objectClass: organizationalUnit

dn: cn=ktbs,ou=services,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: for-the-server

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: Alice
sn: A
userPassword: secret-of-alice

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: Bob
sn: B
userPassword: secret-of-bob

dn: cn=collectors,ou=groups,dc=example,dc=org
objectClass: groupOfNames
member: uid=bob,ou=people,dc=example,dc=org
";

/// A directory, until it is dropped.
struct Directory {
    server: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Directory {
    /// Starts one, of which strangers may read nothing. `None`, and a line that says so, where slapd is missing.
    fn start() -> Option<Self> {
        let (slapd, slapadd) = (installed("slapd")?, installed("slapadd")?);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let Some((certificate, key)) = make_certificate(path, "localhost") else {
            skipped("openssl to make a certificate");
            return None;
        };
        let dir = path.display();
        fs::create_dir(path.join("data")).expect("a folder");
        let schemas = ["core", "cosine", "inetorgperson"].map(|name| format!("include {}\n", schema(name)));
        let modules = ["/usr/lib/ldap", "/usr/lib/openldap", "/usr/lib64/openldap"];
        let modules = modules
            .iter()
            .find(|folder| Path::new(folder).exists())
            .expect("modules");
        let conf = format!(
            "{}modulepath {modules}\nmoduleload back_mdb\nTLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n\
             database mdb\nsuffix \"dc=example,dc=org\"\nmaxsize 10485760\ndirectory {dir}/data\n\
             access to attrs=userPassword by anonymous auth by * none\naccess to * by users read by * none\n",
            schemas.concat()
        );
        fs::write(path.join("slapd.conf"), conf).expect("written");
        let mut filling = Command::new(slapadd)
            .arg("-f")
            .arg(path.join("slapd.conf"))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("slapadd can be run");
        let mut input = filling.stdin.take().expect("a pipe");
        input.write_all(ENTRIES.as_bytes()).expect("written");
        drop(input);
        let output = filling.wait_with_output().expect("a child");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let [port, _] = free_ports();
        let log = fs::File::create(path.join("slapd.log")).expect("a log");
        let server = Command::new(slapd)
            .args(["-d", "0", "-h", &format!("ldaps://127.0.0.1:{port}/"), "-f"])
            .arg(path.join("slapd.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("slapd can be run");
        let mut directory = Self { server, port, folder };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = directory.server.try_wait().expect("a child").is_some();
            let log = fs::read_to_string(directory.folder.path().join("slapd.log")).unwrap_or_default();
            assert!(!ended && start.elapsed() < Duration::from_secs(20), "{log}");
            thread::sleep(Duration::from_millis(20));
        }
        Some(directory)
    }

    fn stop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.server), Signal::TERM);
        let _ = self.server.wait();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns the file of a schema.
fn schema(name: &str) -> String {
    let folders = ["/etc/ldap/schema", "/etc/openldap/schema"];
    let files = folders.map(|folder| format!("{folder}/{name}.schema"));
    files
        .into_iter()
        .find(|file| Path::new(file).exists())
        .expect("a schema")
}

/// Starts a site with the diagnostic behind the sample, for another directory.
fn behind(directory: &Directory) -> Option<Site> {
    Site::start(&["ldap", "authnz_ldap"], |folder| {
        folder.program("ktbs.fcgi", env!("CARGO_BIN_EXE_hello"));
        let sample = fs::read_to_string(format!("{CONF}/samples/ldap.conf")).expect("a sample");
        let password = folder.write("password", "#!/bin/sh\necho for-the-server\n");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o755)).expect("ours");
        // What is written as an example in a comment is tried too.
        let sample = sample
            .replace(
                "ldaps://ldap.example.org/",
                &format!("ldaps://127.0.0.1:{}/", directory.port),
            )
            .replace("#     AuthLDAPBind", "AuthLDAPBind")
            .replace("/etc/apache2/ktbs-ldap-password", &password);
        assert_eq!(sample.matches("\n    AuthLDAPBind").count(), 2, "{sample}");
        let sample = folder.write("ldap.conf", &sample);
        let dir = folder.path.display();
        let certificate = directory.folder.path().join("certificate.pem");
        fs::copy(certificate, folder.path.join("directory.pem")).expect("copied");
        format!(
            "LDAPTrustedGlobalCert CA_BASE64 {dir}/directory.pem\nLDAPConnectionTimeout 5\n\
             Define KTBS_PATH /ktbs/\nDefine KTBS_PROGRAM {dir}/ktbs.fcgi\nDefine KTBS_CONFIG {dir}/none\n\
             Include {CONF}/apache.conf\nInclude {sample}\n"
        )
    })
}

#[test]
fn people_of_a_directory_read_and_a_group_of_them_writes() {
    let Some(mut directory) = Directory::start() else {
        return;
    };
    let Some(site) = behind(&directory) else { return };
    let send = |method: &str, who: &str| {
        let headers = match who {
            "" => String::new(),
            who => format!("Authorization: Basic {}\r\n", STANDARD.encode(who)),
        };
        site.send("localhost", method, "/ktbs/b/", &headers, b"")
            .expect("an answer")
    };
    for (method, who, expected) in [
        ("GET", "", 401),
        ("OPTIONS", "", 200),
        ("GET", "alice:secret-of-alice", 200),
        ("HEAD", "alice:secret-of-alice", 200),
        ("PUT", "alice:secret-of-alice", 401),
        ("DELETE", "alice:secret-of-alice", 401),
        ("GET", "bob:secret-of-bob", 200),
        ("PUT", "bob:secret-of-bob", 200),
        ("GET", "alice:secret-of-bob", 401),
        // A directory may take a name without a password for a stranger, and let him in.
        ("GET", "alice:", 401),
        ("GET", "eve:secret", 401),
        ("GET", "a*:secret-of-alice", 401),
        ("GET", "alice)(uid=*:secret-of-alice", 401),
        // The services of the directory are no people.
        ("GET", "ktbs:for-the-server", 401),
    ] {
        let answer = send(method, who);
        assert_eq!(answer.status, expected, "{method} {who}\n{}", site.log());
    }
    let seen = send("PUT", "bob:secret-of-bob");
    assert!(
        seen.body.contains("REMOTE_USER") && seen.body.contains("bob"),
        "{seen:?}"
    );
    assert!(!seen.body.contains("secret-of-bob"), "{seen:?}");

    // Without the directory, who was answered not long ago still is; nobody else is let in.
    directory.stop();
    assert_eq!(send("GET", "alice:secret-of-alice").status, 200);
    assert_eq!(send("GET", "").status, 401);
    let unknown = send("GET", "carol:secret").status;
    assert!(matches!(unknown, 401 | 500), "{unknown}");
}
