//! Where in a fact something has a name of somebody's. Every field of every fact is written down here, also those that
//! hold none: one that is added does not compile until it is decided what becomes of it. What is `Said` holds no name.

use super::Names;
use crate::{
    Fact,
    fact::{
        Action, Beside, Calibrated, Control, Destination, End, EndedBy, Far, Hop, Ice, Imported, Lane, LaneSight, Mark,
        Media, Net, Outcome, Plan, Power, Prediction, Sight, Signaling, System, Trouble, WifiLink,
    },
};

impl Names {
    pub fn fact(&mut self, fact: &mut Fact) {
        match fact {
            Fact::Mark(fact) => self.mark(fact),
            Fact::Signaling(fact) => self.signaling(fact),
            Fact::Ice(fact) => self.ice(fact),
            Fact::Media(fact) => self.media(fact),
            Fact::Lane(fact) => self.lane(fact),
            Fact::Control(fact) => self.control(fact),
            Fact::Net(fact) => self.net(fact),
            Fact::Far(fact) => self.far(fact),
            Fact::Power(fact) => power(fact),
            Fact::System(fact) => system(fact),
            Fact::Action(fact) => action(fact),
            Fact::Prediction(fact) => prediction(fact),
            Fact::Blind { watcher: _, why: _ } => {}
        }
    }

    fn mark(&mut self, fact: &mut Mark) {
        match fact {
            Mark::Started(plan) => self.plan(plan),
            Mark::Imported(Imported { format: _, by: _, every_ms: _, others: _, without_zone: _, evenly: _ }) => {}
            Mark::Calibrated(Calibrated { at: _, app: _, named: _, of: _, missed: _, held: _ }) => {}
            Mark::Established { took_ms: _ } | Mark::Note { text: _ } => {}
            Mark::Ended { by } => match by {
                EndedBy::TimeUp | EndedBy::User | EndedBy::NotEstablished | EndedBy::FarEnd | EndedBy::GaveUp => {}
                EndedBy::Fault { says: _ } => {}
            },
        }
    }

    fn plan(&mut self, plan: &mut Plan) {
        let Plan {
            name,
            kind: _,
            to,
            self_test: _,
            planned_s: _,
            heartbeat: _,
            silence: _,
            ice_policy: _,
            recovery: _,
            beside,
            token_ends: _,
            credentials_end,
        } = plan;
        *name = self.title(name.as_str()).as_str().into();
        self.url(to);
        if let Some(beside) = beside {
            let Beside { bare_websocket: _, talking: _, quiet_ladder_s: _, udp_ladder_s: _, controls, left_out: _ } =
                beside;
            controls.iter_mut().for_each(|control| self.target(control));
        }
        credentials_end.iter_mut().for_each(|(server, _)| self.url(server));
    }

    fn signaling(&mut self, fact: &mut Signaling) {
        match fact {
            Signaling::Connecting { conn: _, to, purpose: _, proxy } => {
                self.url(to);
                proxy.iter_mut().for_each(|proxy| self.url(proxy));
            }
            Signaling::Resolved { conn: _, addresses, took_ms: _ } => {
                addresses.iter_mut().for_each(|address| *address = self.ip(*address));
            }
            Signaling::TcpConnected { conn: _, local, remote, took_ms: _ } => {
                (*local, *remote) = (self.place(*local), self.place(*remote));
            }
            Signaling::Ready { conn: _, session, instance, resumed: _ } => {
                session.iter_mut().chain(instance).for_each(|id| self.session(id));
            }
            Signaling::ConnectFailed { conn: _, stage: _, trouble, took_ms: _ } => without_names(trouble),
            Signaling::Closed { conn: _, end, last_in: _, last_out: _, tcp: _ } => nameless(end),
            Signaling::ProxyOpened { conn: _, took_ms: _ }
            | Signaling::TlsReady { conn: _, version: _, cipher: _, issuer: _, took_ms: _ }
            | Signaling::Upgraded { conn: _, server: _, took_ms: _ }
            | Signaling::Answered { conn: _, restarted: _, took_ms: _ }
            | Signaling::Refused { conn: _, kind: _, code: _, says: _ }
            | Signaling::HeartbeatAnswered { conn: _, rtt_ms: _ }
            | Signaling::Tcp { conn: _, sample: _ }
            | Signaling::Unanswered { conn: _, since: _, last_good: _, retransmits: _ }
            | Signaling::AnsweredAgain { conn: _, since: _ }
            | Signaling::CallEnded { conn: _, by: _, code: _, says: _ } => {}
        }
    }

    fn ice(&mut self, fact: &mut Ice) {
        match fact {
            Ice::SocketBound { local } => *local = self.place(*local),
            Ice::LocalCandidate { kind: _, address, relay_by } => {
                self.url(address);
                relay_by.iter_mut().for_each(|server| self.url(server));
            }
            Ice::RemoteCandidate { kind: _, address } => self.url(address),
            Ice::Pair { local, local_kind: _, remote, remote_kind: _ } => {
                (*local, *remote) = (self.place(*local), self.place(*remote));
            }
            Ice::TurnAllocated { server, relay, took_ms: _ } => {
                self.url(server);
                *relay = self.place(*relay);
            }
            Ice::TurnRefused { server, request: _, code: _, says: _ }
            | Ice::TurnConnected { server, took_ms: _ }
            | Ice::TurnLost { server, says: _ } => self.url(server),
            Ice::GatheringDone { took_ms: _ }
            | Ice::State { state: _ }
            | Ice::Dtls { state: _ }
            | Ice::ConsentLate { last_ok: _ }
            | Ice::ConsentExpired { last_ok: _ }
            | Ice::ConsentBack { last_ok: _ }
            | Ice::StackDied { says: _ } => {}
        }
    }

    fn media(&mut self, fact: &mut Media) {
        match fact {
            Media::Undelivered { to, why: _, by, first: _ } => {
                *to = self.place(*to);
                by.iter_mut().for_each(|by| *by = self.ip(*by));
            }
            Media::Flowing { first: _ }
            | Media::Gap { last: _ }
            | Media::Back { last: _, first: _ }
            | Media::Sample(_)
            | Media::SendFailing { errno: _, says: _, first: _ }
            | Media::SendWorks { refused: _, since: _ } => {}
        }
    }

    fn lane(&mut self, fact: &mut Lane) {
        match fact {
            Lane::Opening { lane: _, manner: _, to } => self.url(to),
            Lane::Stands { lane: _, local, remote, took_ms: _ } => {
                (*local, *remote) = (self.place(*local), self.place(*remote));
            }
            Lane::SeenFrom { lane: _, public } => *public = self.place(*public),
            Lane::Failed { lane: _, stage: _, trouble, took_ms: _ } => without_names(trouble),
            Lane::Ended { lane: _, end, last_in: _, last_out: _, quiet_ms: _, age_ms: _, at_proof: _ } => nameless(end),
            Lane::Sample { lane: _, asked: _, answered: _, rtt_ms: _ }
            | Lane::Silent { lane: _, asked: _, last_ok: _ }
            | Lane::Back { lane: _, silent_since: _ }
            | Lane::Proved { lane: _, by: _, quiet_ms: _, rtt_ms: _ }
            | Lane::Done { lane: _ } => {}
        }
    }

    fn control(&mut self, fact: &mut Control) {
        match fact {
            Control::Asking { control: _, kind: _, target, rationed: _ } => self.target(target),
            Control::Portal { control: _, status: _, leads_to } => {
                leads_to.iter_mut().for_each(|host| self.url(host));
            }
            Control::Sample { control: _, asked: _, answered: _, rtt_ms: _, last_ok: _ }
            | Control::Silent { control: _, asked: _, last_ok: _, says: _, refused: _ }
            | Control::Back { control: _, silent_since: _, rtt_ms: _ }
            | Control::PortalGone { control: _ }
            | Control::Issuer { control: _, issuer: _, expected: _ } => {}
        }
    }

    fn net(&mut self, fact: &mut Net) {
        match fact {
            // What the system calls its kind is no name.
            Net::Link { name, kind: _, driver: _, up: _, carrier: _, mtu: _, found: _ }
            | Net::LinkGone { name, kind: _ } => self.interface(name),
            Net::Address { interface, address, prefix: _, temporary: _, found: _ }
            | Net::AddressGone { interface, address }
            | Net::Neighbour { interface, address, state: _, found: _ } => {
                self.interface(interface);
                *address = self.ip(*address);
            }
            Net::Route { to, before, after, found: _ } => {
                match to {
                    Destination::Ipv4 | Destination::Ipv6 | Destination::FarEnd => {}
                }
                before.iter_mut().chain(after).for_each(|hop| self.hop(hop));
            }
            Net::Resolvers { servers, found: _ } => {
                servers.iter_mut().for_each(|server| *server = self.ip(*server));
            }
            Net::Wifi { interface, link, found: _ } => {
                self.interface(interface);
                if let Some(WifiLink { network, point, mhz: _, dbm: _ }) = link {
                    self.radio("wifi", network);
                    self.radio("point", point);
                }
            }
            Net::SystemProxy { proxy, script: _, found: _ } => proxy.iter_mut().for_each(|proxy| self.url(proxy)),
            Net::PublicAddress { server, local, public, before } => {
                self.url(server);
                (*local, *public) = (self.place(*local), self.place(*public));
                before.iter_mut().for_each(|before| *before = self.place(*before));
            }
        }
    }

    fn hop(&mut self, hop: &mut Hop) {
        let Hop { interface, kind: _, gateway, source } = hop;
        self.interface(interface);
        gateway.iter_mut().chain(source).for_each(|address| *address = self.ip(*address));
    }

    fn far(&mut self, fact: &mut Far) {
        let sight = match fact {
            Far::Clock { offset_ms: _, rtt_ms: _ } | Far::Certificate { issuer: _ } => return,
            Far::Saw { at: _, sight } => sight,
        };
        match sight {
            Sight::Lane { lane: _, sight } => match sight {
                LaneSight::Stood { from } => *from = self.place(*from),
                LaneSight::Ended { end, quiet_ms: _, age_ms: _ } => nameless(end),
                LaneSight::Spoke { quiet_ms: _ } | LaneSight::Heard { quiet_ms: _ } => {}
            },
            Sight::SocketEnded { end } => nameless(end),
            Sight::MediaStarted { first: _ }
            | Sight::MediaStopped { last: _ }
            | Sight::MediaResumed { last: _, first: _ }
            | Sight::Counted { received: _, lost: _, echoed: _ }
            | Sight::Reattached
            | Sight::StoodStill { from: _, to: _ }
            | Sight::ShuttingDown => {}
        }
    }
}

fn without_names(trouble: &Trouble) {
    match trouble {
        Trouble::NoSuchName { says: _ }
        | Trouble::NameFailed { says: _ }
        | Trouble::Refused
        | Trouble::Reset
        | Trouble::Closed
        | Trouble::NoAnswer { waited_ms: _ }
        | Trouble::Tls { kind: _, says: _ }
        | Trouble::Http { status: _, server: _, retry_after_s: _, says: _ }
        | Trouble::Stun { code: _, says: _ }
        | Trouble::NotUnderstood { says: _ }
        | Trouble::Local { errno: _, says: _ } => {}
    }
}

fn nameless(end: &End) {
    match end {
        End::CloseFrame { by: _, code: _, reason: _ }
        | End::CloseNotify
        | End::Fin
        | End::Reset
        | End::Silence { waited_ms: _ }
        | End::Local { errno: _, says: _ }
        | End::Broken { says: _ }
        | End::LetGo => {}
    }
}

fn power(fact: &Power) {
    match fact {
        Power::AboutToSleep
        | Power::Woke
        | Power::Supply { on_battery: _, percent: _, found: _ }
        | Power::Lid { closed: _, found: _ }
        | Power::KeepingAwake
        | Power::NotKeptAwake { says: _ } => {}
    }
}

fn system(fact: &System) {
    match fact {
        System::TicksMissed { since: _ }
        | System::Load { own_cpu: _, own_mb: _, machine_cpu: _ }
        | System::Memory { available_mb: _, total_mb: _, stalled_percent: _ }
        | System::RecordFailing { says: _ } => {}
    }
}

fn action(fact: &Action) {
    match fact {
        Action::Began { id: _, step: _, reason: _, because: _ } | Action::GaveUp { says: _ } => {}
        Action::Ended { id: _, outcome, took_ms: _ } => match outcome {
            Outcome::Worked | Outcome::Failed { says: _ } | Outcome::NotNeeded => {}
        },
    }
}

fn prediction(fact: &Prediction) {
    match fact {
        Prediction::Made { id: _, pattern: _, lane: _, from: _, to: _, says: _ }
        | Prediction::CameTrue { id: _ }
        | Prediction::Missed { id: _ } => {}
    }
}
