//! Pipe: methods applied one after the other (kTBS documentation, "pipe").

use super::composition::steps;
use super::params::Parameters;
use super::{Description, Inputs, Method, fusion};
use crate::vocab::ktbs;

const NAME: &str = "ktbs:pipe";

pub(super) static METHOD: Method = Method {
    iri: ktbs::PIPE,
    description_title: "pipe.compute_trace_description",
    obsels_title: "pipe.compute_trace_description",
    dangerous: false,
    steps: Some(|inputs| steps(inputs, NAME, true)),
    describe,
    compute: fusion::compute,
};

/// Takes the model and the origin of the last intermediate trace, which is the only source by then.
fn describe(inputs: &Inputs<'_>) -> Description {
    let mut description = fusion::describe(inputs, &mut Parameters::new(&[]));
    if inputs.parameters.iter().any(|(name, _)| name != "methods") {
        description
            .warnings
            .push(format!("Method {NAME} does not support additional parameters yet"));
    }
    description
}
