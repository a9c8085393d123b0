//! What HTTP promises whatever the resource is.

mod computed;
mod conditional;
mod cors;
mod errors;
mod external;
mod handler;
mod hostile;
mod hostile_methods;
mod kept;
mod limits;
mod methods;
mod negotiation;
mod obsels;
mod post_via_get;
mod slices;
mod sparql_endpoints;
mod urls;
