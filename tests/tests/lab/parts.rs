//! The lab tests itself: each part of a world does what it says, shown by plain sockets and without Linewitness.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use engine::Clock;
use linewitness_lab::far::{certificate, control, ender, haproxy, nginx, plain, reflector};
use linewitness_lab::part::translation::Ports;
use linewitness_lab::part::{busy, names, second_uplink, tunnel};
use linewitness_lab::scenario::deed::EndedBy;
use linewitness_lab::world::{CLIENT, GATEWAY, SERVER, now};
use linewitness_lab::{Fault, Program, Story, World};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story {
        name: "nginx_and_haproxy_end_what_is_quiet_at_their_limits_by_fin",
        needs: &[("nginx", "nginx"), ("haproxy", "haproxy")],
        tell: proxies,
    },
    Story { name: "the_ender_tells_age_from_silence", needs: &[], tell: enders },
    Story { name: "the_silent_firewall_forgets_quiet_tcp_without_a_word", needs: &[], tell: firewall },
    Story { name: "the_router_forgets_quiet_udp_at_its_limit", needs: &[], tell: mappings },
    Story { name: "a_router_that_forgets_gives_the_same_port_or_another", needs: CONNTRACK, tell: forgetting },
    Story { name: "a_silent_gateway_and_a_lost_path_differ_by_the_gateways_answer", needs: &[], tell: gateway },
    Story { name: "the_route_moves_to_the_second_uplink_and_to_the_tunnel", needs: TUN, tell: routes },
    Story {
        name: "names_and_the_control_host_answer_and_names_alone_fall_silent",
        needs: &[("dnsmasq", "dnsmasq-base"), ("nginx", "nginx"), ("turnserver", "coturn")],
        tell: answers,
    },
    Story { name: "a_busy_computer_is_busy_and_becomes_idle_again", needs: &[], tell: spinning },
];

pub const TUN: &[(&str, &str)] = &[("/dev/net/tun", "tun")];
pub const CONNTRACK: &[(&str, &str)] = &[("conntrack", "conntrack")];

/// A real clock against a limit in whole seconds; nginx and haproxy round theirs by some milliseconds.
const CLOSE: f64 = 0.5;

fn seconds(limit: u64) -> Duration {
    Duration::from_secs(limit)
}

fn connect(world: &World, port: u16) -> Result<TcpStream> {
    let to = SocketAddr::new(SERVER.parse()?, port);
    let stream = world.client.inside(|| TcpStream::connect_timeout(&to, seconds(3)))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// As a WebSocket client begins, so that a proxy makes a tunnel of it.
fn websocket(world: &World, port: u16) -> Result<TcpStream> {
    let mut stream = connect(world, port)?;
    write!(
        stream,
        "GET /call HTTP/1.1\r\nHost: {SERVER}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )?;
    stream.set_read_timeout(Some(seconds(3)))?;
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "answered {:?}", String::from_utf8_lossy(&answer[..length]));
    Ok(stream)
}

/// A byte there and back.
fn echoes(stream: &mut TcpStream) -> Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(700)))?;
    stream.write_all(b"x")?;
    match stream.read(&mut [0; 8]) {
        Ok(length) => Ok(length > 0),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error).context("waiting for an echo"),
    }
}

/// How long until it is ended in order, saying nothing meanwhile.
fn quiet_until_fin(mut stream: TcpStream, patience: Duration) -> Result<f64> {
    let clock = Clock::real();
    let began = clock.now();
    stream.set_read_timeout(Some(patience))?;
    let length = stream.read(&mut [0; 8]).context("it was not ended in order")?;
    ensure!(length == 0, "{length} bytes came on a quiet connection");
    Ok(clock.now().since(began).as_secs_f64())
}

/// How long until it is ended in order, with an echo ten times a second until then.
fn busy_until_fin(mut stream: TcpStream, patience: Duration) -> Result<Option<f64>> {
    let clock = Clock::real();
    let began = clock.now();
    while clock.now().since(began) < patience {
        if stream.write_all(b"x").is_err() || matches!(stream.read(&mut [0; 8]), Ok(0) | Err(_)) {
            return Ok(Some(clock.now().since(began).as_secs_f64()));
        }
        sleep(Duration::from_millis(100));
    }
    Ok(None)
}

fn near(measured: f64, limit: f64) -> Result<()> {
    ensure!((measured - limit).abs() <= CLOSE, "ended after {measured:.2} s; the limit is {limit} s");
    Ok(())
}

/// Runs both at once, for each mostly waits.
fn both<A: Send, B: Send>(
    a: impl FnOnce() -> Result<A> + Send,
    b: impl FnOnce() -> Result<B> + Send,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        Ok((a.join().expect("no step panics")?, b?))
    })
}

fn proxies(world: &World) -> Result<()> {
    plain::start(world)?;
    let _nginx = nginx::proxy(world, seconds(13))?;
    let _haproxy = haproxy::proxy(world, seconds(9))?;
    let talking = websocket(world, nginx::PORT)?;
    let quiet = [websocket(world, nginx::PORT)?, websocket(world, haproxy::PORT)?];
    let [nginx, haproxy] = quiet;
    let (ended, busy) = both(
        || both(|| quiet_until_fin(nginx, seconds(16)), || quiet_until_fin(haproxy, seconds(16))),
        || busy_until_fin(talking, seconds(15)),
    )?;
    near(ended.0, 13.0).context("nginx")?;
    near(ended.1, 9.0).context("haproxy")?;
    ensure!(busy.is_none(), "nginx ended a talking connection after {busy:?} s");
    Ok(())
}

fn enders(world: &World) -> Result<()> {
    plain::start(world)?;
    {
        let _ender = ender::start(world, ender::Ends::AtAge(seconds(4), EndedBy::Fin))?;
        let (quiet, busy) = (connect(world, ender::PORT)?, connect(world, ender::PORT)?);
        let (quiet, busy) = both(|| quiet_until_fin(quiet, seconds(6)), || busy_until_fin(busy, seconds(6)))?;
        near(quiet, 4.0)?;
        near(busy.context("a busy connection grew older than it may")?, 4.0)?;
    }
    let _ender = ender::start(world, ender::Ends::WhenIdle(seconds(4)))?;
    let (quiet, busy) = (connect(world, ender::PORT)?, connect(world, ender::PORT)?);
    let (quiet, busy) = both(|| quiet_until_fin(quiet, seconds(6)), || busy_until_fin(busy, seconds(6)))?;
    near(quiet, 4.0)?;
    ensure!(busy.is_none(), "a busy connection was ended for being quiet, after {busy:?} s");
    Ok(())
}

fn firewall(world: &World) -> Result<()> {
    plain::start(world)?;
    world.router_keeps_tcp_for(5)?;
    let mut short = connect(world, reflector::PORT)?;
    let mut long = connect(world, reflector::PORT)?;
    ensure!(echoes(&mut short)? && echoes(&mut long)?, "a fresh connection does not answer");
    sleep(seconds(4));
    ensure!(echoes(&mut short)?, "quiet for 4 s of 5, and dead");
    sleep(Duration::from_millis(1_500));
    ensure!(!echoes(&mut long)?, "quiet for over 5 s, and alive");
    // Neither the client nor anybody in its name is told.
    long.set_read_timeout(Some(seconds(2)))?;
    let told = long.read(&mut [0; 8]).map_err(|error| error.kind());
    ensure!(told == Err(ErrorKind::WouldBlock), "the firewall said something: {told:?}");
    ensure!(echoes(&mut short)?, "a connection in use was forgotten too");
    ensure!(echoes(&mut connect(world, reflector::PORT)?)?, "a new connection does not answer");
    Ok(())
}

/// A flow that the server has heard of, and where it saw it come from.
fn flow(world: &World, server: &UdpSocket) -> Result<(UdpSocket, SocketAddr)> {
    let client = world.client.inside(|| UdpSocket::bind(("0.0.0.0", 0)))??;
    client.connect((SERVER, server.local_addr()?.port()))?;
    client.set_read_timeout(Some(Duration::from_millis(300)))?;
    let from = heard_from(&client, server)?;
    Ok((client, from))
}

/// Where a packet of that flow's is seen to come from now.
fn heard_from(client: &UdpSocket, server: &UdpSocket) -> Result<SocketAddr> {
    client.send(b"x")?;
    Ok(server.recv_from(&mut [0; 8])?.1)
}

fn arrives(server: &UdpSocket, at: SocketAddr, client: &UdpSocket) -> Result<bool> {
    server.send_to(b"x", at)?;
    Ok(client.recv(&mut [0; 8]).is_ok())
}

fn udp_server(world: &World) -> Result<UdpSocket> {
    let server = world.server.inside(|| UdpSocket::bind((SERVER, 9000)))??;
    server.set_read_timeout(Some(seconds(1)))?;
    Ok(server)
}

fn mappings(world: &World) -> Result<()> {
    world.router_keeps_udp_for(5)?;
    let server = udp_server(world)?;
    let one_packet = (flow(world, &server)?, flow(world, &server)?);
    let stream = (flow(world, &server)?, flow(world, &server)?);
    for (client, from) in [&stream.0, &stream.1] {
        for _ in 0..3 {
            ensure!(arrives(&server, *from, client)?, "a fresh mapping does not carry");
            heard_from(client, &server)?;
        }
    }
    sleep(seconds(4));
    for (client, from) in [&one_packet.0, &stream.0] {
        ensure!(arrives(&server, *from, client)?, "quiet for 4 s of 5, and forgotten");
    }
    sleep(Duration::from_millis(1_500));
    for (client, from) in [&one_packet.1, &stream.1] {
        ensure!(!arrives(&server, *from, client)?, "quiet for over 5 s, and remembered");
    }
    Ok(())
}

fn forgetting(world: &World) -> Result<()> {
    plain::start(world)?;
    let server = udp_server(world)?;
    let (client, from) = flow(world, &server)?;
    let mut tcp = connect(world, reflector::PORT)?;
    ensure!(echoes(&mut tcp)?, "a fresh connection does not answer");

    // The server speaks first, as the worst case has it: nothing of that may take the port away.
    world.router_forgets(Ports::Same)?;
    ensure!(!arrives(&server, from, &client)?, "forgotten, and it carries");
    ensure!(heard_from(&client, &server)? == from, "the port is another one");
    ensure!(arrives(&server, from, &client)? && echoes(&mut tcp)?, "the same port does not carry");

    let seen = world.fault(Fault::NewMapping)?;
    let asked = now();
    world.router_forgets(Ports::Other)?;
    let moved = heard_from(&client, &server)?;
    ensure!(moved.ip() == from.ip() && (20_000..30_000).contains(&moved.port()), "{from} became {moved}");
    ensure!(seen.lift()?.first_since(asked)? >= asked, "the new mapping was not seen");
    ensure!(echoes(&mut tcp).is_err(), "a connection under another port goes on, and the server cannot know it");
    Ok(())
}

fn gateway(world: &World) -> Result<()> {
    plain::start(world)?;
    // Nobody listens there, so the gateway refuses, which is an answer.
    let asks = || {
        let to = SocketAddr::new(GATEWAY.parse()?, 9);
        let answer = world.client.inside(|| TcpStream::connect_timeout(&to, Duration::from_millis(500)))?;
        Ok::<_, anyhow::Error>(answer.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
    };
    ensure!(asks()?, "the gateway does not answer");
    let path = world.fault(Fault::BlackHole)?;
    let lost = connect(world, reflector::PORT).is_err();
    ensure!(lost && asks()?, "with the path lost: server lost {lost}, gateway answers {}", asks()?);
    path.lift()?;

    let silent = world.fault(Fault::GatewaySilent)?;
    ensure!(!asks()?, "a silent gateway answered");
    // Forgotten, it must be asked for anew, which a silent gateway does not hear.
    world.client.ip(&["neigh", "flush", "dev", "eth0"])?;
    ensure!(!asks()?, "a silent gateway answered who it is");
    let carrier = world.client.inside(|| std::fs::read_to_string("/proc/thread-self/net/dev"))??;
    ensure!(carrier.contains("eth0"), "the interface is gone");
    let truth = silent.lift()?;
    ensure!(truth.hits.iter().all(|hit| hit.udp().is_none()), "there is no UDP here");
    ensure!(asks()? && connect(world, reflector::PORT).is_ok(), "the gateway did not come back");
    Ok(())
}

fn routes(world: &World) -> Result<()> {
    plain::start(world)?;
    let server = udp_server(world)?;
    let (old, from) = flow(world, &server)?;
    let second = second_uplink::plug_in(world)?;
    second.offer_route()?;
    ensure!(heard_from(&old, &server)? == from, "a worse route took the flow along");
    second.take_route()?;
    let (_, from) = flow(world, &server)?;
    ensure!(from.ip().to_string() == second_uplink::SEEN_AS, "the new way is seen as {from}");
    ensure!(echoes(&mut connect(world, reflector::PORT)?)?, "TCP does not cross the second uplink");
    second.unplug()?;
    world.client.ip(&["route", "add", "default", "via", GATEWAY])?;

    let tunnel = tunnel::up(world)?;
    let (old, from) = flow(world, &server)?;
    ensure!(from.ip().to_string() != tunnel::SEEN_AS && tunnel.carried() == 0, "it carries without a route");
    let mut tcp = connect(world, reflector::PORT)?;
    ensure!(tcp.local_addr()?.ip().to_string() == CLIENT && echoes(&mut tcp)?, "no connection beside the tunnel");
    tunnel.take_route()?;
    ensure!(!echoes(&mut tcp)?, "a connection of before went on through the tunnel");
    old.set_read_timeout(Some(Duration::from_millis(300)))?;
    let (client, from) = flow(world, &server)?;
    ensure!(from.ip().to_string() == tunnel::SEEN_AS, "through the tunnel it is seen as {from}");
    ensure!(arrives(&server, from, &client)?, "nothing comes back through the tunnel");
    ensure!(echoes(&mut connect(world, reflector::PORT)?)?, "TCP does not cross the tunnel");
    ensure!(tunnel.carried() > 5, "only {} packets crossed the tunnel", tunnel.carried());
    drop(tunnel);
    ensure!(heard_from(&old, &server)?.ip().to_string() != tunnel::SEEN_AS, "the route did not come back");
    Ok(())
}

/// A program in the client's namespace, and whether it succeeded.
fn runs(world: &World, name: &str, program: &str, args: &[&str]) -> Result<bool> {
    Ok(Program::start(world, &world.client, name, program, args)?.wait(seconds(10))?.success())
}

fn answers(world: &World) -> Result<()> {
    plain::start(world)?;
    let certificate = certificate::make(world)?;
    let _control = control::start(world, &certificate)?;
    let _names = names::start(world, &[(names::FAR, SERVER), (control::NAME, control::ADDRESS)])?;
    let finds = |name: &str, host: &str| runs(world, name, "getent", &["ahostsv4", host]);
    ensure!(finds("getent-1", names::FAR)? && finds("getent-2", control::NAME)?, "a name is not found");
    ensure!(!finds("getent-3", "nobody.example")?, "a name is found that nobody gave");

    let web = world.client.inside(|| TcpStream::connect((control::ADDRESS, 443)))?;
    ensure!(web.is_ok(), "the control host does not answer on 443");
    let stun = world.client.inside(|| UdpSocket::bind(("0.0.0.0", 0)))??;
    stun.set_read_timeout(Some(seconds(1)))?;
    // A binding request and nothing more: type 1, no attributes, the cookie, any transaction.
    let request = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    stun.send_to(&request, (control::ADDRESS, 3478))?;
    let mut answer = [0; 512];
    let length = stun.recv(&mut answer).context("STUN does not answer")?;
    ensure!(length > 20 && answer[..2] == [1, 1] && answer[4..20] == request[4..20], "that is no answer to a binding");

    let silent = world.fault(Fault::NamesSilent)?;
    ensure!(!finds("getent-4", names::FAR)?, "silent name servers answered");
    ensure!(echoes(&mut connect(world, reflector::PORT)?)?, "with names silent, addresses do not answer");
    silent.lift()?;
    ensure!(finds("getent-5", names::FAR)?, "names did not come back");
    Ok(())
}

fn spinning(world: &World) -> Result<()> {
    let mut spinning = busy::spin(world, 2)?;
    sleep(Duration::from_millis(300));
    spinning.iter_mut().try_for_each(Program::check_alive)?;
    for program in &mut spinning {
        // What `timeout` says when the time is up.
        let status = program.wait(seconds(5))?;
        ensure!(status.code() == Some(124), "it ended with {status}");
    }
    Ok(())
}
