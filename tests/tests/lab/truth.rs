//! The lab tests itself: what it calls the truth is compared with a stream of numbered packets.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use engine::Clock;
use linewitness_lab::verdict::ms_between;
use linewitness_lab::world::{SERVER, now};
use linewitness_lab::{Fault, Story, World};
use record::Wall;
use std::net::UdpSocket;
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_faults_truth_is_that_of_the_packets_within_five_milliseconds", needs: &[], tell: timed },
    Story { name: "a_fault_that_touches_nothing_voids_the_run", needs: &[], tell: void },
    Story { name: "a_fault_touches_its_own_direction_and_flow_alone", needs: &[], tell: selective },
];

const EVERY: Duration = Duration::from_millis(1);

/// What one direction's stream of numbered packets shows: when each was sent, and which arrived.
struct Stream {
    sent: Vec<Wall>,
    arrived: Vec<u32>,
}

impl Stream {
    fn first_lost(&self) -> Option<Wall> {
        let lost = (0..).find(|n| !self.arrived.contains(n))?;
        self.sent.get(lost as usize).copied()
    }
    /// The last packet lost that others followed which arrived.
    fn last_lost(&self) -> Option<Wall> {
        let last = *self.arrived.iter().max()?;
        let lost = (0..last).rev().find(|n| !self.arrived.contains(n))?;
        Some(self.sent[lost as usize])
    }
    fn lost(&self) -> usize {
        self.sent.len() - self.arrived.len()
    }
}

/// Streams a packet a millisecond both ways between two sockets while `meanwhile` runs. Gives client to server, and back.
fn streaming<T>(world: &World, meanwhile: impl FnOnce(u16) -> Result<T>) -> Result<(Stream, Stream, T)> {
    let server = world.server.inside(|| UdpSocket::bind((SERVER, 9000)))??;
    let client = world.client.inside(|| UdpSocket::bind(("0.0.0.0", 0)))??;
    client.connect((SERVER, 9000))?;
    // The first packet opens the way through the router's address translation.
    client.send(&u32::MAX.to_be_bytes())?;
    let (_, seen_as) = server.recv_from(&mut [0; 8])?;
    server.connect(seen_as)?;
    for socket in [&client, &server] {
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    }

    let stop = std::sync::atomic::AtomicBool::new(false);
    let send = |socket: &UdpSocket| {
        let mut sent = Vec::new();
        while !stop.load(std::sync::atomic::Ordering::Relaxed) && sent.len() < 10_000 {
            sent.push(now());
            // A refused packet would be lost like any other, and is counted so.
            let _ = socket.send(&(sent.len() as u32 - 1).to_be_bytes());
            sleep(EVERY);
        }
        sent
    };
    let receive = |socket: &UdpSocket| {
        let (mut arrived, mut packet) = (Vec::new(), [0; 4]);
        let clock = Clock::real();
        let mut last = clock.now();
        // A stream that was cut may come back; one that is silent for so long after the end will not.
        while !stop.load(std::sync::atomic::Ordering::Relaxed) || clock.now().since(last) < Duration::from_millis(300) {
            if socket.recv(&mut packet).is_ok() {
                arrived.push(u32::from_be_bytes(packet));
                last = clock.now();
            }
        }
        arrived
    };
    std::thread::scope(|scope| {
        let out = (scope.spawn(|| send(&client)), scope.spawn(|| receive(&server)));
        let back = (scope.spawn(|| send(&server)), scope.spawn(|| receive(&client)));
        let port = client.local_addr().map(|address| address.port());
        sleep(Duration::from_millis(500));
        let done = port.context("a bound socket has an address").and_then(meanwhile);
        sleep(Duration::from_millis(500));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let gone = "a stream's thread does not panic";
        let out = Stream { sent: out.0.join().expect(gone), arrived: out.1.join().expect(gone) };
        let back = Stream { sent: back.0.join().expect(gone), arrived: back.1.join().expect(gone) };
        done.map(|done| (out, back, done))
    })
}

fn timed(world: &World) -> Result<()> {
    for round in 0..4 {
        let (out, back, truth) = streaming(world, |_| {
            let in_force = world.fault(Fault::BlackHole)?;
            in_force.bites(Duration::from_secs(1))?;
            sleep(Duration::from_millis(500));
            in_force.lift()
        })?;
        let lost = [out.first_lost(), back.first_lost()].into_iter().flatten().min().context("nothing was lost")?;
        let error = ms_between(lost, truth.first());
        ensure!((0.0..5.0).contains(&error), "round {round}: the first loss is {error:.3} ms from the truth");
        let lost = [out.last_lost(), back.last_lost()].into_iter().flatten().max().context("nothing came back")?;
        let error = ms_between(lost, truth.last());
        ensure!(error.abs() < 5.0, "round {round}: the last loss is {error:.3} ms from the truth");
        ensure!(truth.last() <= truth.lifted.wall, "a packet was touched after the fault was lifted");
        let (touched, missing) = (truth.hits.len(), out.lost() + back.lost());
        ensure!(touched == missing, "round {round}: {touched} packets touched, {missing} missing");
        ensure!(missing > 300, "round {round}: only {missing} packets were lost in half a second");
    }
    Ok(())
}

fn void(world: &World) -> Result<()> {
    let (out, back, refused) = streaming(world, |_| {
        let in_force = world.fault(Fault::TcpFlowSilent { client_port: 9 })?;
        ensure!(in_force.bites(Duration::from_millis(100)).is_err(), "it bit, and there is no TCP here");
        Ok(in_force.lift().err())
    })?;
    ensure!(out.lost() + back.lost() == 0, "packets were lost without a fault");
    ensure!(refused.is_some_and(|error| error.to_string().starts_with("void")), "the run was not declared void");
    Ok(())
}

fn selective(world: &World) -> Result<()> {
    let during = |fault: Fault| {
        let in_force = world.fault(fault)?;
        sleep(Duration::from_millis(200));
        in_force.lift()
    };
    let (out, back, _) = streaming(world, |_| during(Fault::UdpToServer))?;
    ensure!(out.lost() > 100 && back.lost() == 0, "outwards cut, lost {} out, {} back", out.lost(), back.lost());
    let (out, back, _) = streaming(world, |_| during(Fault::UdpToClient))?;
    ensure!(out.lost() == 0 && back.lost() > 100, "inwards cut, lost {} out, {} back", out.lost(), back.lost());
    let (out, back, _) = streaming(world, |port| during(Fault::UdpFlowSilent { client_port: port }))?;
    ensure!(out.lost() > 100 && back.lost() > 100, "flow cut, lost {} out, {} back", out.lost(), back.lost());
    Ok(())
}
