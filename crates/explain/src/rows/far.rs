//! What the far end says, in sentences.

use crate::{names::Names, words};
use record::{
    Wall,
    fact::{Far, Sight},
};

pub fn far(fact: &Far, names: &Names) -> String {
    match fact {
        Far::Clock { offset_ms, rtt_ms } => format!(
            "The far end's clock is {} {} ours, measured over a round trip of {}.",
            words::ms(offset_ms.abs()),
            if *offset_ms < 0.0 { "behind" } else { "ahead of" },
            words::ms(*rtt_ms)
        ),
        Far::Certificate { issuer } => format!("The far end says that its own certificate was issued by {issuer}."),
        Far::Saw { at, sight } => {
            let clock = |wall: &Wall| wall.timestamp().strftime("%H:%M:%S").to_string();
            let what = match sight {
                Sight::MediaStarted { first } => format!("our media began to arrive at {}", clock(first)),
                Sight::MediaStopped { last } => {
                    format!("our media stopped arriving; the last packet came at {}", clock(last))
                }
                Sight::MediaResumed { last, first } => {
                    format!("our media arrived again at {}, after the packet of {}", clock(first), clock(last))
                }
                Sight::Counted { received, lost, echoed } => {
                    format!("{received} of our packets arrived, {lost} were missing, {echoed} were sent back")
                }
                Sight::SocketEnded { end } => format!("the signaling socket ended {}", from_there(end)),
                Sight::Reattached => "a new socket took up the call".into(),
                Sight::StoodStill { from, to } => {
                    format!("its program did not run from {} to {}", clock(from), clock(to))
                }
                Sight::Lane { lane, sight } => super::lanes::sight(&names.lane(*lane), sight),
                Sight::ShuttingDown => "it is shutting down".into(),
            };
            format!("The far end says, at {} on its own clock: {what}.", clock(at))
        }
    }
}

/// "Our" and "the far end's" change places when the far end speaks.
pub fn from_there(end: &record::fact::End) -> String {
    use record::fact::{End, Side};
    match end {
        End::CloseFrame { by: Side::Us, code, reason } => {
            words::ended(&End::CloseFrame { by: Side::Them, code: *code, reason: reason.clone() })
        }
        End::CloseFrame { by: Side::Them, code, reason } => {
            words::ended(&End::CloseFrame { by: Side::Us, code: *code, reason: reason.clone() })
        }
        End::LetGo => "because it let go of it".into(),
        other => words::ended(other),
    }
}
