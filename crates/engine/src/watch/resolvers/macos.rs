//! macOS: `/etc/resolv.conf`, which the system writes for programs of old.
//!
//! *Seen*: the servers for names in general, a change of the network at once and any other within ten seconds.
//! *Not seen*: servers for single names or interfaces, as VPNs set them (`scutil --dns` lists them), and DNS over HTTPS.

use super::{News, resolv_conf};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_secs(10);

pub struct Files;

impl Files {
    pub fn open() -> io::Result<Self> {
        Ok(Self)
    }

    pub fn servers(&mut self) -> io::Result<Vec<IpAddr>> {
        resolv_conf::read(Path::new("/etc/resolv.conf"))
    }

    pub async fn changed(&mut self, news: &mut News) -> io::Result<()> {
        tokio::select! {
            () = news.of_networks() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        Ok(())
    }
}
