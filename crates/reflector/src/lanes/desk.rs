//! `Desk`: where lanes report beside a call. A lane's ticket leads to its call's desk; the desk says whether there is a
//! place, and hands on what was seen.
//!
//! The ticket is another secret than the call's own: whoever holds it can add sights to the call's account and nothing else.

use crate::call::Input;
use crate::metrics::Metrics;
use record::{
    Private, Stamp,
    fact::{LaneSight, Sight},
    wire::datagram::{Key, Name},
};
use std::collections::BTreeMap;
use std::future::Future;
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
    /// Of all calls together.
    most: u32,
    taken: Arc<AtomicU32>,
    metrics: Arc<Metrics>,
    table: Mutex<BTreeMap<String, Desk>>,
    /// The same desks, as datagrams name them.
    by_name: Mutex<BTreeMap<Name, (Arc<Key>, Desk)>>,
}

#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    to_call: UnboundedSender<Input>,
    sights: AtomicU32,
    taken: AtomicU32,
    /// Of all calls together.
    all_taken: Arc<AtomicU32>,
    all_most: u32,
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
    pub fn new(most: u32, metrics: Arc<Metrics>) -> Self {
        Self { most, taken: Arc::default(), metrics, table: Mutex::default(), by_name: Mutex::default() }
    }

    pub fn open(self: &Arc<Self>, ticket: String, to_call: UnboundedSender<Input>) -> Opened {
        let desk = Desk(Arc::new(Inner {
            to_call,
            sights: AtomicU32::new(0),
            taken: AtomicU32::new(0),
            all_taken: Arc::clone(&self.taken),
            all_most: self.most,
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

    /// Nothing where all places are taken, of this call or of the reflector.
    pub fn take_place(&self) -> Option<Place> {
        let below = |most: u32| move |taken: u32| (taken < most).then(|| taken + 1);
        self.0.taken.fetch_update(Relaxed, Relaxed, below(MOST)).ok()?;
        if self.0.all_taken.fetch_update(Relaxed, Relaxed, below(self.0.all_most)).is_err() {
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
        let Inner { taken, all_taken, metrics, .. } = &*self.0.0;
        taken.fetch_sub(1, Relaxed);
        all_taken.fetch_sub(1, Relaxed);
        metrics.lane_ended();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::fact::End;
    use tokio::sync::mpsc::unbounded_channel;

    fn spoke() -> LaneSight {
        LaneSight::Spoke { quiet_ms: 1.0 }
    }

    #[test]
    fn a_ticket_leads_to_its_call_until_the_call_is_over() {
        let desks = Arc::new(Desks::new(100, Arc::default()));
        let (to_call, mut mailbox) = unbounded_channel();
        let opened = desks.open("a".into(), to_call);
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
        let desks = Arc::new(Desks::new(MOST + 1, Arc::default()));
        let [a, b] = ["a", "b"].map(|ticket| desks.open(ticket.into(), unbounded_channel().0));
        let places: Vec<Place> = std::iter::from_fn(|| a.desk.take_place()).collect();
        assert_eq!(places.len(), MOST as usize);
        let last = b.desk.take_place().expect("one more for all");
        assert!(b.desk.take_place().is_none(), "none for all");
        drop(last);
        drop(places);
        assert!(a.desk.take_place().is_some());
        assert_eq!(desks.taken.load(Relaxed), 0);
    }

    #[test]
    fn sights_are_counted_and_the_last_ones_not_told() {
        let desks = Arc::new(Desks::new(1, Arc::default()));
        let (to_call, mut mailbox) = unbounded_channel();
        let opened = desks.open("a".into(), to_call);
        for _ in 0..MOST_SIGHTS + 9 {
            opened.desk.saw(1, Stamp::new(0, 0, 0), LaneSight::Ended { end: End::Fin, quiet_ms: 0.0, age_ms: 0.0 });
        }
        assert_eq!(std::iter::from_fn(|| mailbox.try_recv().ok()).count(), MOST_SIGHTS as usize);
    }
}
