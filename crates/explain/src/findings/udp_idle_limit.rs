//! `udp_idle_limit`: the NAT or firewall forgets a UDP flow that is quiet for so long.

use super::Finding;
use crate::{
    Timeline,
    catalogue::{self, Known},
    limits::{CameBack, UdpLimit},
    rule::Measured,
    words,
};
use record::fact::Opened;

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    timeline.limits.udp.iter().map(of).collect()
}

fn of(limit: &UdpLimit) -> Finding {
    let (opened, id) = match limit.opened {
        Opened::OnePacket => ("that a single packet opened", "one_packet"),
        Opened::Stream if limit.brief => ("that carried packets both ways for less than 2 s", "stream"),
        Opened::Stream => ("that carried packets both ways", "stream"),
    };
    let mut measured = Measured::default();
    if let Some(over) = limit.over {
        measured = measured.number("over_s", over.as_secs_f64());
    }
    measured = measured
        .number("under_s", limit.under.as_secs_f64())
        .word("opened_by", id)
        .number("ends", limit.died.len() as f64);
    if let Some(longest) = limit.unclear {
        return Finding {
            id: "udp_idle_limit",
            measured: measured.number("lived_s", longest.as_secs_f64()),
            says: format!(
                "No single limit explains what quiet UDP flows {opened} met: one was dead after {} and another lived for {}; packets may have been lost at the proof, so run the same profile once more before anything is changed.",
                words::length(limit.under),
                words::length(longest)
            ),
        };
    }
    let length = match limit.over {
        Some(over) => format!("between {} and {}", words::length(over), words::length(limit.under)),
        None => format!("{} or less", words::length(limit.under)),
    };
    let back = match limit.back {
        CameBack::SamePort => "; what we sent afterwards left from the same public port",
        CameBack::OtherPort => "; what we sent afterwards left from another public port",
        CameBack::NotSeen => "",
    };
    measured = match limit.back {
        CameBack::SamePort => measured.word("came_back", "same_port"),
        CameBack::OtherPort => measured.word("came_back", "other_port"),
        CameBack::NotSeen => measured,
    };
    // RFC 4787, REQ-5: two minutes at the least, five recommended.
    let asked = if limit.under.as_secs() <= 120 { " (RFC 4787 asks for 120 s and more)" } else { "" };
    let every = super::heartbeat_advice::whole_seconds(limit.over.unwrap_or(limit.under) / 2);
    // Of a call's flow, which carries them for longer, a brief one says nothing.
    let mend = match limit.brief {
        true => format!(
            "a call's own flow may be kept longer; to have this one kept as well, set its UDP timeout to 300 s, or send a packet at least every {every}"
        ),
        false => format!("set its UDP timeout to 300 s, or send a packet at least every {every}"),
    };
    // One alone may be a packet that was lost at the proof.
    let once = if limit.died.len() == 1 { ", seen once" } else { "" };
    let known = catalogue::udp(limit);
    let named = known.as_ref().map(Known::sentence).unwrap_or_default();
    Finding {
        id: "udp_idle_limit",
        measured: measured.word_maybe("consistent_with", known.map(|known| known.names())),
        says: format!(
            "The router or firewall forgets UDP flows {opened} after {length} of quiet{asked}{once}; {} of {} kept quiet were forgotten{back}: {mend}.{named}",
            limit.died.len(),
            limit.died.len() + limit.lived.len(),
        ),
    }
}
