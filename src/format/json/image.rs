//! What simple JSON makes of literals: several may look the same there, and be told apart only by what was read before.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::value::{Datatype, Form, Style, form};
use crate::error::Result;
use crate::obsel::{Arc, Blank, Name, Obsel, Value};

/// What is left of a literal once a client has read it in simple JSON and written it again. Numbers are compared as
/// JavaScript does, which writes `3.0` as `3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Image<'a> {
    /// A string.
    Text(&'a str),
    /// The bits of a number.
    Number(u64),
    /// A boolean.
    Boolean(bool),
}

impl<'a> Image<'a> {
    /// Returns the image of a literal without language; `None` if simple JSON tells its datatype.
    pub fn of(lexical: &'a str, datatype: Datatype) -> Option<Self> {
        match form(lexical, datatype, Style::Plain) {
            Form::String => Some(Self::Text(lexical)),
            Form::Number(text) => {
                let value: f64 = text.parse().ok()?;
                // The two zeros are one.
                Some(Self::Number(if value == 0.0 { 0 } else { value.to_bits() }))
            }
            Form::Boolean(value) => Some(Self::Boolean(value)),
            Form::Object => None,
        }
    }
}

/// How one goes from a node of a description to a blank node: forwards or backwards, by a predicate.
pub type Step = (bool, Name);

/// The nodes of the description of an obsel that are reached by the same steps, and their literals by predicate.
pub type Literals<'t> = Vec<(Name, Value<'t>)>;

/// Goes through the description of an obsel: calls `visit` with the literals of the obsel, then with those of the blank
/// nodes that are reached by the same steps. `follow` tells where these steps lead from somewhere else, if anywhere.
///
/// # Errors
/// Those of the functions.
pub fn walk<'t, P>(
    obsel: &Obsel<'t>,
    start: P,
    visit: &mut dyn FnMut(&P, Literals<'t>) -> Result<()>,
    follow: &mut dyn FnMut(&P, Step) -> Result<Option<P>>,
) -> Result<()> {
    let mut about: HashMap<Blank, Vec<Arc<'t>>> = HashMap::new();
    let mut towards: HashMap<Value<'t>, Vec<(Name, Blank)>> = HashMap::new();
    for (blank, arc) in &obsel.blank_arcs {
        about.entry(*blank).or_default().push(*arc);
        if matches!(arc.object, Value::Blank(_) | Value::Obsel(_)) {
            towards.entry(arc.object).or_default().push((arc.predicate, *blank));
        }
    }
    let mut seen: HashSet<Blank> = HashSet::new();
    let mut classes = vec![(vec![Value::Obsel(obsel.id)], start)];
    while let Some((nodes, place)) = classes.pop() {
        let mut literals = Literals::new();
        let mut steps: BTreeMap<Step, Vec<Value<'t>>> = BTreeMap::new();
        for node in nodes {
            let arcs = match node {
                Value::Blank(blank) => about.get(&blank).map_or(&[][..], Vec::as_slice),
                _ => &obsel.arcs,
            };
            for arc in arcs {
                match arc.object {
                    Value::Blank(blank) if seen.insert(blank) => {
                        steps.entry((true, arc.predicate)).or_default().push(arc.object);
                    }
                    Value::String(_) | Value::Typed(..) => literals.push((arc.predicate, arc.object)),
                    _ => {}
                }
            }
            for (predicate, blank) in towards.get(&node).map_or(&[][..], Vec::as_slice) {
                if seen.insert(*blank) {
                    steps.entry((false, *predicate)).or_default().push(Value::Blank(*blank));
                }
            }
        }
        visit(&place, literals)?;
        for (step, nodes) in steps {
            if let Some(next) = follow(&place, step)? {
                classes.push((nodes, next));
            }
        }
    }
    Ok(())
}

/// Tells whether two literals of an obsel, or of another that differs from it in its texts only, could look the same at
/// the same place. It cannot be so for what nearly all obsels are: nothing is built for them.
pub fn may_be_ambiguous(obsel: &Obsel<'_>) -> bool {
    let is_typed = |arc: &Arc<'_>| matches!(arc.object, Value::Typed(..));
    let mut groups = obsel.arcs.chunk_by(|one, next| one.predicate == next.predicate);
    !obsel.blank_arcs.is_empty() || groups.any(|arcs| arcs.len() > 1 && arcs.iter().any(is_typed))
}

/// Tells whether two different literals of an obsel would look the same at the same place.
///
/// # Errors
/// Those of `datatype`, which gives the datatype of a name.
pub fn is_ambiguous(obsel: &Obsel<'_>, datatype: &mut dyn FnMut(Name) -> Result<Datatype>) -> Result<bool> {
    if !may_be_ambiguous(obsel) {
        return Ok(false);
    }
    let mut ambiguous = false;
    let mut visit = |_: &(), literals: Literals<'_>| {
        let mut images: HashMap<(Name, Image<'_>), Value<'_>> = HashMap::new();
        for (predicate, value) in literals {
            let image = match value {
                Value::String(lexical) => Some(Image::Text(lexical)),
                Value::Typed(lexical, name) => Image::of(lexical, datatype(name)?),
                _ => None,
            };
            if let Some(image) = image {
                ambiguous |= *images.entry((predicate, image)).or_insert(value) != value;
            }
        }
        Ok(())
    };
    walk(obsel, (), &mut visit, &mut |(), _| Ok(Some(())))?;
    Ok(ambiguous)
}
