//! The reserved namespace: what a client may not say about a resource, because the kTBS says it.

use indexmap::IndexSet;

use crate::rdf::{Graph, Term, Triple, as_iri, blank, is_blank, is_iri};
use crate::resource::check::shown;
use crate::resource::draft::Draft;
use crate::vocab::{KTBS, ktbs, rdf};

/// Checks that only the allowed triples of the `k:` namespace are stated (creation), added or removed (edition) about
/// the resource: its main type and the link from its container at creation, the `editable` properties of which it is
/// the subject at any time.
///
/// Triples that do not touch the resource are nobody's business, nor is what is outside of the `k:` namespace.
pub fn check(draft: &Draft, editable: &[&str]) -> Vec<String> {
    match &draft.before {
        None => controlled(&draft.graph, &draft.iri)
            .iter()
            .filter(|[s, p, o]| {
                let is_main_type = is_iri(s, &draft.iri) && is_iri(p, rdf::TYPE) && is_iri(o, draft.row.class);
                !is_main_type && !draft.is_link([s, p, o])
            })
            .filter_map(|triple| refusal(draft, triple, editable))
            .collect(),
        Some(before) => {
            let old = controlled(&before.graph, &draft.iri);
            let new = controlled(&draft.graph, &draft.iri);
            old.difference(&new)
                .chain(new.difference(&old))
                .filter_map(|triple| refusal(draft, triple, editable))
                .collect()
        }
    }
}

/// Returns the triples that touch a resource with a reserved property or type.
///
/// All blank nodes are made one: what is protected never has any, so that comparing two sets is comparing the graphs
/// modulo isomorphism, for what matters.
fn controlled(graph: &Graph, iri: &str) -> IndexSet<Triple> {
    let anonymous = |term: &Term| if is_blank(term) { blank("any") } else { term.clone() };
    let Some(id) = graph.iri_id(iri) else {
        return IndexSet::new();
    };
    let touching = graph.ids().filter(|&[s, _, o]| s == id || o == id);
    touching
        .map(|triple| triple.map(|id| graph.term(id)))
        .filter(|[s, p, o]| is_reserved(p) || (is_iri(s, iri) && is_iri(p, rdf::TYPE) && is_reserved(o)))
        .map(|triple| triple.map(anonymous))
        .collect()
}

/// Tells whether a term belongs to the `k:` namespace.
fn is_reserved(term: &Term) -> bool {
    as_iri(term).is_some_and(|iri| iri.starts_with(KTBS))
}

/// Says why a controlled triple may not be created or edited, if it may not.
fn refusal(draft: &Draft, [s, p, o]: &Triple, editable: &[&str]) -> Option<String> {
    let (verb, iri) = (draft.verb(), &draft.iri);
    if is_iri(s, iri) {
        if is_iri(p, rdf::TYPE) {
            return Some(format!("Can not {verb} type {} for <{iri}>", shown(o)));
        }
        if !editable.iter().any(|property| is_iri(p, property)) {
            return Some(format!("Can not {verb} out-property {} of <{iri}>", shown(p)));
        }
    }
    (is_iri(o, iri) && is_reserved(p)).then(|| format!("Can not {verb} in-property {} to <{iri}>", shown(p)))
}

/// Checks that the types of the items of a base are neither changed nor removed, which the base generates.
pub fn check_item_types(draft: &Draft) -> Vec<String> {
    let Some(before) = &draft.before else {
        return Vec::new();
    };
    let items: IndexSet<&Term> = before.graph.objects_of(&draft.iri, ktbs::CONTAINS).collect();
    let types = |graph: &Graph| -> IndexSet<Triple> {
        let typed = graph
            .iter()
            .filter(|[s, p, o]| is_iri(p, rdf::TYPE) && is_reserved(o) && items.contains(s));
        typed.map(|triple| triple.map(Clone::clone)).collect()
    };
    let (old, new) = (types(&before.graph), types(&draft.graph));
    old.difference(&new)
        .chain(new.difference(&old))
        .map(|[item, _, class]| format!("Can not edit type {} for {}", shown(class), shown(item)))
        .collect()
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::resource::draft::test::draft;
    use crate::store::Kind;

    /// Shortens messages: no namespace, no IRI of the resource.
    fn brief(problems: Vec<String>) -> Vec<String> {
        problems
            .iter()
            .map(|problem| problem.replace(KTBS, "").replace(" <http://h/b/r>", ""))
            .collect()
    }

    #[test]
    fn creation_states_what_is_allowed() {
        for (turtle, expected) in [
            (
                "<> k:contains <r>. <r> a k:TraceModel, x:T; k:hasUnit k:second; x:p 1; rdfs:label 'r'.",
                vec![],
            ),
            (
                "<r> a k:TraceModel, k:Method.",
                vec!["Can not create type <Method> for"],
            ),
            ("<r> a k:Nonsense.", vec!["Can not create type <Nonsense> for"]),
            ("<r> k:contains <s>.", vec!["Can not create out-property <contains> of"]),
            (
                "<s> k:hasParentModel <r>.",
                vec!["Can not create in-property <hasParentModel> to"],
            ),
            (
                "<other/> k:contains <r>.",
                vec!["Can not create in-property <contains> to"],
            ),
            (
                "<r> k:hasParentModel <r>.",
                vec!["Can not create in-property <hasParentModel> to"],
            ),
            (
                "<r#T> a k:ObselType; k:hasSuperObselType <r#U>. <s> k:contains <t>. <s> a k:Base.",
                vec![],
            ),
            ("<s> a <r>. <s> x:p <r>.", vec![]),
        ] {
            let draft = draft(Kind::TraceModel, turtle, None);
            assert_eq!(
                brief(check(&draft, &[ktbs::HAS_UNIT, ktbs::HAS_PARENT_MODEL])),
                expected,
                "{turtle}"
            );
        }
    }

    #[test]
    fn edition_is_about_what_changes() {
        let before = "<> k:contains <r>. <r> a k:TraceModel, x:T; k:hasUnit k:second; k:old 1. <s> k:uses <r>.
                      <r> x:p [x:q 1].";
        for (turtle, expected) in [
            (before, vec![]),
            (
                "<> k:contains <r>. <r> a k:TraceModel; k:hasUnit k:millisecond; k:old 1; x:new []. <s> k:uses <r>.",
                vec![],
            ),
            (
                "<r> a x:T.",
                vec![
                    "Can not edit in-property <contains> to",
                    "Can not edit type <TraceModel> for",
                    "Can not edit out-property <old> of",
                    "Can not edit in-property <uses> to",
                ],
            ),
            (
                "<> k:contains <r>. <r> a k:TraceModel, k:Base; k:old 1, 2; k:hasModel []. <s> k:uses <r>.
                 <t> k:uses <r>.",
                vec![
                    "Can not edit type <Base> for",
                    "Can not edit out-property <old> of",
                    "Can not edit out-property <hasModel> of",
                    "Can not edit in-property <uses> to",
                ],
            ),
        ] {
            let draft = draft(Kind::TraceModel, turtle, Some(before));
            assert_eq!(brief(check(&draft, &[ktbs::HAS_UNIT])), expected, "{turtle}");
        }
    }

    #[test]
    fn item_types_are_kept() {
        let before = "<r/> k:contains <i>, <j>. <i> a k:Method, x:T. <j> a k:TraceModel.";
        for (turtle, expected) in [
            ("<i> a k:Method. <j> a k:TraceModel, x:T. <foreign> a k:Base.", vec![]),
            (
                "<i> a k:Method.",
                vec!["Can not edit type <TraceModel> for <http://h/b/j>"],
            ),
            (
                "<i> a k:Base. <j> a k:TraceModel.",
                vec![
                    "Can not edit type <Method> for <http://h/b/i>",
                    "Can not edit type <Base> for <http://h/b/i>",
                ],
            ),
        ] {
            assert_eq!(
                brief(check_item_types(&draft(Kind::Base, turtle, Some(before)))),
                expected,
                "{turtle}"
            );
        }
    }
}
