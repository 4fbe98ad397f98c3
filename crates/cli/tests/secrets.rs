//! What may leave a computer, and what may not: holds with marked secrets in every place that takes one, against far ends that
//! repeat whatever they are told; and the names that stand in a bundle for addresses and hosts.

use record::{Log, bundle, profile::Addresses};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message, handshake::server};

/// In every secret, and nowhere else.
const MARK: &str = "s3cr3t-MARK";
/// A secret of a stranger's own, which no profile knows.
const STRANGERS: &str = "eyJhbGciOiJIUzI1NiJ9.c3RyYW5nZXI";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linewitness"));
        command.args(args).current_dir(self.0.path()).env("LINEWITNESS_HOME", self.path("home"));
        for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command.env_remove("LINEWITNESS_TOKEN");
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String) {
        let done = self.command(args).output().expect("the program starts");
        let said = [done.stdout, done.stderr].concat();
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// Holds this profile, and gives what was printed.
    fn hold(&self, profile: &str, args: &[&str], env: &[(&str, &str)]) -> String {
        let head = "for = \"1s\"\nname = \"Acme\"\n[recovery]\npolicy = \"none\"\n";
        fs::write(self.path("p.witness-profile"), format!("{head}{profile}")).expect("writable");
        let all = [&["hold", "p.witness-profile", "-vv", "--out", "call.witness"], args].concat();
        let done = self.command(&all).envs(env.iter().copied()).output().expect("the program starts");
        assert!(matches!(done.status.code(), Some(0 | 3 | 4)), "{}", String::from_utf8_lossy(&done.stderr));
        fs::remove_file(self.path("p.witness-profile")).expect("the secrets of the profile's own");
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    }

    fn run_folder(&self) -> PathBuf {
        let mut runs = fs::read_dir(self.path("home/runs")).expect("there was a run");
        runs.next().expect("there was a run").expect("readable").path()
    }

    /// Every byte that was written, the bundle's members unpacked.
    fn written(&self) -> Vec<(String, String)> {
        let mut found = vec![];
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push((path.display().to_string(), text(&path))),
                }
            }
        }
        for name in [bundle::ABOUT, bundle::EVENTS, bundle::VERDICT, bundle::REPORT, bundle::PROFILE] {
            found.push((format!("the bundle's {name}"), self.member(name)));
        }
        found
    }

    fn member(&self, name: &str) -> String {
        let file = File::open(self.path("call.witness")).expect("a bundle is there");
        String::from_utf8_lossy(&bundle::read_member(file, name).expect("it has this member")).into_owned()
    }

    #[track_caller]
    fn holds_none_of(&self, secrets: &[&str], printed: &str) {
        let written = self.written();
        assert!(written.len() >= 10, "there was something to search: {}", written.len());
        for (place, text) in
            written.iter().map(|(place, text)| (place.as_str(), text.as_str())).chain([("printed", printed)])
        {
            for secret in secrets {
                let at = text.find(secret).map(|at| text[..at].lines().next_back().unwrap_or_default());
                assert!(at.is_none(), "{place} holds {secret:?} after {at:?}");
            }
        }
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("readable")).into_owned()
}

/// `linewitness reflect` on loopback with a token, until it is dropped.
struct FarEnd(Child, String);

impl FarEnd {
    fn begin(desk: &Desk, token: &str) -> Self {
        let out = desk.path("far-end.out");
        let file = File::create(&out).expect("writable");
        let mut command = desk.command(&["reflect", "--listen", "127.0.0.1:0", "--token", token, "-vv"]);
        let running = command.stdout(file).stderr(File::create(desk.path("far-end.err")).expect("writable"));
        let running = running.stdin(Stdio::null()).spawn().expect("starts");
        let found = (0..200).find_map(|_| {
            thread::sleep(Duration::from_millis(50));
            let said = text(&out);
            Some(said.split_once("ws://")?.1.split_once("/call")?.0.to_owned())
        });
        Self(running, found.expect("it says where it listens"))
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Answers each connection with `answer`, which is given what was asked; and tells what that was.
fn answers(answer: fn(&str) -> String) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("it is bound").to_string();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let request = head(&mut stream);
            let _ = stream.write_all(answer(&request).as_bytes());
            let _ = tell.send(request);
        }
    });
    (at, told)
}

fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
        read.extend_from_slice(&byte);
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// The value of a header, as it was sent.
fn header(request: &str, name: &str) -> String {
    let line = request.lines().find_map(|line| line.strip_prefix(name)).expect("it was sent");
    line.trim_start_matches(':').trim().trim_start_matches("Basic ").to_owned()
}

fn with_body(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nServer: gate/2 {STRANGERS}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_wrong_token_at_the_reflector_is_kept() {
    let desk = Desk::new();
    let far_end = FarEnd::begin(&desk, "the right one");
    let url = format!("ws://{MARK}-user:{MARK}-password@{}/call?key={MARK}-query#{MARK}-part", far_end.1);
    let profile = format!("[signaling]\nurl = \"{url}\"\ntoken = \"{MARK}-token\"\n");
    let printed = desk.hold(&profile, &[], &[]);
    assert!(desk.member(bundle::EVENTS).contains("refused"), "it was refused");
    drop(far_end);
    desk.holds_none_of(&[MARK, "the right one"], &printed);
}

#[test]
fn a_far_end_that_repeats_everything_over_http_is_not_repeated() {
    let desk = Desk::new();
    let (at, told) =
        answers(|request| with_body("403 Forbidden", &format!("no {STRANGERS} for {}", request.replace("\r\n", " "))));
    let url = format!("ws://{MARK}-user:{MARK}-password@{at}/call?key={MARK}-query");
    let printed =
        desk.hold(&format!("[signaling]\nurl = \"{url}\"\ntoken = \"{MARK}-token\"\n"), &["--only-call"], &[]);
    let login = header(&told.recv().expect("it was asked"), "Authorization");
    assert!(desk.member(bundle::EVENTS).contains("\"status\":403"), "it was refused");
    desk.holds_none_of(&[MARK, STRANGERS, &login], &printed);
    assert!(desk.run(&["explain", "call.witness"]).1.contains("what could be private was left out"));
}

#[test]
fn a_proxys_password_is_kept_and_a_host_behind_it_has_a_name() {
    let desk = Desk::new();
    let (at, told) = answers(|request| {
        with_body("407 Proxy Authentication Required", &format!("not {}", header(request, "Proxy-Authorization")))
    });
    let proxy = format!("http://{MARK}-user:{MARK}-password@{at}");
    let profile = "[signaling]\nurl = \"ws://far.test.invalid/rooms/7\"\n";
    let printed = desk.hold(profile, &["--only-call"], &[("http_proxy", &proxy), ("no_proxy", "")]);
    let login = header(&told.recv().expect("it was asked"), "Proxy-Authorization");
    assert!(desk.member(bundle::EVENTS).contains("\"status\":407"), "it was refused");
    desk.holds_none_of(&[MARK, STRANGERS, &login], &printed);

    for name in [bundle::EVENTS, bundle::VERDICT, bundle::REPORT, bundle::PROFILE] {
        assert!(!desk.member(name).contains("far.test"), "{name}");
    }
    assert!(desk.member(bundle::EVENTS).contains("ws://host-1.example/path-1"), "{}", desk.member(bundle::EVENTS));
    assert!(desk.member(bundle::PROFILE).contains("ws://host-1.example/path-1"));
    assert!(text(&desk.run_folder().join(bundle::EVENTS)).contains("ws://far.test.invalid/rooms/7"));
    let (code, map) = desk.run(&["map", "call.witness"]);
    let lines: Vec<Vec<&str>> = map.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(code == 0 && lines.contains(&vec!["host-1.example", "far.test.invalid", "host"]), "{map}");
}

/// Of STUN no more than this needs: a challenge first, and then a refusal that repeats the name it was given.
fn refusing_turn() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        let mut bytes = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let asked = &bytes[..length];
            if length < 20 || asked[..2] != [0x00, 0x03] {
                continue;
            }
            let words = format!("no {} {STRANGERS}", String::from_utf8_lossy(&asked[20..]).replace('\0', " "));
            let words = &words.as_bytes()[..words.len().min(200)];
            let attribute = |kind: u16, value: &[u8]| {
                let padding = vec![0; (4 - value.len() % 4) % 4];
                [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value, &padding].concat()
            };
            let error = attribute(0x0009, &[&[0, 0, 4, 1], words].concat());
            let body = [error, attribute(0x0014, b"realm"), attribute(0x0015, b"nonce")].concat();
            let header = [&[0x01, 0x13][..], &(body.len() as u16).to_be_bytes(), &asked[4..20]].concat();
            let _ = socket.send_to(&[header, body].concat(), from);
        }
    });
    at
}

#[test]
fn a_turn_servers_refusal_repeats_no_credential() {
    let desk = Desk::new();
    let (far_end, turn) = (FarEnd::begin(&desk, "a right token"), refusing_turn());
    let profile = format!(
        "[signaling]\nurl = \"ws://{}/call\"\ntoken = \"a right token\"\n\
         [[ice.servers]]\nurls = [\"turn:{turn}\"]\nusername = \"{MARK}-user\"\ncredential = \"{MARK}-credential\"\n",
        far_end.1
    );
    let printed = desk.hold(&profile, &[], &[]);
    assert!(desk.member(bundle::EVENTS).contains("\"turn_refused\""), "{}", desk.member(bundle::EVENTS));
    drop(far_end);
    desk.holds_none_of(&[MARK, STRANGERS, "a right token"], &printed);
}

/// Speaks Janus' protocol as far as it takes to say no, with all that it was told.
fn refusing_janus() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The shape of the answer is the library's.
            #[expect(clippy::result_large_err)]
            let agree = |_: &server::Request, mut response: server::Response| {
                let protocol = "janus-protocol".parse().expect("a header");
                response.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
                Ok(response)
            };
            let Ok(mut socket) = tungstenite::accept_hdr(stream, agree) else { continue };
            let Ok(Message::Text(asked)) = socket.read() else { continue };
            let request: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
            let error = serde_json::json!({ "code": 403, "reason": format!("no {STRANGERS}: {asked} 10.9.8.7") });
            let answer = serde_json::json!({ "janus": "error", "transaction": request["transaction"], "error": error });
            let _ = socket.send(Message::text(answer.to_string()));
            let reason = format!("no {MARK}-token at 10.9.8.7 for {STRANGERS}").into();
            let _ = socket.close(Some(tungstenite::protocol::CloseFrame { code: 4403.into(), reason }));
            while socket.read().is_ok() {}
        }
    });
    at
}

#[test]
fn a_janus_that_refuses_repeats_no_token() {
    let desk = Desk::new();
    let profile =
        format!("[signaling]\nkind = \"janus\"\nurl = \"ws://{}/janus\"\ntoken = \"{MARK}-token\"\n", refusing_janus());
    let printed = desk.hold(&profile, &["--only-call"], &[]);
    let events = desk.member(bundle::EVENTS);
    assert!(events.contains("\"refused\"") && events.contains("403"), "{events}");
    assert!(events.contains("[left out]"), "{events}");
    desk.holds_none_of(&[MARK, STRANGERS, "10.9.8.7"], &printed);
}

#[test]
fn addresses_of_this_computer_have_names_in_its_bundle_and_a_map_that_stays() {
    let desk = Desk::new();
    let (code, said) = desk.run(&["hold", "--for", "1s", "--out", "call.witness"]);
    assert_eq!(code, 0, "{said}");
    assert!(desk.member(bundle::ABOUT).contains("\"names\": \"pseudonyms\""));
    let folder = desk.run_folder();
    let map: Vec<record::names::Named> =
        serde_json::from_str(&text(&folder.join("names.json"))).expect("a map is kept");
    for name in [bundle::EVENTS, bundle::VERDICT, bundle::REPORT, bundle::PROFILE] {
        let member = desk.member(name);
        for line in &map {
            assert!(!member.contains(&format!("\"{}\"", line.is)), "{} is left in {name}", line.is);
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = fs::metadata(folder.join("names.json")).expect("there").permissions().mode();
        assert_eq!(rights & 0o077, 0, "for this account alone: {rights:o}");
    }
    let run = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let (_, kept) = desk.run(&["map", &run]);
    fs::remove_file(folder.join("names.json")).expect("removed");
    for what in ["call.witness", &run] {
        let (code, counted_again) = desk.run(&["map", what]);
        assert_eq!((code, counted_again.lines().count()), (0, map.len()), "{counted_again}");
        assert_eq!(counted_again, kept);
    }

    fs::rename(desk.path("home"), desk.path("elsewhere")).expect("moved");
    let (code, says) = desk.run(&["map", "call.witness"]);
    assert!(code == 2 && says.contains("not recorded on this computer"), "{says}");
    let (code, says) = desk.run(&["map", "nothing.witness"]);
    assert!(code == 2 && says.contains("no such file or run"), "{says}");
}

#[test]
fn plain_addresses_are_written_where_they_are_asked_for() {
    let desk = Desk::new();
    let (code, said) = desk.run(&["hold", "--for", "1s", "--plain-addresses", "--out", "call.witness"]);
    assert_eq!(code, 0, "{said}");
    let (bundle, _) = bundle::read(File::open(desk.path("call.witness")).expect("there")).expect("a bundle");
    assert_eq!(bundle.about.names, Some(Addresses::Plain));
    let (recorded, _) = Log::read_lines(&fs::read(desk.run_folder().join(bundle::EVENTS)).expect("there"));
    assert!(bundle.log == recorded && recorded.events.len() > 20, "{} events", recorded.events.len());
    let (code, says) = desk.run(&["map", "call.witness"]);
    assert!(code == 2 && says.contains("as they are"), "{says}");
}
