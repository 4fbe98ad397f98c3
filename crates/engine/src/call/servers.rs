//! The ICE servers of a profile, made fit for the stack, which knows TURN over UDP alone.
//!
//! A server to be reached over TCP or TLS is told to the stack as one over UDP at an address that cannot exist
//! (198.18.0.0/15 is reserved for benchmarks and routed nowhere); the tap carries what is sent there over the stream.

use super::relay::RelayServer;
use record::Heard;
use record::profile::IceServer;
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

pub fn plan(servers: &[IceServer]) -> anyhow::Result<ServerPlan> {
    let mut plan = ServerPlan::default();
    for server in servers {
        let mut urls = vec![];
        for url in &server.urls {
            let parsed = parse(url).map_err(|why| anyhow::anyhow!("the ICE server {url:?} cannot be used: {why}"))?;
            let label = Heard::new(&parsed.label());
            match (parsed.scheme, parsed.transport) {
                (Scheme::Stun, Transport::Udp) => urls.push(format!("stun:{}", parsed.place())),
                (Scheme::Turn, Transport::Udp) => {
                    plan.names.push((parsed.place(), label));
                    urls.push(format!("turn:{}?transport=udp", parsed.place()));
                }
                (Scheme::Turn | Scheme::Turns, Transport::Tcp) => {
                    let magic = magic(plan.over_streams.len(), parsed.port)?;
                    urls.push(format!("turn:{magic}?transport=udp"));
                    let tls = parsed.scheme == Scheme::Turns;
                    let Parsed { host, port, .. } = parsed;
                    plan.over_streams.push(RelayServer { magic, host, port, tls, label });
                }
                (Scheme::Turns, Transport::Udp) => plan.left_out.push(format!(
                    "{label} is left out: TURN over DTLS is not supported; most servers offer turns:…?transport=tcp too"
                )),
                (Scheme::Stun, Transport::Tcp) | (Scheme::Stuns, _) => plan
                    .left_out
                    .push(format!("{label} is left out: STUN is asked over UDP alone; most servers offer stun:… too")),
            }
        }
        let secret = |given: &Option<record::Private<String>>| given.as_ref().map(|s| s.reveal().clone());
        let (username, credential) = (secret(&server.username), secret(&server.credential));
        if urls.iter().any(|url| url.starts_with("turn:"))
            && [&username, &credential].iter().any(|given| given.as_deref().unwrap_or_default().is_empty())
        {
            anyhow::bail!("a TURN server needs a username and a credential; one of them is missing in the profile");
        }
        if !urls.is_empty() {
            plan.for_the_stack.push(RTCIceServer {
                urls,
                username: username.unwrap_or_default(),
                credential: credential.unwrap_or_default(),
            });
        }
    }
    Ok(plan)
}

fn magic(nth: usize, port: u16) -> anyhow::Result<SocketAddr> {
    let last = u8::try_from(nth + 1).map_err(|_| anyhow::anyhow!("more than 255 TURN servers over TCP or TLS"))?;
    Ok(SocketAddr::from(([198, 18, 0, last], port)))
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Parsed {
    scheme: Scheme,
    /// Without brackets.
    host: String,
    port: u16,
    transport: Transport,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scheme {
    Stun,
    Stuns,
    Turn,
    Turns,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transport {
    Udp,
    Tcp,
}

/// RFC 7064 and 7065: `scheme:host[:port][?transport=udp|tcp]`.
fn parse(url: &str) -> Result<Parsed, String> {
    let (scheme, rest) = url.trim().split_once(':').ok_or("it has no scheme; write it as turn:host:port")?;
    let (scheme, default_port, default_transport) = match scheme.to_ascii_lowercase().as_str() {
        "stun" => (Scheme::Stun, 3478, Transport::Udp),
        "stuns" => (Scheme::Stuns, 5349, Transport::Tcp),
        "turn" => (Scheme::Turn, 3478, Transport::Udp),
        "turns" => (Scheme::Turns, 5349, Transport::Tcp),
        _ => return Err("its scheme is not one of stun, stuns, turn and turns".into()),
    };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let transport = match query {
        None => default_transport,
        Some("transport=udp") => Transport::Udp,
        Some("transport=tcp") => Transport::Tcp,
        Some(_) => return Err("what follows the question mark must be transport=udp or transport=tcp".into()),
    };
    let (host, port) = split_place(place)?;
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || matches!(c, '/' | '@' | '[' | ']')) {
        return Err("it names no host; write it as turn:host:port, without // and without a user".into());
    }
    let port = match port {
        None => default_port,
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or("its port is not one of 1 to 65535")?,
    };
    Ok(Parsed { scheme, host: host.to_owned(), port, transport })
}

fn split_place(place: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("the bracket of its IPv6 address is not closed")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("something other than a port follows its IPv6 address".into()),
        };
    }
    match place.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("an IPv6 address stands in brackets".into()),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((place, None)),
    }
}

impl Parsed {
    fn place(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
    fn label(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Stun => "stun",
            Scheme::Stuns => "stuns",
            Scheme::Turn => "turn",
            Scheme::Turns => "turns",
        };
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        format!("{scheme}:{}?transport={transport}", self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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
        let plan = plan(&[server(&urls), server(&["turns:[2001:db8::1]:443?transport=tcp"])]).expect("usable");
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
        let plan = plan(&[server(&["turns:a.example?transport=udp", "stuns:a.example"])]).expect("usable");
        assert_eq!(plan.left_out.len(), 2);
        assert!(plan.for_the_stack.is_empty());
    }

    #[test]
    fn a_bad_url_or_a_missing_credential_is_refused_in_a_sentence() {
        for bad in ["relay.example", "http://x", "turn:", "turn:h:0", "turn:h:x", "turn://h", "turn:u@h", "turn:h?x=1"]
        {
            assert!(plan(&[server(&[bad])]).is_err(), "{bad}");
        }
        assert!(plan(&[server(&["turn:2001:db8::1"])]).is_err());
        let open = IceServer { username: None, ..server(&["turn:h"]) };
        let error = plan(&[open]).expect_err("no user").to_string();
        assert!(error.contains("username and a credential"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_and_a_parsed_one_reads_the_same_again(url in "(stun|turns?):\\PC{0,30}|\\PC{0,40}") {
            if let Ok(parsed) = parse(&url) {
                prop_assert_eq!(parse(&parsed.label()), Ok(parsed));
            }
        }
    }
}
