//! TCP to whichever address answers first: families in turn, each address with a short head start over the next, so
//! that a broken IPv6 costs a quarter of a second and not the whole patience.

use super::place::MOST_SPARE;
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// RFC 8305 recommends 250 ms: longer than most round trips, too short for a person to notice.
const HEAD_START: Duration = Duration::from_millis(250);
/// A name with more addresses than this is answered by its first ones or not at all.
const MOST: usize = 12;

/// Gives the stream, or the most telling of the errors.
pub async fn dial(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    race(&Semaphore::new(MOST), MOST, addresses).await
}

/// As `dial`, for whom sockets are counted: each address that is tried beside another needs one of the spare places.
pub async fn dial_with(spare: &Semaphore, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    race(spare, MOST_SPARE, addresses).await
}

async fn race(spare: &Semaphore, most_spare: usize, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = in_turn(addresses).into_iter().take(MOST).peekable();
    let mut running = FuturesUnordered::new();
    let mut worst: Option<io::Error> = None;
    // The first needs none of them; whoever fails leaves its place to the next.
    let mut places = vec![None];
    let (mut spared, mut due) = (0, true);
    loop {
        if due
            && waiting.peek().is_some()
            && let Some(place) = places.pop()
            && let Some(address) = waiting.next()
        {
            due = false;
            running.push(async move { (TcpStream::connect(address).await, place) });
        }
        let more = waiting.peek().is_some();
        tokio::select! {
            Some((done, place)) = running.next() => match done {
                Ok(stream) => {
                    // Every message is a whole one; waiting for company would only delay heartbeats.
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => {
                    places.push(place);
                    due = true;
                    if worst.as_ref().is_none_or(|kept| weight(&error) > weight(kept)) {
                        worst = Some(error);
                    }
                }
            },
            () = tokio::time::sleep(HEAD_START), if more && !due => due = true,
            place = spare.acquire(), if more && due && spared < most_spare => {
                spared += 1;
                places.push(Some(place.expect("it is never closed")));
            }
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

    #[tokio::test]
    async fn without_a_spare_place_an_address_that_refuses_gives_way_all_the_same_and_places_come_back() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        for places in [0, 1, 4] {
            let spare = Semaphore::new(places);
            let stream = dial_with(&spare, &[closed, closed, good]).await.expect("one of them listens");
            assert_eq!(stream.peer_addr().unwrap(), good);
            assert_eq!(dial_with(&spare, &[closed, closed]).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            assert_eq!(spare.available_permits(), places);
        }
    }
}
