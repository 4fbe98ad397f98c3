//! `IceUrl`: where a STUN or TURN server is (RFC 7064 and 7065): `scheme:host[:port][?transport=udp|tcp]`.
//!
//! A URL that does not read may hold a password, so what is wrong is said without repeating any of it.

use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IceUrl {
    pub scheme: IceScheme,
    /// Without brackets.
    pub host: String,
    pub port: u16,
    pub transport: IceTransport,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IceScheme {
    Stun,
    Stuns,
    Turn,
    Turns,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IceTransport {
    Udp,
    Tcp,
}

/// DNS allows a name of 253 characters.
const LONGEST_HOST: usize = 253;

impl IceUrl {
    /// The error is a finished clause after "cannot be used:".
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        if url.contains('@') {
            return Err("it holds a user or password; write those as username and credential beside urls");
        }
        let (scheme, rest) = url.trim().split_once(':').ok_or("it looks like stun:host:3478 when it is whole")?;
        let (scheme, default_port, default_transport) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (IceScheme::Stun, 3478, IceTransport::Udp),
            "stuns" => (IceScheme::Stuns, 5349, IceTransport::Tcp),
            "turn" => (IceScheme::Turn, 3478, IceTransport::Udp),
            "turns" => (IceScheme::Turns, 5349, IceTransport::Tcp),
            _ => return Err("it must begin with stun:, stuns:, turn: or turns:"),
        };
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let transport = match query {
            None => default_transport,
            Some("transport=udp") => IceTransport::Udp,
            Some("transport=tcp") => IceTransport::Tcp,
            Some(_) => return Err("what follows the question mark must be transport=udp or transport=tcp"),
        };
        let (host, port) = split_place(place)?;
        let foreign = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']' | '#' | '"' | '\\');
        if host.is_empty() || host.len() > LONGEST_HOST || host.chars().any(foreign) {
            return Err("it names no host; write it as turn:host:port, without //");
        }
        let port = match port {
            None => default_port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or("its port is not one of 1 to 65535")?,
        };
        Ok(Self { scheme, host: host.to_owned(), port, transport })
    }

    pub fn is_turn(&self) -> bool {
        matches!(self.scheme, IceScheme::Turn | IceScheme::Turns)
    }

    /// `host:port`, as a resolver is asked for it.
    pub fn place(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// With port and transport, given or not.
impl fmt::Display for IceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            IceScheme::Stun => "stun",
            IceScheme::Stuns => "stuns",
            IceScheme::Turn => "turn",
            IceScheme::Turns => "turns",
        };
        let transport = match self.transport {
            IceTransport::Udp => "udp",
            IceTransport::Tcp => "tcp",
        };
        write!(f, "{scheme}:{}?transport={transport}", self.place())
    }
}

fn split_place(place: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("the bracket of its IPv6 address is not closed")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("something other than a port follows its IPv6 address"),
        };
    }
    match place.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("an IPv6 address stands in brackets"),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((place, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_out_is_filled_in() {
        for (url, whole) in [
            ("stun:a.example", "stun:a.example:3478?transport=udp"),
            ("TURN:a.example:80?transport=tcp", "turn:a.example:80?transport=tcp"),
            ("turns:[2001:db8::1]", "turns:[2001:db8::1]:5349?transport=tcp"),
        ] {
            assert_eq!(IceUrl::parse(url).expect(url).to_string(), whole);
        }
    }

    #[test]
    fn a_url_that_does_not_read_is_refused_without_repeating_it() {
        for bad in [
            "hunter2.example",
            "http://hunter2",
            "turn:",
            "turn:hunter2:0",
            "turn:h:hunter2",
            "turn://hunter2",
            "turn:joe:hunter2@host",
            "turn:h?hunter2=1",
            "turn:h?transport=udp&key=hunter2",
            "turn:2001:db8::1",
            "turn:[::1",
        ] {
            let says = IceUrl::parse(bad).expect_err(bad);
            assert!(!says.contains("hunter2"), "{says}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_and_a_parsed_one_reads_the_same_again(url in "(stun|turns?):\\PC{0,30}|\\PC{0,40}") {
            if let Ok(parsed) = IceUrl::parse(&url) {
                prop_assert_eq!(IceUrl::parse(&parsed.to_string()), Ok(parsed));
            }
        }
    }
}
