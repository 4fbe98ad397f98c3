//! Lanes: connections that a caller holds beside its call, each in another manner, over WebSocket, TCP or TLS.
//!
//! The caller says its plan first. The reflector keeps a lane for as long as the plan has it quiet, and says what it saw;
//! it never ends one for being quiet, or it would be the very device that the lane is to find.

pub mod desk;
mod flows;
pub mod udp;

use crate::server::House;
use desk::{Desk, Place};
use engine::lanes::channel::Channel;
use engine::line::allowance::Allowance;
use record::{
    Stamp,
    fact::{End, LaneSight, Side, Stirred},
    millis,
    wire::lane::{FromLane, Plan, ToLane, Unwelcome},
};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Beyond what was planned to be silence: a computer that dozed, a path that was out for a while.
const MARGIN: Duration = Duration::from_secs(120);
/// A hold lasts a week at most, and what is planned for longer is no plan.
const LONGEST_PLAN: Duration = Duration::from_secs(8 * 86_400);
/// Stirring is a few bytes; more often than this it would be traffic.
const STIR_AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// A question each second is a tenth of this, and a lane asks less often.
const BYTES_AT_ONCE: f64 = 16.0 * 1024.0;
const BYTES_A_SECOND: f64 = 512.0;
/// Who wants to end is not kept waiting longer.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

const GOING_AWAY: u16 = 1001;
const NORMAL: u16 = 1000;
const POLICY: u16 = 1008;

/// From the first message to the end. `greeted` is told when it has become a lane.
pub async fn hold(mut channel: Channel, from: SocketAddr, house: Arc<House>, greeted: impl FnOnce()) {
    let begun = tokio::select! {
        biased;
        () = house.stopping() => None,
        begun = tokio::time::timeout(house.settings.limits.greeting, begin(&mut channel, &house)) => begun.ok(),
    };
    let (desk, place, lane, plan) = match begun {
        Some(Ok(begun)) => begun,
        Some(Err(Turned::Away(why, says))) => {
            tracing::debug!(%from, ?why, says, "a lane was turned away");
            let refused = ToLane::Refused { why, says: says.into() };
            if channel.say(&refused).await.is_ok() {
                channel.close(POLICY, says, CLOSED_WITHIN).await;
            }
            return;
        }
        Some(Err(Turned::Gone)) | None => return,
    };
    greeted();
    channel.allow(Allowance::new(BYTES_AT_ONCE, BYTES_A_SECOND, house.clock.now()));
    let stood = house.clock.now();
    if channel.say(&ToLane::Welcome { from }).await.is_err() {
        return;
    }
    desk.saw(lane, stood, LaneSight::Stood { from: from.into() });
    let mut held = Held { channel, plan, desk, _place: place, lane, house, stood, proved: false, heard: false };
    let ended = held.run().await;
    held.finish(ended).await;
}

enum Turned {
    Away(Unwelcome, &'static str),
    Gone,
}

async fn begin(channel: &mut Channel, house: &House) -> Result<(Desk, Place, u32, Plan), Turned> {
    let (ticket, lane, plan) = match channel.hear::<FromLane>().await {
        Ok(FromLane::Begin { ticket, lane, plan }) => (ticket, lane, plan),
        Ok(_) | Err(End::Broken { .. }) => {
            return Err(Turned::Away(Unwelcome::BadRequest, "the first message of a lane is its beginning"));
        }
        Err(_) => return Err(Turned::Gone),
    };
    if span(plan.quiet_ms).is_none() || stirs(&plan).is_some_and(|every| span(every).is_none()) {
        return Err(Turned::Away(Unwelcome::BadRequest, "the plan names a length of time that is none"));
    }
    let says = "no call belongs to this ticket any more";
    let desk = house.desks.find(ticket.0.reveal()).ok_or(Turned::Away(Unwelcome::NoSuchCall, says))?;
    let place = desk.take_place().ok_or(Turned::Away(Unwelcome::Full, "all places for lanes are taken"))?;
    Ok((desk, place, lane, plan))
}

struct Held {
    channel: Channel,
    plan: Plan,
    desk: Desk,
    _place: Place,
    lane: u32,
    house: Arc<House>,
    stood: Stamp,
    /// The silence is over: we spoke, or the caller did.
    proved: bool,
    /// The caller has asked.
    heard: bool,
}

enum Ended {
    /// The caller closed it in order.
    Bye,
    /// Its plan and its call are over.
    Over,
    Shutdown,
    /// Without our doing.
    Lost(End),
}

enum Happened {
    Message(Result<FromLane, End>),
    Stir,
    Speak,
    Overdue,
    CallOver,
    Shutdown,
}

impl Held {
    async fn run(&mut self) -> Ended {
        let planned = span(self.plan.quiet_ms).unwrap_or_default();
        let mut stopping = std::pin::pin!(self.house.stopping());
        let mut over = std::pin::pin!(long_after(self.desk.closed(), self.house.settings.kept_for));
        let stir_every = match self.plan.stirred {
            Stirred::ByThem { every_ms } => span(every_ms).map(|every| every.max(STIR_AT_MOST_EVERY)),
            _ => None,
        };
        let speaks = self.plan.first == Some(Side::Them);
        loop {
            let now = self.house.clock.now();
            let age = now.since(self.stood);
            let quiet_since = self.channel.last_in.max(self.channel.last_out);
            let (stir_in, speak_in) = match self.proved {
                true => (None, None),
                false => {
                    let stir = stir_every.map(|every| every.saturating_sub(now.since(self.channel.last_out)));
                    (stir.filter(|wait| age + *wait < planned), speaks.then(|| planned.saturating_sub(age)))
                }
            };
            let unheard = now.awake_since(self.channel.last_in);
            let happened = tokio::select! {
                biased;
                () = &mut stopping => Happened::Shutdown,
                () = &mut over => Happened::CallOver,
                message = self.channel.hear() => Happened::Message(message),
                () = after(stir_in) => Happened::Stir,
                () = after(speak_in) => Happened::Speak,
                () = tokio::time::sleep((planned + MARGIN).saturating_sub(unheard)) => Happened::Overdue,
            };
            let said = match happened {
                Happened::Shutdown => return Ended::Shutdown,
                Happened::CallOver => return Ended::Over,
                Happened::Message(Ok(FromLane::Bye)) => return Ended::Bye,
                Happened::Message(Ok(message)) => self.answer(message, quiet_since).await,
                Happened::Message(Err(end)) => return Ended::Lost(end),
                Happened::Stir => self.channel.say(&ToLane::Stir).await,
                Happened::Speak => self.speak().await,
                Happened::Overdue => {
                    let now = self.house.clock.now();
                    match now.awake_since(self.channel.last_in) >= planned + MARGIN {
                        true => return Ended::Over,
                        false => Ok(()),
                    }
                }
            };
            if let Err(end) = said {
                return Ended::Lost(end);
            }
        }
    }

    /// `quiet_since` is when something was said last before this message.
    async fn answer(&mut self, message: FromLane, quiet_since: Stamp) -> Result<(), End> {
        // A second beginning changes nothing; stirring is its own end.
        let FromLane::Ask { number } = message else { return Ok(()) };
        let now = self.house.clock.now();
        self.channel.say(&ToLane::Echo { number }).await?;
        // The first question of a rung is its proof; those of a lane that talks are no news.
        if self.plan.first.is_some() && !std::mem::replace(&mut self.heard, true) {
            self.proved = true;
            self.desk.saw(self.lane, now, LaneSight::Heard { quiet_ms: millis(now.since(quiet_since)) });
        }
        Ok(())
    }

    async fn speak(&mut self) -> Result<(), End> {
        let now = self.house.clock.now();
        self.proved = true;
        let quiet_ms = millis(self.channel.quiet(now));
        self.channel.say(&ToLane::Word).await?;
        self.desk.saw(self.lane, now, LaneSight::Spoke { quiet_ms });
        Ok(())
    }

    async fn finish(self, ended: Ended) {
        let Self { channel, desk, lane, house, stood, .. } = self;
        match ended {
            Ended::Bye => channel.close(NORMAL, "", CLOSED_WITHIN).await,
            Ended::Over => {
                let mut channel = channel;
                if channel.say(&ToLane::Over).await.is_ok() {
                    channel.close(NORMAL, "the call is over", CLOSED_WITHIN).await;
                }
            }
            Ended::Shutdown => channel.close(GOING_AWAY, "the reflector stops", CLOSED_WITHIN).await,
            Ended::Lost(end) => {
                let now = house.clock.now();
                let quiet_ms = millis(channel.quiet(now));
                let age_ms = millis(now.since(stood));
                let rule_broken = if let End::Broken { says } = &end { Some(says.clone()) } else { None };
                desk.saw(lane, now, LaneSight::Ended { end, quiet_ms, age_ms });
                if let Some(says) = rule_broken {
                    channel.close(POLICY, says.as_str(), CLOSED_WITHIN).await;
                }
            }
        }
    }
}

fn stirs(plan: &Plan) -> Option<f64> {
    match plan.stirred {
        Stirred::Not => None,
        Stirred::ByUs { every_ms } | Stirred::ByThem { every_ms } | Stirred::ByKeepalive { every_ms } => Some(every_ms),
    }
}

/// A length of time that a stranger named.
fn span(ms: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(ms / 1e3).ok().filter(|span| *span <= LONGEST_PLAN)
}

async fn after(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn long_after(first: impl Future<Output = ()>, then: Duration) {
    first.await;
    tokio::time::sleep(then).await;
}
