//! Obsels that are a flat list of values, in JSON: written by [plans](crate::format::plan).

use super::directory::Directory;
use super::image::{is_ambiguous, may_be_ambiguous};
use super::properties::{Coercion, Property, property_of};
use super::shorten::Shortener;
use super::value::{Datatype, Form, Style, common_form, form};
use crate::error::Result;
use crate::format::output::{Json, Memory, escaped, is_natural, json_string, put};
use crate::format::plan::{Draft, Planner, Plans, Written, utf8};
use crate::format::relative::Base;
use crate::obsel::{Arc, Mention, Name, Obsel, Value};
use crate::resource::view::{Obsels, Row};

/// Writes the flat obsels of one document.
pub struct Flat<'v> {
    plans: Plans<Fill<'v>>,
    /// By layout: true if in none of its obsels a client could take a literal for another.
    clear: Vec<bool>,
    values: Values<'v>,
}

impl<'v> Flat<'v> {
    /// Returns what writes the flat obsels of a selection.
    pub fn new(obsels: &'v Obsels, shortener: &'v Shortener, style: Style) -> Self {
        Self {
            plans: Plans::default(),
            clear: Vec::new(),
            values: Values {
                obsels,
                shortener,
                style,
                names: Memory::default(),
                directory: Directory::default(),
            },
        }
    }

    /// Writes an obsel, with the triples about it that stand elsewhere. `None`, with anything written, if it is not flat,
    /// or if an IRI would be taken for a prefixed one.
    ///
    /// # Errors
    /// Those of the store.
    #[inline]
    pub fn write(&mut self, bytes: &mut Vec<u8>, row: &mut Row<'_>, mentions: &[Mention<'_>]) -> Result<Written> {
        if mentions.iter().any(|it| it.outgoing)
            || !row.is_flat()?
            || self.is_ambiguous(row)?
            || self.plans.write(&mut self.values, bytes, row)?.is_none()
        {
            return Ok(None);
        }
        if !mentions.is_empty() && self.values.reverse(bytes, mentions)?.is_none() {
            return Ok(None);
        }
        bytes.push(b'}');
        Ok(Some(()))
    }

    /// Tells whether a client could not tell some literals apart, so that [`super::obsel`] has to write them exactly.
    #[inline]
    fn is_ambiguous(&mut self, row: &mut Row<'_>) -> Result<bool> {
        if self.values.style == Style::Exact {
            return Ok(false);
        }
        let layout = row.layout().map(|(layout, _)| layout);
        if layout.is_some_and(|layout| self.clear.get(layout) == Some(&true)) {
            return Ok(false);
        }
        let obsel = row.obsel()?;
        if may_be_ambiguous(obsel) {
            return is_ambiguous(obsel, &mut |name| Ok(self.values.spelling(name)?.datatype));
        }
        if let Some(layout) = layout {
            self.clear.resize(self.clear.len().max(layout + 1), false);
            self.clear[layout] = true;
        }
        Ok(false)
    }
}

/// How a hole is filled.
#[derive(Clone, Copy)]
pub enum Fill<'v> {
    /// With the inside of a string.
    Text,
    /// With a literal of this datatype, which is `xsd:integer`.
    Integer(Name),
    /// With a literal that may have a form of its own.
    Literal(Name),
    /// With an IRI below the trace, as the inside of the value of `@id`.
    Name,
    /// With an IRI, that begins so, as the inside of the value of `@id`.
    Id(&'v str),
    /// The same, of the value of `@type`.
    Vocab(&'v str),
    /// With what tells that an IRI below the trace is that of an obsel, if it is.
    InTrace,
}

/// What comes after the name of an obsel where its description is elsewhere.
const IN_TRACE: &[u8] = b",\"hasTrace\":\"./\"";

/// Writes values.
struct Values<'v> {
    obsels: &'v Obsels,
    shortener: &'v Shortener,
    style: Style,
    names: Memory<Spelling>,
    directory: Directory<'v>,
}

/// A name, in all the places where it may stand. What is absent would be read as something else.
struct Spelling {
    /// As the value of `@id`, with its quotes.
    id: Option<Vec<u8>>,
    /// As the value of `@type`, with its quotes.
    vocab: Option<Vec<u8>>,
    /// As a key, with the comma before and the colon after.
    key: Option<Vec<u8>>,
    /// The property of the kTBS that it is, if it has a term.
    property: Option<&'static Property>,
    /// The datatype that it is.
    datatype: Datatype,
}

impl Spelling {
    fn new(iri: &str, shortener: &Shortener) -> Self {
        let quoted = |text: String| {
            let mut bytes = Vec::new();
            json_string(&mut bytes, &text);
            bytes
        };
        Self {
            id: shortener.id(iri).ok().map(quoted),
            vocab: shortener.vocab(iri).ok().map(quoted),
            key: shortener.key(iri).ok().map(|text| {
                let mut bytes = b",".to_vec();
                json_string(&mut bytes, &text);
                bytes.push(b':');
                bytes
            }),
            property: property_of(iri).map(|(_, property)| property),
            datatype: Datatype::of(iri),
        }
    }
}

impl<'v> Planner for Values<'v> {
    type Fill = Fill<'v>;

    /// All but the brace that closes the object.
    fn draft<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, obsel: &Obsel<'t>) -> Result<Written> {
        put(&mut draft.bytes, b"{\"@id\":\"");
        draft.id(Fill::Name);
        put(&mut draft.bytes, b"\"");
        if !obsel.types.is_empty() {
            put(&mut draft.bytes, b",\"@type\":");
            if self
                .list(draft, &obsel.types, obsel.types.len() > 1, Self::vocab)?
                .is_none()
            {
                return Ok(None);
            }
        }
        put(&mut draft.bytes, b",\"begin\":");
        draft.begin();
        put(&mut draft.bytes, b",\"end\":");
        draft.end();
        for arcs in obsel.arcs.chunk_by(|one, next| one.predicate == next.predicate) {
            if self.arcs(draft, arcs)?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    #[inline]
    fn fill(&mut self, bytes: &mut Vec<u8>, fill: Fill<'v>, text: &[u8]) -> Result<Written> {
        match fill {
            Fill::Text => escaped::<Json>(bytes, text),
            Fill::Integer(_) if is_natural(text) => put(bytes, text),
            Fill::Name if Base::put_name(bytes, text) => {}
            Fill::Id(start) if self.directory.put(bytes, (start, text), self.shortener) => {}
            other => return self.fill_otherwise(bytes, other, text),
        }
        Ok(Some(()))
    }
}

impl<'v> Values<'v> {
    #[inline]
    fn spelling(&mut self, name: Name) -> Result<&Spelling> {
        self.names
            .get(name, || Ok(Spelling::new(&self.obsels.iri(name)?, self.shortener)))
    }

    /// Fills a hole in a way that few need.
    #[inline(never)]
    fn fill_otherwise(&mut self, bytes: &mut Vec<u8>, fill: Fill<'_>, text: &[u8]) -> Result<Written> {
        let text = utf8(text)?;
        let id = match fill {
            Fill::Text => Ok(text.to_owned()),
            Fill::Integer(datatype) | Fill::Literal(datatype) => return self.literal(bytes, text, datatype),
            Fill::InTrace => {
                put(bytes, if self.obsels.is_obsel(text)? { IN_TRACE } else { b"" });
                return Ok(Some(()));
            }
            Fill::Name => self.shortener.id(&[&self.obsels.trace, text].concat()),
            Fill::Id(start) => self.shortener.id(&[start, text].concat()),
            Fill::Vocab(start) => self.shortener.vocab(&[start, text].concat()),
        };
        Ok(id.ok().map(|id| escaped::<Json>(bytes, id)))
    }

    /// Drafts the arcs of one predicate.
    fn arcs<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, arcs: &[Arc<'t>]) -> Result<Written> {
        let partial = self.obsels.partial;
        let spelling = self.spelling(arcs[0].predicate)?;
        let Some(property) = spelling.property else {
            let Some(key) = &spelling.key else { return Ok(None) };
            put(&mut draft.bytes, key);
            return self.list(draft, arcs, arcs.len() > 1, |values, draft, arc| {
                values.value(draft, arc.object)
            });
        };
        let literals = arcs.iter().filter(|arc| is_literal(arc.object)).count();
        let term = match property.literal {
            Some(term) if literals == arcs.len() => term,
            Some(_) if literals > 0 => return Ok(None),
            _ => property.term,
        };
        put(&mut draft.bytes, b",\"");
        put(&mut draft.bytes, term.as_bytes());
        put(&mut draft.bytes, b"\":");
        let array = property.array || arcs.len() > 1;
        match property.coercion {
            Coercion::Id if literals == 0 => {
                // Where an obsel of the trace may be shown nowhere else, more has to be said of it.
                if partial && arcs.iter().any(|arc| matches!(arc.object, Value::Obsel(_))) {
                    return Ok(None);
                }
                self.list(draft, arcs, array, |values, draft, arc| values.id(draft, arc.object))
            }
            Coercion::None | Coercion::Id if term != property.term || property.coercion == Coercion::None => {
                self.list(draft, arcs, array, |values, draft, arc| values.value(draft, arc.object))
            }
            Coercion::DateTime => self.list(draft, arcs, array, |values, draft, arc| values.date(draft, arc.object)),
            _ => Ok(None),
        }
    }

    /// Drafts one value, or an array.
    fn list<'t, T: Copy>(
        &mut self,
        draft: &mut Draft<'t, Fill<'v>>,
        values: &[T],
        array: bool,
        write: impl Fn(&mut Self, &mut Draft<'t, Fill<'v>>, T) -> Result<Written>,
    ) -> Result<Written> {
        if array {
            draft.bytes.push(b'[');
        }
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                draft.bytes.push(b',');
            }
            if write(self, draft, *value)?.is_none() {
                return Ok(None);
            }
        }
        if array {
            draft.bytes.push(b']');
        }
        Ok(Some(()))
    }

    /// Drafts a value of which the context says nothing.
    fn value<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, value: Value<'t>) -> Result<Written> {
        match value {
            Value::String(lexical) => string(draft, Fill::Text, lexical),
            Value::Tagged(lexical, language) => {
                put(&mut draft.bytes, b"{\"@value\":");
                string(draft, Fill::Text, lexical);
                put(&mut draft.bytes, b",\"@language\":");
                string(draft, Fill::Text, language);
                draft.bytes.push(b'}');
            }
            Value::Typed(lexical, datatype) => {
                let kind = self.spelling(datatype)?.datatype;
                match common_form(kind, self.style) {
                    Some(Form::String) => string(draft, Fill::Text, lexical),
                    Some(Form::Object) => return self.typed(draft, lexical, datatype),
                    _ if kind == Datatype::Integer => draft.text(Fill::Integer(datatype), lexical),
                    _ => draft.text(Fill::Literal(datatype), lexical),
                }
            }
            _ => {
                put(&mut draft.bytes, b"{\"@id\":");
                if self.id(draft, value)?.is_none() {
                    return Ok(None);
                }
                if let Value::Obsel(id) = value {
                    draft.text(Fill::InTrace, id);
                }
                draft.bytes.push(b'}');
            }
        }
        Ok(Some(()))
    }

    /// Drafts a value of a term whose values are dates.
    fn date<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, value: Value<'t>) -> Result<Written> {
        let Value::Typed(lexical, datatype) = value else {
            return Ok(None);
        };
        if self.spelling(datatype)?.datatype != Datatype::DateTime {
            return self.typed(draft, lexical, datatype);
        }
        string(draft, Fill::Text, lexical);
        Ok(Some(()))
    }

    /// Drafts a literal as an object that tells its datatype.
    fn typed<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, lexical: &'t str, datatype: Name) -> Result<Written> {
        put(&mut draft.bytes, b"{\"@value\":");
        string(draft, Fill::Text, lexical);
        put(&mut draft.bytes, b",\"@type\":");
        let vocab = self.spelling(datatype)?.vocab.as_ref();
        Ok(vocab.map(|vocab| {
            put(&mut draft.bytes, vocab);
            draft.bytes.push(b'}');
        }))
    }

    /// Writes a literal in the form of its own.
    #[inline]
    fn literal(&mut self, bytes: &mut Vec<u8>, lexical: &str, datatype: Name) -> Result<Written> {
        let style = self.style;
        let spelling = self.spelling(datatype)?;
        match form(lexical, spelling.datatype, style) {
            Form::Number(number) => put(bytes, number.as_bytes()),
            Form::Boolean(true) => put(bytes, b"true"),
            Form::Boolean(false) => put(bytes, b"false"),
            Form::String => json_string(bytes, lexical),
            Form::Object => {
                let Some(vocab) = &spelling.vocab else { return Ok(None) };
                put(bytes, b"{\"@value\":");
                json_string(bytes, lexical);
                put(bytes, b",\"@type\":");
                put(bytes, vocab);
                bytes.push(b'}');
            }
        }
        Ok(Some(()))
    }

    /// Drafts an IRI as the value of `@id`, with its quotes.
    fn id<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, value: Value<'t>) -> Result<Written> {
        if let Value::Named(name) = value {
            let spelling = self.spelling(name)?;
            return Ok(spelling.id.as_ref().map(|id| put(&mut draft.bytes, id)));
        }
        if let Value::Obsel(id) = value {
            string(draft, Fill::Name, id);
            return Ok(Some(()));
        }
        let parts = self.obsels.parts(value);
        Ok(parts.map(|(start, text)| string(draft, Fill::Id(start), text)))
    }

    /// Drafts an IRI as the value of `@type`, with its quotes.
    fn vocab<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, value: Value<'t>) -> Result<Written> {
        if let Value::Named(name) = value {
            let spelling = self.spelling(name)?;
            return Ok(spelling.vocab.as_ref().map(|vocab| put(&mut draft.bytes, vocab)));
        }
        let parts = self.obsels.parts(value);
        Ok(parts.map(|(start, text)| string(draft, Fill::Vocab(start), text)))
    }

    /// Writes what other obsels say of one.
    fn reverse(&mut self, bytes: &mut Vec<u8>, mentions: &[Mention<'_>]) -> Result<Written> {
        put(bytes, b",\"@reverse\":{");
        let groups = mentions.chunk_by(|one, next| one.predicate == next.predicate);
        for (at, group) in groups.enumerate() {
            let Some(key) = &self.spelling(group[0].predicate)?.key else {
                return Ok(None);
            };
            put(bytes, &key[usize::from(at == 0)..]);
            if group.len() > 1 {
                bytes.push(b'[');
            }
            for (at, mention) in group.iter().enumerate() {
                put(bytes, if at > 0 { b",{\"@id\":\"" } else { b"{\"@id\":\"" });
                if self.fill(bytes, Fill::Name, mention.other.as_bytes())?.is_none() {
                    return Ok(None);
                }
                bytes.push(b'"');
                put(bytes, IN_TRACE);
                bytes.push(b'}');
            }
            if group.len() > 1 {
                bytes.push(b']');
            }
        }
        bytes.push(b'}');
        Ok(Some(()))
    }
}

/// Drafts a hole between quotes.
fn string<'t, 'v>(draft: &mut Draft<'t, Fill<'v>>, fill: Fill<'v>, text: &'t str) {
    draft.bytes.push(b'"');
    draft.text(fill, text);
    draft.bytes.push(b'"');
}

fn is_literal(value: Value<'_>) -> bool {
    matches!(value, Value::String(_) | Value::Tagged(..) | Value::Typed(..))
}
