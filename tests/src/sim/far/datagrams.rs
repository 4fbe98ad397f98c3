//! The far end's UDP port beside the call: echo, and the late words of UDP lanes.

use super::call::Call;
use super::{Inner, PORT};
use crate::sim::net::{SERVER, UdpSocket};
use crate::sim::packet::Datagram;
use record::fact::{LaneSight, Sight};
use record::wire::datagram::{Datagram as Worded, FromClient, FromFar};
use record::{Stamp, millis};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

struct Flow {
    last: Cell<Stamp>,
    spoke: Cell<bool>,
    heard: Cell<bool>,
    quiet: Cell<Duration>,
}

/// One packet may be lost, and three hardly.
const LATE: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(900)];

pub async fn answer(far: Rc<Inner>) {
    let socket = Rc::new(UdpSocket::bind(&far.net, Some(SERVER), PORT));
    let mut flows: BTreeMap<u32, Rc<Flow>> = BTreeMap::new();
    loop {
        let (from, Datagram::Said(Worded { nonce, lane, say })) = socket.next().await else { continue };
        let now = far.program.now();
        let told = |say| {
            let _ = socket.send(from, Datagram::Told(Worded { nonce, lane, say }));
        };
        let seen = from;
        match say {
            FromClient::Echo => told(FromFar::Echo { seen, pass: 1 }),
            FromClient::Stand { speak_after_ms, answer, .. } => {
                let Some(call) = any_call(&far) else { continue };
                let fresh = !flows.contains_key(&lane);
                let flow = flows.entry(lane).or_insert_with(|| Rc::new(Flow::new(now)));
                flow.last.set(now);
                if fresh {
                    call.saw(now, Sight::Lane { lane, sight: LaneSight::Stood { from: from.into() } });
                    let (far, socket, flow) = (Rc::clone(&far), Rc::clone(&socket), Rc::clone(flow));
                    let wait = Duration::from_millis(speak_after_ms.into());
                    let speaks = speak(Rc::clone(&far), socket, flow, call, (nonce, lane, from), wait);
                    far.program.spawn(speaks).detach();
                }
                if answer {
                    told(FromFar::Standing { seen });
                }
            }
            FromClient::Word => {
                let Some(flow) = flows.get(&lane) else {
                    told(FromFar::Unknown);
                    continue;
                };
                if !flow.heard.replace(true)
                    && let Some(call) = any_call(&far)
                {
                    let quiet_ms = millis(now.since(flow.last.get()));
                    call.saw(now, Sight::Lane { lane, sight: LaneSight::Heard { quiet_ms } });
                }
                let quiet_ms = flow.quiet.get().as_millis() as u32;
                told(FromFar::Word { seen, quiet_ms, spoke: flow.spoke.get() });
            }
        }
    }
}

impl Flow {
    fn new(now: Stamp) -> Self {
        let (spoke, heard, quiet) = (Cell::default(), Cell::default(), Cell::default());
        Self { last: Cell::new(now), spoke, heard, quiet }
    }
}

/// There is one caller, and one call at a time.
fn any_call(far: &Inner) -> Option<Rc<Call>> {
    far.calls.borrow().values().next_back().cloned()
}

async fn speak(
    far: Rc<Inner>,
    socket: Rc<UdpSocket>,
    flow: Rc<Flow>,
    call: Rc<Call>,
    (nonce, lane, to): (u64, u32, SocketAddr),
    wait: Duration,
) {
    loop {
        let quiet = far.program.now().since(flow.last.get());
        if quiet >= wait {
            break;
        }
        far.program.sleep(wait - quiet).await;
    }
    let quiet = far.program.now().since(flow.last.get());
    flow.quiet.set(quiet);
    flow.spoke.set(true);
    call.saw(far.program.now(), Sight::Lane { lane, sight: LaneSight::Spoke { quiet_ms: millis(quiet) } });
    let began = far.program.now().awake;
    for after in LATE {
        far.program.sleep_until(began + after).await;
        if flow.heard.get() {
            return;
        }
        let say = FromFar::Late { quiet_ms: quiet.as_millis() as u32 };
        let _ = socket.send(to, Datagram::Told(Worded { nonce, lane, say }));
    }
}
