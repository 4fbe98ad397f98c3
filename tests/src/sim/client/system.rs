//! What this computer's system tells: networks, sleep, and our own ticks.

use super::Client;
use crate::sim::net::NAME_SERVER;
use crate::sim::time::Task;
use engine::deciders::picture::Picture;
use engine::deciders::stood_still;
use record::Fact;
use record::fact::{Destination, Net, Power, Reachability, Signaling, System};
use std::net::IpAddr;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);
const LOAD_EVERY: u32 = 100;

pub fn begin(client: &Client) -> Vec<Task> {
    let power = Power::Supply { on_battery: false, percent: None, found: true };
    let servers = if client.by_name { vec![NAME_SERVER.into()] } else { vec![] };
    client.note(Net::Resolvers { servers, found: true });
    client.note(Net::SystemProxy { proxy: None, script: false, found: true });
    client.note(power);
    vec![client.program.spawn(beat(client.clone())), client.program.spawn(watch(client.clone()))]
}

async fn beat(client: Client) {
    let mut last = client.now();
    for count in 1u32.. {
        client.sleep(TICK).await;
        let now = client.now();
        if stood_still(last, now) {
            client.note(System::TicksMissed { since: last });
        }
        last = now;
        if count.is_multiple_of(LOAD_EVERY) {
            client.note(System::Load { own_cpu: 2.0, own_mb: 19.0, machine_cpu: client.net.0.station.load() });
        }
    }
}

async fn watch(client: Client) {
    let mut facts = client.recorder.listen();
    let mut picture = Picture::default();
    let mut far: Option<IpAddr> = None;
    let station = &client.net.0.station;
    note(&client, picture.see(station.look()));
    loop {
        ways(&client, &mut picture, far);
        tokio::select! {
            biased;
            () = station.told() => {
                for word in station.take_power() {
                    client.note(word);
                }
                for news in station.take_news() {
                    note(&client, picture.hear(news));
                }
            }
            Some(event) = facts.recv() => {
                if let Fact::Signaling(Signaling::TcpConnected { remote, .. }) = &event.fact
                    && let Some(remote) = remote.ip().plain()
                    && far.replace(remote) != Some(remote)
                {
                    picture.another_far_end();
                }
            }
        }
    }
}

fn ways(client: &Client, picture: &mut Picture, far: Option<IpAddr>) {
    let way = client.net.0.station.way();
    note(client, picture.way(Destination::Ipv4, way.clone()));
    note(client, picture.way(Destination::Ipv6, None));
    if far.is_some() {
        note(client, picture.way(Destination::FarEnd, way));
    }
    for (index, address) in picture.unknown_gateways() {
        note(client, picture.gateway(index, address, Some(Reachability::Reachable)));
    }
}

fn note(client: &Client, facts: Vec<Net>) {
    for fact in facts {
        client.note(fact);
    }
}
