//! The nine faults, and the run without one: what is done, to what kind of hold, and what is to be said of it.

use super::between::{End, Losing, What};
use explain::{Cause, Owner, Plane};
use record::{
    Private, Profile,
    profile::{Heartbeat, HeartbeatChoice, Lanes, Off, Span},
};
use reflector::Settings;
use std::time::Duration;

#[derive(Debug)]
pub struct Fault {
    pub id: &'static str,
    /// What is done, as a finished sentence.
    pub does: &'static str,
    pub breaks: Breaks,
    pub hold: Span,
    pub profile: fn(&mut Profile),
    pub far_end: fn(&mut Settings),
    /// Nothing: it is to be held.
    pub expected: Option<Expected>,
}

#[derive(Clone, Copy, Debug)]
pub enum Breaks {
    Nothing,
    /// The far end does it by itself.
    FarEnd,
    Signaling(End),
    Quiet(Duration),
    Old(Duration),
    Udp(Losing),
    Restart,
}

#[derive(Debug)]
pub struct Expected {
    pub cause: Cause,
    pub owner: Owner,
    /// Of the drop whose times are held against the box's.
    pub plane: Plane,
    /// What the box did or saw; without it nothing was broken.
    pub deed: fn(What) -> bool,
    pub figure: Option<(&'static str, Figure)>,
    pub finding: Option<(&'static str, Duration)>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Figure {
    /// To within a second: proxies look at their timers once in one.
    Seconds(Duration),
    Word(&'static str),
}

/// Over the beat of the talking lanes, which are to live: 5 s.
const QUIET: Duration = Duration::from_secs(7);
/// An odd one, so that none of the lanes' beats falls on it.
const AGE: Duration = Duration::from_millis(7_300);

pub const FAULTS: [Fault; 10] = [
    Fault {
        id: "quiet_limit",
        does: "TCP connections that carried nothing for 7 s were ended with FIN.",
        breaks: Breaks::Quiet(QUIET),
        hold: Span::seconds(26),
        profile: |profile| {
            profile.signaling.heartbeat = HeartbeatChoice::Off(Off::Off);
            let quiet_ladder = [3, 5, 9, 11].map(Span::seconds).to_vec();
            profile.lanes = Lanes { bare_websocket: true, talking: true, quiet_ladder, ..Lanes::none() };
        },
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::WasQuiet(QUIET),
            figure: Some(("seconds", Figure::Seconds(QUIET))),
            finding: Some(("idle_limit", QUIET)),
            ..Expected::of(Cause::IdleTimeout, Owner::InternetPath, Plane::Signaling)
        }),
    },
    Fault {
        id: "age_limit",
        does: "TCP connections that were 7.3 s old were ended with FIN, however busy.",
        breaks: Breaks::Old(AGE),
        hold: Span::seconds(24),
        profile: |profile| {
            often(profile);
            profile.lanes = Lanes { talking: true, ..Lanes::none() };
        },
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::WasOld(AGE),
            figure: Some(("seconds", Figure::Seconds(AGE))),
            finding: Some(("lifetime_limit", AGE)),
            ..Expected::of(Cause::LifetimeCap, Owner::InternetPath, Plane::Signaling)
        }),
    },
    Fault {
        id: "udp_lost",
        does: "All UDP was lost, both ways, to the far end and to another server; TCP went on.",
        breaks: Breaks::Udp(Losing { out: true, back: true, others: true }),
        hold: Span::seconds(12),
        profile: often,
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::LostMedia,
            ..Expected::of(Cause::UdpBlocked, Owner::LocalNetwork, Plane::Media)
        }),
    },
    Fault {
        id: "udp_lost_one_way",
        does: "UDP from the far end to the caller was lost; the other way it passed.",
        breaks: Breaks::Udp(Losing { out: false, back: true, others: false }),
        hold: Span::seconds(12),
        profile: often,
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::LostMedia,
            figure: Some(("direction", Figure::Word("in"))),
            ..Expected::of(Cause::OneWayLoss, Owner::InternetPath, Plane::Media)
        }),
    },
    Fault {
        id: "half_open",
        does: "The signaling connection went deaf: nothing passed any more, and nobody was told.",
        breaks: Breaks::Signaling(End::Mute),
        hold: Span::seconds(12),
        profile: often,
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::Ended(End::Mute),
            figure: Some(("ended", Figure::Word("silence"))),
            ..Expected::of(Cause::HalfOpen, Owner::InternetPath, Plane::Signaling)
        }),
    },
    Fault {
        id: "restart",
        does: "The service was stopped and another one started in its place.",
        breaks: Breaks::Restart,
        hold: Span::seconds(12),
        profile: often,
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::FarEnded,
            ..Expected::of(Cause::ServiceRestarted, Owner::VoiceService, Plane::Signaling)
        }),
    },
    Fault {
        id: "reset",
        does: "The signaling connection was ended with RST, towards both ends.",
        breaks: Breaks::Signaling(End::Reset),
        hold: Span::seconds(10),
        profile: often,
        far_end: as_it_is,
        expected: Some(Expected {
            deed: |what| what == What::Ended(End::Reset),
            figure: Some(("ended", Figure::Word("rst"))),
            ..Expected::of(Cause::ConnectionReset, Owner::InternetPath, Plane::Signaling)
        }),
    },
    Fault {
        id: "close_frame",
        does: "The service closed the signaling connection for its silence, with a close frame of code 4002.",
        breaks: Breaks::FarEnd,
        hold: Span::seconds(6),
        profile: |profile| profile.signaling.heartbeat = HeartbeatChoice::Off(Off::Off),
        // Its own limit for a caller without a heartbeat; the hold is over before it comes again.
        far_end: |settings| settings.idle_timeout = Duration::from_secs(4),
        expected: Some(Expected {
            deed: |what| what == What::FarEnded,
            figure: Some(("ended", Figure::Word("close_frame"))),
            ..Expected::of(Cause::IdleTimeout, Owner::VoiceService, Plane::Signaling)
        }),
    },
    Fault {
        id: "login",
        does: "The service refused the login.",
        breaks: Breaks::FarEnd,
        hold: Span::seconds(6),
        profile: |profile| profile.signaling.token = Some(Private::new("not the service's token".into())),
        far_end: |settings| settings.token = Some(Private::new("the service's token".into())),
        expected: Some(Expected {
            deed: |what| what == What::FarEnded,
            ..Expected::of(Cause::AuthRejected, Owner::VoiceService, Plane::Signaling)
        }),
    },
    Fault {
        id: "nothing",
        does: "Nothing was broken.",
        breaks: Breaks::Nothing,
        hold: Span::seconds(12),
        profile: often,
        far_end: as_it_is,
        expected: None,
    },
];

impl Expected {
    const fn of(cause: Cause, owner: Owner, plane: Plane) -> Self {
        Self { cause, owner, plane, deed: |_| false, figure: None, finding: None }
    }
}

/// A heartbeat each second, so that what is said of signaling is sharp.
fn often(profile: &mut Profile) {
    let heartbeat = Heartbeat { every: Span::seconds(1), answer_within: Span::seconds(2) };
    profile.signaling.heartbeat = HeartbeatChoice::On(heartbeat);
}

fn as_it_is(_: &mut Settings) {}
