//! What the operator is told of each call.

use crate::desk::{Desk, hello};
use record::wire::FromClient;
use reflector::{Audio, CallEnd, Disconnect, Entry, Seen, Told};
use std::net::SocketAddr;
use std::time::Duration;

fn ended(entry: Entry) -> (String, SocketAddr, Duration, CallEnd, Seen) {
    match entry.what {
        Told::Ended { lasted, how, seen } => (entry.call, entry.from, lasted, how, seen),
        Told::Began => panic!("{entry:?} is no end"),
    }
}

#[tokio::test]
async fn a_call_is_told_when_it_begins_and_with_its_losses_when_it_ends() {
    let mut desk = Desk::plain().await;
    let mut first = desk.socket().await;
    let from = first.ws.get_ref().local_addr().unwrap();
    first.say(&hello(None, None)).await;
    let welcome = first.welcome().await;
    let began = desk.entry().await;
    assert_eq!((&began.call, began.from, &began.what), (&welcome.call, from, &Told::Began));

    let mut second = desk.socket().await;
    let from = second.ws.get_ref().local_addr().unwrap();
    second.say(&hello(None, Some(&welcome.ticket))).await;
    assert!(second.welcome().await.resumed);
    assert_eq!(first.closed().await.1, "taken up by another socket");
    second.say(&FromClient::Bye { reason: "done".into() }).await;
    let end = desk.entry().await;
    let between = end.at.since(began.at);
    let (call, last_from, lasted, how, seen) = ended(end);
    assert_eq!((call, last_from, how), (welcome.call, from, CallEnd::Bye));
    assert!(lasted <= between, "{lasted:?} of {between:?}");
    let lost = Seen { sockets_ended: 1, last_ended: Some(Disconnect::Replaced), ..Seen::default() };
    assert_eq!((seen.audio, seen), (Audio::NeverCame, lost));
    desk.close().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_and_one_that_is_cut_off_are_told_as_such() {
    let mut desk = Desk::with(|s| s.kept_for = Duration::from_millis(200)).await;
    let (client, _) = desk.call().await;
    assert_eq!(desk.entry().await.what, Told::Began);
    drop(client);
    let (_, _, lasted, how, seen) = ended(desk.entry().await);
    assert_eq!((how, seen.sockets_ended, seen.last_ended), (CallEnd::Forgotten, 1, Some(Disconnect::Dropped)));
    assert!(lasted >= Duration::from_millis(200), "{lasted:?}");

    let (_client, _) = desk.call().await;
    assert_eq!(desk.entry().await.what, Told::Began);
    let mut entries = std::mem::replace(&mut desk.entries, tokio::sync::mpsc::unbounded_channel().1);
    desk.close().await;
    let (_, _, _, how, seen) = ended(entries.recv().await.unwrap());
    assert_eq!((how, seen), (CallEnd::Shutdown, Seen::default()));
    assert!(entries.recv().await.is_none(), "nothing else was told");
}
