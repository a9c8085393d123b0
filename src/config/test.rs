use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// Writes files named `0.conf`, `1.conf`… in a temporary folder.
fn written(texts: &[&str]) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = texts.iter().enumerate().map(|(number, text)| {
        let file = folder.path().join(format!("{number}.conf"));
        std::fs::write(&file, text).expect("a file");
        file
    });
    let files = files.collect();
    (folder, files)
}

fn loaded(texts: &[&str]) -> (Config, Vec<String>) {
    let (folder, files) = written(texts);
    let (config, warnings) = load(&files, &[]).unwrap_or_else(|error| panic!("{texts:?}: {error}"));
    (config, lines(&warnings, folder.path()))
}

/// Returns the error of a configuration, without the folder.
fn error(texts: &[&str]) -> String {
    let (folder, files) = written(texts);
    let error = load(&files, &[]).expect_err("a wrong configuration");
    lines(&[error.0], folder.path()).remove(0)
}

fn lines(notices: &[Notice], folder: &Path) -> Vec<String> {
    let folder = format!("{}/", folder.display());
    notices
        .iter()
        .map(|notice| notice.to_string().replace(&folder, ""))
        .collect()
}

#[test]
fn nothing_given_is_all_defaults() {
    let (config, warnings) = load(&[], &[]).expect("the defaults are correct");
    assert_eq!(config.file, None);
    assert_eq!(config.server.root, "http://localhost:8001/");
    assert_eq!((config.server.max_bytes, config.server.max_triples), (None, None));
    assert_eq!(config.server.cache_control, "max-age=1");
    assert!(!config.server.send_traceback);
    assert_eq!((config.store.directory, config.store.map_size), (None, 1 << 40));
    let prefixes: Vec<(&str, &str)> = config.prefixes.iter().map(|(p, n)| (p.as_str(), n.as_str())).collect();
    assert_eq!(
        prefixes,
        [
            ("", "http://liris.cnrs.fr/silex/2009/ktbs#"),
            ("skos", "http://www.w3.org/2004/02/skos/core#")
        ]
    );
    assert_eq!(
        config.plugins,
        Plugins {
            cors: false,
            post_via_get: false,
            sparql_endpoints: false,
            stats_per_type: true,
            stats_subjects: false,
            meth_external: false,
            authx: false,
            profiler: false,
            xgereco_obsel_table: false,
        }
    );
    assert!(config.cors_allow_origin.is_empty());
    assert!(!config.sparql.allow_scope_store && !config.sparql.update_endpoints);
    assert_eq!((config.limits.request_bytes, config.limits.id_bytes), (67_108_864, 240));
    let limits = &config.limits;
    assert_eq!((limits.query_seconds, limits.query_memory), (20, 256 << 20));
    assert_eq!(
        (limits.computing_seconds, limits.fsa_tokens, limits.sub_methods),
        (120, 10_000, 32)
    );
    assert_eq!(
        config.limits.payload,
        PayloadLimits {
            triples: 2_000_000,
            nesting: 128,
            literal_bytes: 16_777_216,
        }
    );
    assert!(config.logging.loggers.is_empty());
    assert_eq!(config.logging.console_level, log::LevelFilter::Info);
    assert!(config.logging.console_format.contains('\t'));
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].to_string(),
        "[rdf_database] repository: is empty: the store is temporary, and is lost when this process ends"
    );
}

#[test]
fn every_option_reaches_its_field() {
    let (config, warnings) = loaded(&["[server]
fixed-root-uri = https://example.org/caf%C3%A9/
max-bytes = 1000
max-triples = 20
cache-control =
send-traceback = yes
[rdf_database]
repository = /var/100%/ktbs
force-init = true
map-size = 2G
[ns_prefix]
_ = http://example.org/default#
ex : http://example.org/a%%20b#
[plugins]
cors = on
post_via_get = 1
sparql_endpoints = true
stats_per_type = off
stats_subjects = true
meth_external = true
profiler = true
xgereco_obsel_table = yes
authx = false
[cors]
allow-origin = https://a.example
  https://b.example
[sparql]
allow-scope-store = true
update_endpoints = true
[meth_external]
shell = yes
seconds = 5
output-bytes = 1k
[limits]
request-bytes = 1M
request-triples = 10
nesting = 9
literal-bytes = 1k
id-bytes = 100
query-seconds = 1
query-memory = 3M
computing-seconds = 2
fsa-tokens = 4
sub-methods = 5
[logging]
loggers = ktbs rdfrest
console-level = debug
console-format = %(levelname)s  [%(process)s/%(thread)d]    %(name)s    %(message)s
"]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("0.conf: [plugins] meth_external: is on: whoever"));
    assert_eq!(config.server.root, "https://example.org/café/");
    assert_eq!(
        (config.server.max_bytes, config.server.max_triples),
        (Some(1000), Some(20))
    );
    assert_eq!(config.server.cache_control, "");
    assert!(config.server.send_traceback);
    assert_eq!(config.store.directory, Some(PathBuf::from("/var/100%/ktbs")));
    assert_eq!(config.store.map_size, 2 << 30);
    let prefixes: Vec<(&str, &str)> = config.prefixes.iter().map(|(p, n)| (p.as_str(), n.as_str())).collect();
    assert_eq!(
        prefixes,
        [
            ("", "http://example.org/default#"),
            ("ex", "http://example.org/a%20b#"),
            ("skos", "http://www.w3.org/2004/02/skos/core#")
        ]
    );
    assert_eq!(
        config.plugins,
        Plugins {
            cors: true,
            post_via_get: true,
            sparql_endpoints: true,
            stats_per_type: false,
            stats_subjects: true,
            meth_external: true,
            authx: false,
            profiler: true,
            xgereco_obsel_table: true,
        }
    );
    assert_eq!(config.cors_allow_origin, ["https://a.example", "https://b.example"]);
    assert!(config.sparql.allow_scope_store && config.sparql.update_endpoints);
    let external = &config.meth_external;
    assert_eq!(
        (external.shell, external.seconds, external.output_bytes),
        (true, 5, 1024)
    );
    assert_eq!((config.limits.request_bytes, config.limits.id_bytes), (1 << 20, 100));
    let limits = &config.limits;
    assert_eq!((limits.query_seconds, limits.query_memory), (1, 3 << 20));
    assert_eq!(
        (limits.computing_seconds, limits.fsa_tokens, limits.sub_methods),
        (2, 4, 5)
    );
    assert_eq!(
        config.limits.payload,
        PayloadLimits {
            triples: 10,
            nesting: 9,
            literal_bytes: 1024,
        }
    );
    assert_eq!(config.logging.loggers, ["ktbs", "rdfrest"]);
    assert_eq!(config.logging.console_level, log::LevelFilter::Debug);
    assert!(config.logging.console_format.starts_with("%(levelname)s  ["));
}

#[test]
fn the_root_is_made_of_host_port_and_path() {
    let cases = [
        ("port = 80\nhost-name = 0.0.0.0", "http://0.0.0.0:80/"),
        ("base-path = a", "http://localhost:8001/a/"),
        ("base-path = /a/b/", "http://localhost:8001/a/b/"),
        ("base-path = /caf%%C3%%A9", "http://localhost:8001/café/"),
        ("host-name = ::1\nbase-path = //", "http://[::1]:8001/"),
        ("fixed-root-uri =\nport = 1", "http://localhost:1/"),
        ("fixed-root-uri\nport = 1", "http://localhost:1/"),
        ("fixed-root-uri = http://h/\nport = 1", "http://h/"),
    ];
    for (text, root) in cases {
        assert_eq!(loaded(&[&format!("[server]\n{text}\n")]).0.server.root, root, "{text}");
    }
}

#[test]
fn later_files_are_laid_over_earlier_ones() {
    let (folder, files) = written(&[
        "[server]\nport = 1\nmax-bytes = 5\n[ns_prefix]\na = http://a/\n[plugins]\ncors = true\n",
        "[server]\nport = 2\n[ns_prefix]\nb = http://b/\n[cors]\nallow-origin = *\n[rdf_database]\nrepository = store",
    ]);
    let (config, warnings) = load(
        &files,
        &[("server", "max-triples", "7"), ("ns_prefix", "C", "http://c/")],
    )
    .expect("correct");
    assert_eq!(warnings, []);
    assert_eq!(config.server.root, "http://localhost:2/");
    assert_eq!((config.server.max_bytes, config.server.max_triples), (Some(5), Some(7)));
    let prefixes: Vec<&str> = config.prefixes.iter().map(|(prefix, _)| prefix.as_str()).collect();
    assert_eq!(prefixes, ["", "a", "b", "c", "skos"]);
    assert_eq!(config.cors_allow_origin, ["*"]);
    assert_eq!(config.store.directory, Some(folder.path().join("store")));
    assert_eq!(config.file.as_ref(), files.first());
    assert_eq!(config.files, files);
}

#[test]
fn the_command_line_is_checked_too() {
    let wrong = |section, option, value| load(&[], &[(section, option, value)]).expect_err("wrong").to_string();
    assert_eq!(
        wrong("server", "port", "x"),
        "[server] port: \"x\" is not a whole number"
    );
    assert_eq!(wrong("server", "nope", "x"), "[server] nope: there is no such option");
    assert!(wrong("plugins", "virtuoso_sparql", "true").starts_with("[plugins] virtuoso_sparql: is not available"));
}

#[test]
fn default_options_are_found_in_all_sections_but_two() {
    let (config, warnings) = loaded(&["[DEFAULT]
port = 5
loggers = ktbs
host = example.org
cors = true
allow-origin = https://%(host)s
_ = not a namespace
[server]
fixed-root-uri =
[logging]
loggers = root
"]);
    assert_eq!(config.server.root, "http://localhost:5/");
    assert_eq!(config.logging.loggers, ["root"]);
    assert!(!config.plugins.cors);
    assert_eq!(config.cors_allow_origin, ["https://example.org"]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn wrong_files_are_told_in_one_line() {
    let cases = [
        ("port = 1\n", "0.conf:1: a file begins with a [section]"),
        (
            "[server]\nport = 1\nPort = 1\n",
            "0.conf:3: [server] there is already an option port in this section",
        ),
        (
            "[server]\nport = 1\n[server]\n",
            "0.conf:3: [server] there is already a section [server]",
        ),
        (
            "[server]\nport = 80 # http\n",
            "0.conf:2: [server] port: \"80 # http\" is not a whole number; \
            inline comments are not supported, put the comment on a line of its own",
        ),
        (
            "[plugins]\ncors = true ; x\n",
            "0.conf:2: [plugins] cors: \"true ; x\" is neither true nor false; \
            inline comments are not supported, put the comment on a line of its own",
        ),
        (
            "[server]\nsend-traceback\n",
            "0.conf:2: [server] send-traceback: \"\" is neither true nor false",
        ),
        (
            "[server]\nfixed-root-uri = http://h\n",
            "0.conf:2: [server] fixed-root-uri: the root URI must end with '/': \
            write http://h/",
        ),
        (
            "[server]\ncache-control = 100%\n",
            "0.conf:2: [server] cache-control: '%' must be followed by '%' or '('; \
            write '%%' for a percent sign",
        ),
        (
            "[server]\nmax-bytes = a\n  b\n",
            "0.conf:2: [server] max-bytes: \"a\\nb\" is not an integer",
        ),
        (
            "[plugins]\n\nmagic = true\n",
            "0.conf:3: [plugins] magic: there is no plugin magic",
        ),
        (
            "[plugins]\nmagic = perhaps\n",
            "0.conf:2: [plugins] magic: \"perhaps\" is neither true nor false",
        ),
        (
            "[authx]\npolicy = closed\n",
            "0.conf:2: [authx] policy: \"closed\" is none of open, read-only, private",
        ),
        (
            "[authx]\nways = basic magic\n",
            "0.conf:2: [authx] ways: \"magic\" is none of remote-user, admin, personal, basic, bearer, login",
        ),
        (
            "[authx]\nremote-groups = HTTP_X_GROUPS\n",
            "0.conf:2: [authx] remote-groups: \"HTTP_X_GROUPS\" holds a header, which any client can send",
        ),
        (
            "[authx_admin]\nip_whitelist = ::1 localhost\n",
            "0.conf:2: [authx_admin] ip_whitelist: \"localhost\" is not the address of a host",
        ),
        (
            "[rdf_database]\nrepository = :VirtuosoS:x\n",
            "0.conf:2: [rdf_database] repository: \":VirtuosoS:x\": stores \
            of the form :TYPE:CONFIG are not supported; give a directory, which will hold the store",
        ),
        (
            "[ns_prefix]\na b = http://h/\n",
            "0.conf:2: [ns_prefix] a b: \"a b\" cannot be a prefix: it must begin with \
            a letter, then letters, digits, '-' and '_'",
        ),
        (
            "[ns_prefix]\na = b\n",
            "0.conf:2: [ns_prefix] a: \"b\" is not an absolute URI",
        ),
        (
            "[logging]\nconsole-level = LOUD\n",
            "0.conf:2: [logging] console-level: \"LOUD\" is not a level: DEBUG, \
            INFO, WARNING, ERROR, CRITICAL or a number",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&[text]), expected);
    }
    assert!(error(&["", "[server]\nport = x"]).starts_with("1.conf:2: [server] port: "));
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let error = load(&[PathBuf::from("/nonexistent/ktbs.conf")], &[])
        .expect_err("no file")
        .to_string();
    assert!(
        error.starts_with("/nonexistent/ktbs.conf: this file cannot be read: No such file"),
        "{error}"
    );
    let (folder, files) = written(&[""]);
    std::fs::write(&files[0], b"[server]\nport = 1\n# caf\xE9\n").expect("a file");
    let error = load(&files, &[]).expect_err("Latin-1").to_string();
    assert_eq!(
        error,
        format!("{}/0.conf:3: this line is not in UTF-8", folder.path().display())
    );
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let cases = [
        (
            "[server]\nspeed = 1\n",
            "0.conf:2: [server] speed: this option is not known, and is ignored",
        ),
        (
            "[uwsgi]\nthreads = 1\n",
            "0.conf:1: [uwsgi] this section is not known, and is ignored",
        ),
        (
            "[plugins]\nmagic = false\n",
            "0.conf:2: [plugins] magic: there is no such plugin",
        ),
        (
            "[server]\nthreads = 4\n",
            "0.conf:2: [server] threads: has no effect: Apache",
        ),
        (
            "[server]\nscheme = https\n",
            "0.conf:2: [server] scheme: has no effect: give the whole address",
        ),
        (
            "[server]\nresource-cache = true\n",
            "0.conf:2: [server] resource-cache: has no effect",
        ),
        (
            "[server]\nno-cache = false\n",
            "0.conf:2: [server] no-cache: is deprecated",
        ),
        (
            "[logging]\nktbs-logurl = http://localhost:5678/logs/log1/\n",
            "0.conf:2: [logging] ktbs-logurl: has no effect: a server that sends requests could block",
        ),
        (
            "[profiler]\ndirectory = /tmp\n",
            "0.conf:2: [profiler] directory: has no effect: the stages",
        ),
        (
            "[plugins]\ncors = true\n",
            "0.conf: [cors] allow-origin: is empty: the plugin cors is on",
        ),
    ];
    for (text, expected) in cases {
        let (_, warnings) = loaded(&[&format!("{text}[rdf_database]\nrepository = store\n")]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with(expected), "{}", warnings[0]);
    }
    assert_eq!(
        loaded(&["[server]\nthreads\nscheme =\n[rdf_database]\nrepository = s\n"]).1,
        Vec::<String>::new()
    );
}

#[test]
fn deprecated_options_are_understood() {
    let cases = [
        ("[server]\nno-cache = true\n", "", &[][..]),
        ("[server]\nno-cache = false\n", "max-age=1", &[]),
        (
            "[server]\nno-cache = true\ncache-control = max-age=2\n",
            "max-age=2",
            &[],
        ),
        (
            "[server]\ncors-allow-origin = http://a.example\n",
            "max-age=1",
            &["http://a.example"],
        ),
        (
            "[server]\ncors-allow-origin = http://a\n[cors]\nallow-origin = http://b\n",
            "max-age=1",
            &["http://b"],
        ),
        // What they refer to is found where they stand.
        (
            "[server]\nmy-host = a.example\ncors-allow-origin = http://%(my-host)s http://b%%41\n",
            "max-age=1",
            &["http://a.example", "http://b%41"],
        ),
        ("[DEFAULT]\nyes = on\n[server]\nno-cache = %(yes)s\n", "", &[]),
        ("[DEFAULT]\nno-cache = true\n", "", &[]),
        (
            "[DEFAULT]\nno-cache = true\ncache-control = max-age=2\n[server]\n",
            "max-age=2",
            &[],
        ),
        (
            "[DEFAULT]\ncors-allow-origin = http://a.example\n",
            "max-age=1",
            &["http://a.example"],
        ),
    ];
    for (text, cache_control, origins) in cases {
        let (config, warnings) = loaded(&[text]);
        assert_eq!(config.server.cache_control, cache_control, "{text}");
        assert_eq!(config.cors_allow_origin, origins, "{text}");
        assert!(
            warnings.iter().any(|warning| warning.contains("is deprecated")),
            "{warnings:?}"
        );
    }
    assert!(loaded(&["[sparql]\nallow-scope-ktbs = 1"]).0.sparql.allow_scope_store);
    assert_eq!(
        error(&["[server]\ncors-allow-origin = http://%(nowhere)s\n"]),
        "0.conf:2: [server] cors-allow-origin: %(nowhere)s: there is no such option in [server] or [DEFAULT]"
    );
    assert_eq!(
        error(&["[server]\nno-cache = perhaps\n"]),
        "0.conf:2: [server] no-cache: \"perhaps\" is neither true nor false"
    );
}

#[test]
fn a_file_of_the_python_ktbs_is_understood() {
    let (config, warnings) = loaded(&["[server]
host-name = 0.0.0.0
port = 1234
fixed-root-uri = http://localhost:1234/

[rdf_database]
repository = /app/ktbs.db

[plugins]
sparql_endpoints = true
cors = true

[cors]
allow-origin = http://localhost:8000

[logging]
loggers = ktbs rdfrest
console-level = WARNING
"]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(config.server.root, "http://localhost:1234/");
    assert_eq!(config.logging.console_level, log::LevelFilter::Warn);
}

proptest! {
    #[test]
    fn no_host_and_path_panic(host in "[\\[\\]:.a1%é@ ]{0,8}", path in "[/a.%é25E ]{0,8}") {
        let overrides = [("server", "host-name", host.as_str()), ("server", "base-path", path.as_str())];
        if let Ok((config, _)) = load(&[], &overrides) {
            prop_assert_eq!(root_iri(&config.server.root), Ok(config.server.root));
        }
    }

    #[test]
    fn no_file_panics_and_each_notice_is_one_line(
        lines in prop::collection::vec(
            "(\\[(server|DEFAULT|plugins|ns_prefix|cors|logging|rdf_database|limits)\\]|\
             [ ]?(port|host-name|base-path|fixed-root-uri|repository|cors|a|_|allow-origin|nesting|console-format)[ ]?[=:]?(\\PC){0,12})",
            0..12,
        ),
    ) {
        let (_folder, files) = written(&[&lines.join("\n")]);
        let notices = match load(&files, &[]) {
            Ok((_, warnings)) => warnings,
            Err(error) => vec![error.0],
        };
        for notice in notices {
            prop_assert!(!notice.to_string().contains(char::is_control));
        }
    }
}

#[test]
fn what_is_no_origin_is_told() {
    let origins =
        "* null https://a.example http://localhost:8000 https://b.example/ b.example https://B.example https://";
    let (_, warnings) = load(
        &[],
        &[("cors", "allow-origin", origins), ("rdf_database", "repository", "x")],
    )
    .expect("correct");
    let told: Vec<String> = warnings.iter().map(|warning| warning.text.clone()).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    for (text, wrong) in told
        .iter()
        .zip(["https://b.example/", "b.example", "https://B.example", "https://"])
    {
        assert!(text.starts_with(&format!("{wrong:?} is no origin")), "{text}");
    }
}
