//! What this computer, its networks and the controls did, in sentences.

use super::Tone;
use crate::{names::Names, words};
use record::{
    Fact,
    fact::{Control, ControlKind, Destination, Hop, LinkKind, Net, Power, Reachability, System},
};

pub fn net(fact: &Net, names: &Names) -> String {
    match fact {
        Net::Link { name, kind, driver, up, carrier, mtu, found } => {
            let state = match (up, carrier) {
                (true, true) => "is up",
                (true, false) => "has no carrier",
                (false, _) => "is switched off",
            };
            let came = if *found || names.knows_link(name.as_str()) { "" } else { "came and " };
            let now = if *found || !came.is_empty() { "" } else { "now " };
            let driver = if driver.is_empty() { String::new() } else { format!(", {driver}") };
            format!("The {} interface {name} {came}{now}{state} (packets up to {mtu} bytes{driver}).", link(*kind))
        }
        Net::LinkGone { name, kind } => format!("The {} interface {name} is gone.", link(*kind)),
        Net::Address { interface, address, prefix, temporary, found } => {
            let temporary = if *temporary { "temporary " } else { "" };
            let has = if *found { "has" } else { "got" };
            format!("The interface {interface} {has} the {temporary}address {address}/{prefix}.")
        }
        Net::AddressGone { interface, address } => format!("The interface {interface} lost the address {address}."),
        Net::Route { to, before, after, found } => {
            let to = destination(*to);
            match (before, after, found) {
                (_, Some(after), true) => format!("Packets to {to} go {}.", hop(after)),
                (_, None, true) => format!("There is no way to {to}."),
                (Some(before), None, false) => format!("There is no way to {to} any more; it went {}.", hop(before)),
                (Some(before), Some(after), false) => {
                    format!("Packets to {to} now go {}, and no longer {}.", hop(after), hop(before))
                }
                (None, Some(after), false) => format!("Packets to {to} now go {}.", hop(after)),
                (None, None, false) => format!("There is still no way to {to}."),
            }
        }
        Net::Neighbour { interface, address, state, .. } => {
            let state = match state {
                Reachability::Reachable => "answers",
                Reachability::Stale => "was not asked lately",
                Reachability::Probing => "is being asked for",
                Reachability::Failed => "does not answer",
                Reachability::Permanent => "needs no asking",
            };
            format!("The gateway {address} on {interface} {state}, by this computer's table of neighbours.")
        }
        Net::Resolvers { servers, found } => {
            let list: Vec<String> = servers.iter().take(8).map(ToString::to_string).collect();
            let now = if *found { "" } else { "now " };
            match list.is_empty() {
                true => format!("This computer {now}has no name server."),
                false => format!("This computer {now}asks {} for names.", list.join(", ")),
            }
        }
        Net::Wifi { interface, link: Some(link), found } => {
            let signal = link.dbm.map(|dbm| format!(", signal {dbm} dBm")).unwrap_or_default();
            let channel = link.mhz.map(|mhz| format!(" at {mhz} MHz")).unwrap_or_default();
            let now = if *found { "" } else { "now " };
            format!("{interface} is {now}on {} by {}{channel}{signal}.", link.network, link.point)
        }
        Net::Wifi { interface, link: None, .. } => format!("{interface} is on no Wi-Fi network."),
        Net::SystemProxy { proxy, script, .. } => match (proxy, script) {
            (Some(proxy), _) => format!("The system's web proxy for the far end is {proxy}."),
            (None, true) => "A script of the system's settings chooses the web proxy; we did not run it.".into(),
            (None, false) => "The system's settings name no web proxy for the far end.".into(),
        },
        Net::PublicAddress { server, local, public, before } => match before {
            Some(before) => format!("{server} now sees {local} as {public}, and no longer as {before}."),
            None => format!("{server} sees {local} as {public}."),
        },
    }
}

pub fn net_tone(fact: &Net) -> Tone {
    match fact {
        Net::Link { found: false, kind, up, carrier, .. } if told(*kind) => match *up && *carrier {
            true => Tone::Back,
            false => Tone::Lost,
        },
        Net::LinkGone { kind, .. } if told(*kind) => Tone::Lost,
        Net::Route { found: false, after: None, .. } => Tone::Lost,
        Net::Route { found: false, .. } => Tone::Note,
        Net::AddressGone { .. } | Net::Address { found: false, temporary: false, .. } => Tone::Note,
        Net::Resolvers { found: false, .. }
        | Net::Wifi { found: false, .. }
        | Net::SystemProxy { found: false, .. } => Tone::Note,
        Net::PublicAddress { before: Some(_), .. } => Tone::Note,
        _ => Tone::Plain,
    }
}

/// An interface is told of for the first time, and does not stand yet: nothing was lost with it.
pub fn came_down(fact: &Fact, names: &Names) -> bool {
    match fact {
        Fact::Net(Net::Link { name, up, carrier, .. }) => {
            let stands = *up && *carrier;
            !stands && !names.knows_link(name.as_str())
        }
        _ => false,
    }
}

/// Bridges and containers come and go all day and carry nothing of the call.
fn told(kind: LinkKind) -> bool {
    !matches!(kind, LinkKind::Virtual | LinkKind::Loopback)
}

pub(crate) fn link(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Wired => "wired",
        LinkKind::Wifi => "Wi-Fi",
        LinkKind::Mobile => "mobile",
        LinkKind::Tunnel => "tunnel",
        LinkKind::Virtual => "virtual",
        LinkKind::Loopback => "loopback",
        LinkKind::Other => "network",
    }
}

fn destination(to: Destination) -> &'static str {
    match to {
        Destination::Ipv4 => "the Internet over IPv4",
        Destination::Ipv6 => "the Internet over IPv6",
        Destination::FarEnd => "the far end",
    }
}

pub(crate) fn hop(hop: &Hop) -> String {
    let gateway = hop.gateway.map(|gateway| format!(" by the gateway {gateway}")).unwrap_or_default();
    format!("over {} ({}){gateway}", hop.interface, link(hop.kind))
}

pub fn power(fact: &Power) -> String {
    match fact {
        Power::AboutToSleep => "The system said that it goes to sleep.".into(),
        Power::Woke => "The system said that it has woken.".into(),
        Power::Supply { on_battery, percent, .. } => {
            let percent = percent.map(|percent| format!(", {percent:.0} % charged")).unwrap_or_default();
            match on_battery {
                true => format!("This computer runs on its battery{percent}."),
                false => format!("This computer runs on mains power{percent}."),
            }
        }
        Power::Lid { closed: true, .. } => "The lid is closed.".into(),
        Power::Lid { closed: false, .. } => "The lid is open.".into(),
        Power::KeepingAwake => "The system was asked to stay awake during the hold.".into(),
        Power::NotKeptAwake { says } => {
            format!("The system could not be asked to stay awake{}.", words::quoted(says))
        }
    }
}

pub fn power_tone(fact: &Power) -> Tone {
    match fact {
        Power::AboutToSleep | Power::Woke | Power::NotKeptAwake { .. } => Tone::Note,
        Power::Supply { found: false, .. } | Power::Lid { found: false, .. } => Tone::Note,
        Power::Supply { .. } | Power::Lid { .. } | Power::KeepingAwake => Tone::Plain,
    }
}

pub fn system(fact: &System) -> String {
    match fact {
        System::TicksMissed { since } => {
            format!("Our own ten ticks a second did not come since {}.", words::utc_exact(*since))
        }
        System::Load { own_cpu, own_mb, machine_cpu } => {
            format!("This program used {own_cpu:.1} % of one core and {own_mb:.0} MB, the machine {machine_cpu:.0} %.")
        }
        System::Memory { available_mb, total_mb, stalled_percent } => {
            let stalled = stalled_percent
                .map(|percent| format!("; everything waited for memory {percent:.0} % of the time"))
                .unwrap_or_default();
            format!("{available_mb:.0} of {total_mb:.0} MB of memory can be had{stalled}.")
        }
        System::RecordFailing { says } => format!("The record could not be written{}.", words::quoted(says)),
    }
}

pub fn control(fact: &Control, names: &Names) -> String {
    let who = |control: &u32| words::capital(&names.control(*control));
    match fact {
        Control::Asking { kind, target, .. } => {
            format!("Asking beside the call: {} ({target}).", asked(*kind))
        }
        Control::Sample { control, asked, answered, .. } => {
            format!("{} answered {answered} of {asked} questions.", who(control))
        }
        Control::Silent { control, asked, last_ok, says, refused } => {
            let last = match last_ok {
                Some(last) => format!("; the last answer came at {}", words::utc_exact(*last)),
                None => "; it never answered".into(),
            };
            let says = if says.is_empty() { String::new() } else { format!(" (“{says}”)") };
            let (who, at) = (who(control), words::utc_exact(*asked));
            match refused {
                true => format!("{who} was refused at {at}, nobody listens there{says}{last}."),
                false => format!("{who} gave no answer to the question of {at}{says}{last}."),
            }
        }
        Control::Back { control, silent_since, .. } => {
            format!("{} answers again, after silence since {}.", who(control), words::utc_exact(*silent_since))
        }
        Control::Portal { control, status, leads_to } => {
            let leads = leads_to.as_ref().map(|to| format!(" and leads to {to}")).unwrap_or_default();
            format!("{} was answered by somebody else, with status {status}{leads}.", who(control))
        }
        Control::PortalGone { control } => format!("{} answers as it should again.", who(control)),
        Control::Issuer { control, issuer, expected } => {
            let expected = expected.as_ref().map(|name| format!(", where {name} was expected")).unwrap_or_default();
            format!("{}: its certificate is signed by {issuer}{expected}.", who(control))
        }
    }
}

pub fn control_tone(fact: &Control) -> Tone {
    match fact {
        Control::Silent { .. } | Control::Portal { .. } => Tone::Lost,
        Control::Back { .. } | Control::PortalGone { .. } => Tone::Back,
        Control::Asking { .. } | Control::Sample { .. } | Control::Issuer { .. } => Tone::Plain,
    }
}

pub(crate) fn asked(kind: ControlKind) -> &'static str {
    match kind {
        ControlKind::Gateway => "the gateway",
        ControlKind::Dns => "name service",
        ControlKind::Https => "another web server",
        ControlKind::Stun => "a STUN server",
        ControlKind::FarTcp => "the far end over new TCP connections",
        ControlKind::FarUdp => "the far end over UDP",
        ControlKind::Portal => "the plain web page",
    }
}
