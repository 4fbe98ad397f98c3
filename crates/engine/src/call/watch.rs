//! What the stack does not tell by itself: it is asked ten times a second which pair carries the packets and how DTLS
//! stands, and whether it still answers at all.

use super::instruments::Instruments;
use super::lifeline::Lifeline;
use super::{CallEvent, candidates};
use record::Heard;
use record::fact::Ice;
use rtc::peer_connection::transport::{RTCDtlsTransportState, RTCIceCandidatePair};
use std::sync::Arc;
use std::time::Duration;
use webrtc::peer_connection::transport::DtlsTransport;
use webrtc::rtp_transceiver::RtpSender;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The stack answers such a question in microseconds; a stack that needs so long does not work any more.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

pub async fn watch(sender: Arc<dyn RtpSender>, instruments: Arc<Instruments>, lifeline: Arc<Lifeline>) {
    let mut seen = Seen::default();
    let mut transport = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let look = async {
            if transport.is_none() {
                transport = sender.transport().await.ok().flatten();
            }
            match &transport {
                Some(transport) => Some(look(transport).await),
                None => None,
            }
        };
        match tokio::time::timeout(ANSWER_WITHIN, look).await {
            Ok(Some(now)) => seen.compare(now, &instruments, &lifeline),
            Ok(None) => {}
            Err(_) => lifeline.died(&format!("it has not answered for {} s", ANSWER_WITHIN.as_secs())),
        }
    }
}

#[derive(Default)]
struct Seen {
    dtls: RTCDtlsTransportState,
    pair: Option<RTCIceCandidatePair>,
}

async fn look(transport: &Arc<dyn DtlsTransport>) -> Seen {
    // An error says that there is no such transport yet or any more, which is also what the default says.
    let dtls = transport.state().await.unwrap_or_default();
    let pair = transport.ice_transport().get_selected_candidate_pair().await.ok().flatten();
    Seen { dtls, pair }
}

impl Seen {
    fn compare(&mut self, now: Self, instruments: &Instruments, lifeline: &Lifeline) {
        if now.dtls != self.dtls && now.dtls != RTCDtlsTransportState::Unspecified {
            instruments.note(Ice::Dtls { state: Heard::new(&now.dtls.to_string()) });
            match now.dtls {
                // ICE goes on as if nothing had happened when the far end says goodbye.
                RTCDtlsTransportState::Closed => lifeline.tell(CallEvent::FarEndClosed),
                RTCDtlsTransportState::Failed => lifeline.tell(CallEvent::Failed),
                _ => {}
            }
            self.dtls = now.dtls;
        }
        // While a restart looks for a pair there is none; packets then take none, and the next one is news only if it
        // is another.
        if let Some(pair) = now.pair
            && self.pair.as_ref() != Some(&pair)
        {
            if let Some(fact) = candidates::pair(&pair) {
                instruments.note(fact);
            }
            self.pair = Some(pair);
        }
    }
}
