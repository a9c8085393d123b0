//! The options: one row each.
//!
//! To add an option: a row in [`OPTIONS`], its line in `conf/ktbs.conf`, and a field where it is used.

use super::authx::{OLD_FLOWS, POLICIES, WAYS};
use super::kind::Kind;

/// An option of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The section, as in the file.
    pub section: &'static str,
    /// The name, in lower case.
    pub name: &'static str,
    /// What it is worth when no file gives it, as it would be written in a file; empty: nothing.
    pub default: &'static str,
    /// One line for the administrator.
    pub meaning: &'static str,
    /// How its value is parsed and checked.
    pub kind: Kind,
    /// True for a value in which `%` is an ordinary character.
    pub raw: bool,
    /// True for a value that is told to nobody.
    pub secret: bool,
    /// For an option without effect, what is said to those who give it.
    pub without_effect: Option<&'static str>,
}

const fn row(
    section: &'static str,
    name: &'static str,
    default: &'static str,
    kind: Kind,
    meaning: &'static str,
) -> Row {
    Row {
        section,
        name,
        default,
        meaning,
        kind,
        raw: false,
        secret: false,
        without_effect: None,
    }
}

impl Row {
    const fn raw(self) -> Self {
        Self { raw: true, ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn without_effect(self, why: &'static str) -> Self {
        Self {
            without_effect: Some(why),
            ..self
        }
    }
}

const APACHE_STARTS_US: &str = "has no effect: Apache, which starts this program, listens and chooses the processes";

/// All the options, by section, in the order of `conf/ktbs.conf`.
#[rustfmt::skip]
pub static OPTIONS: &[Row] = &[
    row("server", "fixed-root-uri", "", Kind::RootIri,
        "Root URI: the public address of this kTBS, with its final slash. If empty, made of the next three.").raw(),
    row("server", "host-name", "localhost", Kind::HostName,
        "Host of the root URI, without fixed-root-uri.").raw(),
    row("server", "port", "8001", Kind::Port,
        "Port of the root URI, without fixed-root-uri."),
    row("server", "base-path", "", Kind::BasePath,
        "Path of the root URI, without fixed-root-uri."),
    row("server", "max-bytes", "-1", Kind::Limit,
        "Largest body of a request or of an answer, in bytes; negative: only [limits] apply."),
    row("server", "max-triples", "-1", Kind::Limit,
        "Most triples in a request or in an answer; negative: only [limits] apply."),
    row("server", "cache-control", "max-age=1", Kind::HeaderValue,
        "Cache-Control header of answers to GET; empty: no such header."),
    row("server", "send-traceback", "false", Kind::Boolean,
        "Tell the client the details of a fault of the server; for debugging only."),
    row("server", "cors-allow-origin", "", Kind::Text,
        "Deprecated: use allow-origin in [cors].")
        .without_effect("is deprecated: use allow-origin in [cors], which has its value unless given"),
    row("server", "no-cache", "false", Kind::Boolean,
        "Deprecated: use an empty cache-control.")
        .without_effect("is deprecated: use an empty cache-control, which is what true means unless it is given"),
    row("server", "scheme", "http", Kind::Text,
        "No effect: give fixed-root-uri.")
        .without_effect("has no effect: give the whole address as fixed-root-uri"),
    row("server", "resource-cache", "true", Kind::Text,
        "No effect: nothing is cached between requests that the store does not confirm.")
        .without_effect("has no effect: nothing is cached between requests that the store does not confirm"),
    row("server", "threads", "2", Kind::Text,
        "No effect: Apache chooses the number of processes.")
        .without_effect(APACHE_STARTS_US),
    row("server", "force-ipv4", "false", Kind::Text,
        "No effect: Apache listens.")
        .without_effect(APACHE_STARTS_US),
    row("server", "reset-connection", "false", Kind::Text,
        "No effect: each request reads the store as it is.")
        .without_effect("has no effect: each request reads the store as it is, whatever process wrote last"),

    row("rdf_database", "repository", "", Kind::Directory,
        "Directory of the store, relative to the folder of this file. If empty, a temporary one, lost at exit.").raw(),
    row("rdf_database", "force-init", "false", Kind::Boolean,
        "No effect: an empty store is always initialised, another never."),
    row("rdf_database", "map-size", "1T", Kind::Size { min: 1 << 20, max: 64 << 40 },
        "Room reserved for the store, in bytes (k, M, G, T) of address space, not of disk: what it can grow to."),

    row("ns_prefix", "_", "http://liris.cnrs.fr/silex/2009/ktbs#", Kind::Namespace,
        "Namespace of the empty prefix in Turtle and the like. Each option is a prefix; write %% for a percent sign."),
    row("ns_prefix", "skos", "http://www.w3.org/2004/02/skos/core#", Kind::Namespace,
        "Namespace of the prefix skos."),

    row("plugins", "cors", "false", Kind::Boolean,
        "Let pages of other sites use this kTBS; see [cors]."),
    row("plugins", "post_via_get", "false", Kind::Boolean,
        "Let GET ?post=... post to a stored trace."),
    row("plugins", "sparql_endpoints", "false", Kind::Boolean,
        "Make each resource a SPARQL endpoint; see [sparql]."),
    row("plugins", "stats_per_type", "true", Kind::Boolean,
        "Count the obsels of each type in @stats."),
    row("plugins", "stats_subjects", "false", Kind::Boolean,
        "Count the distinct subjects in @stats."),
    row("plugins", "meth_external", "false", Kind::Boolean,
        "DANGEROUS: allow the method external, by which any client runs any command on this machine; see [meth_external]."),
    row("plugins", "profiler", "false", Kind::Boolean,
        "Tell the stages of each request and their times, in the header Server-Timing."),
    row("plugins", "virtuoso_sparql", "false",
        Kind::Unavailable("is not available: the store is a directory (repository in [rdf_database]), and the plugin sparql_endpoints answers queries"),
        "Not available: the store is a directory."),
    row("plugins", "xgereco_obsel_table", "false", Kind::Boolean,
        "Offer obsels as a table in HTML, x-gereco/table, for the consoles that show it."),
    row("plugins", "authx", "false", Kind::Boolean,
        "Ask who may do what; see [authx]."),

    row("cors", "allow-origin", "", Kind::Words,
        "Sites whose pages may use this kTBS, separated by spaces, as https://example.org; * is any."),

    row("authx", "ways", "remote-user admin personal basic bearer login", Kind::WordsOf(WAYS),
        "How one finds out who sends a request, in this order: remote-user, admin, personal, basic, bearer, login."),
    row("authx", "policy", "private", Kind::OneOf(POLICIES),
        "What holds where no access control list says otherwise: open, read-only (to strangers), private."),
    row("authx", "realm", "kTBS", Kind::HeaderValue,
        "What a browser says that the password is for."),
    row("authx", "remote-groups", "", Kind::Variable,
        "Variable in which the web server gives the groups of REMOTE_USER, separated by commas or spaces."),
    row("authx", "admins", "", Kind::Words,
        "Users who may do all, separated by spaces."),
    row("authx", "admin-groups", "", Kind::Words,
        "Groups whose users may do all, separated by spaces."),
    row("authx", "htpasswd", "", Kind::File,
        "File of users and hashes of passwords, as htpasswd -B makes it; bcrypt or argon2."),
    row("authx", "jwks", "", Kind::File,
        "File of the public keys by which the issuer signs tokens (RFC 7517). If empty, the issuer is asked for them."),
    row("authx", "issuer", "", Kind::Text,
        "Issuer of the tokens: their iss. What is asked of it needs an https address, or one of this machine."),
    row("authx", "audience", "", Kind::Text,
        "For whom tokens must be: their aud."),
    row("authx", "user-claim", "sub", Kind::Text,
        "Claim of a token that names the user."),
    row("authx", "groups-claim", "groups", Kind::Text,
        "Claim of a token that lists the groups of the user."),
    row("authx", "client-id", "", Kind::Text,
        "Name of this server at the issuer, for introspection and for the login in browsers."),
    row("authx", "client-secret-file", "", Kind::File,
        "File of the secret that goes with client-id; if empty, there is none."),
    row("authx", "introspection", "false", Kind::Boolean,
        "Ask the issuer about tokens that it has not signed (RFC 7662)."),
    row("authx", "scope", "openid", Kind::Words,
        "What the login in browsers asks the issuer for; openid, and what it needs to tell the claims above."),
    row("authx", "session-key", "", Kind::File,
        "File of the key of sessions, of 32 bytes or more, closed to others. If empty, one is made beside the store."),
    row("authx", "session-seconds", "28800", Kind::Whole { min: 60, max: 2_592_000 },
        "How long a login in a browser lasts, in seconds."),
    row("authx", "issuer-logout", "false", Kind::Boolean,
        "Log out of the issuer too; it must know the root URI as an address to return to."),
    row("authx", "oauth_flow", "", Kind::OneOf(OLD_FLOWS),
        "Section of the provider where users log in, as in former versions, in place of the issuer."),

    row("authx_admin", "ip_whitelist", "", Kind::Addresses,
        "Addresses from which the administrator may come, separated by spaces."),
    row("authx_admin", "login", "", Kind::Text,
        "Name of the administrator."),
    row("authx_admin", "password", "", Kind::Text,
        "Password of the administrator: a hash, as htpasswd -B makes it, or in clear.").secret(),

    // Former versions had the parameters of requests in these addresses, secrets too.
    row("oauth_github", "auth_endpoint", "", Kind::Text,
        "Where users log in.").secret(),
    row("oauth_github", "access_token_endpoint", "", Kind::Text,
        "Where codes are exchanged for tokens.").secret(),
    row("oauth_github", "api_endpoint", "", Kind::Text,
        "What tells who has logged in.").secret(),
    row("oauth_github", "client_id", "", Kind::Text,
        "Name of this server at the provider."),
    row("oauth_github", "client_secret", "", Kind::Text,
        "Secret that goes with client_id.").secret(),
    row("oauth_github", "redirect_uri", "", Kind::Text,
        "Where users come back to. If empty, @login below the root."),

    row("oauth_claco", "auth_endpoint", "", Kind::Text,
        "Where users log in.").secret(),
    row("oauth_claco", "access_token_endpoint", "", Kind::Text,
        "Where codes are exchanged for tokens.").secret(),
    row("oauth_claco", "api_endpoint", "", Kind::Text,
        "What tells who has logged in.").secret(),
    row("oauth_claco", "client_id", "", Kind::Text,
        "Name of this server at the provider."),
    row("oauth_claco", "client_secret", "", Kind::Text,
        "Secret that goes with client_id.").secret(),
    row("oauth_claco", "redirect_uri", "", Kind::Text,
        "Where users come back to. If empty, @login below the root."),

    row("sparql", "allow-scope-store", "false", Kind::Boolean,
        "Let the method sparql query the whole store (scope=store)."),
    row("sparql", "allow-scope-ktbs", "false", Kind::Boolean,
        "Another name of allow-scope-store."),
    row("sparql", "update_endpoints", "false", Kind::Boolean,
        "Let SPARQL endpoints update."),

    row("meth_external", "shell", "false", Kind::Boolean,
        "Let a shell read the command lines; else they are cut into words, then parameters are put in these."),
    row("meth_external", "seconds", "30", Kind::Whole { min: 1, max: 3600 },
        "How long a command may run, in seconds; must be below FcgidIOTimeout of Apache."),
    row("meth_external", "output-bytes", "67108864", Kind::Size { min: 1, max: 1 << 32 },
        "How much a command may print, in bytes (k, M, G, T)."),

    row("limits", "request-bytes", "67108864", Kind::Size { min: 1, max: i64::MAX as u64 },
        "Largest body of a request, in bytes (k, M, G, T); FcgidMaxRequestLen of Apache must be above."),
    row("limits", "request-triples", "2000000", Kind::Whole { min: 1, max: i64::MAX as u64 },
        "Most triples in the body of a request."),
    row("limits", "nesting", "128", Kind::Whole { min: 8, max: 1024 },
        "Deepest nesting of brackets, objects or elements in the body of a request."),
    row("limits", "literal-bytes", "16777216", Kind::Size { min: 1, max: 1 << 30 },
        "Longest literal or IRI, in bytes (k, M, G, T)."),
    row("limits", "id-bytes", "240", Kind::Whole { min: 16, max: 240 },
        "Longest identifier of a resource or obsel, in bytes; at most 240."),
    row("limits", "query-seconds", "20", Kind::Whole { min: 1, max: 3600 },
        "How long a SPARQL query may take, in seconds; must be below FcgidIOTimeout of Apache."),
    row("limits", "query-memory", "268435456", Kind::Size { min: 1 << 20, max: 1 << 40 },
        "How much memory a SPARQL query may take, in bytes (k, M, G, T)."),
    row("limits", "computing-seconds", "120", Kind::Whole { min: 1, max: 86_400 },
        "How long the computation of a trace may take, in seconds; must be below FcgidIOTimeout of Apache."),
    row("limits", "fsa-tokens", "10000", Kind::Whole { min: 1, max: 1_000_000 },
        "Most tokens that an automaton of the method fsa may have at once."),
    row("limits", "sub-methods", "32", Kind::Whole { min: 1, max: 1000 },
        "Most methods that a pipe or a parallel may go through, with those that these go through."),

    row("logging", "loggers", "", Kind::Words,
        "What is logged, separated by spaces: ktbs, or a part such as ktbs.http. If empty, bare warnings and errors.").raw(),
    row("logging", "console-level", "INFO", Kind::Level,
        "Level of these loggers: DEBUG, INFO, WARNING, ERROR, or a number.").raw(),
    row("logging", "console-format", "%(levelname)s\t%(asctime)s\t%(name)s\t%(message)s", Kind::LogFormat,
        "Lines of these loggers, as a Python format string.").raw(),
    row("logging", "filename", "", Kind::File,
        "File to whose end the log is added too, relative to the folder of this file; if empty, none.").raw(),
    row("logging", "file-level", "", Kind::OptionalLevel,
        "Level of the file. If empty, console-level or WARNING, whichever tells more.").raw(),
    row("logging", "ktbs-logurl", "", Kind::Text,
        "No effect: a server that sends requests could block on them. Collect the log from its file.").raw()
        .without_effect("has no effect: a server that sends requests could block on them; collect the log from its file"),
    row("logging", "ktbs-level", "", Kind::OptionalLevel,
        "No effect: it is the level of ktbs-logurl.").raw()
        .without_effect("has no effect, since ktbs-logurl has none"),
    row("logging", "json-configuration-filename", "", Kind::File,
        "JSON file of Python's logging: streams, files, levels and formats; it goes before filename and file-level.").raw(),

    row("access_log", "filename", "", Kind::File,
        "File to whose end a line of JSON goes for each request, relative to the folder of this file; if empty, none."),
    row("access_log", "required", "false", Kind::Boolean,
        "Refuse requests (503) while no line can be written about them."),

    row("profiler", "directory", "", Kind::Text,
        "No effect: the times go to the client.")
        .without_effect("has no effect: the stages of a request are told in its answer, by the header Server-Timing"),
];

/// Returns the row of an option.
pub fn find(section: &str, name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.section == section && row.name == name)
}

/// Tells whether a section has options of ours.
pub fn is_section(name: &str) -> bool {
    OPTIONS.iter().any(|row| row.section == name)
}

#[cfg(test)]
mod test {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_unique_and_in_lower_case() {
        let mut names = HashSet::new();
        for row in OPTIONS {
            assert!(
                names.insert((row.section, row.name)),
                "{} {} comes twice",
                row.section,
                row.name
            );
            assert_eq!(row.name, row.name.to_lowercase());
        }
    }

    #[test]
    fn sections_are_together() {
        let mut sections: Vec<&str> = OPTIONS.iter().map(|row| row.section).collect();
        sections.dedup();
        let unique: HashSet<&str> = sections.iter().copied().collect();
        assert_eq!(sections.len(), unique.len());
    }

    #[test]
    fn defaults_are_correct_values() {
        for row in OPTIONS {
            let parsed = row.kind.parse(row.default, Path::new("/"));
            assert!(parsed.is_ok(), "[{}] {}: {parsed:?}", row.section, row.name);
        }
    }

    #[test]
    fn meanings_are_one_sentence_on_one_line() {
        for row in OPTIONS {
            let line = row.meaning;
            assert!(
                line.ends_with('.') && !line.contains('\n') && line.len() < 118,
                "{line}"
            );
        }
    }
}
