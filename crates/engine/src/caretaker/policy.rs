//! What holds whatever the policy: how long a call is tried to be had at all, and what ends trying at once.

use record::fact::{TlsTrouble, Trouble};
use std::time::Duration;

/// Before a call ever stood, a person is waiting at the screen: after this long the answer is no.
pub const TRY_TO_START_FOR: Duration = Duration::from_secs(20);
/// Meanwhile it is tried often: the far end may just be starting.
pub const START_CAP: Duration = Duration::from_secs(2);
/// A login that was refused three times in a row is refused for good; more would look like an attack.
pub const MOST_REFUSED_LOGINS: u32 = 3;

/// Trying again cannot help: the answer was about us or about the address, not about the moment.
pub fn is_permanent(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::NoSuchName { .. } | Trouble::NotUnderstood { .. } => true,
        Trouble::Tls { kind, .. } => *kind != TlsTrouble::Alert,
        Trouble::Http { status, .. } => (400..500).contains(status) && *status != 429 && *status != 408,
        Trouble::NameFailed { .. }
        | Trouble::Refused
        | Trouble::Reset
        | Trouble::Closed
        | Trouble::NoAnswer { .. }
        | Trouble::Stun { .. }
        | Trouble::Local { .. } => false,
    }
}
