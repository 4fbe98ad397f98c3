//! The lane of the picture that an event stands in.

use super::{around, beside};
use crate::Names;
use record::{
    Fact,
    fact::{Control, Lane},
};

/// `names` has learnt the facts before it.
pub(crate) fn lane_of(fact: &Fact, names: &Names) -> Option<&'static str> {
    match fact {
        Fact::Signaling(_) => Some("signaling"),
        Fact::Ice(_) => Some("ice"),
        Fact::Media(_) => Some("media"),
        Fact::Action(_) => Some("recovery"),
        Fact::Net(_) => Some("network"),
        Fact::Power(_) | Fact::System(_) => Some("computer"),
        Fact::Lane(Lane::Opening { manner, .. }) => beside::lane_of(manner),
        Fact::Lane(
            Lane::Stands { lane, .. }
            | Lane::Failed { lane, .. }
            | Lane::SeenFrom { lane, .. }
            | Lane::Sample { lane, .. }
            | Lane::Silent { lane, .. }
            | Lane::Back { lane, .. }
            | Lane::Proved { lane, .. }
            | Lane::Ended { lane, .. }
            | Lane::Done { lane },
        ) => beside::lane_of(names.manner(*lane)?),
        Fact::Control(Control::Asking { kind, .. }) => Some(around::lane_of(*kind)),
        Fact::Control(
            Control::Sample { control, .. }
            | Control::Silent { control, .. }
            | Control::Back { control, .. }
            | Control::Portal { control, .. }
            | Control::PortalGone { control }
            | Control::Issuer { control, .. },
        ) => Some(around::lane_of(names.kind(*control)?)),
        Fact::Far(_) => Some("far"),
        Fact::Mark(_) | Fact::Prediction(_) | Fact::Blind { .. } => None,
    }
}
