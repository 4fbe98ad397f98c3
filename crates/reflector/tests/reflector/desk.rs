//! A reflector on loopback for one test, and a client that speaks the wire by hand.

use futures_util::{SinkExt, StreamExt};
use record::fact::{RefusalKind, Sight};
use record::wire::{FromClient, FromFar, Sealed};
use reflector::{Entry, Reflector, Report, Settings};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{
    mpsc::{UnboundedReceiver, unbounded_channel},
    oneshot,
};
use tokio::task::JoinHandle;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

pub const SOON: Duration = Duration::from_secs(5);

pub struct Desk {
    pub at: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub entries: UnboundedReceiver<Entry>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Report>,
}

impl Desk {
    async fn open(settings: Settings) -> Self {
        let reflector = Reflector::bind(settings).await.expect("loopback can be bound");
        let (at, metrics) = (reflector.local_addr(), reflector.metrics_addr());
        let (told, entries) = unbounded_channel();
        reflector.tell_of_calls(move |entry| {
            let _ = told.send(entry);
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(reflector.run(async {
            let _ = stopped.await;
        }));
        Self { at, metrics, entries, stop, running }
    }

    pub async fn plain() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::on_loopback();
        // Most tests leave their clients standing about without reading.
        settings.drain = Duration::from_millis(300);
        change(&mut settings);
        Self::open(settings).await
    }

    /// Whatever the test was about, nothing in the reflector may have panicked.
    pub async fn close(self) -> Report {
        let _ = self.stop.send(());
        let ended = tokio::time::timeout(Duration::from_secs(15), self.running).await;
        let report = ended.expect("ends in time").expect("does not panic");
        assert_eq!(report.failed, 0, "a connection's task panicked");
        report
    }

    /// The next entry of the operator's journal.
    pub async fn entry(&mut self) -> Entry {
        tokio::time::timeout(SOON, self.entries.recv()).await.expect("an entry comes soon").expect("while it runs")
    }

    pub async fn socket(&self) -> Client {
        let tcp = TcpStream::connect(self.at).await.unwrap();
        let (ws, response) = client_async(format!("ws://{}/call", self.at), tcp).await.unwrap();
        assert_eq!(response.status(), 101);
        Client { ws }
    }

    /// A socket that was welcomed, and its ticket.
    pub async fn call(&self) -> (Client, Sealed) {
        let mut client = self.socket().await;
        client.say(&hello(None, None)).await;
        let ticket = client.welcome().await.ticket;
        (client, ticket)
    }
}

pub struct Client {
    pub ws: WebSocketStream<TcpStream>,
}

pub struct Welcome {
    pub ticket: Sealed,
    pub resumed: bool,
    pub instance: String,
    pub call: String,
    pub whole: FromFar,
}

pub fn hello(token: Option<&str>, resume: Option<&Sealed>) -> FromClient {
    let token = token.map(|token| Sealed::new(token.into()));
    FromClient::Hello { client: "test".into(), token, resume: resume.cloned(), quiet: false }
}

impl Client {
    pub async fn say(&mut self, message: &FromClient) {
        self.send(Message::text(serde_json::to_string(message).unwrap())).await;
    }

    pub async fn send(&mut self, message: Message) {
        self.ws.send(message).await.unwrap();
    }

    pub async fn frame(&mut self) -> Message {
        tokio::time::timeout(SOON, self.ws.next())
            .await
            .expect("a frame comes soon")
            .expect("before the stream ends")
            .expect("without an error")
    }

    /// The next message of the protocol.
    pub async fn hear(&mut self) -> FromFar {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} instead of a message"),
            }
        }
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.hear().await {
            whole @ FromFar::Welcome { .. } => {
                let FromFar::Welcome { call, ticket, instance, resumed, .. } = whole.clone() else { unreachable!() };
                Welcome { ticket, resumed, instance: instance.to_string(), call: call.to_string(), whole }
            }
            other => panic!("{other:?} instead of a welcome"),
        }
    }

    pub async fn sight(&mut self) -> Sight {
        match self.hear().await {
            FromFar::Saw { sight, .. } => sight,
            other => panic!("{other:?} instead of a sight"),
        }
    }

    pub async fn refusal(&mut self) -> RefusalKind {
        match self.hear().await {
            FromFar::Refused { kind, says, .. } => {
                assert!(!says.is_empty());
                kind
            }
            other => panic!("{other:?} instead of a refusal"),
        }
    }

    /// The close frame, whatever messages come before it; and that the connection then ends.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.frame().await {
                let frame = frame.expect("we always say why");
                while let Some(Ok(_)) = tokio::time::timeout(SOON, self.ws.next()).await.expect("ends soon") {}
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}
