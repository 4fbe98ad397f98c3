//! A device that passes TCP connections on to the reflector and ends each in order: at a certain age however busy it is,
//! or when nothing crossed it for a while. No program of Debian's ends tunnels by age, so this one is the lab's own.

use super::reflector;
use crate::{
    World,
    world::{SERVER, wait_until},
};
use anyhow::{Context, Result};
use engine::Clock;
use record::Stamp;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

pub const PORT: u16 = 8082;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends {
    AtAge(Duration),
    WhenIdle(Duration),
}

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}/call")
}

pub struct Ender {
    stop: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

struct Passed {
    sides: [TcpStream; 2],
    began: Stamp,
    last: Arc<Mutex<Stamp>>,
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
    // The whole device lives on threads that are in the server's namespace, for it connects to the reflector from there.
    let path = format!("{}/{}", crate::ns::FOLDER, world.server.name);
    let keeper = std::thread::Builder::new()
        .name("ender".into())
        .spawn(move || crate::ns::enter(&path).map_or_else(|e| panic!("{e:#}"), |()| keep(&listener, ends, &until)))?;
    Ok(Ender { stop, keeper: Some(keeper) })
}

/// Takes in what comes, and ends what is due. Ten milliseconds are short against every limit measured here.
fn keep(listener: &TcpListener, ends: Ends, stop: &AtomicBool) {
    let clock = Clock::real();
    let mut passed: Vec<Passed> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        while let Ok((stream, _)) = listener.accept() {
            // A reflector that is not there closes the door to this one caller.
            passed.extend(pass_on(stream, &clock).ok());
        }
        passed.retain(|one| {
            let now = clock.now();
            let due = match ends {
                Ends::AtAge(age) => now.since(one.began) >= age,
                Ends::WhenIdle(idle) => now.since(*one.last.lock().expect("no holder panics")) >= idle,
            };
            if due {
                // A FIN each way; whoever has ended already has said so himself.
                let _ = one.sides.iter().try_for_each(|side| side.shutdown(Shutdown::Write));
            }
            !due
        });
        std::thread::sleep(Duration::from_millis(10));
    }
    for side in passed.iter().flat_map(|one| &one.sides) {
        let _ = side.shutdown(Shutdown::Both);
    }
}

fn pass_on(near: TcpStream, clock: &Clock) -> Result<Passed> {
    let far = TcpStream::connect((SERVER, reflector::PORT)).context("connecting to the reflector")?;
    let began = clock.now();
    let last = Arc::new(Mutex::new(began));
    for side in [&near, &far] {
        side.set_nonblocking(false)?;
        side.set_nodelay(true)?;
    }
    for (from, to) in [(&near, &far), (&far, &near)] {
        let (from, to, last, clock) = (from.try_clone()?, to.try_clone()?, Arc::clone(&last), clock.clone());
        std::thread::spawn(move || copy(from, to, &last, &clock));
    }
    Ok(Passed { sides: [near, far], began, last })
}

/// Until one side ends; the other is then ended too.
fn copy(mut from: TcpStream, mut to: TcpStream, last: &Mutex<Stamp>, clock: &Clock) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        *last.lock().expect("no holder panics") = clock.now();
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
