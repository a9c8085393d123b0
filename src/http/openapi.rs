//! The description of the API (OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.0>), for programs that make clients, pages or
//! tests of it.
//!
//! It is made from the tables by which requests are answered: kinds of resources, formats, parameters. So it says what this
//! kTBS does.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::format;
use crate::plugin::{self, Address};
use crate::resource::Shape;
use crate::resource::catalog::{Described, described};
use crate::resource::parameter::{Form, Parameter};

/// What each method answers: status, meaning.
static ANSWERS: [(&str, &[u16]); 6] = [
    ("GET", &[200, 304, 400, 403, 404, 406, 409, 413, 503, 507, 550]),
    ("HEAD", &[200, 304, 400, 403, 404, 406, 409, 503, 507, 550]),
    ("POST", &[200, 201, 400, 403, 404, 405, 409, 411, 413, 415, 503, 507]),
    (
        "PUT",
        &[200, 400, 403, 404, 405, 406, 409, 411, 412, 413, 415, 503, 507, 550],
    ),
    ("DELETE", &[204, 400, 404, 405, 409, 503, 507]),
    ("OPTIONS", &[200, 400, 404]),
];

fn meaning(status: u16) -> &'static str {
    match status {
        200 => "The resource, or the result of a query.",
        201 => "Created; the body lists the URIs.",
        204 => "Deleted; a collection of obsels was emptied.",
        303 => "The browser is to go on elsewhere.",
        304 => "The client has it already.",
        400 => "The payload or the query is not well-formed; the text tells where.",
        401 => "One must log in, or what was given is wrong.",
        403 => "The data or the visitor are refused, If-Match is missing, or a limit was met; the text tells why.",
        404 => "No such resource, extension or parameter.",
        405 => "The resource does not support the method; Allow lists those it does.",
        406 => "No format suits Accept; the text lists those that are offered.",
        409 => "The state of the resource, or of another one, forbids it; the text tells why.",
        411 => "The length of the body is required.",
        412 => "If-Match names another state.",
        413 => "The request is larger than a limit, which the text names.",
        415 => "No parser for this media type, or this charset.",
        429 => "Too many wrong passwords: Retry-After tells when to try again.",
        503 => "Busy, or a query is too complex; the text tells which.",
        507 => "The store is full; nothing was changed.",
        550 => "The state cannot be written in this format.",
        _ => "",
    }
}

/// Returns the description of a kTBS, and of documents that it has: name, summary, media type.
///
/// # Errors
/// `Internal` if it cannot be written.
pub(super) fn write(
    config: &Config,
    documents: impl Iterator<Item = (&'static str, &'static str, &'static str)>,
) -> Result<Vec<u8>> {
    let mut addresses: IndexMap<&str, Vec<Described>> = IndexMap::new();
    for kind in described(config.plugins.authx) {
        addresses.entry(kind.address).or_default().push(kind);
    }
    let mut paths: Map<String, Value> = addresses
        .iter()
        .map(|(address, kinds)| (format!("/{address}"), path(config, kinds)))
        .collect();
    for (name, summary, media_type) in documents {
        let content = json!({ media_type: {"schema": {"type": "object"}} });
        let responses = json!({
            "200": {"description": summary, "content": content},
            "304": {"description": meaning(304)},
            "400": failure(400), "404": failure(404),
        });
        paths.insert(
            format!("/{name}"),
            json!({"get": {"summary": summary, "responses": responses}}),
        );
    }
    paths.extend(plugin::addresses(config).map(|address| (format!("/{}", address.name), elsewhere(address))));
    let description = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "kTBS",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Kernel for trace-based systems",
            "description": "What is at {base}/… may also be in a base of a base, at any depth. An extension at the end of an address \
                (.json, .ttl…) selects the format, as Accept does otherwise.",
        },
        "servers": [{"url": config.server.root.trim_end_matches('/')}],
        "paths": paths,
        "components": {"schemas": schemas(), "parameters": names()},
    });
    serde_json::to_vec_pretty(&description).map_err(|e| Error::Internal(e.to_string()))
}

/// Describes what leads elsewhere.
fn elsewhere(address: &Address) -> Value {
    let parameter = |(name, meaning): &(&str, &str)| json!({"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}});
    let parameters: Vec<Value> = address.parameters.iter().map(parameter).collect();
    let location = json!({"schema": {"type": "string"}, "description": "Where to go."});
    let mut responses = json!({"303": {"description": meaning(303), "headers": {"Location": location}}});
    for status in [400, 429, 503] {
        responses[status.to_string()] = failure(status);
    }
    json!({"get": {"summary": address.summary, "parameters": parameters, "responses": responses}})
}

/// The segments of addresses that whoever creates a resource chooses.
const NAMES: [(&str, &str); 4] = [
    ("base", "The name of a base."),
    ("trace", "The name of a trace, or of a base in the base."),
    ("item", "The name of a model, of a method or of a data graph."),
    ("obsel", "The id of an obsel."),
];

fn names() -> Value {
    let parameter = |(name, meaning): (&str, &str)| {
        let schema = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 240});
        let parameter = json!({"name": name, "in": "path", "required": true, "description": meaning, "schema": schema});
        (name.to_owned(), parameter)
    };
    NAMES.map(parameter).into_iter().collect::<Map<_, _>>().into()
}

/// Describes what may be asked at an address where there may be these kinds of resources.
fn path(config: &Config, kinds: &[Described]) -> Value {
    let mut item = Map::new();
    let address = kinds.first().map_or("", |kind| kind.address);
    let names: Vec<Value> = NAMES
        .iter()
        .filter(|(name, _)| address.contains(&format!("{{{name}}}")))
        .map(|(name, _)| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect();
    if !names.is_empty() {
        item.insert("parameters".to_owned(), names.into());
    }
    let methods = ANSWERS.iter().filter(|(method, _)| {
        // POST is for queries too.
        let is_endpoint = *method == "POST" && config.plugins.sparql_endpoints;
        *method == "OPTIONS" || is_endpoint || kinds.iter().any(|kind| kind.allow.contains(method))
    });
    for (method, statuses) in methods {
        let asked: &[u16] = match *method {
            _ if !config.plugins.authx => &[],
            "OPTIONS" => &[],
            _ => &[401, 403, 429],
        };
        let mut statuses = [statuses, asked].concat();
        statuses.sort_unstable();
        statuses.dedup();
        let operation = operation(config, kinds, method, &statuses);
        item.insert(method.to_ascii_lowercase(), operation);
    }
    item.into()
}

fn operation(config: &Config, kinds: &[Described], method: &str, statuses: &[u16]) -> Value {
    let classes: Vec<&str> = kinds
        .iter()
        .filter(|kind| method == "OPTIONS" || kind.allow.contains(&method))
        .map(|kind| kind.class)
        .collect();
    let mut parameters = Vec::new();
    if matches!(method, "GET" | "HEAD") {
        let mut known: Vec<&Parameter> = Vec::new();
        for parameter in kinds.iter().flat_map(|kind| kind.parameters) {
            if !known.iter().any(|it| it.name == parameter.name) {
                known.push(parameter);
                parameters.push(query_parameter(parameter));
            }
        }
        if method == "GET" && config.plugins.sparql_endpoints {
            parameters.extend(SPARQL.iter().map(query_parameter));
        }
        if method == "GET" && config.plugins.post_via_get && kinds.iter().any(|kind| kind.class == "StoredTrace") {
            parameters.extend(POST.iter().map(query_parameter));
        }
        parameters.push(header("If-None-Match", false, "Etags of what the client has."));
    }
    if method == "PUT" {
        let meaning = "The etag of what is replaced, as read in the format of the payload.";
        parameters.push(header("If-Match", true, meaning));
    }
    let responses: Map<String, Value> = statuses
        .iter()
        .map(|status| (status.to_string(), response(config, kinds, method, *status)))
        .collect();
    let mut operation = json!({
        "summary": format!("{method}: {}", classes.join(", ")),
        "parameters": parameters,
        "responses": responses,
    });
    if matches!(method, "POST" | "PUT") {
        operation["requestBody"] = json!({"required": true, "content": payloads(config, kinds, method)});
    }
    operation
}

/// The parameters of obsels that are posted by a GET.
static POST: [Parameter; 2] = [
    Parameter {
        name: "post",
        form: Form::Text,
        meaning: "Obsels to be added to a stored trace, as the payload of a POST.",
    },
    Parameter {
        name: "ctype",
        form: Form::Text,
        meaning: "The media type of what is posted; application/json by default.",
    },
];

/// The parameters of a SPARQL query.
static SPARQL: [Parameter; 2] = [
    Parameter {
        name: "query",
        form: Form::Text,
        meaning: "A SPARQL query about the resource, whose results are answered.",
    },
    Parameter {
        name: "scope",
        form: Form::One(&["graph", "subtree"]),
        meaning: "What a query is about: the resource, or all that is below it.",
    },
];

fn header(name: &str, required: bool, meaning: &str) -> Value {
    let schema = json!({"type": "string"});
    json!({"name": name, "in": "header", "required": required, "description": meaning, "schema": schema})
}

fn query_parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.form {
        Form::Integer => json!({"type": "integer"}),
        Form::Natural => json!({"type": "integer", "minimum": 0}),
        Form::Obsel | Form::Text => json!({"type": "string"}),
        Form::Flag => json!({"type": "string", "enum": ["", "yes", "no"]}),
        Form::One(words) => json!({"type": "string", "enum": words}),
        Form::Some(words) => json!({"type": "array", "items": {"type": "string", "enum": words}}),
    };
    let mut parameter = json!({
        "name": parameter.name, "in": "query", "description": parameter.meaning, "schema": schema,
    });
    if schema["type"] == "array" {
        parameter["style"] = "form".into();
        parameter["explode"] = false.into();
    }
    parameter
}

fn shapes(kinds: &[Described]) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    for kind in kinds {
        if !shapes.contains(&kind.shape) {
            shapes.push(kind.shape);
        }
    }
    shapes
}

fn response(config: &Config, kinds: &[Described], method: &str, status: u16) -> Value {
    let description = meaning(status);
    match status {
        200 if method == "OPTIONS" => json!({"description": "The methods that may be tried, in Allow."}),
        200 if method == "HEAD" => json!({"description": description}),
        200 => {
            let mut content = Map::new();
            if method != "POST" {
                for shape in shapes(kinds) {
                    for offer in plugin::offers(config, shape) {
                        content.insert(offer.media_type.to_owned(), json!({"schema": shown(offer.media_type)}));
                    }
                }
            }
            if config.plugins.sparql_endpoints && method != "PUT" {
                for media_type in plugin::sparql_results() {
                    content.insert(media_type.to_owned(), json!({"schema": shown(media_type)}));
                }
            }
            json!({"description": description, "content": content})
        }
        201 => {
            let content = json!({"text/uri-list": {"schema": {"type": "string"}}});
            let location = json!({"schema": {"type": "string"}, "description": "The first URI."});
            json!({"description": description, "headers": {"Location": location}, "content": content})
        }
        204 | 304 => json!({"description": description}),
        _ if method == "HEAD" => json!({"description": description}),
        405 => {
            let mut refusal = failure(405);
            refusal["headers"] = json!({"Allow": {"schema": {"type": "string"}}});
            refusal
        }
        _ => failure(status),
    }
}

fn failure(status: u16) -> Value {
    json!({"description": meaning(status), "content": {"text/plain": {"schema": {"type": "string"}}}})
}

/// What a media type shows, as far as a schema can tell.
fn shown(media_type: &str) -> Value {
    if media_type.ends_with("json") && !media_type.ends_with("ndjson") {
        json!({"type": "object"})
    } else {
        json!({"type": "string"})
    }
}

/// The payloads that an address takes, by media type.
fn payloads(config: &Config, kinds: &[Described], method: &str) -> Value {
    let takes = |kind: &&Described| kind.allow.contains(&method);
    let mut json_forms: Vec<Value> = Vec::new();
    let mut has_obsels = false;
    for kind in kinds.iter().filter(takes) {
        let names: &[&str] = match (method, kind.class) {
            ("POST", "KtbsRoot") => &["Base"],
            ("POST", "Base") => &["Base", "Model", "Trace", "Method", "DataGraph"],
            ("POST", "StoredTrace") => &["Obsel", "Obsels"],
            ("PUT", "StoredTraceObsels") => &["Obsels", "Anything"],
            ("PUT", "AccessControlList") => &["Access", "Anything"],
            _ => &["Anything"],
        };
        has_obsels |= (method, kind.class) == ("POST", "StoredTrace");
        for name in names {
            let form = json!({"$ref": format!("#/components/schemas/{name}")});
            if !json_forms.contains(&form) {
                json_forms.push(form);
            }
        }
    }
    let mut content = Map::new();
    if !json_forms.is_empty() {
        for media_type in format::payload_types() {
            let schema = match media_type {
                "application/json" => json!({"anyOf": json_forms}),
                "application/ld+json" => json!({"type": ["object", "array"]}),
                _ => json!({"type": "string"}),
            };
            content.insert(media_type.to_owned(), json!({"schema": schema}));
        }
    }
    if has_obsels {
        for media_type in format::line_types() {
            content.insert(media_type.to_owned(), json!({"schema": {"type": "string"}}));
        }
    }
    if method == "POST" && config.plugins.sparql_endpoints {
        for media_type in ["application/sparql-query", "application/sparql-update"] {
            content.insert(media_type.to_owned(), json!({"schema": {"type": "string"}}));
        }
        let form = json!({"type": "object", "properties": {"query": {"type": "string"}}});
        content.insert("application/x-www-form-urlencoded".to_owned(), json!({"schema": form}));
    }
    content.into()
}

/// The shapes of simple JSON that may be posted.
fn schemas() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": ["string", "array"], "items": {"type": "string"}});
    let item = |class: &str, more: Value| {
        let mut properties = json!({"@id": text, "@type": {"const": class}, "label": text});
        if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
            properties.extend(more);
        }
        json!({"type": "object", "required": ["@type"], "properties": properties})
    };
    let trace = json!({
        "@type": {"enum": ["StoredTrace", "ComputedTrace"]}, "hasModel": text, "origin": text, "hasMethod": text,
        "hasSource": texts, "parameter": texts, "defaultSubject": text,
    });
    let obsel = json!({
        "type": "object",
        "properties": {
            "@id": text, "@type": texts, "begin": {"type": "integer"}, "end": {"type": "integer"},
            "beginDT": text, "endDT": text, "subject": text, "hasSourceObsel": texts,
        },
    });
    json!({
        "Base": item("Base", json!({})),
        "Model": {
            "type": "object",
            "required": ["@graph"],
            "properties": {"@graph": {"type": "array", "items": {"type": "object"}}},
        },
        "Trace": item("StoredTrace", trace),
        "Method": item("Method", json!({"hasParentMethod": text, "parameter": texts})),
        "DataGraph": item("DataGraph", json!({})),
        "Obsel": obsel,
        "Obsels": {"type": "array", "items": {"$ref": "#/components/schemas/Obsel"}},
        "Access": {
            "type": "object",
            "properties": {
                "owner": text, "inherited": {"type": "boolean"}, "ignoresSources": {"type": "boolean"},
                "read": texts, "add": texts, "write": texts, "manage": texts,
            },
        },
        "Anything": {"type": "object", "description": "What a GET shows, edited."},
    })
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::plugin::test::config;

    fn description(authx: bool) -> Value {
        let mut config = config();
        config.plugins.authx = authx;
        described_by(&config)
    }

    fn described_by(config: &Config) -> Value {
        serde_json::from_slice(&write(config, std::iter::empty()).unwrap()).unwrap()
    }

    #[test]
    fn the_login_is_described_where_there_is_one() {
        let mut config = config();
        config.plugins.authx = true;
        assert!(described_by(&config)["paths"]["/@login"].is_null());
        (config.authx.issuer, config.authx.client_id) = ("https://issuer.example".to_owned(), "ktbs".to_owned());
        let description = described_by(&config);
        for path in ["/@login", "/@logout"] {
            assert!(
                description["paths"][path]["get"]["responses"]["303"].is_object(),
                "{path}"
            );
        }
        assert_eq!(description["paths"]["/@login"]["get"]["parameters"][0]["name"], "to");
    }

    #[test]
    fn who_may_do_what_is_described_where_somebody_asks() {
        let (without, with) = (description(false), description(true));
        for path in ["/@acl", "/{base}/@acl", "/{base}/{trace}/@acl"] {
            assert!(without["paths"][path].is_null(), "{path}");
            for method in ["get", "put", "delete"] {
                assert!(with["paths"][path][method]["responses"]["401"].is_object(), "{path}");
            }
        }
        assert!(without["paths"]["/"]["get"]["responses"]["401"].is_null());
    }

    #[test]
    fn each_kind_is_described_where_it_is_with_what_it_takes() {
        let description = description(true);
        for kind in described(true) {
            let path = &description["paths"][format!("/{}", kind.address)];
            for method in kind.allow {
                let operation = &path[method.to_ascii_lowercase()];
                assert!(
                    operation["summary"].as_str().unwrap().contains(kind.class),
                    "{method} {kind:?}"
                );
                if matches!(*method, "GET" | "HEAD") {
                    let names: Vec<&str> = operation["parameters"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|it| it["name"].as_str().unwrap())
                        .collect();
                    assert!(kind.parameters.iter().all(|it| names.contains(&it.name)), "{kind:?}");
                }
            }
            let content = &path["get"]["responses"]["200"]["content"];
            for offer in plugin::offers(&config(), kind.shape) {
                assert!(
                    content[offer.media_type].is_object(),
                    "{} of {kind:?}",
                    offer.media_type
                );
            }
        }
    }

    #[test]
    fn each_status_has_a_meaning_and_each_reference_a_target() {
        for status in ANSWERS.iter().flat_map(|row| row.1).chain(&[401, 429]) {
            assert_ne!(meaning(*status), "", "{status}");
        }
        let description = description(true);
        let text = description.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
