//! A slice of `@obsels`: its parameters, the part of the trace that they select, its links and its tags.

use std::collections::HashSet;
use std::ops::{Bound, ControlFlow};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sophia::iri::resolve::BaseIri;

use super::view::{Begins, Link};
use super::{Parameters, check};
use crate::error::{Error, Result};
use crate::store::{Bounds, Place, Reading, Tags, TraceNumber};

/// When a computed trace is brought up to date before a read (kTBS documentation, "refresh").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// If its sources have changed.
    #[default]
    Default,
    /// Never: what is stored is served.
    No,
    /// Recomputed from scratch, its sources by default.
    Force,
    /// Recomputed from scratch, its sources too.
    Recursive,
}

impl Refresh {
    /// Returns the meaning of a value of the parameter `refresh`.
    ///
    /// # Errors
    /// `BadParameters`.
    pub fn parse(value: &str) -> Result<Self> {
        match value {
            "default" => Ok(Self::Default),
            "no" => Ok(Self::No),
            "yes" | "force" => Ok(Self::Force),
            "recursive" => Ok(Self::Recursive),
            other => Err(Error::BadParameters(format!(
                "Invalid value for 'refresh' ({})",
                check::cut(other)
            ))),
        }
    }
}

/// The names of the parameters of `@obsels`.
static NAMES: [&str; 11] = [
    "after", "before", "minb", "maxb", "mine", "maxe", "limit", "offset", "reverse", "refresh", "quick",
];

/// The parameters of a GET on `@obsels` (kTBS documentation, "obsel collection").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    after: Option<String>,
    before: Option<String>,
    min_begin: Option<i64>,
    max_begin: Option<i64>,
    min_end: Option<i64>,
    max_end: Option<i64>,
    limit: Option<u64>,
    offset: Option<u64>,
    reverse: bool,
    /// Whether there is any parameter but `refresh`.
    pub is_slice: bool,
    /// When to refresh.
    pub refresh: Refresh,
}

impl Query {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `BadParameters`: one is unknown, repeated, or has a bad value.
    pub fn parse(parameters: &Parameters) -> Result<Self> {
        let mut query = Self::default();
        let mut seen = HashSet::new();
        super::no_parameters_but(&NAMES, parameters)?;
        for (name, value) in parameters {
            if !seen.insert(name) {
                return Err(Error::BadParameters(format!(
                    "Parameter '{}' is repeated",
                    check::cut(name)
                )));
            }
            query.is_slice |= name != "refresh";
            match name.as_str() {
                "after" => query.after = Some(value.clone()),
                "before" => query.before = Some(value.clone()),
                "minb" => query.min_begin = Some(integer(name, value)?),
                "maxb" => query.max_begin = Some(integer(name, value)?),
                "mine" => query.min_end = Some(integer(name, value)?),
                "maxe" => query.max_end = Some(integer(name, value)?),
                "limit" => query.limit = Some(natural(name, value)?),
                "offset" => query.offset = Some(natural(name, value)?),
                "reverse" => query.reverse = !["no", "false", "0"].contains(&value.to_ascii_lowercase().as_str()),
                "refresh" => query.refresh = Refresh::parse(value)?,
                "quick" => {
                    let text = "Deprecated parameter 'quick', use refresh=no instead";
                    return Err(Error::BadParameters(text.into()));
                }
                _ => {}
            }
        }
        Ok(query)
    }
}

/// Returns an integer; one beyond 64 bits is as good as the last one within. Spaces around it are nothing: they are what
/// becomes of a plus sign that was not encoded.
fn integer(name: &str, value: &str) -> Result<i64> {
    let value = value.trim_matches(' ');
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = check::cut(value);
        return Err(Error::BadParameters(format!(
            "{name} should be an integer (got {value})"
        )));
    }
    Ok(value
        .parse()
        .unwrap_or(if value.starts_with('-') { i64::MIN } else { i64::MAX }))
}

/// Returns a number of obsels.
fn natural(name: &str, value: &str) -> Result<u64> {
    integer(name, value)?
        .try_into()
        .map_err(|_| Error::BadParameters(format!("{name} should not be negative (got {})", check::cut(value))))
}

/// The trace of which a slice is taken.
#[derive(Clone, Copy, Debug)]
pub struct Sliced<'a> {
    /// Its IRI.
    pub iri: &'a str,
    /// Its number.
    pub number: TraceNumber,
    /// Its pseudo-monotonicity range, in its unit.
    pub pseudo_range: i64,
}

/// What a query selects.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Where the selected obsels lie; `None` if there is none.
    pub bounds: Option<Bounds>,
    /// Bounds on their begins, besides.
    pub begins: Begins,
    /// Links to the whole collection and to the next page.
    pub links: Vec<Link>,
    /// Tags of the slice, the most volatile first.
    pub tags: Vec<String>,
}

/// The obsels that a query selects, in the order in which it asks for them.
struct Page {
    first: Place,
    last: Place,
    count: u64,
}

impl Slice {
    /// Selects what a query asks for. Costs the obsels up to the end of the page, from where its bounds start.
    ///
    /// # Errors
    /// `BadParameters`: `after` or `before` is no obsel of the trace; those of the store.
    pub fn select(query: &Query, trace: Sliced<'_>, reading: &dyn Reading) -> Result<Self> {
        let after = place("after", query.after.as_deref(), trace, reading)?;
        let before = place("before", query.before.as_deref(), trace, reading)?;
        let record = reading.trace(trace.number)?;
        let begins = Begins {
            min: query.min_begin,
            max: query.max_begin,
        };
        let bounds = bounds(query, after.clone(), before.clone(), record.max_duration);
        let page = page(query, &bounds, begins, trace.number, reading)?;

        let (least, greatest) = match &page {
            Some(page) if query.reverse => (Some(&page.last), Some(&page.first)),
            Some(page) => (Some(&page.first), Some(&page.last)),
            None => (None, None),
        };
        let selected = least.zip(greatest).map(|(least, greatest)| Bounds {
            lower: Bound::Included(least.clone()),
            upper: Bound::Included(greatest.clone()),
        });
        let last = reading.last_place(trace.number)?;
        let is_full = page.as_ref().is_some_and(|page| Some(page.count) == query.limit);
        let stability = Stability {
            last: last.as_ref(),
            before: before.as_ref(),
            greatest: greatest.map(|place| place.end),
            max_end: query.max_end,
            is_full_page: is_full && !query.reverse,
            pseudo_range: trace.pseudo_range,
        };
        let tags = stability.tags(&record.tags);
        let links = links(query, trace.iri, page.as_ref().map(|page| &page.last), &record.tags);
        Ok(Self {
            bounds: selected,
            begins,
            links,
            tags,
        })
    }
}

/// Returns the place of the obsel that a parameter names, by its id or its IRI, relative to the trace.
fn place(parameter: &str, value: Option<&str>, trace: Sliced<'_>, reading: &dyn Reading) -> Result<Option<Place>> {
    let Some(value) = value else {
        return Ok(None);
    };
    let absolute = BaseIri::new(trace.iri).ok().and_then(|base| base.resolve(value).ok());
    let found = match absolute.as_ref().and_then(|iri| iri.as_str().strip_prefix(trace.iri)) {
        Some(id) if !id.is_empty() => reading.place(trace.number, id)?,
        _ => None,
    };
    match found {
        Some(place) => Ok(Some(place)),
        None => Err(Error::BadParameters(format!(
            "{parameter} should be an existing obsel(got {})",
            check::cut(value)
        ))),
    }
}

/// Returns the part of the trace outside of which nothing can be selected.
///
/// An obsel ends when it begins or later, but no later than its begin plus `max_duration`, so that bounds on begins
/// bound the ends too.
fn bounds(query: &Query, after: Option<Place>, before: Option<Place>, max_duration: u64) -> Bounds {
    let from_end = |end: i64| Place {
        end,
        begin: i64::MIN,
        id: String::new(),
    };
    let mut lower = after.map_or(Bound::Unbounded, Bound::Excluded);
    for end in [query.min_end, query.min_begin].into_iter().flatten() {
        let start = from_end(end);
        lower = match lower {
            Bound::Excluded(place) | Bound::Included(place) if place >= start => Bound::Excluded(place),
            _ => Bound::Included(start),
        };
    }
    let mut upper = before.map_or(Bound::Unbounded, Bound::Excluded);
    let latest = query.max_begin.map(|begin| begin.saturating_add_unsigned(max_duration));
    for end in [query.max_end, latest].into_iter().flatten() {
        let Some(next) = end.checked_add(1) else {
            continue;
        };
        let stop = from_end(next);
        upper = match upper {
            Bound::Excluded(place) if place <= stop => Bound::Excluded(place),
            _ => Bound::Excluded(stop),
        };
    }
    Bounds { lower, upper }
}

/// Returns the page that a query asks for, or `None` if it is empty. Without a limit, only its two ends are looked for.
fn page(
    query: &Query,
    bounds: &Bounds,
    begins: Begins,
    trace: TraceNumber,
    reading: &dyn Reading,
) -> Result<Option<Page>> {
    let Some(limit) = query.limit else {
        let first = end_of_page(bounds, begins, trace, query.reverse, query.offset.unwrap_or(0), reading)?;
        let last = end_of_page(bounds, begins, trace, !query.reverse, 0, reading)?;
        return Ok(first.zip(last).and_then(|(first, last)| {
            // An offset beyond the end leaves nothing: the walk from the other side would stop before it.
            let in_order = if query.reverse { last <= first } else { first <= last };
            in_order.then_some(Page { first, last, count: 0 })
        }));
    };
    let mut skip = query.offset.unwrap_or(0);
    let mut page: Option<Page> = None;
    if limit == 0 {
        return Ok(None);
    }
    reading.for_each_place(trace, bounds, query.reverse, &mut |end, begin, id| {
        if !begins.contain(begin) {
            return Ok(ControlFlow::Continue(()));
        }
        if skip > 0 {
            skip -= 1;
            return Ok(ControlFlow::Continue(()));
        }
        let page = page.get_or_insert_with(|| {
            let first = Place {
                end,
                begin,
                id: id.to_owned(),
            };
            Page {
                last: first.clone(),
                first,
                count: 0,
            }
        });
        page.count += 1;
        page.last.end = end;
        page.last.begin = begin;
        page.last.id.clear();
        page.last.id.push_str(id);
        Ok(if page.count == limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    Ok(page)
}

/// Returns the first place that fits, after some that are skipped.
fn end_of_page(
    bounds: &Bounds,
    begins: Begins,
    trace: TraceNumber,
    reverse: bool,
    mut skip: u64,
    reading: &dyn Reading,
) -> Result<Option<Place>> {
    let mut found = None;
    reading.for_each_place(trace, bounds, reverse, &mut |end, begin, id| {
        if !begins.contain(begin) {
            return Ok(ControlFlow::Continue(()));
        }
        if skip > 0 {
            skip -= 1;
            return Ok(ControlFlow::Continue(()));
        }
        found = Some(Place {
            end,
            begin,
            id: id.to_owned(),
        });
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// What decides how stable a slice is while obsels are added.
struct Stability<'a> {
    /// The last obsel of the trace; `None` if it is empty.
    last: Option<&'a Place>,
    before: Option<&'a Place>,
    /// The greatest end of the slice; `None` if it is empty.
    greatest: Option<i64>,
    max_end: Option<i64>,
    /// Whether no later obsel can enter because the page has all the obsels that it may have.
    is_full_page: bool,
    pseudo_range: i64,
}

impl Stability<'_> {
    /// Returns the tags of the slice, the most volatile first (kTBS documentation, "monotonicity").
    ///
    /// The strict tag holds while obsels are only added after the last one: it fits a slice that none of these can
    /// enter. The pseudo-monotonic tag holds while they are added within the range before the last one: it fits a slice
    /// that lies wholly before that range, and that is closed at its end.
    fn tags(&self, tags: &Tags) -> Vec<String> {
        let main = tags.main.to_string();
        let strict = format!("{}s", tags.strict);
        let Some(last) = self.last else {
            return vec![main];
        };
        if self.before == Some(last) {
            return vec![main, strict];
        }
        let Some(mut horizon) = self.greatest.max(self.before.map(|place| place.end)) else {
            return vec![main];
        };
        let closed_by_end = self.max_end.filter(|_| self.before.is_none() && !self.is_full_page);
        if self.before.is_none() && !self.is_full_page {
            match closed_by_end {
                Some(max_end) => horizon = horizon.max(max_end),
                None => return vec![main],
            }
        }
        let horizon = i128::from(horizon);
        let end = i128::from(last.end);
        if horizon >= end {
            vec![main]
        } else if horizon < end - i128::from(self.pseudo_range) {
            vec![main, strict, format!("{}p", tags.pseudo)]
        } else {
            vec![main, strict]
        }
    }
}

/// What is percent-encoded in the value of a parameter (RFC 3986, section 3.4), besides non-ASCII characters.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'`');

/// Returns the links of a slice: the whole collection, and the next page if the slice is limited and not empty.
fn links(query: &Query, trace: &str, last: Option<&Place>, tags: &Tags) -> Vec<Link> {
    let collection = utf8_percent_encode(&format!("{trace}@obsels"), CONTROLS).to_string();
    let mut links = vec![Link {
        uri: collection.clone(),
        rel: "canonical",
        parameters: vec![
            ("etag", tags.main.to_string()),
            ("mstable-etag", format!("{}s", tags.strict)),
        ],
    }];
    let (Some(limit), Some(last)) = (query.limit, last) else {
        return links;
    };
    let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
    let (flag, from, other, other_value) = if query.reverse {
        ("reverse&", "before", "after", &query.after)
    } else {
        ("", "after", "before", &query.before)
    };
    let mut uri = format!("{collection}?{flag}limit={limit}&{from}={}", encode(&last.id));
    if let Some(value) = other_value {
        uri.push_str(&format!("&{other}={}", encode(value)));
    }
    let bounds = [
        ("minb", query.min_begin),
        ("maxb", query.max_begin),
        ("mine", query.min_end),
        ("maxe", query.max_end),
    ];
    for (name, value) in bounds {
        if let Some(value) = value {
            uri.push_str(&format!("&{name}={value}"));
        }
    }
    links.push(Link {
        uri,
        rel: "next",
        parameters: Vec::new(),
    });
    links
}
