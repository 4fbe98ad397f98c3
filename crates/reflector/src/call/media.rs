//! The call's media: the PeerConnection that answers its offers, and how many candidates these may bring.

use super::Input;
use crate::account::Account;
use crate::peer::Peer;
use crate::server::House;
use anyhow::ensure;
use engine::call::peer::BindWhere;
use record::fact::Sight;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// Each candidate is an address we send checks to, so a stranger must not name them without end. A computer with every
/// kind of network and relay has some thirty.
const CANDIDATES_AN_OFFER: u32 = 64;

pub struct Media {
    house: Arc<House>,
    account: Arc<Account>,
    to_call: UnboundedSender<Input>,
    /// Absent until an offer was accepted.
    peer: Option<Peer>,
    /// Of the caller's, since its last offer.
    candidates: u32,
}

impl Media {
    pub fn new(house: Arc<House>, account: Arc<Account>, to_call: UnboundedSender<Input>) -> Self {
        Self { house, account, to_call, peer: None, candidates: 0 }
    }

    /// Gives the answer. `local` is where the offer reached us.
    pub async fn offered(&mut self, offer: String, local: Option<IpAddr>) -> anyhow::Result<String> {
        ensure!(
            offer.lines().filter(|line| line.starts_with("a=candidate:")).count() <= CANDIDATES_AN_OFFER as usize,
            "more than {CANDIDATES_AN_OFFER} candidates in one offer"
        );
        self.candidates = 0;
        let offer = self.house.outside.offer(offer);
        if let Some(peer) = &self.peer {
            return peer.answer(offer).await;
        }
        let (threads, outside) = (self.house.settings.media_threads, self.house.outside.clone());
        let account = Arc::clone(&self.account);
        let peer = Peer::new(self.where_to_bind(local), threads, outside, account, self.to_call.clone()).await?;
        match peer.answer(offer).await {
            Ok(answer) => {
                self.peer = Some(peer);
                Ok(answer)
            }
            Err(error) => {
                // It may be half configured; the next offer gets a fresh one.
                peer.close().await;
                Err(error)
            }
        }
    }

    fn where_to_bind(&self, local: Option<IpAddr>) -> BindWhere {
        let settings = &self.house.settings;
        match local.map(|ip| ip.to_canonical()) {
            Some(ip) if ip.is_loopback() && (settings.behind_proxy || settings.advertise.is_some()) => {
                BindWhere::Everywhere
            }
            // A caller from this computer: nothing else is needed, and nothing else must be able to disturb it.
            Some(ip) if ip.is_loopback() => BindWhere::Loopback,
            _ => BindWhere::Interfaces,
        }
    }

    pub async fn candidate(&mut self, candidate: String, mid: Option<String>, line: Option<u16>) -> anyhow::Result<()> {
        self.candidates = self.candidates.saturating_add(1);
        ensure!(self.candidates <= CANDIDATES_AN_OFFER, "more than {CANDIDATES_AN_OFFER} candidates for one offer");
        match &self.peer {
            Some(_) if self.house.outside.through.is_some() => Ok(()),
            Some(peer) => peer.candidate(candidate, mid, line).await,
            None => anyhow::bail!("a candidate came before an offer that was accepted"),
        }
    }

    pub fn totals(&self) -> Sight {
        self.account.totals()
    }

    pub async fn close(self) {
        if let Some(peer) = self.peer {
            peer.close().await;
        }
    }
}
