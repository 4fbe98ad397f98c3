//! `Strangers`: connections that have not said yet who they are. They take places that callers need, and cost whoever opens
//! them nothing; so those of one address are counted.

use crate::calls::household;
use std::collections::{BTreeMap, btree_map::Entry};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

pub struct Strangers {
    most_of_one_address: usize,
    by_address: Mutex<BTreeMap<IpAddr, usize>>,
}

/// One of them, until it is dropped.
pub struct Stranger {
    all: Arc<Strangers>,
    address: IpAddr,
}

impl Strangers {
    pub fn new(most_of_one_address: usize) -> Arc<Self> {
        Arc::new(Self { most_of_one_address, by_address: Mutex::default() })
    }

    /// Nothing where there are enough from there.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Stranger> {
        let address = household(address);
        let mut by_address = self.by_address.lock().expect("no holder panics");
        let here = by_address.get(&address).copied().unwrap_or_default();
        if here >= self.most_of_one_address {
            return None;
        }
        by_address.insert(address, here + 1);
        Some(Stranger { all: Arc::clone(self), address })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        if let Entry::Occupied(mut here) = self.all.by_address.lock().expect("no holder panics").entry(self.address) {
            *here.get_mut() -= 1;
            if *here.get() == 0 {
                here.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_to_others_and_what_it_gives_back_is_free_again() {
        let strangers = Strangers::new(2);
        let enter = |address: &str| strangers.enter(address.parse().unwrap());
        let first = enter("192.0.2.1").unwrap();
        let others = [enter("192.0.2.1"), enter("192.0.2.2"), enter("2001:db8::1"), enter("2001:db8::2")];
        assert!(others.iter().all(Option::is_some));
        assert!(enter("192.0.2.1").is_none() && enter("::ffff:192.0.2.1").is_none());
        assert!(enter("2001:db8::3").is_none(), "one household");
        drop(first);
        assert!(enter("192.0.2.1").is_some());
        drop(others);
        assert!(strangers.by_address.lock().unwrap().is_empty());
    }
}
