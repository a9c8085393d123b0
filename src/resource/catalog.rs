//! What there is in a kTBS, for those who describe it: each kind of resource, where it is, what it takes.

use super::parameter::Parameter;
use super::{KINDS, Shape, prop, slice, stats, target};
use crate::store::Kind;

/// A kind of resource, or a face of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its class, without namespace.
    pub class: &'static str,
    /// Its address below the root, with a name in braces for each segment that is chosen by who creates it. What is in a base
    /// may be in a base of a base, and so on.
    pub address: &'static str,
    /// The shape of its representation.
    pub shape: Shape,
    /// The methods it supports, besides OPTIONS.
    pub allow: &'static [&'static str],
    /// The parameters of a read.
    pub parameters: &'static [Parameter],
}

/// Returns all the kinds of resources and their faces; `with_access`: also the lists of who may do what, which are there
/// where somebody asks.
pub fn described(with_access: bool) -> Vec<Described> {
    let mut all: Vec<Described> = KINDS
        .iter()
        .map(|row| Described {
            class: row.class.strip_prefix(crate::vocab::KTBS).unwrap_or(row.class),
            address: match (row.kind, row.folder) {
                (Kind::Root, _) => "",
                (Kind::Base, _) => "{base}/",
                (_, true) => "{base}/{trace}/",
                (_, false) => "{base}/{item}",
            },
            shape: row.shape,
            allow: row.allow,
            parameters: match row.kind {
                Kind::Root => &prop::OF_ROOT,
                Kind::Base => &prop::OF_BASE,
                _ => &[],
            },
        })
        .collect();
    let mut face = |class, address, shape, allow, parameters| {
        all.push(Described {
            class,
            address,
            shape,
            allow,
            parameters,
        });
    };
    let (obsels, stats_of) = ("{base}/{trace}/@obsels", "{base}/{trace}/@stats");
    face(
        "StoredTraceObsels",
        obsels,
        Shape::Obsels,
        target::OBSELS,
        &slice::PARAMETERS,
    );
    face(
        "ComputedTraceObsels",
        obsels,
        Shape::Obsels,
        target::READ_ONLY,
        &slice::PARAMETERS,
    );
    face(
        "TraceStatistics",
        stats_of,
        Shape::Stats,
        target::READ_ONLY,
        &stats::PARAMETERS,
    );
    face("Obsel", "{base}/{trace}/{obsel}", Shape::Obsel, target::OBSEL, &[]);
    if with_access {
        for address in ["@acl", "{base}/@acl", "{base}/{trace}/@acl"] {
            face("AccessControlList", address, Shape::Acl, target::ACL, &[]);
        }
    }
    all
}
