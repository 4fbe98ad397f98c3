//! A tunnel, as VPN programs make them: a tun interface in the client, another in a gateway of its own, and packets carried
//! between them over UDP by a small program, which is a thread of the lab.
//!
//! ```text
//! client tun0 ═══ through the router ═══ tun0 vpn out ── eth2 server
//! 10.90.0.2                         10.90.0.1  10.87.0.1  10.87.0.2
//! ```
//!
//! Its far end passes only what comes from the tunnel's own address, as WireGuard does: flows of before are lost in it.

use crate::{
    World,
    ns::Ns,
    world::{CLIENT, GATEWAY, SERVER, cable},
};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{Error, Read, Write};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

pub const ADDRESS: &str = "10.90.0.2";
const FAR_ADDRESS: &str = "10.90.0.1";
/// As the server sees whatever comes through it.
pub const SEEN_AS: &str = "10.87.0.1";
/// Where its outside ends.
const OUTSIDE: &str = "10.86.0.10";
const PORT: u16 = 51820;
const NAME: &str = "tun0";
/// Room for what goes around each packet.
const MTU: &str = "1400";

pub struct Tunnel<'w> {
    world: &'w World,
    stop: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    carrier: Option<JoinHandle<()>>,
    _gateway: Ns,
}

/// Up, with an address, and nothing goes there yet.
pub fn up(world: &World) -> Result<Tunnel<'_>> {
    let gateway = gateway(world)?;
    let near = tun(&world.client, ADDRESS, FAR_ADDRESS)?;
    let far = tun(&gateway, FAR_ADDRESS, ADDRESS)?;
    // As every VPN program does, so that the tunnel is not led into itself.
    world.client.ip(&["route", "add", &format!("{OUTSIDE}/32"), "via", GATEWAY])?;
    let outside = gateway.inside(|| UdpSocket::bind((OUTSIDE, PORT)))??;
    let inside = world.client.inside(|| {
        let socket = UdpSocket::bind(("0.0.0.0", 0))?;
        socket.connect((OUTSIDE, PORT))?;
        // The far end learns from it where to send.
        socket.send(&[])?;
        Ok::<_, Error>(socket)
    })??;
    let (_, from) = outside.recv_from(&mut []).context("the tunnel's first packet")?;
    outside.connect(from)?;

    let (stop, carried) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let carrier = std::thread::Builder::new().name("tunnel".into()).spawn({
        let (stop, carried) = (Arc::clone(&stop), Arc::clone(&carried));
        move || carry(near, &inside, far, &outside, &stop, &carried)
    })?;
    Ok(Tunnel { world, stop, carried, carrier: Some(carrier), _gateway: gateway })
}

impl Tunnel<'_> {
    /// Everything goes through it from here on: two halves that are more particular than the default route, as OpenVPN and
    /// others do it.
    pub fn take_route(&self) -> Result<()> {
        ["0.0.0.0/1", "128.0.0.0/1"]
            .iter()
            .try_for_each(|half| self.world.client.ip(&["route", "add", half, "dev", NAME]))
    }

    /// Of this one destination alone, as a company's VPN takes those of the company.
    pub fn take_route_to(&self, address: &str) -> Result<()> {
        self.world.client.ip(&["route", "add", &format!("{address}/32"), "dev", NAME])
    }

    /// Packets that came out at the other end, either way.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

impl Drop for Tunnel<'_> {
    /// The interfaces go with the descriptors that the carrier holds, and routes over them too.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(carrier) = self.carrier.take() {
            // A panic of it was packets not carried, which the story has seen.
            let _ = carrier.join();
        }
    }
}

/// Reached through the router, and with its own address translation to the server.
fn gateway(world: &World) -> Result<Ns> {
    let gateway = world.namespace("vpn")?;
    cable(&gateway, "eth0", &world.router, "vpn")?;
    cable(&gateway, "out", &world.server, "eth2")?;
    world.router.ip(&["addr", "add", "10.86.0.1/24", "dev", "vpn"])?;
    gateway.ip(&["addr", "add", &format!("{OUTSIDE}/24"), "dev", "eth0"])?;
    gateway.ip(&["route", "add", &format!("{CLIENT}/32"), "via", "10.86.0.1"])?;
    gateway.ip(&["addr", "add", &format!("{SEEN_AS}/24"), "dev", "out"])?;
    world.server.ip(&["addr", "add", "10.87.0.2/24", "dev", "eth2"])?;
    gateway.ip(&["route", "add", &format!("{SERVER}/32"), "via", "10.87.0.2"])?;
    gateway.sysctl("ipv4/ip_forward", "1")?;
    gateway.nft(
        "table ip world {
            chain out { type nat hook postrouting priority srcnat; oifname \"out\" masquerade; }
            chain into { type filter hook input priority filter; iifname \"out\" ct state { new, invalid } drop; }
        }",
    )?;
    Ok(gateway)
}

fn tun(ns: &Ns, address: &str, peer: &str) -> Result<File> {
    let file = ns.inside(|| {
        let file = File::options().read(true).write(true).open("/dev/net/tun")?;
        // SAFETY: all zeroes is a valid request; the name is shorter than its field, and the request outlives the call.
        unsafe {
            let mut request: libc::ifreq = std::mem::zeroed();
            for (to, from) in request.ifr_name.iter_mut().zip(NAME.bytes()) {
                *to = from as libc::c_char;
            }
            request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
            if libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) != 0 {
                return Err(Error::last_os_error());
            }
            if libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) != 0 {
                return Err(Error::last_os_error());
            }
        }
        Ok(file)
    });
    let file = file?.context("making a tun interface; it takes /dev/net/tun, of the kernel module tun")?;
    ns.ip(&["addr", "add", address, "peer", peer, "dev", NAME])?;
    ns.ip(&["link", "set", NAME, "mtu", MTU, "up"])?;
    Ok(file)
}

fn carry(
    mut near: File,
    inside: &UdpSocket,
    mut far: File,
    outside: &UdpSocket,
    stop: &AtomicBool,
    carried: &AtomicU64,
) {
    let mut packet = [0; 2048];
    let ready = |fd: i32| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    while !stop.load(Ordering::Relaxed) {
        let mut wanted = [near.as_raw_fd(), inside.as_raw_fd(), far.as_raw_fd(), outside.as_raw_fd()].map(ready);
        // SAFETY: the four entries live through the call. Its end is looked for again every 50 ms.
        unsafe { libc::poll(wanted.as_mut_ptr(), wanted.len() as libc::nfds_t, 50) };
        let [near_has, inside_has, far_has, outside_has] = wanted.map(|entry| entry.revents != 0);
        // What cannot be sent or taken in is lost, as on any network.
        if near_has && let Ok(length) = near.read(&mut packet) {
            let _ = inside.send(&packet[..length]);
        }
        if far_has && let Ok(length) = far.read(&mut packet) {
            let _ = outside.send(&packet[..length]);
        }
        if inside_has && let Ok(length) = inside.recv(&mut packet) {
            carried.fetch_add(u64::from(near.write(&packet[..length]).is_ok()), Ordering::Relaxed);
        }
        if outside_has
            && let Ok(length) = outside.recv(&mut packet)
            && source(&packet[..length]) == Some(ADDRESS.into())
        {
            carried.fetch_add(u64::from(far.write(&packet[..length]).is_ok()), Ordering::Relaxed);
        }
    }
}

/// Who an IPv4 packet is from.
fn source(packet: &[u8]) -> Option<String> {
    let bytes: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    Some(std::net::Ipv4Addr::from(bytes).to_string())
}
