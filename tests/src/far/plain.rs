//! A service that says back whatever it hears, and agrees to any WebSocket first: something to hold connections to when the
//! lab tests itself.

use super::reflector;
use crate::{World, world::SERVER};
use anyhow::Result;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// In the reflector's place. It ends with the world's last connection and costs nothing until then.
pub fn start(world: &World) -> Result<()> {
    let listener = world.server.inside(|| TcpListener::bind((SERVER, reflector::PORT)))??;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    Ok(())
}

fn answer(mut stream: TcpStream) {
    let mut heard = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut heard) {
        let said = match heard.starts_with(b"GET ") {
            true => stream.write_all(AGREED),
            false => stream.write_all(&heard[..length]),
        };
        if said.is_err() {
            return;
        }
        heard[..4].fill(0);
    }
}

const AGREED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
