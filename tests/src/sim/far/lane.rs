//! A lane at the far end: it keeps quiet for as long as it is asked to, and never ends one for being quiet.

use super::{Inner, read};
use crate::sim::tcp::{Heard, Message, Stream};
use record::fact::{End, LaneSight, Side, Sight, Stirred};
use record::wire::lane::{FromLane, Plan, ToLane};
use record::{Stamp, millis};
use std::rc::Rc;
use std::time::Duration;

pub fn say(stream: &Stream, message: &impl serde::Serialize) {
    stream.send(Message::Text(serde_json::to_string(message).expect("texts and numbers")));
}

enum Happened {
    Heard(Heard),
    Stir,
    Speak,
    CallOver,
    Shutdown,
}

pub async fn hold(far: Rc<Inner>, stream: Stream) {
    let Some(FromLane::Begin { ticket, lane, plan }) = read(&stream.hear().await) else { return };
    let Some(call) = far.call_of_lanes(ticket.0.reveal()) else {
        let says = "no call belongs to this ticket any more".into();
        return say(&stream, &ToLane::Refused { why: record::wire::lane::Unwelcome::NoSuchCall, says });
    };
    let from = stream.remote();
    say(&stream, &ToLane::Welcome { from });
    let stood = far.program.now();
    let saw = |sight| call.saw(far.program.now(), Sight::Lane { lane, sight });
    saw(LaneSight::Stood { from: from.into() });
    let mut stopping = std::pin::pin!(far.is_stopping());
    let (mut proved, mut heard_once) = (false, false);
    loop {
        let now = far.program.now();
        let before = stream.seen();
        let quiet_since = before.last_in.max(before.last_out);
        let (stir, speak) = if proved { (None, None) } else { waits(&plan, now, stood, before.last_out) };
        let happened = tokio::select! {
            biased;
            () = &mut stopping => Happened::Shutdown,
            () = call.over.is(|over| *over) => Happened::CallOver,
            heard = stream.hear() => Happened::Heard(heard),
            () = after(&far, stir) => Happened::Stir,
            () = after(&far, speak) => Happened::Speak,
        };
        let end = match happened {
            Happened::Shutdown => {
                return stream.send(Message::Close { code: 1001, reason: "the reflector stops".into() });
            }
            Happened::CallOver => return say(&stream, &ToLane::Over),
            Happened::Stir => {
                say(&stream, &ToLane::Stir);
                continue;
            }
            Happened::Speak => {
                proved = true;
                say(&stream, &ToLane::Word);
                saw(LaneSight::Spoke { quiet_ms: millis(far.program.now().since(quiet_since)) });
                continue;
            }
            Happened::Heard(heard) => match (read(&heard), heard) {
                (Some(FromLane::Ask { number }), _) => {
                    say(&stream, &ToLane::Echo { number });
                    if plan.first.is_some() && !std::mem::replace(&mut heard_once, true) {
                        proved = true;
                        saw(LaneSight::Heard { quiet_ms: millis(far.program.now().since(quiet_since)) });
                    }
                    continue;
                }
                (Some(FromLane::Bye), _) => return stream.send(Message::Close { code: 1000, reason: String::new() }),
                (_, Heard::Message(Message::Fin)) => End::Fin,
                (_, Heard::Message(Message::Close { .. })) => return,
                (_, Heard::Message(_)) => continue,
                (_, Heard::Reset) => End::Reset,
                (_, Heard::Local(errno)) => End::Local { errno: Some(errno), says: "timed out".into() },
            },
        };
        let now = far.program.now();
        let (quiet_ms, age_ms) = (millis(now.since(quiet_since)), millis(now.since(stood)));
        return saw(LaneSight::Ended { end, quiet_ms, age_ms });
    }
}

fn waits(plan: &Plan, now: Stamp, stood: Stamp, last_out: Stamp) -> (Option<Duration>, Option<Duration>) {
    let planned = Duration::from_secs_f64(plan.quiet_ms / 1e3);
    let age = now.since(stood);
    let stir = match plan.stirred {
        Stirred::ByThem { every_ms } => {
            let wait = Duration::from_secs_f64(every_ms / 1e3).saturating_sub(now.since(last_out));
            (age + wait < planned).then_some(wait)
        }
        _ => None,
    };
    let speak = (plan.first == Some(Side::Them)).then(|| planned.saturating_sub(age));
    (stir, speak)
}

async fn after(far: &Inner, wait: Option<Duration>) {
    match wait {
        Some(wait) => far.program.sleep(wait).await,
        None => std::future::pending().await,
    }
}
