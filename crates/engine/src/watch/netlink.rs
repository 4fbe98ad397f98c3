//! Linux: the two ends of netlink, by which the kernel tells what changes and answers what it is asked.
//!
//! What comes is cut into messages here; what they mean is read by whoever asked. A message cut short ends its datagram and
//! nothing else.

use netlink_packet_core::{ErrorBuffer, ErrorMessage, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkBuffer, Parseable};
use netlink_sys::{Socket, SocketAddr};
use std::io;
use std::os::fd::AsRawFd;
use tokio::io::unix::AsyncFd;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER: usize = 16;
/// The kernel fits its datagrams into what the reader offers, and never fills more than 32 KiB.
const DATAGRAM: usize = 64 * 1024;
/// As much as an ordinary process may have; it holds some hundred messages.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// So that a storm of messages is told of while it lasts.
const MOST_AT_ONCE: usize = 256;
/// After a loss the kernel tells nothing more until all that it held has been read; a full buffer holds less than this.
const MOST_TO_LET_GO: usize = 64 * 1024;
/// A table that changes while it is read is read again; one that never rests is taken as it came.
const READ_AGAIN: usize = 3;

/// One message: its type and what follows its header.
pub type Message = (u16, Vec<u8>);

/// Hears what the kernel tells to groups.
pub struct Listener(AsyncFd<Socket>);

#[derive(PartialEq, Debug)]
pub enum Heard {
    Messages(Vec<Message>),
    /// The socket's buffer was full, and the kernel left some out. What it still held is read and let go: the state has
    /// to be read anew, and they are older.
    Lost,
}

impl Listener {
    pub fn open(protocol: isize, groups: &[u32]) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        socket.set_rx_buf_sz(RECEIVE_BUFFER as libc::c_int)?;
        for group in groups {
            socket.add_membership(*group)?;
        }
        // SAFETY: the socket has one descriptor as long as it lives, and `AsyncFd` owns it from here on: nothing takes it
        // out or puts another in its place.
        let socket = unsafe { AsyncFd::register(socket)? };
        Ok(Self(socket))
    }

    /// All that has been told since, as soon as there is something.
    pub async fn hear(&self) -> io::Result<Heard> {
        loop {
            let mut ready = self.0.readable().await?;
            let mut messages = Vec::new();
            let mut lost = false;
            for read in 0..MOST_TO_LET_GO {
                if read >= MOST_AT_ONCE && !lost {
                    break;
                }
                match ready.try_io(|socket| receive(socket.get_ref())) {
                    Ok(Ok(_)) if lost => messages.clear(),
                    Ok(Ok(datagram)) => messages.extend(cut(&datagram).into_iter().map(|cut| cut.message)),
                    Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => lost = true,
                    Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(Err(error)) => return Err(error),
                    Err(_nothing_more) => break,
                }
            }
            match (lost, messages.is_empty()) {
                (true, _) => return Ok(Heard::Lost),
                (false, false) => return Ok(Heard::Messages(messages)),
                (false, true) => {}
            }
        }
    }
}

/// Asks, and is answered at once: the kernel works on a request within the call that sends it.
pub struct Asker {
    socket: Socket,
    sequence: u32,
}

impl Asker {
    pub fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The one answer, or the kernel's refusal.
    pub fn ask(&mut self, kind: u16, body: &[u8]) -> io::Result<Result<Message, io::Error>> {
        self.send(kind, 0, body)?;
        loop {
            for cut in cut(&receive(&self.socket)?) {
                match cut.message {
                    _ if cut.sequence != self.sequence => {}
                    (NLMSG_ERROR, body) => return Ok(Err(refusal(&body))),
                    answer => return Ok(Ok(answer)),
                }
            }
        }
    }

    /// A whole table.
    pub fn dump(&mut self, kind: u16, body: &[u8]) -> io::Result<Vec<Message>> {
        let mut rows = Vec::new();
        for _ in 0..READ_AGAIN {
            rows.clear();
            self.send(kind, netlink_packet_core::NLM_F_DUMP, body)?;
            if self.rows(&mut rows)? {
                break;
            }
        }
        Ok(rows)
    }

    /// Gives back whether it held still.
    fn rows(&mut self, rows: &mut Vec<Message>) -> io::Result<bool> {
        let mut still = true;
        loop {
            for cut in cut(&receive(&self.socket)?) {
                still &= cut.flags & NLM_F_DUMP_INTR == 0;
                match cut.message {
                    _ if cut.sequence != self.sequence => {}
                    (NLMSG_DONE, _) => return Ok(still),
                    (NLMSG_ERROR, body) => return Err(refusal(&body)),
                    row => rows.push(row),
                }
            }
        }
    }

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = HEADER + body.len();
        let mut bytes = vec![0; length];
        let mut message = NetlinkBuffer::new(&mut bytes);
        message.set_length(length as u32);
        message.set_message_type(kind);
        message.set_flags(NLM_F_REQUEST | flags);
        message.set_sequence_number(self.sequence);
        message.payload_mut().copy_from_slice(body);
        self.socket.send(&bytes, 0).map(|_| ())
    }
}

fn refusal(body: &[u8]) -> io::Error {
    match ErrorBuffer::new_checked(&body).and_then(|buffer| ErrorMessage::parse(&buffer)) {
        Ok(error) => error.to_io(),
        Err(error) => io::Error::other(error.to_string()),
    }
}

/// A datagram of the kernel's. Other processes may send to a netlink socket too, and have nothing to say to us.
fn receive(socket: &Socket) -> io::Result<Vec<u8>> {
    let mut datagram = Vec::with_capacity(DATAGRAM);
    let (_, from) = socket.recv_from(&mut datagram, 0)?;
    if from.port_number() != 0 {
        tracing::warn!("process {} spoke to our netlink socket {}", from.port_number(), socket.as_raw_fd());
        datagram.clear();
    }
    Ok(datagram)
}

struct Cut {
    flags: u16,
    sequence: u32,
    message: Message,
}

fn cut(datagram: &[u8]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let Ok(buffer) = NetlinkBuffer::new_checked(rest) else {
            tracing::warn!("a netlink message of {} bytes was cut short", rest.len());
            break;
        };
        cuts.push(Cut {
            flags: buffer.flags(),
            sequence: buffer.sequence_number(),
            message: (buffer.message_type(), buffer.payload().to_vec()),
        });
        let length = (buffer.length() as usize).next_multiple_of(4);
        rest = rest.get(length..).unwrap_or_default();
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_cut_without_harm() {
        let mut message = vec![20, 0, 0, 0, 16, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        let twice = [message.clone(), message.clone()].concat();
        let cuts = cut(&twice);
        assert_eq!(cuts.len(), 2);
        assert_eq!((cuts[1].sequence, &cuts[1].message), (7, &(16, vec![1, 2, 3, 4])));
        for end in 0..twice.len() {
            assert!(cut(&twice[..end]).len() <= 1);
        }
        for length in [0, 1, 15, 16, 255] {
            message[0] = length;
            assert!(cut(&message).len() <= 1);
        }
    }
}
