//! TCP to whichever address answers first: families in turn, each address with a short head start over the next, so
//! that a broken IPv6 costs a quarter of a second and not the whole patience.

use futures_util::{StreamExt, stream::FuturesUnordered};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// RFC 8305 recommends 250 ms: longer than most round trips, too short for a person to notice.
const HEAD_START: Duration = Duration::from_millis(250);
/// A name with more addresses than this is answered by its first ones or not at all.
const MOST: usize = 12;

/// Gives the stream, or the most telling of the errors.
pub async fn dial(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = in_turn(addresses).into_iter().take(MOST);
    let mut running = FuturesUnordered::new();
    let mut worst: Option<io::Error> = None;
    let mut more = true;
    loop {
        if more {
            match waiting.next() {
                Some(address) => running.push(TcpStream::connect(address)),
                None => more = false,
            }
        }
        tokio::select! {
            Some(done) = running.next() => match done {
                Ok(stream) => {
                    // Every message is a whole one; waiting for company would only delay heartbeats.
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => {
                    if worst.as_ref().is_none_or(|kept| weight(&error) > weight(kept)) {
                        worst = Some(error);
                    }
                }
            },
            () = tokio::time::sleep(HEAD_START), if more => {}
            else => return Err(worst.unwrap_or_else(|| io::Error::from(ErrorKind::AddrNotAvailable))),
        }
    }
}

/// An answer of the other side says more than a route that our own system lacks.
fn weight(error: &io::Error) -> u8 {
    match error.kind() {
        ErrorKind::ConnectionRefused => 3,
        ErrorKind::ConnectionReset => 2,
        ErrorKind::TimedOut => 1,
        _ => 0,
    }
}

/// One family after the other, beginning with the resolver's first choice.
fn in_turn(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let (mut same, mut other): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|a| a.is_ipv4() == first.is_ipv4());
    same.reverse();
    other.reverse();
    let mut turns = Vec::with_capacity(addresses.len());
    while !(same.is_empty() && other.is_empty()) {
        turns.extend(same.pop());
        turns.extend(other.pop());
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns_from_the_resolvers_first_choice() {
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"].map(at);
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"].map(at);
        assert_eq!(in_turn(&given), expected);
        assert!(in_turn(&[]).is_empty());
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_one_that_listens() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let stream = dial(&[closed, good]).await.expect("one of them listens");
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert_eq!(dial(&[closed]).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(dial(&[]).await.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    }
}
