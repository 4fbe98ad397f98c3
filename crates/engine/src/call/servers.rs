//! The ICE servers of a profile, made fit for the stack, which knows TURN over UDP alone.
//!
//! A server to be reached over TCP or TLS is told to the stack as one over UDP at an address that cannot exist
//! (198.18.0.0/15 is reserved for benchmarks and routed nowhere); the tap carries what is sent there over the stream.

use super::relay::RelayServer;
use record::Heard;
use record::profile::{IceScheme, IceServer, IceTransport, IceUrl};
use std::net::SocketAddr;
use webrtc::peer_connection::RTCIceServer;

#[derive(Debug, Default)]
pub struct ServerPlan {
    pub for_the_stack: Vec<RTCIceServer>,
    pub over_streams: Vec<RelayServer>,
    /// `host:port` as the stack will ask the resolver for it, and what we call that server.
    pub names: Vec<(String, Heard)>,
    /// What cannot be used, each a finished sentence.
    pub left_out: Vec<String>,
}

impl ServerPlan {
    /// Each `host:port` that the stack will ask the resolver for.
    pub fn for_the_resolver(&self) -> Vec<String> {
        let urls = self.for_the_stack.iter().flat_map(|server| &server.urls);
        let places = urls.filter_map(|url| Some(IceUrl::parse(url).ok()?.place()));
        places.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

/// What cannot be used is left out and said: a server may come from the far end, whose mistake must not end our call.
pub fn plan(servers: &[IceServer]) -> ServerPlan {
    let mut plan = ServerPlan::default();
    for server in servers {
        let secret = |given: &Option<record::Private<String>>| given.as_ref().map_or("", |s| s.reveal()).to_owned();
        let (username, credential) = (secret(&server.username), secret(&server.credential));
        let mut urls = vec![];
        for url in &server.urls {
            let url = match IceUrl::parse(url) {
                Ok(url) => url,
                Err(why) => {
                    plan.left_out.push(format!("an ICE server is left out: {why}"));
                    continue;
                }
            };
            let label = Heard::new(&url.to_string());
            if url.is_turn() && (username.is_empty() || credential.is_empty()) {
                plan.left_out.push(format!("{label} is left out: it came without a username or credential"));
                continue;
            }
            match (url.scheme, url.transport) {
                (IceScheme::Stun, IceTransport::Udp) => urls.push(format!("stun:{}", url.place())),
                (IceScheme::Turn, IceTransport::Udp) => {
                    plan.names.push((url.place(), label));
                    urls.push(format!("turn:{}?transport=udp", url.place()));
                }
                (IceScheme::Turn | IceScheme::Turns, IceTransport::Tcp) => {
                    let Some(magic) = magic(plan.over_streams.len(), url.port) else {
                        plan.left_out.push(format!("{label} is left out: it is one of more than 255 over TCP or TLS"));
                        continue;
                    };
                    urls.push(format!("turn:{magic}?transport=udp"));
                    let tls = url.scheme == IceScheme::Turns;
                    let IceUrl { host, port, .. } = url;
                    plan.over_streams.push(RelayServer { magic, host, port, tls, label });
                }
                (IceScheme::Turns, IceTransport::Udp) => plan.left_out.push(format!(
                    "{label} is left out: TURN over DTLS is not supported; most servers offer turns:…?transport=tcp too"
                )),
                (IceScheme::Stun, IceTransport::Tcp) | (IceScheme::Stuns, _) => plan
                    .left_out
                    .push(format!("{label} is left out: STUN is asked over UDP alone; most servers offer stun:… too")),
            }
        }
        if !urls.is_empty() {
            plan.for_the_stack.push(RTCIceServer { urls, username, credential });
        }
    }
    plan
}

fn magic(nth: usize, port: u16) -> Option<SocketAddr> {
    let last = u8::try_from(nth + 1).ok()?;
    Some(SocketAddr::from(([198, 18, 0, last], port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Private;

    fn server(urls: &[&str]) -> IceServer {
        IceServer {
            urls: urls.iter().map(|&url| url.to_owned()).collect(),
            username: Some(Private::new("u".into())),
            credential: Some(Private::new("c".into())),
            expires: None,
        }
    }

    #[test]
    fn each_server_over_a_stream_has_a_magic_address_of_its_own() {
        let urls =
            ["stun:a.example", "turn:a.example?transport=udp", "turn:a.example:80?transport=tcp", "turns:b.example"];
        let plan = plan(&[server(&urls), server(&["turns:[2001:db8::1]:443?transport=tcp"])]);
        assert_eq!(
            plan.for_the_stack[0].urls,
            [
                "stun:a.example:3478",
                "turn:a.example:3478?transport=udp",
                "turn:198.18.0.1:80?transport=udp",
                "turn:198.18.0.2:5349?transport=udp"
            ]
        );
        assert_eq!(plan.for_the_stack[1].urls, ["turn:198.18.0.3:443?transport=udp"]);
        let labels: Vec<_> = plan.over_streams.iter().map(|relay| (relay.label.as_str(), relay.tls)).collect();
        assert_eq!(
            labels,
            [
                ("turn:a.example:80?transport=tcp", false),
                ("turns:b.example:5349?transport=tcp", true),
                ("turns:[2001:db8::1]:443?transport=tcp", true)
            ]
        );
        assert_eq!(plan.names.len(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_said_and_not_dropped_silently() {
        let plan = plan(&[server(&["turns:a.example?transport=udp", "stuns:a.example"])]);
        assert_eq!(plan.left_out.len(), 2);
        assert!(plan.for_the_stack.is_empty());
    }

    #[test]
    fn a_server_that_cannot_be_used_is_left_out_and_the_others_stay() {
        let open = IceServer { username: None, ..server(&["turn:open.example", "stun:open.example"]) };
        let plan = plan(&[server(&["turn:joe:hunter2@h", "turn:good.example"]), open]);
        assert_eq!(plan.for_the_stack[0].urls, ["turn:good.example:3478?transport=udp"]);
        assert_eq!(plan.for_the_stack[1].urls, ["stun:open.example:3478"]);
        let [bad, unnamed] = &plan.left_out[..] else { panic!("{:?}", plan.left_out) };
        assert!(bad.contains("username and credential") && !bad.contains("hunter2"), "{bad}");
        assert!(unnamed.contains("turn:open.example") && unnamed.contains("without a username"), "{unnamed}");
    }
}
