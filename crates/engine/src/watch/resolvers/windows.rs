//! Windows: the name servers of each adapter that is up.
//!
//! *Seen*: a change of them together with a change of the network, at once; any other within ten seconds.
//! *Not seen*: servers for single names (the name resolution policy table), and DNS over HTTPS.

use super::News;
use crate::watch::adapters::Adapters;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use windows_sys::Win32::NetworkManagement::Ndis::IfOperStatusUp;

/// Windows tells of no change of servers alone.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub struct Files;

impl Files {
    pub fn open() -> io::Result<Self> {
        Ok(Self)
    }

    pub fn servers(&mut self) -> io::Result<Vec<IpAddr>> {
        let adapters = Adapters::read()?;
        let up = adapters.iter().filter(|adapter| adapter.0.OperStatus == IfOperStatusUp);
        let mut servers = Vec::new();
        for server in up.flat_map(|adapter| adapter.dns_servers()) {
            if !servers.contains(&server) && !is_a_placeholder(server) {
                servers.push(server);
            }
        }
        Ok(servers)
    }

    pub async fn changed(&mut self, news: &mut News) -> io::Result<()> {
        tokio::select! {
            () = news.of_networks() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        Ok(())
    }
}

/// `fec0:0:0:ffff::1` and its like stand where nobody set a server for IPv6.
fn is_a_placeholder(server: IpAddr) -> bool {
    matches!(server, IpAddr::V6(v6) if v6.segments()[..4] == [0xfec0, 0, 0, 0xffff])
}
