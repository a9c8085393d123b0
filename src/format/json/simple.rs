//! Simple JSON: what a payload leaves out, guessed from the resource to which it is sent.
//!
//! The guesses are those of the kTBS documentation ("JSON syntax"), made from the target rather than from the
//! payload alone: whatever the payload says explicitly, its context first, is left as it is.

use std::borrow::Cow;

use super::tree::{Json, Object, member};
use crate::error::{Error, Result};
use crate::format::Context;
use crate::resource::Shape;
use crate::vocab;

/// Returns a document where what was left out is said in full.
///
/// # Errors
/// `Parse` for a payload that describes nothing that its target can hold.
pub(super) fn complete<'a>(document: Json<'a>, context: &Context<'_>) -> Result<Json<'a>> {
    let mut object = match (context.shape, context.replacing) {
        (Shape::Root | Shape::Base, false) => item_of_container(document, context)?,
        (Shape::Trace, false) => posted_obsels(document, context),
        (Shape::Obsels, _) => collection(document, context),
        (_, true) => replacement(document, context)?,
        (_, false) => into_object(document, context)?,
    };
    if member(&object, "@context").is_none() {
        object.insert(0, (Cow::Borrowed("@context"), default_context(context)));
    }
    Ok(Json::Object(object))
}

/// Returns the context of a payload that has none: with the prefix `m` for the model where obsels are expected.
fn default_context<'a>(context: &Context<'_>) -> Json<'a> {
    let ktbs = string(vocab::CONTEXT);
    let expects_obsels = match context.shape {
        Shape::Obsels | Shape::Obsel | Shape::Stats => true,
        Shape::Trace => !context.replacing,
        _ => false,
    };
    match context.model {
        Some(model) if expects_obsels => {
            let end = if model.ends_with(['#', '/']) { "" } else { "#" };
            let prefix = (Cow::Borrowed("m"), string(format!("{model}{end}")));
            Json::Array(vec![ktbs, Json::Object(vec![prefix])])
        }
        _ => ktbs,
    }
}

/// Completes what is posted to the root or to a base: it is in there.
fn item_of_container<'a>(document: Json<'a>, context: &Context<'_>) -> Result<Object<'a>> {
    let (classes, link) = match context.shape {
        Shape::Root => (&CLASSES[..1], "inRoot"),
        _ => (&CLASSES[..], "inBase"),
    };
    let mut object = into_object(document, context)?;
    // Another context may give its own names to the classes.
    let may_rename = member(&object, "@context").is_some();
    let mut is_found = false;
    let mut complete = |item: &mut Object<'a>| {
        // What is an item elsewhere is understood, so that the resource tells why it does not take it.
        is_found |= has_type(item, &CLASSES);
        if has_type(item, classes) {
            forget_empty_id(item);
            if !has_parent(item) {
                item.push((Cow::Borrowed(link), string(context.base)));
            }
        }
    };
    match object.iter_mut().find(|member| member.0 == "@graph") {
        Some((_, graph)) => objects(graph).for_each(complete),
        None => complete(&mut object),
    }
    if is_found || may_rename {
        Ok(object)
    } else {
        Err(Error::Parse(format!(
            "no object with one of these as '@type' was found: {}",
            classes.join(", ")
        )))
    }
}

/// Completes what is posted to a trace: it is one obsel, or several.
fn posted_obsels<'a>(document: Json<'a>, context: &Context<'_>) -> Object<'a> {
    let mut object = match document {
        Json::Object(object) => object,
        other => {
            vec![
                (Cow::Borrowed("@id"), string(context.base)),
                (Cow::Borrowed("obsels"), other),
            ]
        }
    };
    let complete = |obsel: &mut Object<'a>| {
        forget_empty_id(obsel);
        if member(obsel, "hasTrace").is_none_or(|trace| *trace == Json::Null) {
            obsel.retain(|member| member.0 != "hasTrace");
            obsel.push((Cow::Borrowed("hasTrace"), string(context.base)));
        }
    };
    if let Some((_, obsels)) = object.iter_mut().find(|member| member.0 == "obsels") {
        objects(obsels).for_each(forget_empty_id);
    } else if let Some((_, graph)) = object.iter_mut().find(|member| member.0 == "@graph") {
        objects(graph).for_each(complete);
    } else {
        complete(&mut object);
    }
    object
}

/// Completes what replaces `@obsels`: the trace, its collection, its obsels.
fn collection<'a>(document: Json<'a>, context: &Context<'_>) -> Object<'a> {
    let mut object = match document {
        Json::Object(object) => object,
        other => vec![(Cow::Borrowed("obsels"), other)],
    };
    if let Some((_, obsels)) = object.iter_mut().find(|member| member.0 == "obsels") {
        objects(obsels).for_each(forget_empty_id);
    }
    let collection = || {
        let members = vec![
            (Cow::Borrowed("@id"), string(context.base)),
            (Cow::Borrowed("@type"), string("StoredTraceObsels")),
        ];
        (Cow::Borrowed("hasObselList"), Json::Object(members))
    };
    let trace = || {
        let end = context.base.rfind('/').map_or(0, |at| at + 1);
        (Cow::Borrowed("@id"), string(&context.base[..end]))
    };
    if let Some((_, graph)) = object.iter_mut().find(|member| member.0 == "@graph") {
        push_item(graph, vec![trace(), collection()]);
        return object;
    }
    if member(&object, "@id").is_none() {
        object.push(trace());
    }
    if member(&object, "hasObselList").is_none() {
        object.push(collection());
    }
    object
}

/// Completes what replaces a resource: it stays where it is.
fn replacement<'a>(document: Json<'a>, context: &Context<'_>) -> Result<Object<'a>> {
    let mut object = into_object(document, context)?;
    let link = context.parent.map(|parent| {
        let term = if context.parent_is_root { "inRoot" } else { "inBase" };
        (Cow::Borrowed(term), string(parent))
    });
    let id = || (Cow::Borrowed("@id"), string(context.base));
    if let Some((_, graph)) = object.iter_mut().find(|member| member.0 == "@graph") {
        let is_said = objects(graph).any(|item| has_parent(item));
        if let Some(link) = link.filter(|_| !is_said) {
            push_item(graph, vec![id(), link]);
        }
        return Ok(object);
    }
    if member(&object, "@id").is_none() {
        object.push(id());
    }
    if let Some(link) = link.filter(|_| !has_parent(&object)) {
        object.push(link);
    }
    Ok(object)
}

/// The classes of what a base holds, the one that the root holds first.
const CLASSES: [&str; 6] = [
    "Base",
    "StoredTrace",
    "ComputedTrace",
    "DataGraph",
    "TraceModel",
    "Method",
];

/// Tells whether an object has one of these classes among its types, by its name in the context of the kTBS, by
/// compact IRI or by IRI.
fn has_type(object: &Object<'_>, classes: &[&str]) -> bool {
    let types = member(object, "@type").map(Json::items).unwrap_or_default();
    types.iter().filter_map(Json::as_str).any(|name| {
        let local = name.strip_prefix(vocab::KTBS).or_else(|| name.strip_prefix("k:"));
        classes.contains(&local.unwrap_or(name))
    })
}

fn has_parent(object: &Object<'_>) -> bool {
    member(object, "inRoot").is_some() || member(object, "inBase").is_some()
}

/// Removes an `@id` that is empty: older collectors mean by it that the server has to choose.
fn forget_empty_id(object: &mut Object<'_>) {
    object.retain(|(key, value)| key != "@id" || value.as_str() != Some(""));
}

/// Returns the objects among the items of an array, or the value itself if it is one.
fn objects<'j, 'a>(value: &'j mut Json<'a>) -> impl Iterator<Item = &'j mut Object<'a>> {
    let items = match value {
        Json::Array(items) => items.as_mut_slice(),
        other => std::slice::from_mut(other),
    };
    items.iter_mut().filter_map(|item| match item {
        Json::Object(object) => Some(object),
        _ => None,
    })
}

fn push_item<'a>(graph: &mut Json<'a>, item: Object<'a>) {
    let others = std::mem::replace(graph, Json::Null);
    let mut items = match others {
        Json::Array(items) => items,
        other => vec![other],
    };
    items.push(Json::Object(item));
    *graph = Json::Array(items);
}

fn into_object<'a>(document: Json<'a>, context: &Context<'_>) -> Result<Object<'a>> {
    match document {
        Json::Object(object) => Ok(object),
        _ => Err(Error::Parse(format!(
            "<{}> takes one JSON object, and no array",
            context.base
        ))),
    }
}

fn string<'a>(text: impl Into<String>) -> Json<'a> {
    Json::String(Cow::Owned(text.into()))
}
