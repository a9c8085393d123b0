//! Fusion: the obsels of several traces in one (kTBS documentation, "fusion").

use bumpalo::Bump;

use super::copy::{Copier, Naming, identifier};
use super::params::Parameters;
use super::progress::{News, Progress, for_each_obsel};
use super::{Computed, Description, Inputs, Method, Sink, Source, Stop, source};
use crate::rdf;
use crate::store::codec::ID_BYTES;
use crate::vocab::ktbs;

pub(super) static METHOD: Method = Method {
    iri: ktbs::FUSION,
    description_title: "fusion.compute_trace_description",
    obsels_title: "fusion.compute_obsels",
    dangerous: false,
    steps: None,
    describe: |inputs| {
        let mut parameters = Parameters::new(inputs.parameters);
        let description = describe(inputs, &mut parameters);
        parameters.warn_unused(|_| false, "ktbs:fusion");
        Description {
            warnings: parameters.warnings,
            ..description
        }
    },
    compute: |inputs, state, sink| {
        let description = describe(inputs, &mut Parameters::new(inputs.parameters));
        if !description.errors.is_empty() {
            return Err(description.errors.into());
        }
        compute(inputs, state, sink)
    },
};

/// Returns the model and the origin that parameters give, else those that all the sources have.
pub(super) fn describe(inputs: &Inputs<'_>, parameters: &mut Parameters<'_>) -> Description {
    let mut description = Description::default();
    if inputs.sources.is_empty() {
        description
            .errors
            .push("Method ktbs:fusion expects at least one source".to_owned());
        return description;
    }
    let given = parameters.text("model").is_some();
    description.model = source::model(inputs, parameters);
    if !given {
        match common(inputs.sources, |source| source.model.as_ref()) {
            Some(model) => description.model = model.cloned(),
            None => parameters
                .errors
                .push("Sources have different models and no target model is explicitly specified".to_owned()),
        }
    }
    match parameters.text("origin") {
        Some(origin) => description.origin = Some(rdf::string(origin)),
        None => match common(inputs.sources, |source| source.origin.as_ref()) {
            Some(origin) => description.origin = origin.cloned(),
            None => parameters
                .errors
                .push("Sources have different origins and no target origin is explicitly specified".to_owned()),
        },
    }
    description.errors.append(&mut parameters.errors);
    description
}

/// Returns what all the sources have, or `None` if they differ.
fn common<'a, T: PartialEq>(sources: &'a [Source], of: impl Fn(&'a Source) -> Option<&'a T>) -> Option<Option<&'a T>> {
    let (first, rest) = sources.split_first()?;
    let first = of(first);
    rest.iter().all(|source| of(source) == first).then_some(first)
}

/// Copies the obsels of all the sources.
pub(super) fn compute(inputs: &Inputs<'_>, state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let progress = Progress::now(inputs, &ktbs::FUSION)?;
    let news = match progress.since(inputs, state) {
        Some((news, _)) => news,
        None => {
            sink.clear()?;
            vec![News::Everything; inputs.sources.len()]
        }
    };
    for (source, news) in inputs.sources.iter().zip(news) {
        let Some(bounds) = news.bounds() else {
            continue;
        };
        let copier = Copier::new(inputs, source, &Naming::AfterSource, sink)?;
        let rivals = rivals(inputs, source);
        let mut texts = Bump::new();
        for_each_obsel(inputs, source, &bounds, &mut |obsel| {
            texts.reset();
            let copy = copier.copy(obsel, obsel.types.clone(), &texts, &mut |_| Ok(true))?;
            check_id(inputs, copy.id, &rivals)?;
            sink.put(&copy)?;
            Ok(())
        })?;
    }
    let mut computed = Computed::default();
    progress.write(&mut computed.state);
    Ok(computed)
}

/// Returns the other sources some of whose obsels could have copies of the same id: `a` and `a_b` for instance, since
/// the copy of `b_c` in one and that of `c` in the other are both `a_b_c`.
fn rivals<'a>(inputs: &Inputs<'a>, source: &Source) -> Vec<(&'a Source, String)> {
    let mine = format!("{}_", identifier(&source.iri));
    let others = inputs.sources.iter().filter(|other| other.trace != source.trace);
    others
        .map(|other| (other, format!("{}_", identifier(&other.iri))))
        .filter(|(_, prefix)| prefix.starts_with(&mine) || mine.starts_with(prefix.as_str()))
        .collect()
}

/// Checks that the id of a copy fits, and that no obsel of another source would have a copy of the same id.
fn check_id(inputs: &Inputs<'_>, id: &str, rivals: &[(&Source, String)]) -> Result<(), Stop> {
    if id.len() > ID_BYTES {
        return Err(vec![format!(
            "The obsel {id} would have an identifier longer than {ID_BYTES} bytes"
        )]
        .into());
    }
    for (rival, prefix) in rivals {
        if let Some(rest) = id.strip_prefix(prefix.as_str())
            && inputs.reading.has_obsel(rival.trace, rest)?
        {
            return Err(vec![format!(
                "Two obsels would have the same identifier {id}; one of them is from <{}>",
                rival.iri
            )]
            .into());
        }
    }
    Ok(())
}
