//! `Desk`: where lanes report beside a call. A lane's ticket leads to its call's desk; the desk says whether there is a
//! place, and hands on what was seen.
//!
//! The ticket is another secret than the call's own: whoever holds it can add sights to the call's account and nothing else.

use crate::call::Input;
use crate::calls::household;
use crate::metrics::Metrics;
use record::{
    Private, Stamp,
    fact::{LaneSight, Sight},
    wire::datagram::{Key, Name},
};
use std::collections::{BTreeMap, btree_map::Entry};
use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

/// Of one call at once. All lanes of a default profile are fewer, and a stranger with a ticket gets no more sockets.
pub const MOST: u32 = 40;

/// Of one call in all. A lane that is ended each minute for four hours and opened anew each time makes five hundred.
const MOST_SIGHTS: u32 = 1500;

/// The desks of all calls that stand.
pub struct Desks {
    places: Arc<Places>,
    metrics: Arc<Metrics>,
    table: Mutex<BTreeMap<String, Desk>>,
    /// The same desks, as datagrams name them.
    by_name: Mutex<BTreeMap<Name, (Arc<Key>, Desk)>>,
}

/// How many lanes there may be at once.
#[derive(Clone, Copy)]
pub struct Most {
    pub in_all: u32,
    /// Lanes outlive their call for a while, so the limit of calls does not bound those of one caller.
    pub of_one_address: u32,
}

/// Those of all calls together.
struct Places {
    most: Most,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    in_all: u32,
    by_address: BTreeMap<IpAddr, u32>,
}

#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    to_call: UnboundedSender<Input>,
    /// From where the call was placed.
    caller: IpAddr,
    sights: AtomicU32,
    taken: AtomicU32,
    places: Arc<Places>,
    metrics: Arc<Metrics>,
    /// The call is over.
    closed: watch::Sender<bool>,
}

/// The call's hold on its desk: dropped, the ticket is void, and lanes that stand learn that their call is over.
pub struct Opened {
    desks: Arc<Desks>,
    pub ticket: Private<String>,
    desk: Desk,
}

/// One of the places beside a call, given back when it is dropped.
pub struct Place(Desk);

impl Desks {
    pub fn new(most: Most, metrics: Arc<Metrics>) -> Self {
        let places = Arc::new(Places { most, taken: Mutex::default() });
        Self { places, metrics, table: Mutex::default(), by_name: Mutex::default() }
    }

    pub fn open(self: &Arc<Self>, ticket: String, caller: IpAddr, to_call: UnboundedSender<Input>) -> Opened {
        let desk = Desk(Arc::new(Inner {
            to_call,
            caller: household(caller),
            sights: AtomicU32::new(0),
            taken: AtomicU32::new(0),
            places: Arc::clone(&self.places),
            metrics: Arc::clone(&self.metrics),
            closed: watch::channel(false).0,
        }));
        self.table.lock().expect("no holder panics").insert(ticket.clone(), desk.clone());
        let key = Arc::new(Key::of(&ticket));
        self.by_name.lock().expect("no holder panics").insert(key.name(), (key, desk.clone()));
        Opened { desks: Arc::clone(self), ticket: Private::new(ticket), desk }
    }

    /// The desk of the call that a lane's ticket stands for. As with calls, a ticket is 128 random bits, and how long the
    /// search takes teaches nothing.
    pub fn find(&self, ticket: &str) -> Option<Desk> {
        self.table.lock().expect("no holder panics").get(ticket).cloned()
    }

    /// The same by the name that a datagram carries, with the key it must be signed with.
    pub fn find_by_name(&self, name: &Name) -> Option<(Arc<Key>, Desk)> {
        self.by_name.lock().expect("no holder panics").get(name).cloned()
    }
}

impl Places {
    fn take(&self, caller: IpAddr) -> bool {
        let mut taken = self.taken.lock().expect("no holder panics");
        let here = taken.by_address.get(&caller).copied().unwrap_or_default();
        if taken.in_all >= self.most.in_all || here >= self.most.of_one_address {
            return false;
        }
        taken.in_all += 1;
        taken.by_address.insert(caller, here + 1);
        true
    }

    fn give_back(&self, caller: IpAddr) {
        let mut taken = self.taken.lock().expect("no holder panics");
        taken.in_all -= 1;
        if let Entry::Occupied(mut here) = taken.by_address.entry(caller) {
            *here.get_mut() -= 1;
            if *here.get() == 0 {
                here.remove();
            }
        }
    }
}

impl Desk {
    /// Something was seen on a lane; `lane` is the number by which the caller named it.
    pub fn saw(&self, lane: u32, at: Stamp, sight: LaneSight) {
        if self.0.sights.fetch_add(1, Relaxed) >= MOST_SIGHTS {
            self.0.sights.store(MOST_SIGHTS, Relaxed);
            return;
        }
        // A call that is over has told all it will tell.
        let _over = self.0.to_call.send(Input::Saw { at, sight: Sight::Lane { lane, sight } });
    }

    /// Nothing where all places are taken: of this call, of its caller's address, or of the reflector.
    pub fn take_place(&self) -> Option<Place> {
        let below = |taken: u32| (taken < MOST).then(|| taken + 1);
        self.0.taken.fetch_update(Relaxed, Relaxed, below).ok()?;
        if !self.0.places.take(self.0.caller) {
            self.0.taken.fetch_sub(1, Relaxed);
            return None;
        }
        self.0.metrics.lane_began();
        Some(Place(self.clone()))
    }

    /// Ready once the call is over, and from then on.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closed = self.0.closed.subscribe();
        async move {
            // The sender gone is as good as its word.
            let _said = closed.wait_for(|closed| *closed).await;
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.desks.table.lock().expect("no holder panics").remove(self.ticket.reveal());
        self.desks.by_name.lock().expect("no holder panics").remove(&Key::of(self.ticket.reveal()).name());
        self.desk.0.closed.send_replace(true);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Inner { taken, places, caller, metrics, .. } = &*self.0.0;
        taken.fetch_sub(1, Relaxed);
        places.give_back(*caller);
        metrics.lane_ended();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::fact::End;
    use tokio::sync::mpsc::unbounded_channel;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn desks(in_all: u32, of_one_address: u32) -> Arc<Desks> {
        Arc::new(Desks::new(Most { in_all, of_one_address }, Arc::default()))
    }
    fn spoke() -> LaneSight {
        LaneSight::Spoke { quiet_ms: 1.0 }
    }

    #[test]
    fn a_ticket_leads_to_its_call_until_the_call_is_over() {
        let desks = desks(100, 100);
        let (to_call, mut mailbox) = unbounded_channel();
        let opened = desks.open("a".into(), HERE, to_call);
        let desk = desks.find("a").unwrap();
        assert!(desks.find("b").is_none());
        desk.saw(7, Stamp::new(1, 2, 3), spoke());
        let Input::Saw { at, sight } = mailbox.try_recv().unwrap() else { panic!("a sight") };
        assert_eq!((at, sight), (Stamp::new(1, 2, 3), Sight::Lane { lane: 7, sight: spoke() }));
        drop(opened);
        assert!(desks.find("a").is_none());
        assert!(*desk.0.closed.borrow());
    }

    #[test]
    fn places_are_bounded_for_each_call_and_for_all_and_come_back() {
        let desks = desks(MOST + 1, MOST + 1);
        let [a, b] = ["a", "b"].map(|ticket| desks.open(ticket.into(), HERE, unbounded_channel().0));
        let places: Vec<Place> = std::iter::from_fn(|| a.desk.take_place()).collect();
        assert_eq!(places.len(), MOST as usize);
        let last = b.desk.take_place().expect("one more for all");
        assert!(b.desk.take_place().is_none(), "none for all");
        drop(last);
        drop(places);
        assert!(a.desk.take_place().is_some());
        assert_eq!(desks.places.taken.lock().unwrap().in_all, 0);
    }

    #[test]
    fn one_address_leaves_places_to_others_however_many_calls_it_places_and_ends() {
        let desks = desks(100, 50);
        let open =
            |ticket: &str, caller: &str| desks.open(ticket.into(), caller.parse().unwrap(), unbounded_channel().0);
        let mut held = vec![];
        for ticket in ["a", "b", "c"] {
            let call = open(ticket, "2001:db8::1");
            held.extend(std::iter::from_fn(|| call.desk.take_place()));
        }
        assert_eq!(held.len(), 50, "of calls that are over, too");
        assert!(open("d", "2001:db8::2").desk.take_place().is_none(), "the same household");
        let other = open("e", "192.0.2.1");
        let others: Vec<Place> = (0..MOST).filter_map(|_| other.desk.take_place()).collect();
        assert_eq!(others.len(), MOST as usize);
        drop((held, others));
        let taken = desks.places.taken.lock().unwrap();
        assert!(taken.in_all == 0 && taken.by_address.is_empty());
    }

    #[test]
    fn sights_are_counted_and_the_last_ones_not_told() {
        let desks = desks(1, 1);
        let (to_call, mut mailbox) = unbounded_channel();
        let opened = desks.open("a".into(), HERE, to_call);
        for _ in 0..MOST_SIGHTS + 9 {
            opened.desk.saw(1, Stamp::new(0, 0, 0), LaneSight::Ended { end: End::Fin, quiet_ms: 0.0, age_ms: 0.0 });
        }
        assert_eq!(std::iter::from_fn(|| mailbox.try_recv().ok()).count(), MOST_SIGHTS as usize);
    }
}
