//! What really happened, packet by packet: the first that each step touched, of each plane.

use super::net::is_client;
use super::packet::{Datagram, Load, Packet, Proto};
use super::tcp::Kind;
use crate::scenario::ending::Plane;
use crate::truth::{Effect, Truth, When};
use engine::Clock;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

#[derive(Clone)]
pub struct Truths(Rc<Inner>);

struct Inner {
    clock: Clock,
    truths: RefCell<Vec<Truth>>,
    /// The client's ports of the signaling connection in use, and of the call.
    signaling: RefCell<Option<u16>>,
    media: RefCell<BTreeSet<u16>>,
    /// The call sends no sound, and its checks are all there is.
    by_checks: RefCell<bool>,
    /// Steps whose effect shows in what the client's own system, or its far end, does not send or hear.
    local: RefCell<Vec<usize>>,
    far: RefCell<Vec<usize>>,
    /// Steps that let some packets pass.
    by_chance: RefCell<BTreeSet<usize>>,
    /// Steps that show in the next packet of ours that leaves, of these planes.
    next: RefCell<Vec<(usize, Plane)>>,
}

impl Truths {
    pub fn new(clock: Clock, steps: usize) -> Self {
        Self(Rc::new(Inner {
            clock,
            truths: RefCell::new(vec![Truth::default(); steps]),
            signaling: RefCell::default(),
            media: RefCell::default(),
            by_checks: RefCell::default(),
            local: RefCell::default(),
            far: RefCell::default(),
            by_chance: RefCell::default(),
            next: RefCell::default(),
        }))
    }

    pub fn signaling_is(&self, port: Option<u16>) {
        *self.0.signaling.borrow_mut() = port;
    }

    pub fn signaling_port(&self) -> Option<u16> {
        *self.0.signaling.borrow()
    }

    pub fn media_is(&self, ports: impl IntoIterator<Item = u16>) {
        *self.0.media.borrow_mut() = ports.into_iter().collect();
    }

    pub fn media_is_checks(&self) {
        *self.0.by_checks.borrow_mut() = true;
    }

    pub fn media_ports(&self) -> Vec<u16> {
        self.0.media.borrow().iter().copied().collect()
    }

    /// This step shows in what the client cannot send or hear.
    pub fn begins_locally(&self, step: usize) {
        self.0.local.borrow_mut().push(step);
    }

    /// This step shows in what nobody hears at the far end.
    pub fn begins_at_the_far_end(&self, step: usize) {
        self.0.far.borrow_mut().push(step);
    }

    /// This step shows in the next packet of ours that leaves.
    pub fn begins_with_the_next(&self, step: usize, plane: Plane) {
        self.0.next.borrow_mut().push((step, plane));
    }

    pub fn takes_by_chance(&self, step: usize) {
        self.0.by_chance.borrow_mut().insert(step);
    }

    /// It has come to the router, which does with it what it remembers.
    pub fn sent(&self, packet: &Packet) {
        let Some(plane) = self.plane(packet) else { return };
        let carries = match &packet.load {
            Load::Segment(segment) => matches!(segment.kind, Kind::Data { .. }),
            _ => true,
        };
        let mut next = self.0.next.borrow_mut();
        let (now, later) = next.drain(..).partition(|(_, of)| carries && *of == plane);
        *next = later;
        drop(next);
        let now: Vec<(usize, Plane)> = now;
        now.into_iter().for_each(|(step, plane)| self.began(step, plane));
    }

    /// Somewhere from now on to when the next packet of a stream is due.
    pub fn began_within(&self, step: usize, plane: Plane, wait: std::time::Duration) {
        self.with(step, plane, |effect, now| {
            effect.began.get_or_insert(When { earliest: now, latest: now.plus(wait) });
        });
    }

    /// Steps count from 0.
    pub fn undone(&self, step: usize) {
        self.0.local.borrow_mut().retain(|of| *of != step);
        let at = When::at(self.0.clock.now());
        if let Some(truth) = self.0.truths.borrow_mut().get_mut(step) {
            for effect in [&mut truth.signaling, &mut truth.media] {
                effect.undone = Some(at);
            }
        }
    }

    /// A fault of the router touched it. `step` counts from 1; 0 was there from the beginning.
    pub fn hit(&self, step: usize, packet: &Packet) {
        let Some(plane) = step.checked_sub(1).and_then(|_| self.plane(packet)) else { return };
        self.began(step - 1, plane);
    }

    /// The client's own system lost it.
    pub fn hit_by_station(&self, packet: &Packet) {
        let Some(plane) = self.plane(packet) else { return };
        for step in self.0.local.borrow().clone() {
            self.began(step, plane);
        }
    }

    /// Our own system would not send it.
    pub fn refused(&self, plane: Plane) {
        for step in self.0.local.borrow().clone() {
            self.began(step, plane);
        }
    }

    /// Nobody hears it at the far end.
    pub fn unheard(&self, datagram: &Datagram) {
        if datagram.is_rtp() {
            self.far_end_lost(Plane::Media);
        }
    }

    pub fn far_end_lost(&self, plane: Plane) {
        for step in self.0.far.borrow().clone() {
            self.began(step, plane);
        }
    }

    /// Now, without a packet to show it.
    pub fn began(&self, step: usize, plane: Plane) {
        self.with(step, plane, |effect, now| {
            effect.began.get_or_insert(When::at(now));
        });
    }

    /// A packet reached the client.
    pub fn crossed(&self, packet: &Packet) {
        let Some(plane) = self.plane(packet) else { return };
        let steps = self.0.truths.borrow().len();
        for step in 0..steps {
            self.with(step, plane, |effect, now| {
                if self.0.by_chance.borrow().contains(&step) && effect.began.is_some() {
                    effect.passed.push(now);
                }
                if effect.began.is_some() && effect.undone.is_some() {
                    effect.back.get_or_insert(When::at(now));
                }
            });
        }
    }

    fn with(&self, step: usize, plane: Plane, change: impl FnOnce(&mut Effect, record::Stamp)) {
        if let Some(truth) = self.0.truths.borrow_mut().get_mut(step) {
            let effect = match plane {
                Plane::Signaling => &mut truth.signaling,
                Plane::Media => &mut truth.media,
            };
            change(effect, self.0.clock.now());
        }
    }

    /// Media is RTP where there is any: of its checks one may be lost and nobody would miss it.
    fn plane(&self, packet: &Packet) -> Option<Plane> {
        let ours = if is_client(packet.from.ip()) { packet.from.port() } else { packet.to.port() };
        match (&packet.load, packet.proto) {
            (Load::Datagram(datagram), _) if datagram.is_rtp() => Some(Plane::Media),
            (Load::Datagram(Datagram::Check { .. } | Datagram::Checked { .. }), _) if *self.0.by_checks.borrow() => {
                Some(Plane::Media)
            }
            (Load::Segment(_), Proto::Tcp) if *self.0.signaling.borrow() == Some(ours) => Some(Plane::Signaling),
            _ => None,
        }
    }

    pub fn take(&self) -> Vec<Truth> {
        std::mem::take(&mut self.0.truths.borrow_mut())
    }
}
