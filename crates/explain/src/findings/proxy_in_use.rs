//! `proxy_in_use`: signaling went through a web proxy, or did not though the system is set to use one.

use super::Finding;
use crate::{Timeline, rule::Measured};

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    let used = timeline.between.proxies.first().map(|(_, proxy)| Finding {
        id: "proxy_in_use",
        measured: Measured::default().word("proxy", proxy.to_string()).word("used", "yes"),
        says: format!(
            "Signaling went through the web proxy {proxy} (CONNECT), and media did not: limits found here may be the proxy's own; exempt the voice service from it, or raise its limits for tunnels."
        ),
    });
    let unused = || {
        let last = timeline.between.system_proxies.last()?;
        let stood = timeline.sockets.iter().any(|socket| socket.upgraded.is_some() && !socket.through_proxy);
        if !stood || (last.proxy.is_none() && !last.script) {
            return None;
        }
        let which = match last.proxy {
            Some(proxy) => format!("the web proxy {proxy}"),
            None => "a proxy configuration script".into(),
        };
        Some(Finding {
            id: "proxy_in_use",
            measured: Measured::default().word("proxy", which.clone()).word("used", "no"),
            says: format!(
                "This system is set to use {which}, and this call went without it: a browser's signaling takes another way than the one tested; hold once more with HTTPS_PROXY set to that proxy."
            ),
        })
    };
    used.or_else(unused).into_iter().collect()
}
