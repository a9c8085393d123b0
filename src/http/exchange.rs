//! One request about a resource that exists: what its method means, and what is checked in which order.

use std::cell::RefCell;
use std::io::BufReader;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Method, Response, header};

use super::kept::Lasting;
use super::request::{self, Incoming};
use super::response::Body;
use super::status::{self, Outcome};
use super::target::{self, Url};
use super::{conditional, document, negotiate, represent};
use crate::config::Config;
use crate::digest::fnv128;
use crate::error::{Error, Result};
use crate::format::{self, Context, Format, Offer, Prefixes, ReadObsels};
use crate::plugin::{self, profiler::Stages};
use crate::rdf::Graph;
use crate::resource::{Give, Service, Shape, Target, View};

/// A request about a resource that exists.
pub(super) struct Exchange<'a> {
    pub config: &'a Config,
    pub service: &'a Service,
    pub request: &'a Parts,
    pub url: Url,
    pub stages: &'a Stages,
}

impl Exchange<'_> {
    pub(super) fn get(mut self, target: Target) -> Result<Response<Body>> {
        if self.request.method == Method::GET
            && let Some(response) = self.answered_by_plugin(&target, None)
        {
            return response;
        }
        let busted = self.url.take_cache_buster();
        let offer = self.negotiate(&target)?;
        if let Some(view) = self.taken_by_plugin(&target, offer) {
            // The request had an effect: it must reach the server each time.
            return self.show(view?, offer, "no-store");
        }
        // What a client wants computed anew, whatever the store knows, is not to be answered from memory.
        let lasts =
            !busted && !self.config.plugins.profiler && !self.url.parameters.iter().any(|(name, _)| name == "refresh");
        let view = self
            .stages
            .time("read", || self.service.read(target, &self.url.parameters))?;
        let mut response = self.show(view, offer, self.cache_control(busted))?;
        if lasts {
            response.extensions_mut().insert(Lasting);
        }
        Ok(response)
    }

    pub(super) fn post(&self, target: &Target, body: Incoming<'_>) -> Result<Response<Body>> {
        let body = RefCell::new(Some(body));
        if let Some(response) = self.answered_by_plugin(target, Some(&body)) {
            return response;
        }
        let body = body
            .into_inner()
            .ok_or_else(|| Error::Internal("a plugin has read the body".into()))?;
        let (media_type, charset) = request::content_type(&self.request.headers);
        let is_trace = target.shape() == Shape::Trace && target.allow().contains(&"POST");
        if target.allow().contains(&"POST") {
            self.service.check_creatable(target)?;
        }
        if let Some(read) = format::obsel_reader(&media_type).filter(|_| is_trace) {
            return self.post_obsels(target, read, charset.as_deref(), body);
        }
        let graph = if format::obsel_reader(&media_type).is_some() && !target.allow().contains(&"POST") {
            // Lines of obsels are for stored traces: another resource says itself that it takes none.
            Graph::new()
        } else {
            // A payload that cannot be read is told first, even where the resource would refuse any.
            let format = parser(&media_type)?;
            let payload = self.stages.time("receive", || body.read(self.config))?;
            self.parse(target, format, &payload, charset.as_deref(), false)?
        };
        let created = self
            .stages
            .time("create", || self.service.create(target, &self.url.parameters, graph))?;
        Ok(status::success(Outcome::Created(created)))
    }

    /// Adds obsels as they come, however many they are.
    fn post_obsels(
        &self,
        target: &Target,
        read: ReadObsels,
        charset: Option<&str>,
        body: Incoming<'_>,
    ) -> Result<Response<Body>> {
        if let Some(charset) = charset.filter(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
            return Err(Error::UnsupportedType(format!(
                "obsels that are read as they come must be in UTF-8, not in {charset}"
            )));
        }
        let limits = &self.config.limits.payload;
        let max_triples = self
            .config
            .server
            .max_triples
            .unwrap_or(limits.triples)
            .min(limits.triples);
        let mut body = BufReader::new(body.bounded(self.config)?);
        let parent = target.parent();
        let context = self.context(target, parent.as_deref(), false);
        let mut read = |give: &mut Give<'_>| read(&mut body, &context, give);
        let parameters = &self.url.parameters;
        let created = self.stages.time("create", || {
            self.service.create_many(target, parameters, max_triples, &mut read)
        });
        match created {
            Err(Error::Gone(error)) => Err(request::incomplete(error)),
            created => Ok(status::success(Outcome::Created(created?))),
        }
    }

    /// The order of the checks is a contract: what is refused for two reasons is refused for the first of them. The
    /// format of the answer is chosen first, for after the edition it is too late to refuse.
    pub(super) fn put(self, target: Target, body: Incoming<'_>) -> Result<Response<Body>> {
        let offer = self.negotiate(&target)?;
        let ((media_type, charset), format) = match &self.url.extension {
            Some(extension) => {
                let (media_type, format) = format::parser_of_extension(extension).ok_or(Error::BadExtension)?;
                ((media_type.to_owned(), None), Ok(format))
            }
            None => {
                let content_type = request::content_type(&self.request.headers);
                let format = parser(&content_type.0);
                (content_type, format)
            }
        };
        let expected = conditional::expected(
            &self.request.headers,
            target.tags()?.first().map(String::as_str),
            &media_type,
            self.url.extension.is_some(),
        )?;
        let format = format?;
        let payload = self.stages.time("receive", || body.read(self.config))?;
        self.service.check_replaceable(&target, &self.url.parameters)?;
        let graph = self.parse(&target, format, &payload, charset.as_deref(), true)?;
        let graph = self.restored(&target, format, graph)?;
        let view = self
            .stages
            .time("replace", || self.service.replace(target, &expected, graph))?;
        self.show(view, offer, self.cache_control(false))
    }

    /// Gives back to a payload what its format could not tell the client who had read the resource in it.
    fn restored(&self, target: &Target, format: &Format, graph: Graph) -> Result<Graph> {
        let read_plainly = matches!(target.shape(), Shape::Trace | Shape::Obsels);
        match format.restore.filter(|_| read_plainly) {
            Some(restore) => {
                let state = self.service.find(&target.iri)?;
                restore(graph, &self.service.read(state, &[])?)
            }
            None => Ok(graph),
        }
    }

    pub(super) fn delete(&self, target: &Target) -> Result<Response<Body>> {
        self.stages
            .time("delete", || self.service.delete(target, &self.url.parameters))?;
        Ok(status::success(Outcome::Deleted))
    }

    fn negotiate(&self, target: &Target) -> Result<&'static Offer> {
        negotiate::answer(
            &self.request.headers,
            self.url.extension.as_deref(),
            &self.url.iri,
            &plugin::offers(self.config, target.shape()),
        )
    }

    /// Lets plugins take a GET, which may have effects; a HEAD must not.
    fn taken_by_plugin(&self, target: &Target, offer: &'static Offer) -> Option<Result<View>> {
        if self.request.method != Method::GET {
            return None;
        }
        let parse = |media_type: &str, payload: &[u8]| {
            let format = parser(media_type)?;
            self.parse(target, format, payload, None, false)
        };
        plugin::take(&plugin::Get {
            config: self.config,
            service: self.service,
            target,
            parameters: &self.url.parameters,
            offer,
            parse: &parse,
        })
    }

    /// Lets plugins answer in place of the resource.
    fn answered_by_plugin(
        &self,
        target: &Target,
        body: Option<&RefCell<Option<Incoming<'_>>>>,
    ) -> Option<Result<Response<Body>>> {
        let (media_type, charset) = request::content_type(&self.request.headers);
        let read = || {
            let body = body.and_then(|body| body.borrow_mut().take());
            let body = body
                .ok_or_else(|| Error::Internal("the body was read already".into()))?
                .read(self.config)?;
            let text = negotiate::decode(&body, charset.as_deref())?;
            String::from_utf8(text.into_owned()).map_err(|error| Error::Parse(error.to_string()))
        };
        let answer = plugin::answer(&plugin::Asked {
            config: self.config,
            service: self.service,
            target,
            method: &self.request.method,
            parameters: &self.url.parameters,
            media_type: &media_type,
            body: &read,
            form: &|form| target::parameters(form),
            preferred: &|media_types| negotiate::among(&self.request.headers, media_types),
        })?;
        Some(answer.map(|answer| {
            let charset = if answer.media_type.starts_with("text/") || answer.media_type.ends_with("xml") {
                "; charset=utf-8"
            } else {
                ""
            };
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&format!("{}{charset}", answer.media_type)) {
                headers.insert(header::CONTENT_TYPE, value);
            }
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            with_headers(Outcome::Shown(Body::Bytes(answer.body)), headers)
        }))
    }

    fn cache_control(&self, busted: bool) -> &str {
        if busted {
            "no-cache"
        } else {
            &self.config.server.cache_control
        }
    }

    /// Parses a payload about a resource, within the limits on triples.
    fn parse(
        &self,
        target: &Target,
        format: &Format,
        payload: &[u8],
        charset: Option<&str>,
        replacing: bool,
    ) -> Result<Graph> {
        let parse = format
            .parse
            .ok_or_else(|| Error::UnsupportedType(format!("{} is never read", format.name)))?;
        let parent = target.parent();
        let context = self.context(target, parent.as_deref(), replacing);
        let graph = self
            .stages
            .time("parse", || parse(&negotiate::decode(payload, charset)?, &context))?;
        match self.config.server.max_triples {
            Some(max_triples) if graph.len() as u64 > max_triples => {
                Err(Error::TooLarge(format!("max_triples ({max_triples}) was exceeded")))
            }
            _ => Ok(graph),
        }
    }

    /// Returns what a parser must know of a resource.
    fn context<'c>(&'c self, target: &'c Target, parent: Option<&'c str>, replacing: bool) -> Context<'c> {
        Context {
            base: &target.iri,
            shape: target.shape(),
            parent,
            parent_is_root: parent == Some(&self.config.server.root),
            model: target.model(),
            replacing,
            limits: &self.config.limits.payload,
        }
    }

    /// Answers with a view: only its headers, if the client already has it.
    fn show(&self, mut view: View, offer: &Offer, cache_control: &str) -> Result<Response<Body>> {
        if view.shape == Shape::Root {
            view.links.push(document::link(&view.iri)?);
        }
        let who = Some(offer.media_type)
            .filter(|it| *it == "text/html")
            .and_then(|_| plugin::link(self.config, self.service, self.request));
        if let Some(who) = &who {
            // The page of another user is another page.
            let who = fnv128(format!("{who:?}").as_bytes());
            for tag in &mut view.tags {
                tag.push_str(&format!("-{who:x}"));
            }
        }
        let mut headers = represent::headers(&view, offer, self.url.extension.is_none())?;
        view.links.extend(who);
        match HeaderValue::from_str(cache_control) {
            Ok(value) if !value.is_empty() => {
                headers.insert(header::CACHE_CONTROL, value);
            }
            _ => {}
        }
        let reads = matches!(self.request.method, Method::GET | Method::HEAD);
        if reads && conditional::is_fresh(&self.request.headers, &headers) {
            headers.remove(header::CONTENT_TYPE);
            headers.remove(header::X_CONTENT_TYPE_OPTIONS);
            return Ok(with_headers(Outcome::Unchanged, headers));
        }
        let server = &self.config.server;
        if let Some(max_triples) = server.max_triples
            && view.triples()? > max_triples
        {
            return Err(Error::AnswerTooLarge(format!(
                "max_triple ({max_triples}) was exceeded"
            )));
        }
        let prefixes = Prefixes(self.config.prefixes.clone());
        let body = self.stages.time("write", || {
            represent::body(view, offer.format, prefixes, server.max_bytes)
        })?;
        Ok(with_headers(Outcome::Shown(body), headers))
    }
}

fn parser(media_type: &str) -> Result<&'static Format> {
    format::parser(media_type).ok_or_else(|| {
        Error::UnsupportedType(if format::obsel_reader(media_type).is_some() {
            format!("{media_type} is read only where obsels are added, by a POST to their stored trace")
        } else {
            format!("no parser for {media_type}")
        })
    })
}

fn with_headers(outcome: Outcome, headers: HeaderMap) -> Response<Body> {
    let mut response = status::success(outcome);
    *response.headers_mut() = headers;
    response
}
