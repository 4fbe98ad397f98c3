//! Linux: a lock that logind keeps until its descriptor is closed.

use super::WHY;
use crate::logind::{self, WHO};
use zbus::OwnedFd;

pub async fn hold() -> Result<OwnedFd, String> {
    let manager = logind::manager().await?;
    manager.inhibit("idle:sleep", WHO, WHY, "block").await.map_err(|error| logind::why(&error))
}
