//! What this recording keeps to itself: words of others, and what addresses and hosts really are.

use record::{
    Fact,
    fact::{Net, Signaling},
};

#[derive(Debug, Default)]
pub struct KeptBack {
    /// In how many places.
    pub words: usize,
    /// Names stand for addresses.
    pub addresses: bool,
}

impl KeptBack {
    pub(super) fn take(&mut self, fact: &Fact) {
        self.words = self.words.saturating_add(fact.left_out());
        self.addresses |= match fact {
            Fact::Signaling(Signaling::TcpConnected { local, remote, .. }) => {
                local.ip().is_named() || remote.ip().is_named()
            }
            Fact::Net(Net::Address { address, .. }) => address.is_named(),
            _ => false,
        };
    }

    pub fn words(&self) -> Option<String> {
        let places = crate::words::count(self.words, "place");
        (self.words > 0).then(|| format!("In {places} of what was said here, what could be private was left out."))
    }

    /// After what is said of a flow.
    pub fn addresses(&self) -> &'static str {
        match self.addresses {
            true => " (names; `linewitness map FILE` on the computer that recorded this says which addresses they are)",
            false => "",
        }
    }
}
