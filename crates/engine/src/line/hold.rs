//! Holding a WebSocket that stands: one loop that reads, sends, pings and samples, until there is an end with evidence.

use super::pulse::{LATE, Pulse};
use super::stream::{Carrier, Witness};
use super::unanswered::{Unanswered, Word, pong_patience};
use super::upgrade::Upgraded;
use super::{At, LineCommand, LineEvent, Target, ending, tcp_info};
use futures_util::{SinkExt, Stream};
use record::{
    Fact, Micros, Said, Scrub, Stamp,
    fact::{End, Side, Signaling, TcpSample},
    millis,
};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::tungstenite::{self};

/// The log's pace for the kernel's view: a drop's curve is drawn from it.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// While something is unacknowledged: five looks a second cost nothing and date the third repeat well enough.
const SAMPLE_FAST: Duration = Duration::from_millis(200);
/// After the kernel refused a write, reading comes to its end at once; if it does not, the refusal itself is the end.
const AFTER_REFUSED_WRITE: Duration = Duration::from_millis(250);

pub async fn hold(
    upgraded: Upgraded,
    target: &Target,
    at: &At,
    mut commands: UnboundedReceiver<LineCommand>,
    events: &UnboundedSender<LineEvent>,
) {
    let mut held = Held::new(upgraded.socket, target, at);
    if held.look(at.recorder.now()).is_none() {
        let why =
            "this system does not tell whether TCP is acknowledged; only unanswered pings show a dead path".into();
        at.recorder.note(Fact::Blind { watcher: record::Sense::TcpInfo, why });
    }
    loop {
        let planned = held.wake_at();
        let wait = planned - at.recorder.now().awake;
        let next = tokio::select! {
            heard = poll_fn(|cx| held.wire.poll(cx)) => Next::Heard(heard),
            command = commands.recv() => Next::Command(command),
            () = tokio::time::sleep(wait) => Next::Tick,
        };
        let now = at.recorder.now();
        held.forgive_lateness(planned, now);
        let end = match next {
            Next::Heard(heard) => held.heard(heard, now, events),
            Next::Command(command) => held.told(command, now),
            Next::Tick => None,
        };
        held.wire.flush_now().await;
        if let Some(end) = end.or_else(|| held.tend(now)) {
            held.finish(end, events);
            break;
        }
        held.wire.flush_now().await;
        held.note_written();
    }
    held.wire.linger(target.patience.closing).await;
}

enum Next {
    Heard(Option<Result<Message, tungstenite::Error>>),
    Command(Option<LineCommand>),
    Tick,
}

struct Held<'a> {
    at: &'a At,
    scrub: &'a Scrub,
    wire: Wire,
    witness: Witness,
    tls: bool,
    pulse: Pulse,
    unanswered: Unanswered,
    bytes_out: u64,
    sample: Option<TcpSample>,
    sample_at: Micros,
    look_at: Option<Micros>,
    closing: Option<Closing>,
    patience: Duration,
}

struct Closing {
    code: u16,
    reason: String,
    until: Micros,
}

impl<'a> Held<'a> {
    fn new(socket: WebSocketStream<Carrier>, target: &'a Target, at: &'a At) -> Self {
        let now = at.recorder.now();
        let witness = socket.get_ref().witness();
        Self {
            at,
            scrub: &target.scrub,
            tls: socket.get_ref().is_tls(),
            bytes_out: witness.seen().bytes_out,
            witness,
            wire: Wire { socket, unflushed: false },
            pulse: Pulse::new(target.heartbeat, now),
            unanswered: Unanswered::default(),
            sample: None,
            sample_at: now.awake + SAMPLE_EVERY,
            look_at: None,
            closing: None,
            patience: target.patience.closing,
        }
    }

    fn wake_at(&self) -> Micros {
        let refused = self.witness.seen().write_fault.map(|fault| fault.at.awake + AFTER_REFUSED_WRITE);
        let next = match &self.closing {
            // The heartbeat is over; its times would only wake us in vain.
            Some(closing) => [Some(closing.until), refused, None, None],
            None => {
                let pong = self.pulse.waiting_since().map(|since| since + pong_patience(self.pulse.smoothed()));
                // A missing pong that was said already needs no waking; its time lies in the past.
                let pong = pong.filter(|_| !self.unanswered.is_said());
                [self.pulse.wake_at(), pong, refused, self.look_at]
            }
        };
        next.into_iter().flatten().fold(self.sample_at, std::cmp::Ord::min)
    }

    fn forgive_lateness(&mut self, planned: Micros, now: Stamp) {
        if now.awake - planned > LATE {
            self.pulse.forgive(now);
        }
    }

    /// What the far end did; an end if that was one.
    fn heard(
        &mut self,
        heard: Option<Result<Message, tungstenite::Error>>,
        now: Stamp,
        events: &UnboundedSender<LineEvent>,
    ) -> Option<End> {
        match heard {
            Some(Ok(Message::Text(text))) => {
                // Whoever dropped the line has let go of it: the commands' end says so in the next turn.
                let _ = events.send(LineEvent::Text(text.as_str().to_owned()));
            }
            Some(Ok(Message::Pong(payload))) => {
                if let Some(rtt) = self.pulse.pong(&payload, now) {
                    self.note(Signaling::HeartbeatAnswered { conn: self.at.conn, rtt_ms: millis(rtt) });
                    let word = self.unanswered.pong();
                    self.say(word);
                }
            }
            // The WebSocket layer answers by itself; the flush after this sends it.
            Some(Ok(Message::Ping(_))) => self.wire.unflushed = true,
            // None of our protocols speaks binary.
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(frame))) => {
                self.wire.unflushed = true;
                return Some(
                    self.ours().unwrap_or_else(|| ending::by_close_frame(Side::Them, frame.as_ref(), self.scrub)),
                );
            }
            Some(Err(error)) => {
                let seen = self.witness.seen();
                return Some(self.ours().unwrap_or_else(|| ending::without_close_frame(Some(&error), &seen, self.tls)));
            }
            None => {
                let seen = self.witness.seen();
                return Some(self.ours().unwrap_or_else(|| ending::without_close_frame(None, &seen, self.tls)));
            }
        }
        if self.unanswered.is_said() {
            // Bytes came: perhaps with the acknowledgement we miss.
            self.look(now);
        }
        None
    }

    /// The end that we began ourselves, whatever the far end made of it.
    fn ours(&self) -> Option<End> {
        self.closing.as_ref().map(|closing| End::CloseFrame {
            by: Side::Us,
            code: Some(closing.code),
            reason: Said::new(&closing.reason),
        })
    }

    fn told(&mut self, command: Option<LineCommand>, now: Stamp) -> Option<End> {
        match command {
            Some(LineCommand::Text(text)) => self.wire.send(Message::text(text)),
            Some(LineCommand::Probe) => self.ping(now),
            Some(LineCommand::Close { code, reason }) if self.closing.is_none() => {
                let frame = CloseFrame { code: code.into(), reason: reason.as_str().into() };
                self.wire.send(Message::Close(Some(frame)));
                self.closing = Some(Closing { code, reason, until: now.awake + self.patience });
            }
            Some(LineCommand::Close { .. }) => {}
            Some(LineCommand::LetGo) | None => return Some(self.ours().unwrap_or(End::LetGo)),
        }
        None
    }

    fn ping(&mut self, now: Stamp) {
        if self.closing.is_none() {
            let payload = self.pulse.ping(now);
            self.wire.send(Message::Ping(payload.into()));
        }
    }

    /// Everything that is due by now.
    fn tend(&mut self, now: Stamp) -> Option<End> {
        if self.closing.as_ref().is_some_and(|closing| closing.until <= now.awake) {
            return self.ours();
        }
        let seen = self.witness.seen();
        if seen.write_fault.is_some_and(|fault| fault.at.awake + AFTER_REFUSED_WRITE <= now.awake) {
            return Some(self.ours().unwrap_or_else(|| ending::without_close_frame(None, &seen, self.tls)));
        }
        if self.sample_at <= now.awake {
            self.sample_at = now.awake + SAMPLE_EVERY;
            if let Some(sample) = self.look(now) {
                self.note(Signaling::Tcp { conn: self.at.conn, sample });
            }
        } else if self.look_at.is_some_and(|at| at <= now.awake) {
            self.look(now);
        }
        if let (Some(sent), Some(since)) = (self.pulse.unanswered_since(), self.pulse.waiting_since()) {
            let given_up = self.pulse.given_up(now);
            let patience = pong_patience(self.pulse.smoothed());
            if given_up || now.awake - since >= patience {
                let word = self.unanswered.pong_missing(now, sent, seen.last_in, patience);
                self.say(word);
            }
            if given_up && self.closing.is_none() {
                return Some(End::Silence { waited_ms: millis(now.awake_since(sent)) });
            }
        }
        if let Some(since) = self.gone_unacknowledged(now).filter(|_| self.closing.is_none()) {
            return Some(End::Silence { waited_ms: millis(now.awake_since(since)) });
        }
        if self.pulse.is_due(now) {
            self.ping(now);
        }
        None
    }

    /// Bytes that no ping waits for, repeated in vain for as long as a ping is waited for: the next one would fare no better.
    fn gone_unacknowledged(&mut self, now: Stamp) -> Option<Stamp> {
        let outlasted =
            |held: &Self| held.unanswered.unacknowledged_since().filter(|since| held.pulse.outlasted(*since, now));
        outlasted(self)?;
        // The last look may be some moments old.
        self.look(now)?;
        outlasted(self)
    }

    /// One look at the kernel's view, and what follows from it.
    fn look(&mut self, now: Stamp) -> Option<TcpSample> {
        self.look_at = None;
        let sample = tcp_info::sample(self.wire.socket.get_ref().tcp())?;
        self.sample = Some(sample);
        let word = self.unanswered.sampled(now, &sample);
        if matches!(word, Some(Word::AnsweredAgain { .. })) {
            // What waited on both sides of the gap is only now on its way: the pong has its time from here.
            self.pulse.forgive(now);
        }
        self.say(word);
        self.look_at = self.unanswered.is_waiting().then(|| now.awake + SAMPLE_FAST);
        Some(sample)
    }

    /// Bytes that have gone to the kernel since the last turn begin to wait for their acknowledgement.
    fn note_written(&mut self) {
        let seen = self.witness.seen();
        if seen.bytes_out > self.bytes_out {
            self.bytes_out = seen.bytes_out;
            self.unanswered.wrote(seen.last_out, seen.last_in);
            self.look_at.get_or_insert(seen.last_out.awake + SAMPLE_FAST);
        }
    }

    fn say(&self, word: Option<Word>) {
        let conn = self.at.conn;
        match word {
            Some(Word::Unanswered { since, last_good }) => {
                let retransmits = self.sample.map(|sample| sample.retransmits);
                self.note(Signaling::Unanswered { conn, since, last_good, retransmits });
            }
            Some(Word::AnsweredAgain { since }) => self.note(Signaling::AnsweredAgain { conn, since }),
            None => {}
        }
    }

    fn note(&self, fact: Signaling) {
        self.at.recorder.note(fact);
    }

    fn finish(&mut self, end: End, events: &UnboundedSender<LineEvent>) {
        let seen = self.witness.seen();
        let tcp = tcp_info::sample(self.wire.socket.get_ref().tcp()).or(self.sample);
        let (last_in, last_out) = (seen.last_in, seen.last_out);
        self.note(Signaling::Closed { conn: self.at.conn, end: end.clone(), last_in, last_out, tcp });
        // Nobody may be listening any more, which is an end as good as any.
        let _ = events.send(LineEvent::Closed(end));
    }
}

/// The WebSocket, so driven that a far end that takes nothing never keeps us from reading and counting.
struct Wire {
    socket: WebSocketStream<Carrier>,
    unflushed: bool,
}

impl Wire {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, tungstenite::Error>>> {
        self.poll_flush(cx);
        Pin::new(&mut self.socket).poll_next(cx)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) {
        // An error in writing shows in reading too, where it is classified.
        if self.unflushed && self.socket.poll_flush_unpin(cx).is_ready() {
            self.unflushed = false;
        }
    }

    /// Queues; what the kernel does not take now waits for the next turn.
    fn send(&mut self, message: Message) {
        if let Err(error) = self.socket.start_send_unpin(message) {
            tracing::debug!("not sent, the socket is closing: {error}");
        }
        self.unflushed = true;
    }

    async fn flush_now(&mut self) {
        poll_fn(|cx| {
            self.poll_flush(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// The far end is left the last word of the closing handshake; nobody waits for this.
    async fn linger(mut self, patience: Duration) {
        let goodbye = async {
            while let Some(Ok(_)) = poll_fn(|cx| self.poll(cx)).await {}
            self.socket.get_mut().shutdown().await
        };
        // Whether it could still be said does not matter: the end is noted.
        let _ = tokio::time::timeout(patience, goodbye).await;
    }
}
