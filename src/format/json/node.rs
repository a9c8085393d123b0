//! Descriptions of nodes as JSON-LD objects: what all the documents have in common.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use serde_json::{Map, Number, Value, json};

use super::properties::{Coercion, REVERSES, property_of};
use super::shorten::{Clash, Shortener};
use super::value::{Datatype, Form, Style, form};
use crate::error::{Error, Result};
use crate::format::triples::{self, Node, Triple};
use crate::obsel::Blank;
use crate::vocab::{KTBS, ktbs, rdf, skos, xsd};

/// An object of JSON.
pub type Object = Map<String, Value>;

/// Deepest nesting of blank nodes. Readers have limits as well, and so has the stack.
const DEEPEST: usize = 20;

/// How the descriptions of a document differ from those of others.
#[derive(Clone, Debug)]
pub struct Manner<'m> {
    /// How IRIs are written.
    pub shortener: &'m Shortener,
    /// How the literals of other properties than those of the kTBS are written.
    pub style: Style,
    /// True if an origin is a string whatever its datatype.
    pub plain_origin: bool,
    /// Where the second `skos:prefLabel` and the following go, the first being a `label`; `None` if all of them go
    /// where those of any property go.
    pub labels: Option<&'static str>,
    /// True if all the values are in arrays, and all the types among the properties.
    pub flat: bool,
    /// Properties, besides those of the kTBS, whose values are mere IRIs.
    pub ids: &'static [&'static str],
    /// The number of the block, part of the labels of its blank nodes.
    pub block: u64,
}

impl<'m> Manner<'m> {
    /// Returns the manner of most documents of a whole graph.
    pub fn of(shortener: &'m Shortener) -> Self {
        Self {
            shortener,
            style: Style::Exact,
            plain_origin: false,
            labels: None,
            flat: false,
            ids: &[],
            block: 0,
        }
    }
}

impl From<Clash> for Error {
    fn from(_: Clash) -> Self {
        // Whoever describes nodes has looked for clashes first.
        Self::Internal("an IRI was taken for a prefixed one".to_owned())
    }
}

/// Describes the nodes of a block, each triple once.
#[derive(Debug)]
pub struct Describer<'b, 'a> {
    manner: Manner<'b>,
    triples: &'b [Triple<'a>],
    /// Where the triples of each subject are.
    subjects: HashMap<Node<'a>, Range<usize>>,
    /// The triples that have a node as object, but for literals.
    incoming: HashMap<Node<'a>, Vec<usize>>,
    written: Vec<bool>,
    /// The blank nodes that have been described, or are being.
    described: HashSet<Node<'a>>,
    /// Blank nodes too deep to be described where they were met.
    postponed: Vec<Node<'a>>,
    /// The nodes known to be obsels of the trace of the document, with whether they are described nowhere in it.
    members: HashMap<Node<'a>, bool>,
}

impl<'b, 'a> Describer<'b, 'a> {
    /// Returns a describer of a grouped block, whose names are spelt out.
    pub fn new(triples: &'b [Triple<'a>], manner: Manner<'b>) -> Self {
        let mut subjects = HashMap::new();
        let mut incoming: HashMap<_, Vec<usize>> = HashMap::new();
        let mut at = 0;
        for group in triples::subjects(triples) {
            subjects.insert(group[0][0], at..at + group.len());
            at += group.len();
        }
        for (at, [.., object]) in triples.iter().enumerate() {
            if matches!(object, Node::Iri(..) | Node::Blank(_)) {
                incoming.entry(*object).or_default().push(at);
            }
        }
        Self {
            manner,
            triples,
            subjects,
            incoming,
            written: vec![false; triples.len()],
            described: HashSet::new(),
            postponed: Vec::new(),
            members: HashMap::new(),
        }
    }

    /// Says that some nodes are obsels of the trace of the document; true for those that it does not describe.
    pub fn with_members(mut self, members: HashMap<Node<'a>, bool>) -> Self {
        self.members = members;
        self
    }

    /// Says that some blank nodes are described elsewhere in the document.
    pub fn without(mut self, known: &HashSet<u64>) -> Self {
        for (node, range) in &self.subjects {
            if let Node::Blank(Blank::Shared(number)) = node
                && known.contains(number)
            {
                self.written[range.clone()].fill(true);
                self.described.insert(*node);
            }
        }
        self
    }

    /// Returns the objects of a subject and a predicate that were not written yet, and takes them as written.
    pub fn take(&mut self, subject: Node<'a>, predicate: &str) -> Vec<Node<'a>> {
        let range = self.subjects.get(&subject).cloned().unwrap_or_default();
        let mut objects = Vec::new();
        for at in range {
            let [_, p, object] = self.triples[at];
            if !self.written[at] && text(p) == predicate {
                self.written[at] = true;
                objects.push(object);
            }
        }
        objects
    }

    /// Returns the subjects that have not been described, of a type.
    pub fn subjects_of_type(&self, class: &str) -> Vec<Node<'a>> {
        let of_class = |at: &usize| {
            let [_, predicate, object] = self.triples[*at];
            !self.written[*at] && text(predicate) == rdf::TYPE && text(object) == class
        };
        (0..self.triples.len())
            .filter(of_class)
            .map(|at| self.triples[at][0])
            .collect()
    }

    /// Appends the types of a subject: those of the kTBS as `@type`, the others as `additionalType`.
    pub fn types(&mut self, object: &mut Object, subject: Node<'a>) -> Result<()> {
        let (of_ktbs, others): (Vec<_>, Vec<_>) = self
            .take(subject, rdf::TYPE)
            .into_iter()
            .partition(|class| matches!(class, Node::Iri(..)) && text(*class).starts_with(KTBS));
        self.type_key(object, of_ktbs)?;
        let others = others
            .into_iter()
            .map(|class| self.value(class, Coercion::Id, 0))
            .collect::<Result<_>>()?;
        insert(object, "additionalType", others, true);
        Ok(())
    }

    /// Appends the types of a subject, all as `@type`.
    pub fn all_types(&mut self, object: &mut Object, subject: Node<'a>) -> Result<()> {
        let classes = self.take(subject, rdf::TYPE);
        self.property(object, rdf::TYPE, classes, 0)
    }

    fn type_key(&mut self, object: &mut Object, classes: Vec<Node<'a>>) -> Result<()> {
        let shortener = self.manner.shortener;
        let names = classes
            .into_iter()
            .map(|class| Ok(shortener.vocab(&text(class))?.into()))
            .collect::<Result<_>>()?;
        insert(object, "@type", names, false);
        Ok(())
    }

    /// Appends what is not written yet about a subject: types that are IRIs, properties that have a term in the order
    /// of terms, other properties in the order of their IRIs.
    pub fn arcs(&mut self, object: &mut Object, subject: Node<'a>, depth: usize) -> Result<()> {
        let range = self.subjects.get(&subject).cloned().unwrap_or_default();
        let mut runs: Vec<(usize, Cow<'a, str>, Vec<Node<'a>>)> = Vec::new();
        let mut last = None;
        for at in range {
            let [_, predicate, value] = self.triples[at];
            if std::mem::replace(&mut self.written[at], true) {
                continue;
            }
            match runs.last_mut() {
                Some((.., values)) if last == Some(predicate) => values.push(value),
                _ => {
                    let iri = text(predicate);
                    let rank = property_of(&iri).map_or(usize::MAX, |(rank, _)| rank);
                    runs.push((rank, iri, vec![value]));
                }
            }
            last = Some(predicate);
        }
        runs.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        for (_, iri, values) in runs {
            self.property(object, &iri, values, depth)?;
        }
        Ok(())
    }

    fn property(&mut self, object: &mut Object, iri: &str, values: Vec<Node<'a>>, depth: usize) -> Result<()> {
        let flat = self.manner.flat;
        if iri == rdf::TYPE {
            let (classes, values): (Vec<_>, Vec<_>) =
                values.into_iter().partition(|it| !flat && matches!(it, Node::Iri(..)));
            self.type_key(object, classes)?;
            let values = self.values(&values, Coercion::None, depth)?;
            insert(object, rdf::TYPE, values, true);
            return Ok(());
        }
        if iri == skos::PREF_LABEL
            && let Some(key) = self.manner.labels
            && depth == 0
        {
            let mut values = self.values(&values, Coercion::None, depth)?;
            let rest = values.split_off(1.min(values.len()));
            insert(object, "label", values, false);
            insert(object, key, rest, true);
            return Ok(());
        }
        let Some((_, property)) = property_of(iri) else {
            let key = self.manner.shortener.key(iri)?;
            let coercion = if self.manner.ids.contains(&iri) {
                Coercion::Id
            } else {
                Coercion::None
            };
            let values = self.values(&values, coercion, depth)?;
            insert(object, &key, values, flat);
            return Ok(());
        };
        let (literals, values): (Vec<_>, Vec<_>) = values
            .into_iter()
            .partition(|it| property.literal.is_some() && !matches!(it, Node::Iri(..)));
        let values = if property.iri == ktbs::HAS_ORIGIN && self.manner.plain_origin {
            values
                .into_iter()
                .map(|it| self.plainly(it, depth))
                .collect::<Result<_>>()?
        } else {
            self.values(&values, property.coercion, depth)?
        };
        insert(object, property.term, values, flat || property.array);
        if let Some(term) = property.literal {
            let literals = self.values(&literals, Coercion::None, depth)?;
            insert(object, term, literals, flat);
        }
        Ok(())
    }

    /// Clients that read dates as strings know no other form of an origin.
    fn plainly(&mut self, node: Node<'a>, depth: usize) -> Result<Value> {
        match node {
            Node::Literal(lexical, _) => Ok(lexical.into()),
            other => self.value(other, Coercion::None, depth),
        }
    }

    fn values(&mut self, nodes: &[Node<'a>], coercion: Coercion, depth: usize) -> Result<Vec<Value>> {
        nodes.iter().map(|node| self.value(*node, coercion, depth)).collect()
    }

    /// Returns the value of a property.
    pub fn value(&mut self, node: Node<'a>, coercion: Coercion, depth: usize) -> Result<Value> {
        Ok(match node {
            Node::Blank(_) => self.blank(node, depth)?,
            Node::Known(_) | Node::Named(_) | Node::Iri(..) => {
                let iri = text(node);
                let member = self.members.get(&node).copied().filter(|_| depth == 0);
                match (coercion, member) {
                    (Coercion::Id, None | Some(false)) if !self.manner.flat => self.manner.shortener.id(&iri)?.into(),
                    (Coercion::Vocab, None | Some(false)) if !self.manner.flat => {
                        self.manner.shortener.vocab(&iri)?.into()
                    }
                    (_, Some(_)) => json!({"@id": self.manner.shortener.id(&iri)?, "hasTrace": "./"}),
                    _ => json!({"@id": self.manner.shortener.id(&iri)?}),
                }
            }
            Node::Integer(value) if coercion == Coercion::DateTime => {
                json!({"@value": value.to_string(), "@type": "xsd:integer"})
            }
            Node::Integer(value) => value.into(),
            Node::String(lexical) if coercion == Coercion::None => lexical.into(),
            // An object without `@type` is not coerced.
            Node::String(lexical) => json!({"@value": lexical}),
            Node::Tagged(lexical, language) => json!({"@value": lexical, "@language": language}),
            Node::Typed(..) => return Err(Error::Internal("a name that was not spelt out".to_owned())),
            Node::Literal(lexical, datatype) => self.literal(lexical, datatype, coercion)?,
        })
    }

    fn literal(&self, lexical: &str, datatype: &str, coercion: Coercion) -> Result<Value> {
        let form = match (coercion, datatype) {
            (Coercion::DateTime, xsd::DATE_TIME) => Form::String,
            (Coercion::None, _) => form(lexical, Datatype::of(datatype), self.manner.style),
            (Coercion::Integer, xsd::INTEGER) => form(lexical, Datatype::Integer, Style::Exact),
            _ => Form::Object,
        };
        Ok(match form {
            Form::String => lexical.into(),
            Form::Boolean(value) => value.into(),
            Form::Number(text) => {
                let number: Number = serde_json::from_str(&text).map_err(|e| Error::Internal(e.to_string()))?;
                Value::Number(number)
            }
            Form::Object => json!({"@value": lexical, "@type": self.manner.shortener.vocab(datatype)?}),
        })
    }

    /// Describes a blank node in place the first time, and refers to it afterwards.
    fn blank(&mut self, node: Node<'a>, depth: usize) -> Result<Value> {
        if self.described.contains(&node) || depth >= DEEPEST {
            if !self.described.contains(&node) {
                self.postponed.push(node);
            }
            return Ok(json!({"@id": self.label(node)}));
        }
        let shared = matches!(node, Node::Blank(Blank::Shared(_)));
        let labelled = shared || self.incoming.get(&node).is_some_and(|it| it.len() > 1);
        self.describe_blank(node, labelled, depth).map(Value::Object)
    }

    fn describe_blank(&mut self, node: Node<'a>, labelled: bool, depth: usize) -> Result<Object> {
        self.described.insert(node);
        let mut object = Object::new();
        if labelled {
            object.insert("@id".to_owned(), self.label(node).into());
        }
        self.arcs(&mut object, node, depth + 1)?;
        Ok(object)
    }

    fn label(&self, node: Node<'a>) -> String {
        let mut bytes = b"_:".to_vec();
        if let Node::Blank(blank) = node {
            triples::label(&mut bytes, self.manner.block, blank);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Appends what points to a node and is not written yet: with the terms that go backwards, then as `@reverse`.
    pub fn incoming(&mut self, object: &mut Object, node: Node<'a>) -> Result<()> {
        let mut reverse: BTreeMap<Cow<'a, str>, Vec<Value>> = BTreeMap::new();
        for at in self.incoming.get(&node).cloned().unwrap_or_default() {
            let [subject, predicate, _] = self.triples[at];
            // A blank node to which something points is described where that stands.
            let anonymous = !self.incoming.contains_key(&subject) && !self.described.contains(&subject);
            if self.written[at] || subject == node || matches!(subject, Node::Blank(_)) && !anonymous {
                continue;
            }
            self.written[at] = true;
            let value = self.value(subject, Coercion::None, 0)?;
            reverse.entry(text(predicate)).or_default().push(value);
        }
        let mut others = Object::new();
        for (iri, values) in reverse {
            if !self.manner.flat
                && let Some((_, term, array)) = REVERSES.iter().find(|it| it.0 == iri)
            {
                let values = values.into_iter().map(bare_id).collect();
                insert(object, term, values, *array);
            } else {
                let key = self.manner.shortener.key(&iri)?;
                insert(&mut others, &key, values, false);
            }
        }
        if !others.is_empty() {
            object.insert("@reverse".to_owned(), others.into());
        }
        Ok(())
    }

    /// Returns an object about a node: its IRI, or its label if something refers to it; and nothing more.
    pub fn object(&mut self, node: Node<'a>) -> Result<Object> {
        let mut object = Object::new();
        match node {
            Node::Blank(_) => {
                self.described.insert(node);
                if self.incoming.contains_key(&node) || matches!(node, Node::Blank(Blank::Shared(_))) {
                    object.insert("@id".to_owned(), self.label(node).into());
                }
            }
            _ => {
                object.insert("@id".to_owned(), self.manner.shortener.id(&text(node))?.into());
            }
        }
        Ok(object)
    }

    /// Returns the objects about all that was not written yet.
    pub fn rest(&mut self) -> Result<Vec<Value>> {
        let mut objects = Vec::new();
        // What nothing refers to comes first, for it describes the rest; then rings of blank nodes, cut anywhere.
        for all in [false, true] {
            for group in triples::subjects(self.triples) {
                let subject = group[0][0];
                let referred = matches!(subject, Node::Blank(_)) && self.incoming.contains_key(&subject);
                let range = self.subjects.get(&subject).cloned().unwrap_or_default();
                if (referred && !all) || self.written[range].iter().all(|it| *it) {
                    continue;
                }
                let mut object = self.object(subject)?;
                self.arcs(&mut object, subject, 0)?;
                objects.push(object.into());
                while let Some(node) = self.postponed.pop() {
                    if !self.described.contains(&node) {
                        objects.push(self.describe_blank(node, true, 0)?.into());
                    }
                }
            }
            while let Some(node) = self.postponed.pop() {
                if !self.described.contains(&node) {
                    objects.push(self.describe_blank(node, true, 0)?.into());
                }
            }
        }
        Ok(objects)
    }

    /// Returns the shared blank nodes that were described.
    pub fn shared(&self) -> impl Iterator<Item = u64> + '_ {
        self.described.iter().filter_map(|node| match node {
            Node::Blank(Blank::Shared(number)) => Some(*number),
            _ => None,
        })
    }
}

/// Appends values under a key, if there are any: a single one as it is, unless an array is asked for.
pub fn insert(object: &mut Object, key: &str, mut values: Vec<Value>, array: bool) {
    match values.len() {
        0 => {}
        1 if !array => {
            object.insert(key.to_owned(), values.remove(0));
        }
        _ => {
            object.insert(key.to_owned(), values.into());
        }
    }
}

/// Terms whose values are IRIs need no object for one that says nothing more.
fn bare_id(value: Value) -> Value {
    match &value {
        Value::Object(object) if object.len() == 1 => match object.get("@id") {
            Some(Value::String(id)) if !id.starts_with("_:") => id.as_str().into(),
            _ => value,
        },
        _ => value,
    }
}

/// Returns the IRI of a node whose names are spelt out; an empty text for what has none.
pub fn text(node: Node<'_>) -> Cow<'_, str> {
    match node {
        Node::Known(known) => known.iri().into(),
        Node::Iri("", rest) => rest.into(),
        Node::Iri(start, rest) => format!("{start}{rest}").into(),
        _ => "".into(),
    }
}
