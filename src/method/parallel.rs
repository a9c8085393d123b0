//! Parallel: methods applied side by side to one source, and the fusion of what they give (kTBS documentation, "parallel").

use super::composition::steps;
use super::params::Parameters;
use super::{Description, Inputs, Method, fusion};
use crate::vocab::ktbs;

const NAME: &str = "ktbs:parallel";

pub(super) static METHOD: Method = Method {
    iri: ktbs::PARALLEL,
    description_title: "parallel.compute_trace_description",
    obsels_title: "parallel.compute_obsels",
    dangerous: false,
    steps: Some(|inputs| steps(inputs, NAME, false)),
    describe,
    compute: fusion::compute,
};

/// Takes the model and the origin that parameters give, else those that all the intermediate traces have.
fn describe(inputs: &Inputs<'_>) -> Description {
    let mut parameters = Parameters::new(inputs.parameters);
    let mut description = fusion::describe(inputs, &mut parameters);
    if inputs
        .parameters
        .iter()
        .any(|(name, _)| !["methods", "model", "origin"].contains(&name.as_str()))
    {
        description
            .warnings
            .push(format!("Method {NAME} does not support additional parameters yet"));
    }
    description
}
