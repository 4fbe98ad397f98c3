//! One event into the timeline. No wildcard for lanes: a new lane must say here where it belongs.

use super::{
    At, CallEnd, Closed, Consent, Failed, Gap, Heartbeat, Pair, Ready, Refused, SendTrouble, Silence, Socket, Step,
    Tcp, Timeline, TurnTrouble, Undelivered, not_after,
};
use record::fact::{Action, CallEndedBy, Fact, Ice, Mark, Media, Signaling, SocketPurpose, System};
use std::time::Duration;

/// Written at last, bytes are with the kernel within this: a look at it that comes sooner may not have seen them yet.
const HANDED_OUT: Duration = Duration::from_millis(500);

impl<'a> Timeline<'a> {
    pub(super) fn take(&mut self, at: At, fact: &'a Fact) {
        match fact {
            Fact::Mark(fact) => self.take_mark(at, fact),
            Fact::Signaling(fact) => self.take_signaling(at, fact),
            Fact::Ice(fact) => self.take_ice(at, fact),
            Fact::Media(fact) => self.take_media(at, fact),
            Fact::System(System::TicksMissed { since }) => self.note_missed_ticks(at, *since),
            Fact::System(System::Load { .. } | System::Memory { .. } | System::RecordFailing { .. }) => {}
            Fact::Lane(fact) => self.take_lane(at, fact),
            Fact::Prediction(fact) => self.take_prediction(at, fact),
            Fact::Control(fact) => self.take_control(at, fact),
            Fact::Net(fact) => self.take_net(at, fact),
            Fact::Power(fact) => self.take_power(at, fact),
            Fact::Far(fact) => self.take_far(at, fact),
            Fact::Action(fact) => self.take_action(at, fact),
            Fact::Blind { watcher, why } => self.blind.push((at, *watcher, why)),
        }
    }

    fn take_mark(&mut self, at: At, mark: &'a Mark) {
        match mark {
            Mark::Started(plan) => self.plan = self.plan.or(Some(plan)),
            Mark::Imported(imported) => self.imported = self.imported.or(Some(imported)),
            Mark::Established { .. } => self.established = self.established.or(Some(at)),
            Mark::Calibrated(calibrated) => self.calibrated = self.calibrated.or(Some(calibrated)),
            Mark::Note { .. } => {}
            Mark::Ended { by } => self.ended = self.ended.or(Some((at, by))),
        }
    }

    fn take_signaling(&mut self, at: At, fact: &'a Signaling) {
        match fact {
            Signaling::Connecting { conn, to, purpose, proxy } => {
                self.hung_up = None;
                let index = self.socket_index(*conn, at);
                let socket = &mut self.sockets[index];
                socket.to = to.as_str();
                socket.purpose = *purpose;
                socket.through_proxy = proxy.is_some();
            }
            Signaling::TcpConnected { conn, local, remote, .. } => {
                self.socket(*conn, at).tcp = Some(Tcp { seq: at.seq, local: *local, remote: *remote });
            }
            Signaling::Upgraded { conn, server, .. } => {
                let socket = self.socket(*conn, at);
                (socket.upgraded, socket.server) = (Some(at), server.as_ref());
            }
            Signaling::ConnectFailed { conn, stage, trouble, .. } => {
                self.socket(*conn, at).failed = Some(Failed { at, stage: *stage, trouble });
            }
            Signaling::Ready { conn, session, instance, resumed } => {
                self.hung_up = None;
                let ready = Ready { at, session: session.as_ref(), instance: instance.as_ref(), resumed: *resumed };
                // A provider may greet again on the same socket; the first time is when it began to stand.
                let index = self.socket_index(*conn, at);
                if self.sockets[index].ready.is_none() {
                    self.sockets[index].ready = Some(ready);
                    self.readied.push(index);
                }
            }
            Signaling::Answered { .. } => self.hung_up = None,
            // One address of ours was not understood; the call goes on over the others.
            Signaling::Refused { code, .. } if code.as_str() == "candidate" => {}
            Signaling::Refused { conn, kind, code, says } => {
                self.socket(*conn, at).refused.push(Refused { at, kind: *kind, code, says });
            }
            Signaling::HeartbeatAnswered { conn, rtt_ms } => {
                self.heartbeats.push(Heartbeat { at, conn: *conn, rtt_ms: *rtt_ms });
            }
            Signaling::Tcp { conn, sample } => {
                let socket = self.socket(*conn, at);
                if sample.retransmits > 0 && sample.unacked > 0 {
                    socket.resending.push((at, *sample));
                }
                if sample.unacked == 0 {
                    socket.acknowledged = Some(at);
                    if let Some(silence) = socket.silences.last_mut().filter(|silence| silence.again.is_none()) {
                        silence.acknowledged.get_or_insert(at);
                    }
                }
                if !socket.through_proxy {
                    self.hear_tcp(at, sample);
                }
            }
            Signaling::Unanswered { conn, since, last_good, retransmits } => {
                let since = not_after(*since, at);
                let socket = self.socket(*conn, at);
                let acknowledged = socket.acknowledged.filter(|seen| seen.stamp > since.plus(HANDED_OUT));
                socket.silences.push(Silence {
                    at,
                    since,
                    last_good: not_after(*last_good, at).min(since),
                    retransmits: *retransmits,
                    acknowledged,
                    again: None,
                });
            }
            Signaling::AnsweredAgain { conn, .. } => {
                if let Some(silence) = self.socket(*conn, at).silences.last_mut() {
                    silence.again.get_or_insert(at);
                }
            }
            Signaling::Closed { conn, end, last_in, last_out, tcp } => {
                let closed =
                    Closed { at, end, last_in: not_after(*last_in, at), last_out: not_after(*last_out, at), tcp: *tcp };
                self.socket(*conn, at).closed.get_or_insert(closed);
            }
            Signaling::CallEnded { by, code, says, .. } => {
                if *by == CallEndedBy::Us {
                    self.hung_up = self.hung_up.or(Some(at));
                }
                self.call_ends.push(CallEnd { at, by: *by, code: code.as_ref(), says });
            }
            Signaling::Resolved { .. } | Signaling::ProxyOpened { .. } | Signaling::TlsReady { .. } => {}
        }
    }

    fn socket(&mut self, conn: u32, at: At) -> &mut Socket<'a> {
        let index = self.socket_index(conn, at);
        &mut self.sockets[index]
    }

    /// A damaged log may have lost the event that began a socket.
    fn socket_index(&mut self, conn: u32, at: At) -> usize {
        let sockets = &mut self.sockets;
        *self.conn_index.entry(conn).or_insert_with(|| {
            sockets.push(Socket {
                conn,
                began: at,
                to: "the far end",
                through_proxy: false,
                purpose: SocketPurpose::First,
                tcp: None,
                upgraded: None,
                server: None,
                ready: None,
                failed: None,
                refused: Vec::new(),
                silences: Vec::new(),
                resending: Vec::new(),
                acknowledged: None,
                closed: None,
            });
            sockets.len() - 1
        })
    }

    fn take_ice(&mut self, at: At, fact: &'a Ice) {
        match fact {
            Ice::State { state } => self.ice_states.push((at, *state)),
            Ice::Dtls { state } => self.dtls.push((at, state)),
            Ice::Pair { local, local_kind, remote, remote_kind } => self.pairs.push(Pair {
                at,
                local: *local,
                local_kind: *local_kind,
                remote: *remote,
                remote_kind: *remote_kind,
            }),
            Ice::ConsentLate { last_ok } => {
                self.consent.push(Consent { at, last_ok: not_after(*last_ok, at), expired: false, back: None });
            }
            Ice::ConsentExpired { last_ok } => match self.consent.last_mut() {
                Some(late) if late.back.is_none() => late.expired = true,
                _ => {
                    self.consent.push(Consent { at, last_ok: not_after(*last_ok, at), expired: true, back: None });
                }
            },
            Ice::ConsentBack { .. } => {
                if let Some(late) = self.consent.last_mut() {
                    late.back.get_or_insert(at);
                }
            }
            Ice::TurnRefused { server, request, code, says } => {
                self.turn.push(TurnTrouble { at, server, refused: Some((*request, *code)), says });
            }
            Ice::TurnLost { server, says } => self.turn.push(TurnTrouble { at, server, refused: None, says }),
            Ice::StackDied { says } => self.stack_deaths.push((at, says)),
            Ice::LocalCandidate { address, relay_by: Some(server), .. } => self.relays.push((at, address, server)),
            Ice::SocketBound { .. }
            | Ice::LocalCandidate { .. }
            | Ice::RemoteCandidate { .. }
            | Ice::GatheringDone { .. }
            | Ice::TurnAllocated { .. }
            | Ice::TurnConnected { .. } => {}
        }
    }

    fn take_media(&mut self, at: At, fact: &'a Media) {
        match fact {
            Media::Flowing { first } => {
                self.hung_up = None;
                let first = not_after(*first, at);
                self.end_gap(at, first);
                // A new call has new sockets; those that were refused are gone without a word.
                self.end_send_troubles(at);
                self.flowing.push((at, first));
            }
            Media::Gap { last } => {
                // A second gap inside one that was never ended is the same loss.
                if self.gaps.last().is_none_or(|gap| gap.back.is_some()) {
                    let floor = self.gaps.last().and_then(|gap| gap.back).map_or(self.began, |(_, first)| first);
                    self.gaps.push(Gap { at, last: not_after(*last, at).max(floor), back: None });
                }
            }
            Media::Back { first, .. } => self.end_gap(at, not_after(*first, at)),
            Media::Sample(sample) => self.samples.push((at, sample)),
            Media::SendFailing { errno, says, first } => {
                let first = not_after(*first, at);
                self.send_troubles.push(SendTrouble { at, errno: *errno, says, first, until: None });
            }
            Media::SendWorks { .. } => self.end_send_troubles(at),
            Media::Undelivered { to, why, by, first } => {
                let first = not_after(*first, at);
                self.undelivered.push(Undelivered { at, to: *to, why: *why, by: *by, first });
            }
        }
    }

    /// Another error in the middle of a refusal is told as one more; all end together.
    fn end_send_troubles(&mut self, at: At) {
        for trouble in self.send_troubles.iter_mut().rev().take_while(|trouble| trouble.until.is_none()) {
            trouble.until = Some(at.stamp);
        }
    }

    fn end_gap(&mut self, at: At, first: record::Stamp) {
        if let Some(gap) = self.gaps.last_mut()
            && gap.back.is_none()
        {
            // The gap was declared before its end was seen, so its end lies after its declaration's last packet.
            gap.back = Some((at, first.max(gap.last)));
        }
    }

    fn take_action(&mut self, at: At, fact: &'a Action) {
        match fact {
            Action::Began { id, step, reason, .. } => {
                self.steps.push(Step { id: *id, at, step: *step, reason: *reason, ended: None });
            }
            Action::Ended { id, outcome, .. } => {
                // Moves overlap little: the one that ended is among the last few.
                if let Some(step) = self.steps.iter_mut().rev().take(32).find(|step| step.id == *id) {
                    step.ended.get_or_insert((at, outcome));
                }
            }
            Action::GaveUp { .. } => {}
        }
    }
}
