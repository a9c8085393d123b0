//! What `make install` and the Debian package put in place, under a real Apache. (`make test-deb` installs the package itself.)

use std::fs;
use std::path::Path;
use std::process::Command;

use super::site::{Site, own};

const INSTALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/install.sh");

/// Installs below a folder. A DESTDIR that is not empty leaves the real system alone.
fn install(folder: &Path) -> String {
    let output = Command::new(INSTALL)
        .args([env!("CARGO_BIN_EXE_ktbs"), "/"])
        .args([folder.join("usr"), folder.join("etc")])
        .output()
        .expect("the script can be run");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_is_installed_works_in_apache_and_is_kept_the_next_time() {
    let site = Site::start(&["reqtimeout"], |folder| {
        let dir = folder.path.display();
        assert!(!install(folder.path).contains("kept"), "nothing was there");
        let file = folder.path.join("etc/ktbs/ktbs.conf");
        let text = fs::read_to_string(&file).expect("installed");
        let store = folder.path.join("store");
        own(&store);
        let ours = text.replace("/var/lib/ktbs", &store.display().to_string());
        assert_ne!(ours, text);
        fs::write(&file, &ours).expect("written");
        let told = install(folder.path);
        assert!(
            told.contains("etc/ktbs/ktbs.conf") && told.contains("conf-available/ktbs.conf"),
            "{told}"
        );
        assert_eq!(
            fs::read_to_string(&file).expect("a file"),
            ours,
            "what the administrator wrote is kept"
        );
        format!("Define APACHE_LOCK_DIR {dir}/fcgid\nInclude {dir}/etc/apache2/conf-available/ktbs.conf\n")
    });
    let Some(site) = site else { return };
    let made = site.post("localhost", "/ktbs/", "", "<> k:hasBase <b/> . <b/> a k:Base .");
    assert_eq!(made.status, 201, "{made:?}\n{}", site.log());
    assert!(made.head.contains("Location: http://localhost/ktbs/b/"), "{made:?}");
    for path in ["/ktbs/b/", "/ktbs/b%2F"] {
        assert_eq!(
            site.get("localhost", path, "Accept: text/turtle\r\n").status,
            200,
            "{path}"
        );
    }
    let check = Command::new(site.path("usr/bin/ktbs"))
        .arg("-c")
        .arg(site.path("etc/ktbs/ktbs.conf"))
        .arg("check")
        .output()
        .expect("the program can be run");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    for sample in ["users.conf", "rules.conf", "nginx.conf", "Caddyfile"] {
        assert!(site.path("usr/share/ktbs/samples").join(sample).exists(), "{sample}");
    }
    for (file, text) in [
        ("man/man1/ktbs.1", ".SH \"SUBJECT PSEUDONYMISE\""),
        ("bash-completion/completions/ktbs", "complete -F"),
        ("zsh/vendor-completions/_ktbs", "#compdef ktbs"),
        ("fish/vendor_completions.d/ktbs.fish", "complete -c ktbs"),
    ] {
        let written = fs::read_to_string(site.path("usr/share").join(file)).expect("written");
        assert!(written.contains(text), "{file}");
    }
    let unit = fs::read_to_string(site.path("usr/lib/systemd/system/ktbs.service")).expect("a unit");
    let program = site.path("usr/bin/ktbs").display().to_string();
    assert!(
        unit.contains(&format!(
            "ExecStart={program} -c {}",
            site.path("etc/ktbs/ktbs.conf").display()
        )),
        "{unit}"
    );
}
