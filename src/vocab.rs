//! IRIs of the vocabularies that the kTBS knows (kTBS documentation, "vocabulary").

/// The kTBS namespace.
pub const KTBS: &str = "http://liris.cnrs.fr/silex/2009/ktbs#";
/// The RDF namespace.
pub const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// The RDF Schema namespace.
pub const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";
/// The XML Schema namespace.
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
/// The SKOS namespace.
pub const SKOS: &str = "http://www.w3.org/2004/02/skos/core#";
/// The namespace of trace statistics.
pub const STATS: &str = "http://tbs-platform.org/2016/trace-stats#";
/// The address of the JSON-LD context of the kTBS.
pub const CONTEXT: &str = "http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context";

macro_rules! terms {
    ($($module:ident $doc:literal $ns:literal: $($name:ident = $local:literal),+ $(,)?;)+) => { $(
        #[doc = $doc]
        pub mod $module {
            $(
                #[doc = concat!("`", $local, "`")]
                pub const $name: &str = concat!($ns, $local);
            )+
        }
    )+ };
}

terms! {
    ktbs "Terms of the kTBS namespace." "http://liris.cnrs.fr/silex/2009/ktbs#":
        KTBS_ROOT = "KtbsRoot", BASE = "Base", TRACE_MODEL = "TraceModel", METHOD = "Method",
        STORED_TRACE = "StoredTrace", COMPUTED_TRACE = "ComputedTrace", DATA_GRAPH = "DataGraph",
        OBSEL = "Obsel", OBSEL_TYPE = "ObselType", ATTRIBUTE_TYPE = "AttributeType", RELATION_TYPE = "RelationType",
        STORED_TRACE_OBSELS = "StoredTraceObsels", COMPUTED_TRACE_OBSELS = "ComputedTraceObsels",
        TRACE_STATISTICS = "TraceStatistics",
        HAS_BASE = "hasBase", HAS_BUILTIN_METHOD = "hasBuiltinMethod", HAS_VERSION = "hasVersion",
        CONTAINS = "contains", HAS_PARENT_MODEL = "hasParentModel", HAS_UNIT = "hasUnit", HAS_MODEL = "hasModel",
        HAS_ORIGIN = "hasOrigin", HAS_DEFAULT_SUBJECT = "hasDefaultSubject", HAS_SOURCE = "hasSource",
        HAS_TRACE_BEGIN = "hasTraceBegin", HAS_TRACE_END = "hasTraceEnd",
        HAS_TRACE_BEGIN_DT = "hasTraceBeginDT", HAS_TRACE_END_DT = "hasTraceEndDT",
        HAS_CONTEXT = "hasContext", HAS_OBSEL_COUNT = "hasObselCount", HAS_METHOD = "hasMethod",
        HAS_PARAMETER = "hasParameter", HAS_PARENT_METHOD = "hasParentMethod", INHERITS = "inherits",
        HAS_TRACE = "hasTrace", HAS_SUBJECT = "hasSubject", HAS_BEGIN = "hasBegin", HAS_END = "hasEnd",
        HAS_BEGIN_DT = "hasBeginDT", HAS_END_DT = "hasEndDT", HAS_SOURCE_OBSEL = "hasSourceObsel",
        HAS_SUPER_OBSEL_TYPE = "hasSuperObselType", HAS_SUPER_RELATION_TYPE = "hasSuperRelationType",
        HAS_SUGGESTED_COLOR = "hasSuggestedColor", HAS_SUGGESTED_SYMBOL = "hasSuggestedSymbol",
        HAS_ATTRIBUTE_DOMAIN = "hasAttributeDomain", HAS_ATTRIBUTE_RANGE = "hasAttributeRange",
        HAS_RELATION_DOMAIN = "hasRelationDomain", HAS_RELATION_RANGE = "hasRelationRange",
        HAS_PSEUDO_MON_RANGE = "hasPseudoMonRange", HAS_OBSEL_COLLECTION = "hasObselCollection",
        HAS_TRACE_STATISTICS = "hasTraceStatistics", HAS_DIAGNOSIS = "hasDiagnosis",
        HAS_INTERMEDIATE_SOURCE = "hasIntermediateSource",
        MILLISECOND = "millisecond", SECOND = "second", SEQUENCE = "sequence",
        FILTER = "filter", FSA = "fsa", FUSION = "fusion", HRULES = "hrules", ISPARQL = "isparql",
        PARALLEL = "parallel", PIPE = "pipe", SPARQL = "sparql", EXTERNAL = "external";
    rdf "Terms of the RDF namespace." "http://www.w3.org/1999/02/22-rdf-syntax-ns#":
        TYPE = "type", FIRST = "first", REST = "rest", NIL = "nil", LANG_STRING = "langString";
    rdfs "Terms of RDF Schema." "http://www.w3.org/2000/01/rdf-schema#":
        LABEL = "label", COMMENT = "comment";
    xsd "Datatypes of XML Schema." "http://www.w3.org/2001/XMLSchema#":
        STRING = "string", INTEGER = "integer", DECIMAL = "decimal", DOUBLE = "double", FLOAT = "float", BOOLEAN = "boolean",
        DATE_TIME = "dateTime";
    skos "Terms of SKOS." "http://www.w3.org/2004/02/skos/core#":
        PREF_LABEL = "prefLabel";
    acl "Terms of Web Access Control." "http://www.w3.org/ns/auth/acl#":
        AUTHORIZATION = "Authorization", ACCESS_TO = "accessTo", DEFAULT = "default", OWNER = "owner", AGENT = "agent",
        AGENT_CLASS = "agentClass", AGENT_GROUP = "agentGroup", AUTHENTICATED_AGENT = "AuthenticatedAgent",
        MODE = "mode", READ = "Read", APPEND = "Append", WRITE = "Write", CONTROL = "Control";
    foaf "Terms of Friend of a Friend." "http://xmlns.com/foaf/0.1/":
        AGENT = "Agent";
    access "Terms of ours about access, which Web Access Control does not have." "urn:ktbs:":
        IGNORES_SOURCES = "access:ignoresSources", USER = "user:", GROUP = "group:";
    stats "Terms of trace statistics." "http://tbs-platform.org/2016/trace-stats#":
        OBSEL_COUNT = "obselCount", MIN_TIME = "minTime", MAX_TIME = "maxTime", DURATION = "duration",
        OBSEL_COUNT_PER_TYPE = "obselCountPerType", HAS_OBSEL_TYPE = "hasObselType", NB = "nb",
        DISTINCT_SUBJECTS = "distinctSubjects";
}
