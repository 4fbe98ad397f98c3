//! Linux: the environment, which the signaling connection obeys as well. It stays as it was when the program began.

use super::Setting;
use crate::line::Proxies;
use record::profile::Address;

#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub fn read(to: &Address) -> Result<Setting, String> {
    Ok(Setting { proxy: Proxies::from_environment().choose(to).shown(), script: false })
}
