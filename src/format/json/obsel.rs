//! One obsel in JSON, whatever its description holds: the item of a collection, or a document of its own.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::json;

use super::description::{LABELS, context, shortener};
use super::image::is_ambiguous;
use super::node::{Describer, Manner, Object, insert};
use super::shorten::{NO_PREFIX, Shortener};
use super::value::{Datatype, Style};
use crate::error::{Error, Result};
use crate::format::prefixes::model_namespace;
use crate::format::triples::{Node, Nodes, Speller, Triple, related};
use crate::obsel::{Arc, Mention, Name, Obsel, Value};
use crate::resource::View;
use crate::resource::view::Obsels;
use crate::vocab::{CONTEXT, ktbs};

/// What the objects of one document have in common.
pub struct Objects<'v> {
    view: &'v View,
    obsels: &'v Obsels,
    shortener: &'v Shortener,
    style: Style,
    /// The shared blank nodes that the document has described so far.
    shared: HashSet<u64>,
    /// The number of obsels so far, part of the labels of their blank nodes.
    count: u64,
}

impl<'v> Objects<'v> {
    /// Returns what describes the obsels of a view.
    pub fn new(view: &'v View, obsels: &'v Obsels, shortener: &'v Shortener, style: Style) -> Self {
        Self {
            view,
            obsels,
            shortener,
            style,
            shared: HashSet::new(),
            count: 0,
        }
    }

    /// Describes again the blank nodes that several obsels share.
    pub fn forget_shared(&mut self) {
        self.shared.clear();
    }

    /// Returns the object of an obsel, with the triples about it that stand elsewhere: its relations, and what lies
    /// [`Obsels::beyond`]; `alone`: as a document.
    ///
    /// # Errors
    /// Those of the store.
    pub fn object(
        &mut self,
        obsel: &Obsel<'_>,
        mentions: &[Mention<'_>],
        beyond: &[(Value<'_>, Arc<'_>)],
        alone: bool,
    ) -> Result<Object> {
        let nodes = Nodes {
            trace: &self.obsels.trace,
            root: self.obsels.root(),
        };
        let mut block = Vec::new();
        nodes.describe(obsel, &mut block);
        let this = nodes.obsel(obsel.id);
        for mention in mentions {
            let (other, predicate) = (nodes.obsel(mention.other), Node::Named(mention.predicate));
            block.push(if mention.outgoing {
                [this, predicate, other]
            } else {
                [other, predicate, this]
            });
        }
        block.extend(beyond.iter().map(|triple| nodes.triple(*triple)));
        crate::format::triples::group(&mut block);
        let names = names_of(&block, Speller::new(self.view))?;
        let block: Vec<Triple<'_>> = block
            .into_iter()
            .map(|[s, p, o]| Ok([spelt(s, &names)?, spelt(p, &names)?, spelt(o, &names)?]))
            .collect::<Result<_>>()?;
        let mut members = HashMap::new();
        for id in related(obsel) {
            if self.obsels.is_obsel(id)? {
                members.insert(nodes.obsel(id), alone || !self.obsels.selects(id)?);
            }
        }
        for mention in mentions {
            members.insert(
                nodes.obsel(mention.other),
                alone || !self.obsels.selects(mention.other)?,
            );
        }

        let shortener = shortener(&block, self.shortener.clone());
        let obsels = self.obsels;
        let style = match self.style {
            Style::Plain if is_ambiguous(obsel, &mut |name| Ok(Datatype::of(&obsels.iri(name)?)))? => Style::Exact,
            style => style,
        };
        let manner = Manner {
            style,
            labels: alone.then_some(LABELS),
            block: self.count,
            ..Manner::of(&shortener)
        };
        let mut describer = Describer::new(&block, manner)
            .with_members(members)
            .without(&self.shared);
        let mut object = Object::new();
        if alone {
            let mut local = Object::new();
            if let Some(model) = &self.view.model {
                local.insert("m".to_owned(), model_namespace(model).into());
            }
            object.insert("@context".to_owned(), context(&shortener, json!([CONTEXT, local])));
            object.insert("@id".to_owned(), self.view.iri.as_str().into());
        } else {
            // The items are linked to the trace by the term that lists them.
            describer.take(this, ktbs::HAS_TRACE);
            if !shortener.has_prefixes() {
                let none = serde_json::from_str(NO_PREFIX).map_err(|e| Error::Internal(e.to_string()))?;
                object.insert("@context".to_owned(), none);
            }
            object.extend(describer.object(this)?);
        }
        describer.all_types(&mut object, this)?;
        describer.arcs(&mut object, this, 0)?;
        describer.incoming(&mut object, this)?;
        let rest = describer.rest()?;
        insert(&mut object, "@included", rest, true);
        let shared: Vec<u64> = describer.shared().collect();
        self.shared.extend(shared);
        self.count += 1;
        Ok(object)
    }
}

/// Returns the IRIs of the names of a block.
fn names_of(block: &[Triple<'_>], speller: Speller<'_>) -> Result<HashMap<Name, Rc<str>>> {
    let mut names = HashMap::new();
    for node in block.iter().flatten() {
        if let Node::Named(name) | Node::Typed(_, name) = node {
            names.insert(*name, speller.iri(*name)?);
        }
    }
    Ok(names)
}

fn spelt<'a>(node: Node<'a>, names: &'a HashMap<Name, Rc<str>>) -> Result<Node<'a>> {
    let iri = |name| {
        let iri: Option<&'a Rc<str>> = names.get(&name);
        iri.map(|it| &**it)
            .ok_or_else(|| Error::Internal(format!("{name:?} was not spelt")))
    };
    Ok(match node {
        Node::Named(name) => Node::Iri("", iri(name)?),
        Node::Typed(lexical, name) => Node::Literal(lexical, iri(name)?),
        other => other,
    })
}
