//! What HTTP promises whatever the resource is.

mod bulk;
mod clients;
mod computed;
mod conditional;
mod cors;
mod documents;
mod errors;
mod excess;
mod external;
mod handler;
mod hostile;
mod hostile_methods;
mod kept;
mod limits;
mod methods;
mod negotiation;
mod obsels;
mod pages;
mod post_via_get;
mod profiler;
mod round_trip;
mod scopes;
mod slices;
mod sparql_endpoints;
mod urls;
mod xgereco_obsel_table;
