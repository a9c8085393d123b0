//! The sample whose service (a provider of identities) is not there: Apache takes it, and nobody gets past it. (`make test-openid`
//! tries it with a provider.)

use super::site::{Folder, Site};

const CONF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conf");

/// Starts a site with the diagnostic behind a sample.
fn behind(sample: &str, modules: &[&str]) -> Option<Site> {
    Site::start(modules, |folder: &Folder<'_>| {
        folder.program("ktbs.fcgi", env!("CARGO_BIN_EXE_hello"));
        let dir = folder.path.display();
        format!(
            "Define KTBS_PATH /ktbs/\nDefine KTBS_PROGRAM {dir}/ktbs.fcgi\nDefine KTBS_CONFIG {dir}/none\n\
             Include {CONF}/apache.conf\nInclude {CONF}/samples/{sample}\n"
        )
    })
}

fn status(site: &Site, method: &str, headers: &str) -> u16 {
    let answer = site.send("localhost", method, "/ktbs/b/", headers, b"");
    answer.expect("an answer").status
}

#[test]
fn openid() {
    let Some(site) = behind("openid.conf", &["auth_openidc"]) else {
        return;
    };
    assert_eq!(status(&site, "GET", "Accept: text/turtle\r\n"), 401, "{}", site.log());
    assert_eq!(
        status(&site, "OPTIONS", "Accept: text/turtle\r\n"),
        200,
        "{}",
        site.log()
    );
    let page = status(&site, "GET", "Accept: text/html\r\n");
    assert!(page >= 300, "nobody can say where people log in: {page}");
    let forged = "Accept: text/turtle\r\nAuthorization: Bearer x.y.z\r\nOIDC_CLAIM_groups: ktbs\r\n";
    assert!(
        matches!(status(&site, "GET", forged), 401 | 500 | 502),
        "{}",
        site.log()
    );
}
