//! Terms of ours, which are Sophia's, to terms of the evaluator, which are Oxigraph's, and back.

use oxrdf::{BaseDirection, BlankNode, Literal, NamedNode, NamedOrBlankNode, Triple};
use sophia::api::term::{BaseDirection as Direction, BnodeId, IriRef, LanguageTag, SimpleTerm, Term as _};

use super::terms::{Parts, Terms};
use crate::rdf::{Term, TermId};

/// Returns the term of a term of the evaluator.
pub(super) fn from_oxrdf(term: &oxrdf::Term) -> Term {
    borrowed(term).into_term()
}

/// Returns the term of a term of the evaluator, which it borrows.
pub(super) fn borrowed(term: &oxrdf::Term) -> SimpleTerm<'_> {
    match term {
        oxrdf::Term::NamedNode(node) => borrowed_iri(node.as_str()),
        oxrdf::Term::BlankNode(node) => SimpleTerm::BlankNode(BnodeId::new_unchecked(node.as_str().into())),
        oxrdf::Term::Literal(literal) => match literal.language() {
            None => SimpleTerm::LiteralDatatype(
                literal.value().into(),
                IriRef::new_unchecked(literal.datatype().as_str().into()),
            ),
            Some(language) => SimpleTerm::LiteralLanguage(
                literal.value().into(),
                LanguageTag::new_unchecked(language.into()),
                literal.direction().map(from_direction),
            ),
        },
        oxrdf::Term::Triple(triple) => SimpleTerm::Triple(Box::new([
            borrowed_node(&triple.subject),
            borrowed_iri(triple.predicate.as_str()),
            borrowed(&triple.object),
        ])),
    }
}

fn borrowed_iri(iri: &str) -> SimpleTerm<'_> {
    SimpleTerm::Iri(IriRef::new_unchecked(iri.into()))
}

fn borrowed_node(node: &NamedOrBlankNode) -> SimpleTerm<'_> {
    match node {
        NamedOrBlankNode::NamedNode(node) => borrowed_iri(node.as_str()),
        NamedOrBlankNode::BlankNode(node) => SimpleTerm::BlankNode(BnodeId::new_unchecked(node.as_str().into())),
    }
}

/// Returns the term of a subject of the evaluator.
pub(super) fn from_node(node: &NamedOrBlankNode) -> Term {
    borrowed_node(node).into_term()
}

/// Returns the term of the evaluator of a term; `None` for a variable, and for a triple that no RDF graph may hold.
pub(super) fn to_oxrdf(term: &SimpleTerm<'_>) -> Option<oxrdf::Term> {
    Some(match term {
        SimpleTerm::Iri(iri) => named(iri).into(),
        SimpleTerm::BlankNode(label) => blank(label).into(),
        SimpleTerm::LiteralDatatype(lexical, datatype) => {
            Literal::new_typed_literal(&**lexical, named(datatype)).into()
        }
        SimpleTerm::LiteralLanguage(lexical, language, direction) => tagged(lexical, language, *direction).into(),
        SimpleTerm::Triple(triple) => {
            let [s, p, o] = &**triple;
            let (SimpleTerm::Iri(predicate), Ok(subject)) = (p, to_oxrdf(s)?.try_into()) else {
                return None;
            };
            triple_term(subject, named(predicate), to_oxrdf(o)?)
        }
        SimpleTerm::Variable(_) => return None,
    })
}

/// Returns the term of the evaluator of an interned term.
///
/// # Panics
/// If a triple term is not one of RDF, which the parsers do not let in.
pub(super) fn spell(terms: &Terms, id: TermId) -> oxrdf::Term {
    match terms.parts(id) {
        Parts::Iri(iri) => named(iri).into(),
        Parts::Blank(label) => blank(label).into(),
        Parts::String(lexical) => Literal::new_simple_literal(lexical).into(),
        Parts::Tagged(lexical, language, direction) => tagged(lexical, language, direction).into(),
        Parts::Typed(lexical, datatype) => match terms.parts(datatype) {
            Parts::Iri(datatype) => Literal::new_typed_literal(lexical, named(datatype)).into(),
            _ => unreachable!("datatypes are interned as IRIs"),
        },
        Parts::Triple([s, p, o]) => {
            let subject = spell(terms, s).try_into().expect("a subject is an IRI or a blank node");
            let predicate = spell(terms, p).try_into().expect("a predicate is an IRI");
            triple_term(subject, predicate, spell(terms, o))
        }
    }
}

/// Returns the number of a term of the evaluator, or `None` if it is not there.
pub(super) fn find(terms: &Terms, term: &oxrdf::Term) -> Option<TermId> {
    match term {
        oxrdf::Term::NamedNode(node) => terms.find(Parts::Iri(node.as_str())),
        oxrdf::Term::BlankNode(node) => terms.find(Parts::Blank(node.as_str())),
        oxrdf::Term::Literal(literal) => match literal.language() {
            Some(language) => terms.find(Parts::Tagged(
                literal.value(),
                language,
                literal.direction().map(from_direction),
            )),
            None if literal.datatype() == oxrdf::vocab::xsd::STRING => terms.find(Parts::String(literal.value())),
            None => {
                let datatype = terms.find(Parts::Iri(literal.datatype().as_str()))?;
                terms.find(Parts::Typed(literal.value(), datatype))
            }
        },
        oxrdf::Term::Triple(triple) => {
            let subject = match &triple.subject {
                NamedOrBlankNode::NamedNode(node) => terms.find(Parts::Iri(node.as_str()))?,
                NamedOrBlankNode::BlankNode(node) => terms.find(Parts::Blank(node.as_str()))?,
            };
            let predicate = terms.find(Parts::Iri(triple.predicate.as_str()))?;
            terms.find(Parts::Triple([subject, predicate, find(terms, &triple.object)?]))
        }
    }
}

fn named(iri: &str) -> NamedNode {
    NamedNode::new_unchecked(iri)
}

fn blank(label: &str) -> BlankNode {
    BlankNode::new_unchecked(label)
}

fn tagged(lexical: &str, language: &str, direction: Option<Direction>) -> Literal {
    match direction {
        None => Literal::new_language_tagged_literal_unchecked(lexical, language),
        Some(direction) => {
            let direction = match direction {
                Direction::Ltr => BaseDirection::Ltr,
                Direction::Rtl => BaseDirection::Rtl,
            };
            Literal::new_directional_language_tagged_literal_unchecked(lexical, language, direction)
        }
    }
}

fn triple_term(subject: NamedOrBlankNode, predicate: NamedNode, object: oxrdf::Term) -> oxrdf::Term {
    oxrdf::Term::Triple(Box::new(Triple {
        subject,
        predicate,
        object,
    }))
}

fn from_direction(direction: BaseDirection) -> Direction {
    match direction {
        BaseDirection::Ltr => Direction::Ltr,
        BaseDirection::Rtl => Direction::Rtl,
    }
}
