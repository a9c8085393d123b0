//! What one may send from the page of a resource: edit it, create in it, delete it.

use crate::resource::view::Content;
use crate::resource::{Shape, View};
use crate::vocab::{ktbs, rdf};

/// Something that one may do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// The method of the request.
    pub method: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What one starts from, in simple JSON; may be empty.
    pub template: &'static str,
}

const fn action(method: &'static str, label: &'static str, template: &'static str) -> Action {
    Action {
        method,
        label,
        template,
    }
}

const READ: Action = action("GET", "Read", "");
const EDIT: Action = action("PUT", "Edit", "");
const DELETE: Action = action("DELETE", "Delete", "");
const BASE: Action = action(
    "POST",
    "Add a base",
    r#"{
  "@id": "base1/",
  "@type": "Base",
  "label": "My base"
}"#,
);

static ROOT: [Action; 3] = [READ, EDIT, BASE];
static CONTAINER: [Action; 9] = [
    READ,
    EDIT,
    action(
        "POST",
        "Add a trace model",
        r##"{
  "@graph": [
    {"@id": "model1", "@type": "TraceModel", "hasUnit": "millisecond"},
    {"@id": "model1#Click", "@type": "ObselType", "label": "Click"}
  ]
}"##,
    ),
    action(
        "POST",
        "Add a stored trace",
        r#"{
  "@id": "trace1/",
  "@type": "StoredTrace",
  "hasModel": "model1",
  "origin": "now",
  "defaultSubject": "alice"
}"#,
    ),
    action(
        "POST",
        "Add a computed trace",
        r#"{
  "@id": "computed1/",
  "@type": "ComputedTrace",
  "hasMethod": "filter",
  "hasSource": ["trace1/"],
  "parameter": ["after=0"]
}"#,
    ),
    action(
        "POST",
        "Add a method",
        r#"{
  "@id": "method1",
  "@type": "Method",
  "hasParentMethod": "filter",
  "parameter": ["after=0"]
}"#,
    ),
    action(
        "POST",
        "Add a data graph",
        r#"{
  "@id": "data1",
  "@type": "DataGraph",
  "label": "My data"
}"#,
    ),
    BASE,
    DELETE,
];
static STORED_TRACE: [Action; 4] = [
    READ,
    EDIT,
    action(
        "POST",
        "Add obsels",
        r#"[
  {"@type": "m:Click", "begin": 0, "end": 10, "subject": "alice"}
]"#,
    ),
    DELETE,
];
static ITEM: [Action; 3] = [READ, EDIT, DELETE];
static OBSEL: [Action; 2] = [READ, DELETE];
static READ_ONLY: [Action; 1] = [READ];

/// Returns what one may do with a resource that a view shows.
pub fn actions(view: &View) -> &'static [Action] {
    match (view.shape, is_computed(view)) {
        (Shape::Root, _) => &ROOT,
        (Shape::Base, _) => &CONTAINER,
        (Shape::Trace, false) => &STORED_TRACE,
        (Shape::Stats, _) | (Shape::Obsels | Shape::Obsel, true) => &READ_ONLY,
        (Shape::Obsel, false) => &OBSEL,
        (Shape::Trace, true) | (Shape::Obsels, false) => &ITEM,
        (Shape::Model | Shape::Method | Shape::DataGraph | Shape::Acl, _) => &ITEM,
    }
}

/// Returns what a resource that a view shows is called.
pub fn title(view: &View) -> &'static str {
    match (view.shape, is_computed(view)) {
        (Shape::Root, _) => "kTBS",
        (Shape::Base, _) => "base",
        (Shape::Model, _) => "trace model",
        (Shape::Method, _) => "method",
        (Shape::Trace, false) => "stored trace",
        (Shape::Trace, true) => "computed trace",
        (Shape::DataGraph, _) => "data graph",
        (Shape::Obsels, _) => "obsels",
        (Shape::Obsel, _) => "obsel",
        (Shape::Stats, _) => "statistics",
        (Shape::Acl, _) => "access",
    }
}

fn is_computed(view: &View) -> bool {
    match &view.content {
        Content::Graph(graph) => graph.contains_iris(&view.iri, rdf::TYPE, ktbs::COMPUTED_TRACE),
        Content::Obsels(obsels) => obsels.collection_type == ktbs::COMPUTED_TRACE_OBSELS,
    }
}
