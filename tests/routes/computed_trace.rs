//! Computed traces.

use ktbs::error::Error;

use crate::support::TestKtbs;

#[test]
fn post_is_not_implemented() {
    let ktbs = TestKtbs::with_base();
    let result = ktbs.post(
        "b/",
        "<> k:contains <c/>. <c/> a k:ComputedTrace; k:hasMethod k:filter.",
    );
    assert!(
        matches!(&result, Err(Error::NotImplemented(text)) if text.contains("Computed traces")),
        "{result:?}"
    );
    assert!(!ktbs.has("b/c/"));
}
