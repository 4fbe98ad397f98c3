//! Our public address, as the other end of a kept socket sees it.

use crate::Recorder;
use record::{Heard, fact::Net};
use std::net::SocketAddr;

#[derive(Default)]
pub struct SeenAs {
    /// Who saw it, and what.
    last: Option<(SocketAddr, SocketAddr)>,
}

impl SeenAs {
    /// Whether this differs from what the same server saw before. Another one may rightly see another address.
    pub fn is_new(&self, server: SocketAddr, public: SocketAddr) -> bool {
        self.last != Some((server, public))
    }

    pub fn note(
        &mut self,
        recorder: &Recorder,
        name: &Heard,
        server: SocketAddr,
        local: SocketAddr,
        public: SocketAddr,
    ) {
        let before = self.last.filter(|(who, _)| *who == server).map(|(_, public)| public);
        self.last = Some((server, public));
        recorder.note(Net::PublicAddress { server: name.clone(), local, public, before });
    }
}
