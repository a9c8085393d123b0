//! What the conditions of an automaton ask about an obsel.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::super::model::Vocabulary;
use super::super::source::resolve;
use super::super::{Inputs, Source};
use super::automaton::Matchers;
use super::pattern::Pattern;

/// The most regular expressions that an automaton may have: each takes memory.
const REGEXPS: usize = 64;
/// How many bytes a compiled regular expression may take, and what it needs to run.
const REGEXP_BYTES: usize = 512 * 1024;

/// A condition.
#[derive(Clone, Debug)]
pub enum Condition {
    /// The obsel has one of these types: the one that was named and its subtypes.
    Types(Rc<BTreeSet<String>>),
    /// Its IRI matches as a whole.
    Regexp(Regex),
    /// Its IRI is one of these.
    Choices(HashSet<String>),
    /// A pattern has a solution.
    Ask(Box<Pattern>),
}

/// The conditions of an automaton, each once: a transition has the index of its own.
#[derive(Debug)]
pub struct Conditions<'a> {
    inputs: &'a Inputs<'a>,
    source: &'a Source,
    vocabulary: Vocabulary,
    known: HashMap<(String, String), usize>,
    regexps: usize,
    /// The conditions.
    pub list: Vec<Condition>,
}

impl<'a> Conditions<'a> {
    /// Prepares to read conditions on the obsels of a source.
    pub fn new(inputs: &'a Inputs<'a>, source: &'a Source) -> Self {
        let (known, regexps, list) = Default::default();
        Self {
            inputs,
            source,
            vocabulary: Vocabulary::read(source.model.as_deref(), inputs.model),
            known,
            regexps,
            list,
        }
    }

    fn read(&mut self, matcher: &str, json: &Value) -> Result<Condition, String> {
        if matcher == "multiple-choices" {
            let list = json.as_array().ok_or("\"condition\" should be a list of strings")?;
            let choices: Option<HashSet<String>> =
                list.iter().map(|choice| Some(choice.as_str()?.to_owned())).collect();
            return Ok(Condition::Choices(
                choices.ok_or("\"condition\" should be a list of strings")?,
            ));
        }
        let text = json.as_str().ok_or("\"condition\" should be a string")?;
        match matcher {
            "regexp" => self.regexp(text),
            "sparql-ask" => Ok(Condition::Ask(Box::new(Pattern::parse(
                self.inputs,
                self.source,
                text,
            )?))),
            _ => {
                let model = self.source.model.as_deref().unwrap_or(&self.source.iri);
                let iri = resolve(model, text)?;
                Ok(Condition::Types(self.vocabulary.subtypes_of(&iri)?))
            }
        }
    }

    /// Reads a regular expression in the syntax of Python. The engine is linear in the text, so that what it lacks
    /// (looking around, references to groups) is refused.
    fn regexp(&mut self, text: &str) -> Result<Condition, String> {
        self.regexps += 1;
        if self.regexps > REGEXPS {
            return Err(format!("there are more than {REGEXPS} regular expressions"));
        }
        let regexp = RegexBuilder::new(&format!("^(?:{})$", text.replace(r"\Z", r"\z")))
            .size_limit(REGEXP_BYTES)
            .dfa_size_limit(REGEXP_BYTES)
            .nest_limit(64)
            .build();
        match regexp {
            Ok(regexp) => Ok(Condition::Regexp(regexp)),
            Err(regex::Error::CompiledTooBig(_)) => Err(format!(
                "the regular expression takes more than {REGEXP_BYTES} bytes once compiled"
            )),
            Err(error) => Err(format!("the regular expression cannot be used: {error}")),
        }
    }
}

impl Matchers for Conditions<'_> {
    type Condition = usize;
    const DEFAULT: &'static str = "obseltype";

    fn knows(&self, matcher: &str) -> bool {
        ["obseltype", "sparql-ask", "regexp", "multiple-choices"].contains(&matcher)
    }

    fn condition(&mut self, matcher: &str, json: Option<&Value>) -> Result<usize, String> {
        let json = json.ok_or("\"condition\" is missing")?;
        let key = (matcher.to_owned(), json.to_string());
        if let Some(index) = self.known.get(&key) {
            return Ok(*index);
        }
        let condition = self.read(matcher, json)?;
        self.list.push(condition);
        self.known.insert(key, self.list.len() - 1);
        Ok(self.list.len() - 1)
    }
}
