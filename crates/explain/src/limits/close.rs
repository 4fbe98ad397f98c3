//! How a connection's end looked from here, and who of the two sides and the way between made it.

use record::fact::{End, Side};

/// What an administrator sees in a capture, and a catalogue can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Close {
    /// A TCP FIN or a TLS close_notify, without a close frame.
    Fin,
    Reset,
    /// Nothing, until the first word after the silence was answered with an RST.
    ResetAtWord,
    CloseFrame(Option<u16>),
    /// Nothing at all.
    Silence,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Who {
    /// The far end saw it ended by the other side as well: something between ended both.
    Between,
    FarEnd,
    #[default]
    Unknown,
}

/// "Timed out", as Linux, macOS and Windows number it.
const TIMED_OUT: [i32; 3] = [110, 60, 10060];

impl Close {
    /// Nothing for an end that we made ourselves, or our own system did.
    pub fn of(end: &End, at_proof: bool) -> Option<Self> {
        match end {
            End::Fin | End::CloseNotify => Some(Self::Fin),
            End::Reset if at_proof => Some(Self::ResetAtWord),
            End::Reset => Some(Self::Reset),
            End::CloseFrame { by: Side::Them, code, .. } => Some(Self::CloseFrame(*code)),
            End::Silence { .. } => Some(Self::Silence),
            End::Local { errno: Some(errno), .. } if TIMED_OUT.contains(errno) => Some(Self::Silence),
            End::CloseFrame { by: Side::Us, .. } | End::Local { .. } | End::Broken { .. } | End::LetGo => None,
        }
    }

    /// After "ends them ".
    pub fn words(self) -> String {
        match self {
            Self::Fin => "with a TCP FIN and no close frame".into(),
            Self::Reset => "with a TCP RST".into(),
            Self::ResetAtWord => "without a word, and answers what is sent afterwards with an RST".into(),
            Self::CloseFrame(Some(code)) => format!("with close frame {code}"),
            Self::CloseFrame(None) => "with a close frame without a code".into(),
            Self::Silence => "without a word: what is sent afterwards is lost".into(),
        }
    }

    pub fn id(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Reset => "rst",
            Self::ResetAtWord => "rst_after_word",
            Self::CloseFrame(_) => "close_frame",
            Self::Silence => "silence",
        }
    }

    /// The one that all of them share.
    pub fn common(mut closes: impl Iterator<Item = Self>) -> Option<Self> {
        let first = closes.next()?;
        closes.all(|close| close == first).then_some(first)
    }
}

impl Who {
    /// From how the far end saw the same connection end.
    pub fn seen_there(end: &End) -> Self {
        match end {
            End::Fin | End::CloseNotify | End::Reset | End::Silence { .. } => Self::Between,
            End::CloseFrame { by: Side::Us, .. } | End::LetGo => Self::FarEnd,
            End::CloseFrame { by: Side::Them, .. } | End::Local { .. } | End::Broken { .. } => Self::Unknown,
        }
    }

    /// One word against another is no word.
    pub fn common(all: impl Iterator<Item = Self>) -> Self {
        let mut known = all.filter(|who| *who != Self::Unknown);
        let Some(first) = known.next() else { return Self::Unknown };
        if known.all(|who| who == first) { first } else { Self::Unknown }
    }
}

/// The reflector's own word: nothing of ours had come for as long as it allows. What it said itself meanwhile does not
/// count, so such a connection is not always quiet.
pub fn says_idle(end: &End) -> bool {
    matches!(end, End::CloseFrame { by: Side::Them, code: Some(record::wire::close::IDLE), .. })
}
