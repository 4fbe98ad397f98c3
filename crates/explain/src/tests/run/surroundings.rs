//! This computer's networks and the controls, told in words. `watched` says what is found at first: one wired interface
//! with the call's address and a gateway; `asking` begins controls, which then answer until they are said to be silent.

use super::Run;
use record::{
    Stamp,
    fact::{Control, ControlKind, Destination, Hop, LinkKind, Net, Power, Reachability, WifiLink},
};

pub const GATEWAY: &str = "10.0.0.254";

#[derive(Clone)]
pub struct Line {
    control: u32,
    kind: ControlKind,
    answers: bool,
    /// Nothing is put: no way leads there, or this program does not run.
    unasked: bool,
    put: u32,
    got: u32,
    asked: Option<Stamp>,
    last_ok: Option<Stamp>,
    told: bool,
}

pub fn hop(interface: &str) -> Hop {
    let tunnel = kind(interface) == LinkKind::Tunnel;
    Hop {
        interface: interface.into(),
        kind: kind(interface),
        gateway: (!tunnel).then(|| GATEWAY.parse().unwrap()),
        source: None,
    }
}

fn kind(interface: &str) -> LinkKind {
    match interface.as_bytes() {
        [b'e', ..] => LinkKind::Wired,
        [b'w', b'g', ..] | [b't', ..] => LinkKind::Tunnel,
        [b'w', ..] => LinkKind::Wifi,
        [b'b', ..] | [b'd', ..] => LinkKind::Virtual,
        _ => LinkKind::Other,
    }
}

impl Run {
    pub fn link(self, name: &str, up: bool, carrier: bool, found: bool) -> Self {
        let (name, kind) = (name.into(), kind(name));
        self.note(Net::Link { name, kind, driver: "".into(), up, carrier, mtu: 1_500, found })
    }

    pub fn address_comes(self, interface: &str, address: &str, found: bool) -> Self {
        let (interface, address) = (interface.into(), address.parse().unwrap());
        self.note(Net::Address { interface, address, prefix: 24, temporary: false, found })
    }

    pub fn address_gone(self, interface: &str, address: &str) -> Self {
        self.note(Net::AddressGone { interface: interface.into(), address: address.parse().unwrap() })
    }

    /// A standing call over an interface whose link, address and way are watched.
    pub fn watched_over(interface: &str) -> Self {
        Self::standing().watching(interface)
    }

    pub fn watched() -> Self {
        Self::watched_over("eth0")
    }

    pub fn watching(self, interface: &str) -> Self {
        let found = |to| Net::Route { to, before: None, after: Some(hop(interface)), found: true };
        self.link(interface, true, true, true)
            .address_comes(interface, "10.0.0.1", true)
            .note(found(Destination::Ipv4))
            .note(found(Destination::FarEnd))
    }

    pub fn link_down(self, name: &str) -> Self {
        self.link(name, true, false, false)
    }

    pub fn link_up(self, name: &str) -> Self {
        self.link(name, true, true, false)
    }

    pub fn link_gone(self, name: &str) -> Self {
        self.note(Net::LinkGone { name: name.into(), kind: kind(name) })
    }

    pub fn wifi(self, name: &str, on: bool) -> Self {
        let link = on.then(|| WifiLink { network: "network-1".into(), point: "point-1".into(), mhz: None, dbm: None });
        self.note(Net::Wifi { interface: name.into(), link, found: false })
    }

    pub fn route_moves(self, from: Option<&str>, to: Option<&str>) -> Self {
        let way = |destination| Net::Route { to: destination, before: from.map(hop), after: to.map(hop), found: false };
        self.note(way(Destination::Ipv4)).note(way(Destination::FarEnd))
    }

    pub fn neighbour(self, interface: &str, state: Reachability) -> Self {
        let (interface, address) = (interface.into(), GATEWAY.parse().unwrap());
        self.note(Net::Neighbour { interface, address, state, found: false })
    }

    pub fn resolvers(self, servers: &[&str]) -> Self {
        let servers = servers.iter().map(|server| server.parse().unwrap()).collect();
        self.note(Net::Resolvers { servers, found: false })
    }

    pub fn says_of_power(self, says: Power) -> Self {
        self.note(says)
    }

    pub fn asking(mut self, kinds: &[ControlKind]) -> Self {
        for kind in kinds {
            let control = self.controls.len() as u32 + 1;
            let target = match kind {
                ControlKind::Gateway => GATEWAY,
                ControlKind::Dns => "far.example",
                ControlKind::Https => "https://control.example/",
                ControlKind::Stun => "stun.example:3478",
                ControlKind::FarTcp | ControlKind::FarUdp => "10.0.0.2:7000",
                ControlKind::Portal => "http://portal.example/",
            };
            self = self.note(Control::Asking { control, kind: *kind, target: target.into(), rationed: false });
            let line = Line {
                control,
                kind: *kind,
                answers: true,
                unasked: false,
                put: 0,
                got: 0,
                asked: None,
                last_ok: None,
                told: false,
            };
            self.controls.push(line);
        }
        self
    }

    /// What a profile asks without a word of it.
    pub fn asking_as_usual(self) -> Self {
        use ControlKind::{Dns, FarTcp, FarUdp, Gateway};
        self.asking(&[Gateway, Dns, FarTcp, FarUdp])
    }

    /// Everything there is to ask.
    pub fn asking_all(self) -> Self {
        use ControlKind::{Https, Stun};
        self.asking_as_usual().asking(&[Https, Stun])
    }

    /// From now on not answered; it is told when the answer is overdue.
    pub fn control_silent(mut self, kinds: &[ControlKind]) -> Self {
        for line in self.controls.iter_mut().filter(|line| kinds.contains(&line.kind)) {
            line.answers = false;
        }
        self
    }

    /// From now on, or no longer, nothing is asked.
    pub fn control_unasked(mut self, kinds: &[ControlKind], unasked: bool) -> Self {
        for line in self.controls.iter_mut().filter(|line| kinds.contains(&line.kind)) {
            line.unasked = unasked;
        }
        self
    }

    pub fn control_back(mut self, kinds: &[ControlKind]) -> Self {
        for index in 0..self.controls.len() {
            let line = &mut self.controls[index];
            if !kinds.contains(&line.kind) {
                continue;
            }
            line.answers = true;
            let (control, asked, told) = (line.control, line.asked.take(), std::mem::take(&mut line.told));
            if let Some(silent_since) = asked.filter(|_| told) {
                self = self.note(Control::Back { control, silent_since, rtt_ms: 5.0 });
            }
        }
        self
    }

    pub fn all_controls_silent(self) -> Self {
        let kinds: Vec<_> = self.controls.iter().map(|line| line.kind).collect();
        self.control_silent(&kinds)
    }

    pub fn all_controls_back(self) -> Self {
        let kinds: Vec<_> = self.controls.iter().map(|line| line.kind).collect();
        self.control_back(&kinds)
    }

    pub fn portal(self, control: u32) -> Self {
        self.note(Control::Portal { control, status: 302, leads_to: Some("http://login.example/".into()) })
    }

    /// A second of questions; every fifth is told.
    pub(super) fn ask_controls(mut self) -> Self {
        let now = self.stamp();
        for index in 0..self.controls.len() {
            let line = &mut self.controls[index];
            if !line.unasked {
                line.put += 1;
                if line.answers {
                    line.got += 1;
                    line.last_ok = Some(now);
                } else {
                    line.asked.get_or_insert(now);
                }
            }
            let overdue = line.asked.filter(|asked| !line.told && now.since(*asked).as_millis() >= 1_500);
            line.told |= overdue.is_some();
            let Line { control, last_ok, put, got, .. } = *line;
            let told = self.uptime.is_multiple_of(5_000_000) && put > 0;
            if told {
                (line.put, line.got) = (0, 0);
            }
            if let Some(asked) = overdue {
                let says = "no answer".into();
                self = self.note(Control::Silent { control, asked, last_ok, says, refused: false });
            }
            if told {
                self = self.note(Control::Sample { control, asked: put, answered: got, rtt_ms: Some(5.0), last_ok });
            }
        }
        self
    }

    /// The last packet comes now, nothing is answered any more, and no control is either.
    pub fn everything_dies(self) -> Self {
        self.everything_dies_but(&[])
    }

    pub fn everything_dies_but(self, alive: &[ControlKind]) -> Self {
        let run = self.all_controls_silent().control_back(alive).stops_answering().media_stops();
        let found = (run.uptime as f64 / 1e6) + 2.2;
        run.at(found).resends(1, 2).unanswered(1, 1.6, 2.6)
    }

    /// Both planes go on by themselves, and every control is answered.
    pub fn everything_back(self) -> Self {
        self.all_controls_back().media_back().answered_again(1)
    }
}
