//! An HTTP proxy on the client's own network: it opens connections by CONNECT and carries them, and nothing else. Its end is
//! that of a killed process: the kernel closes what it had, and refuses what comes after.

use crate::{World, secrets, world::GATEWAY};
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const PORT: u16 = 3128;

/// As programs are told of it.
pub fn variable() -> String {
    format!("http_proxy=http://{}{GATEWAY}:{PORT}", secrets::OF_THE_URL[0])
}

pub struct Proxy {
    stop: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

/// It stands in the router. With a status, that is its answer to everybody.
pub fn start(world: &World, refuses: Option<u16>) -> Result<Proxy> {
    let at: SocketAddr = format!("{GATEWAY}:{PORT}").parse()?;
    let listener = world.router.inside(|| TcpListener::bind(at))?.context("listening as a proxy")?;
    listener.set_nonblocking(true)?;
    let stop = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&stop);
    // It connects from where it listens, so its threads are in there too.
    let path = format!("{}/{}", crate::ns::FOLDER, world.router.name);
    let keeper = std::thread::Builder::new().name("proxy".into()).spawn(move || {
        crate::ns::enter(&path).map_or_else(|e| panic!("{e:#}"), |()| keep(&listener, refuses, &until))
    })?;
    Ok(Proxy { stop, keeper: Some(keeper) })
}

impl Proxy {
    /// When this returns, everything it had is closed.
    pub fn kill(self) {}
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            // A panic of it was connections not carried, which the story has seen.
            let _ = keeper.join();
        }
    }
}

fn keep(listener: &TcpListener, refuses: Option<u16>, stop: &AtomicBool) {
    let carried: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    while !stop.load(Ordering::Relaxed) {
        while let Ok((near, _)) = listener.accept() {
            let carried = Arc::clone(&carried);
            // One that cannot be opened is closed, which the story sees.
            std::thread::spawn(move || carry(near, refuses, &carried));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for side in carried.lock().expect("no holder panics").iter() {
        let _ = side.shutdown(Shutdown::Both);
    }
}

fn carry(mut near: TcpStream, refuses: Option<u16>, carried: &Mutex<Vec<TcpStream>>) -> Result<()> {
    near.set_nonblocking(false)?;
    let place = asked_for(&mut near)?;
    if let Some(status) = refuses {
        write!(near, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        return Ok(());
    }
    let far = TcpStream::connect(place)?;
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    for side in [&near, &far] {
        side.set_nodelay(true)?;
        carried.lock().expect("no holder panics").push(side.try_clone()?);
    }
    let (back, forth) = ((far.try_clone()?, near.try_clone()?), (near, far));
    std::thread::spawn(move || copy(back.0, back.1));
    copy(forth.0, forth.1);
    Ok(())
}

/// Where to, from the head of the request.
fn asked_for(near: &mut TcpStream) -> Result<SocketAddr> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 4096 || near.read(&mut byte)? == 0 {
            bail!("no request");
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let place = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).context("not a CONNECT")?;
    Ok(place.parse()?)
}

/// Until one side ends; the other is then ended too.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    // Whatever broke, the connection is over.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
