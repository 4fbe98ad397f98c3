//! The signaling line: layer by layer until it stands, then held with the engine's own heartbeat and its own eye for what
//! stays unanswered.

use super::{Client, session::NEVER_STOOD};
use crate::scenario::ending::Plane;
use crate::sim::tcp::{Heard, Message, Stream};
use engine::deciders::{LATE, Pulse, Unanswered, Word, pong_patience};
use engine::line::Target;
use record::fact::{ConnectStage, End, Side, Signaling, SocketPurpose, TcpSample, Trouble};
use record::{Micros, Stamp, millis};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

// As the engine's line.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
const SAMPLE_FAST: Duration = Duration::from_millis(200);

pub enum LineEvent {
    Open,
    Text(String),
    Closed(End),
}

pub enum LineCommand {
    Text(String),
    Probe,
    Close { code: u16, reason: String },
    LetGo,
}

pub struct Line {
    pub commands: UnboundedSender<LineCommand>,
    pub events: UnboundedReceiver<LineEvent>,
}

impl Line {
    pub fn open(client: &Client, target: Target, conn: u32, purpose: SocketPurpose) -> Self {
        let (commands, told) = unbounded_channel();
        let (tell, events) = unbounded_channel();
        client.program.spawn(run(client.clone(), target, conn, purpose, told, tell)).detach();
        Self { commands, events }
    }
}

async fn run(
    client: Client,
    target: Target,
    conn: u32,
    purpose: SocketPurpose,
    mut commands: UnboundedReceiver<LineCommand>,
    events: UnboundedSender<LineEvent>,
) {
    let to = target.url.to_string().as_str().into();
    client.note(Signaling::Connecting { conn, to, purpose, proxy: None });
    let began = client.now();
    let connected = tokio::select! {
        biased;
        done = connect(&client, conn, &target) => Some(done),
        () = told_to_let_go(&mut commands) => None,
    };
    // A listener that is gone has let go of the line.
    match connected {
        Some(Ok(stream)) => {
            let _ = events.send(LineEvent::Open);
            client.net.0.truths.signaling_is(Some(stream.local().port()));
            Held::new(&client, conn, &target, stream).hold(commands, &events).await;
        }
        Some(Err((stage, trouble))) => {
            let took_ms = millis(client.now().since(began));
            client.note(Signaling::ConnectFailed { conn, stage, trouble, took_ms });
            let _ = events.send(LineEvent::Closed(NEVER_STOOD));
        }
        None => {
            client.note(Signaling::Closed { conn, end: End::LetGo, last_in: began, last_out: began, tcp: None });
            let _ = events.send(LineEvent::Closed(End::LetGo));
        }
    }
}

async fn told_to_let_go(commands: &mut UnboundedReceiver<LineCommand>) {
    loop {
        match commands.recv().await {
            None | Some(LineCommand::LetGo | LineCommand::Close { .. }) => return,
            Some(LineCommand::Text(_) | LineCommand::Probe) => {}
        }
    }
}

type Stopped = (ConnectStage, Trouble);

async fn connect(client: &Client, conn: u32, target: &Target) -> Result<Stream, Stopped> {
    if client.by_name {
        let began = client.now();
        match client.resolve(target.patience.dns).await {
            Some(address) => {
                let took_ms = millis(client.now().since(began));
                client.note(Signaling::Resolved { conn, addresses: vec![address.into()], took_ms });
            }
            None => {
                let says = "Temporary failure in name resolution".into();
                return Err((ConnectStage::Dns, Trouble::NameFailed { says }));
            }
        }
    }
    let began = client.now();
    let stream = client.dial(target.patience.tcp).await.map_err(|trouble| (ConnectStage::Tcp, trouble))?;
    let (local, remote) = (stream.local(), stream.remote());
    let took_ms = millis(client.now().since(began));
    client.note(Signaling::TcpConnected { conn, local: local.into(), remote: remote.into(), took_ms });
    let began = client.now();
    upgrade(client, &stream, "/call", target.patience.upgrade).await.map_err(|t| (ConnectStage::Upgrade, t))?;
    let took_ms = millis(client.now().since(began));
    client.note(Signaling::Upgraded { conn, server: None, took_ms });
    Ok(stream)
}

pub async fn upgrade(client: &Client, stream: &Stream, path: &'static str, within: Duration) -> Result<(), Trouble> {
    let began = client.now();
    stream.send(Message::Upgrade { path });
    match client.program.within(within, stream.hear()).await {
        Some(Heard::Message(Message::Answer { status: 101 })) => Ok(()),
        Some(Heard::Message(Message::Answer { status })) => {
            Err(Trouble::Http { status, server: None, retry_after_s: None, says: "refused".into() })
        }
        Some(Heard::Message(_)) => Err(Trouble::Closed),
        Some(Heard::Reset) => Err(Trouble::Reset),
        Some(Heard::Local(errno)) => Err(local(errno)),
        None => Err(Trouble::NoAnswer { waited_ms: millis(client.now().since(began)) }),
    }
}

fn local(errno: i32) -> Trouble {
    Trouble::Local { errno: Some(errno), says: words(errno).into() }
}

pub fn words(errno: i32) -> &'static str {
    match errno {
        101 => "Network is unreachable",
        110 => "Connection timed out",
        113 => "No route to host",
        _ => "the system refused",
    }
}

impl Client {
    /// A connection to the far end, or to what stands before it.
    pub async fn dial(&self, within: Duration) -> Result<Stream, Trouble> {
        let began = self.now();
        match self.program.within(within, Stream::connect(&self.net, self.far)).await {
            Some(Ok(stream)) => Ok(stream),
            Some(Err(Heard::Reset | Heard::Message(_))) => Err(Trouble::Refused),
            Some(Err(Heard::Local(errno))) => Err(local(errno)),
            None => Err(Trouble::NoAnswer { waited_ms: millis(self.now().since(began)) }),
        }
    }
}

struct Held<'a> {
    client: &'a Client,
    conn: u32,
    stream: Stream,
    pulse: Pulse,
    unanswered: Unanswered,
    last_out: Stamp,
    sample: Option<TcpSample>,
    sample_at: Micros,
    look_at: Option<Micros>,
    closing: Option<(u16, String, Micros)>,
    patience: Duration,
}

enum Next {
    Heard(Heard),
    Command(Option<LineCommand>),
    Tick,
}

impl<'a> Held<'a> {
    fn new(client: &'a Client, conn: u32, target: &Target, stream: Stream) -> Self {
        let now = client.now();
        Self {
            client,
            conn,
            last_out: stream.seen().last_out,
            stream,
            pulse: Pulse::new(target.heartbeat, now),
            unanswered: Unanswered::default(),
            sample: None,
            sample_at: now.awake + SAMPLE_EVERY,
            look_at: None,
            closing: None,
            patience: target.patience.closing,
        }
    }

    async fn hold(mut self, mut commands: UnboundedReceiver<LineCommand>, events: &UnboundedSender<LineEvent>) {
        let end = loop {
            let planned = self.wake_at();
            let next = tokio::select! {
                biased;
                heard = self.stream.hear() => Next::Heard(heard),
                command = commands.recv() => Next::Command(command),
                () = self.client.program.sleep_until(planned) => Next::Tick,
            };
            let now = self.client.now();
            if now.awake - planned > LATE {
                self.pulse.forgive(now);
            }
            let end = match next {
                Next::Heard(heard) => self.heard(heard, now, events),
                Next::Command(command) => self.told(command, now),
                Next::Tick => None,
            };
            if let Some(end) = end.or_else(|| self.tend(now)) {
                break end;
            }
            self.note_written();
        };
        let seen = self.stream.seen();
        let (conn, tcp) = (self.conn, Some(self.stream.sample()));
        if !matches!(&end, End::CloseFrame { by: Side::Us, .. } | End::LetGo) {
            self.client.net.0.truths.far_end_lost(Plane::Signaling);
        }
        let (last_in, last_out) = (seen.last_in, seen.last_out);
        self.note(Signaling::Closed { conn, end: end.clone(), last_in, last_out, tcp });
        // Nobody may be listening any more.
        let _ = events.send(LineEvent::Closed(end));
    }

    fn wake_at(&self) -> Micros {
        let next = match &self.closing {
            Some((.., until)) => [Some(*until), None, None],
            None => {
                let pong = self.pulse.waiting_since().map(|since| since + pong_patience(self.pulse.smoothed()));
                [self.pulse.wake_at(), pong.filter(|_| !self.unanswered.is_said()), self.look_at]
            }
        };
        next.into_iter().flatten().fold(self.sample_at, std::cmp::Ord::min)
    }

    fn heard(&mut self, heard: Heard, now: Stamp, events: &UnboundedSender<LineEvent>) -> Option<End> {
        match heard {
            Heard::Message(Message::Text(text)) => {
                let _ = events.send(LineEvent::Text(text));
            }
            Heard::Message(Message::Pong(payload)) => {
                if let Some(rtt) = self.pulse.pong(&payload, now) {
                    self.note(Signaling::HeartbeatAnswered { conn: self.conn, rtt_ms: millis(rtt) });
                    let word = self.unanswered.pong();
                    self.say(word);
                }
            }
            Heard::Message(Message::Ping(payload)) => self.stream.send(Message::Pong(payload)),
            Heard::Message(Message::Close { code, reason }) => {
                let (code, reason) = (Some(code), reason.as_str().into());
                return Some(self.ours().unwrap_or(End::CloseFrame { by: Side::Them, code, reason }));
            }
            Heard::Message(Message::Fin) => return Some(self.ours().unwrap_or(End::Fin)),
            Heard::Message(Message::Upgrade { .. } | Message::Answer { .. }) => {}
            Heard::Reset => return Some(self.ours().unwrap_or(End::Reset)),
            Heard::Local(errno) => {
                let end = End::Local { errno: Some(errno), says: words(errno).into() };
                return Some(self.ours().unwrap_or(end));
            }
        }
        if self.unanswered.is_said() {
            self.look(now);
        }
        None
    }

    fn ours(&self) -> Option<End> {
        let (code, reason, _) = self.closing.as_ref()?;
        Some(End::CloseFrame { by: Side::Us, code: Some(*code), reason: reason.as_str().into() })
    }

    fn told(&mut self, command: Option<LineCommand>, now: Stamp) -> Option<End> {
        match command {
            Some(LineCommand::Text(text)) => self.stream.send(Message::Text(text)),
            Some(LineCommand::Probe) => self.ping(now),
            Some(LineCommand::Close { code, reason }) if self.closing.is_none() => {
                self.stream.send(Message::Close { code, reason: reason.clone() });
                self.closing = Some((code, reason, now.awake + self.patience));
            }
            Some(LineCommand::Close { .. }) => {}
            Some(LineCommand::LetGo) | None => return Some(self.ours().unwrap_or(End::LetGo)),
        }
        None
    }

    fn ping(&mut self, now: Stamp) {
        if self.closing.is_none() {
            let payload = self.pulse.ping(now);
            self.stream.send(Message::Ping(payload));
        }
    }

    fn tend(&mut self, now: Stamp) -> Option<End> {
        if self.closing.as_ref().is_some_and(|(.., until)| *until <= now.awake) {
            return self.ours();
        }
        if self.sample_at <= now.awake {
            self.sample_at = now.awake + SAMPLE_EVERY;
            let sample = self.look(now);
            self.note(Signaling::Tcp { conn: self.conn, sample });
        } else if self.look_at.is_some_and(|at| at <= now.awake) {
            self.look(now);
        }
        if let (Some(sent), Some(since)) = (self.pulse.unanswered_since(), self.pulse.waiting_since()) {
            let given_up = self.pulse.given_up(now);
            let patience = pong_patience(self.pulse.smoothed());
            if given_up || now.awake - since >= patience {
                let word = self.unanswered.pong_missing(now, sent, self.stream.seen().last_in, patience);
                self.say(word);
            }
            if given_up && self.closing.is_none() {
                return Some(End::Silence { waited_ms: millis(now.awake_since(sent)) });
            }
        }
        if self.pulse.is_due(now) {
            self.ping(now);
        }
        None
    }

    fn look(&mut self, now: Stamp) -> TcpSample {
        let sample = self.stream.sample();
        self.sample = Some(sample);
        let word = self.unanswered.sampled(now, &sample);
        if matches!(word, Some(Word::AnsweredAgain { .. })) {
            self.pulse.forgive(now);
        }
        self.say(word);
        self.look_at = self.unanswered.is_waiting().then(|| now.awake + SAMPLE_FAST);
        sample
    }

    fn note_written(&mut self) {
        let seen = self.stream.seen();
        if seen.last_out > self.last_out {
            self.last_out = seen.last_out;
            self.unanswered.wrote(seen.last_out, seen.last_in);
            self.look_at.get_or_insert(seen.last_out.awake + SAMPLE_FAST);
        }
    }

    fn say(&self, word: Option<Word>) {
        let conn = self.conn;
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
        self.client.note(fact);
    }
}
