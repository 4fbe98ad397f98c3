//! A device that passes TCP connections on to the reflector and ends each: at a certain age however busy it is, when nothing
//! crossed it for a while, or all of them when told to. It can also put in a word of its own, as whoever ends TLS or speaks
//! for a service can. No program of Debian's ends tunnels by age, so this one is the lab's own.

use super::reflector;
use crate::scenario::deed::EndedBy;
use crate::{
    World,
    world::{SERVER, wait_until},
};
use anyhow::{Context, Result, ensure};
use engine::Clock;
use record::Stamp;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

pub const PORT: u16 = 8082;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends {
    AtAge(Duration, EndedBy),
    WhenIdle(Duration),
    Never,
}

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}/call")
}

pub struct Ender {
    stop: Arc<AtomicBool>,
    passed: Arc<Mutex<Vec<Passed>>>,
    keeper: Option<JoinHandle<()>>,
}

struct Passed {
    near: TcpStream,
    far: TcpStream,
    began: Stamp,
    last: Arc<Mutex<Stamp>>,
    /// It carries a call's signaling, and is no lane beside it.
    is_call: Arc<AtomicBool>,
}

pub fn start(world: &World, ends: Ends) -> Result<Ender> {
    // A program that another story starts at this moment holds what was just closed until it has begun.
    let mut listener = None;
    wait_until("the port of the one before is free", Duration::from_secs(2), || {
        listener = world.server.inside(|| TcpListener::bind((SERVER, PORT)))?.ok();
        Ok(listener.is_some())
    })?;
    let listener = listener.context("it was bound")?;
    listener.set_nonblocking(true)?;
    let stop = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&stop);
    let passed = Arc::<Mutex<Vec<Passed>>>::default();
    let kept = Arc::clone(&passed);
    // The whole device lives on threads that are in the server's namespace, for it connects to the reflector from there.
    let path = format!("{}/{}", crate::ns::FOLDER, world.server.name);
    let keeper = std::thread::Builder::new().name("ender".into()).spawn(move || {
        crate::ns::enter(&path).map_or_else(|e| panic!("{e:#}"), |()| keep(&listener, ends, &kept, &until))
    })?;
    Ok(Ender { stop, passed, keeper: Some(keeper) })
}

/// Takes in what comes, and ends what is due. Ten milliseconds are short against every limit measured here.
fn keep(listener: &TcpListener, ends: Ends, passed: &Mutex<Vec<Passed>>, stop: &AtomicBool) {
    let clock = Clock::real();
    while !stop.load(Ordering::Relaxed) {
        while let Ok((stream, _)) = listener.accept() {
            // A reflector that is not there closes the door to this one caller.
            passed.lock().expect("no holder panics").extend(pass_on(stream, &clock).ok());
        }
        passed.lock().expect("no holder panics").retain(|one| {
            let now = clock.now();
            let due = match ends {
                Ends::AtAge(age, by) => (now.since(one.began) >= age).then_some(by),
                Ends::WhenIdle(idle) => {
                    (now.since(*one.last.lock().expect("no holder panics")) >= idle).then_some(EndedBy::Fin)
                }
                Ends::Never => None,
            };
            due.into_iter().for_each(|by| one.end(by));
            due.is_none()
        });
        std::thread::sleep(Duration::from_millis(10));
    }
    for one in passed.lock().expect("no holder panics").iter() {
        let _ = [&one.near, &one.far].iter().try_for_each(|side| side.shutdown(Shutdown::Both));
    }
}

impl Passed {
    /// Whoever has ended already has said so himself.
    fn end(&self, by: EndedBy) {
        match by {
            EndedBy::Fin => {}
            EndedBy::Close(code) => {
                let _ = self.say(CLOSE, &code.to_be_bytes());
            }
            EndedBy::Reset => {
                // What is let go of so is reset by the kernel, and this end has been told already.
                let _ = reset(&self.near);
            }
        }
        let _ = [&self.near, &self.far].iter().try_for_each(|side| side.shutdown(Shutdown::Write));
    }

    /// A whole frame to the client, between two of the far end's: those are short, and written at once.
    fn say(&self, kind: u8, words: &[u8]) -> std::io::Result<()> {
        let mut frame = vec![FINAL | kind];
        match u8::try_from(words.len()) {
            Ok(length @ ..126) => frame.push(length),
            _ => {
                frame.push(126);
                frame.extend((words.len() as u16).to_be_bytes());
            }
        }
        frame.extend(words);
        (&self.near).write_all(&frame)
    }
}

// RFC 6455, as far as it is spoken here.
const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;

/// Connecting a socket to nobody at all dissolves its connection, and Linux resets it.
fn reset(socket: &TcpStream) -> std::io::Result<()> {
    let nobody = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    let length = size_of::<libc::sockaddr>() as libc::socklen_t;
    // SAFETY: the address is valid for the length given, and the descriptor is open for as long as the stream is.
    match unsafe { libc::connect(socket.as_raw_fd(), &raw const nobody, length) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

impl Ender {
    /// All that it has, now.
    pub fn end_all(&self, by: EndedBy) {
        self.passed.lock().expect("no holder panics").drain(..).for_each(|one| one.end(by));
    }

    /// On every signaling connection that stands, and then closes it in order.
    pub fn says_goodbye(&self, text: &str) -> Result<()> {
        const NORMAL: u16 = 1000;
        let passed = self.passed.lock().expect("no holder panics");
        let calls = passed.iter().filter(|one| one.is_call.load(Ordering::Relaxed));
        let told = calls.filter(|one| one.say(TEXT, text.as_bytes()).is_ok());
        let said = told.inspect(|one| one.end(EndedBy::Close(NORMAL))).count();
        ensure!(said > 0, "no signaling connection goes through here");
        Ok(())
    }
}

fn pass_on(near: TcpStream, clock: &Clock) -> Result<Passed> {
    let far = TcpStream::connect((SERVER, reflector::PORT)).context("connecting to the reflector")?;
    let began = clock.now();
    let (last, is_call) = (Arc::new(Mutex::new(began)), Arc::<AtomicBool>::default());
    for side in [&near, &far] {
        side.set_nonblocking(false)?;
        side.set_nodelay(true)?;
    }
    for (from, to) in [(&near, &far), (&far, &near)] {
        let (from, to, last, clock) = (from.try_clone()?, to.try_clone()?, Arc::clone(&last), clock.clone());
        let is_call = Arc::clone(&is_call);
        std::thread::spawn(move || copy(from, to, &last, &is_call, &clock));
    }
    Ok(Passed { near, far, began, last, is_call })
}

/// Until one side ends; the other is then ended too.
fn copy(mut from: TcpStream, mut to: TcpStream, last: &Mutex<Stamp>, is_call: &AtomicBool, clock: &Clock) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        *last.lock().expect("no holder panics") = clock.now();
        if bytes[..length].starts_with(b"GET /call") {
            is_call.store(true, Ordering::Relaxed);
        }
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl Drop for Ender {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            // A panic of it was connections not passed on, which the story has seen.
            let _ = keeper.join();
        }
    }
}
