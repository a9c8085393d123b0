//! What is doubtful in Apache's configuration for a kTBS.

use super::apache::{Apache, Directive};
use crate::config::{Config, Way};

/// Returns the warnings.
pub fn doubts(apache: &Apache, config: &Config) -> Vec<String> {
    let mut told = address(apache, &config.server.root);
    told.extend(limits(apache, config));
    let slashes = apache.last("allowencodedslashes").map(first);
    if slashes.is_some_and(|value| value.eq_ignore_ascii_case("nodecode")) {
        told.push(
            "AllowEncodedSlashes is NoDecode: rules of a <Location> do not hold for addresses with %2F; make it On"
                .into(),
        );
    } else if !slashes.is_some_and(|value| value.eq_ignore_ascii_case("on")) {
        told.push("AllowEncodedSlashes is not On: names with an encoded slash are not found".into());
    }
    let asks = [Way::Admin, Way::Basic, Way::Bearer];
    if config.plugins.authx && config.authx.ways.iter().any(|way| asks.contains(way)) && !passes_authorization(apache) {
        told.push(
            "Apache keeps Authorization to itself: without CGIPassAuth On, nobody can log in to the plugin authx"
                .into(),
        );
    }
    told.into_iter().map(|text| format!("warning:       {text}")).collect()
}

/// Returns the first argument of a directive.
fn first(directive: &Directive) -> &str {
    directive.arguments.first().map_or("", String::as_str)
}

/// Compares the root URI with what Apache serves.
fn address(apache: &Apache, root: &str) -> Vec<String> {
    let mut told = Vec::new();
    let (scheme, rest) = root.split_once("://").unwrap_or(("http", root));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = format!("/{path}");
    let aliases = apache.all("scriptalias").map(first);
    let wrappers = apache.all("fcgidwrapper").filter_map(|it| it.location.as_deref());
    let mut mapped: Vec<&str> = aliases.chain(wrappers).collect();
    mapped.dedup();
    if !mapped
        .iter()
        .any(|it| it.trim_end_matches('/') == path.trim_end_matches('/'))
    {
        told.push(format!(
            "Apache maps no program to {path}, the path of the root URI: ScriptAlias and FcgidWrapper are for [{}]",
            mapped.join(", ")
        ));
    }
    let proxy = "unless a proxy in front of Apache has it";
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, if scheme == "https" { "443" } else { "80" }),
    };
    let names: Vec<&str> = apache
        .all("servername")
        .chain(apache.all("serveralias"))
        .flat_map(|it| &it.arguments)
        .map(|name| {
            let name = name.rsplit_once("://").map_or(name.as_str(), |(_, name)| name);
            name.split(':').next().unwrap_or_default()
        })
        .collect();
    let is_named = |name: &&str| name.eq_ignore_ascii_case(host) || name.contains('*');
    if !names.is_empty() && !names.iter().any(is_named) {
        told.push(format!(
            "no ServerName nor ServerAlias is {host}, the host of the root URI: links lead elsewhere, {proxy}"
        ));
    }
    let mut listened = apache.all("listen").map(|it| {
        let address = first(it);
        address.rsplit_once(':').map_or(address, |(_, port)| port)
    });
    let listens = apache.all("listen").next().is_some();
    if listens && !listened.any(|it| it == port) {
        told.push(format!(
            "Apache does not listen on {port}, the port of the root URI: links lead elsewhere, {proxy}"
        ));
    }
    let is_secure = apache.all("sslengine").any(|it| first(it).eq_ignore_ascii_case("on"));
    if scheme == "https" && !is_secure {
        told.push(format!(
            "the root URI is https, but SSLEngine is nowhere On: links lead nowhere, {proxy}"
        ));
    }
    told
}

/// Compares the limits of mod_fcgid with ours.
fn limits(apache: &Apache, config: &Config) -> Vec<String> {
    let mut told = Vec::new();
    let number = |name: &str, default: u64| {
        let given = apache.last(name).and_then(|it| first(it).parse().ok());
        given.unwrap_or(default)
    };
    let largest = config.server.max_bytes.unwrap_or(0).max(config.limits.request_bytes);
    let passed = number("fcgidmaxrequestlen", 131_072);
    if passed <= largest {
        told.push(format!(
            "FcgidMaxRequestLen is {passed}: it must be above max-bytes and request-bytes ({largest}), or clients get a 500 of Apache"
        ));
    }
    let cut = number("limitrequestbody", 1 << 30);
    if cut != 0 {
        told.push(format!(
            "LimitRequestBody is {cut}: with another value than 0, a body that is too long comes cut, or empty"
        ));
    }
    let silent = number("fcgidiotimeout", 40);
    let longest = config.limits.query_seconds.max(config.limits.computing_seconds);
    if silent <= longest {
        told.push(format!(
            "FcgidIOTimeout is {silent}: it must be above query-seconds and computing-seconds ({longest}), or Apache kills the program"
        ));
    }
    told
}

/// Tells whether Apache gives the program the header Authorization, in one of the three ways.
fn passes_authorization(apache: &Apache) -> bool {
    let has = |name: &str, at: usize, value: &str| {
        apache.all(name).any(|it| {
            it.arguments
                .get(at)
                .is_some_and(|found| found.eq_ignore_ascii_case(value))
        })
    };
    has("cgipassauth", 0, "on")
        || has("fcgidpassheader", 0, "authorization")
        || has("setenvif", 0, "authorization")
        || has("setenvifnocase", 0, "authorization")
}

#[cfg(test)]
mod test {
    use super::*;

    const RIGHT: &str = "Listen 80\nListen 443 https\nServerName h\nSSLEngine on\nScriptAlias /k/ /opt/k/\n\
        FcgidMaxRequestLen 134217728\nLimitRequestBody 0\nFcgidIOTimeout 300\nAllowEncodedSlashes On\n\
        <Location /k/>\nCGIPassAuth On\n</Location>\n";

    /// Returns the warnings about a configuration of Apache, for a root URI, with the plugin authx.
    fn warnings(text: &str, root: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("apache.conf");
        std::fs::write(&file, text).expect("a file");
        let apache = Apache::read(Some(&file)).expect("a configuration");
        let options = [("server", "fixed-root-uri", root), ("plugins", "authx", "true")];
        let (config, _) = crate::config::load(&[], &options).expect("a configuration");
        doubts(&apache, &config)
    }

    #[test]
    fn each_directive_is_compared_with_its_option() {
        assert_eq!(warnings(RIGHT, "https://h/k/"), Vec::<String>::new());
        let wrapped = RIGHT.replace(
            "ScriptAlias /k/ /opt/k/",
            "<Location /k>\nFcgidWrapper /opt/k virtual\n</Location>",
        );
        assert_eq!(warnings(&wrapped, "http://h/k/"), Vec::<String>::new());
        // What is not said of names and ports is not doubted.
        assert_eq!(warnings("", "http://h/k/").len(), 6);
        for (directive, other, expected) in [
            ("ScriptAlias /k/", "ScriptAlias /other/", "maps no program to /k/"),
            ("134217728", "67108864", "FcgidMaxRequestLen is 67108864"),
            ("LimitRequestBody 0", "LimitRequestBody 10", "LimitRequestBody is 10"),
            ("300", "30", "FcgidIOTimeout is 30"),
            ("Slashes On", "Slashes NoDecode", "make it On"),
            ("Slashes On", "Slashes Off", "AllowEncodedSlashes is not On"),
            (
                "ServerName h",
                "ServerName other",
                "no ServerName nor ServerAlias is h,",
            ),
            ("SSLEngine on", "SSLEngine off", "SSLEngine is nowhere On"),
            ("Listen 443 https", "Listen 127.0.0.1:8443", "does not listen on 443"),
            ("CGIPassAuth On", "CGIPassAuth Off", "without CGIPassAuth On"),
        ] {
            let warnings = warnings(&RIGHT.replace(directive, other), "https://h/k/");
            assert!(warnings.len() == 1 && warnings[0].contains(expected), "{warnings:?}");
        }
    }

    #[test]
    fn hosts_and_ports_are_those_of_the_root_uri() {
        for root in ["http://H/k/", "http://www.h:8001/k/"] {
            let text = RIGHT.replace("Listen 80\n", "Listen 80\nListen [::]:8001\n");
            let text = text.replace("ServerName h", "ServerName http://h:80\nServerAlias *.h");
            assert_eq!(warnings(&text, root), Vec::<String>::new(), "{root}");
        }
        assert_eq!(warnings(RIGHT, "http://h:8001/k/").len(), 1);
    }
}
