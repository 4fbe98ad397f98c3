//! What happened: facts with their stamps, the log they make, the profile that asked for them and the bundle that
//! carries them. Pure: readers and writers are handed in, clocks are read elsewhere.
#![forbid(unsafe_code)]

pub mod about;
pub mod bundle;
mod damage;
pub mod event;
pub mod fact;
pub mod heard;
pub mod ip;
pub mod log;
pub mod names;
pub mod policy;
pub mod private;
pub mod profile;
pub mod said;
pub mod stamp;
pub mod wire;

pub use about::{About, Platform, RunId};
pub use event::{Event, Seq};
pub use fact::{Fact, Sense};
pub use heard::{Heard, Scrub};
pub use ip::{Ip, IpPort};
pub use log::{Damage, Log};
pub use names::Names;
pub use policy::Policy;
pub use private::Private;
pub use profile::Profile;
pub use said::Said;
pub use stamp::{Micros, Stamp, Wall, millis};
