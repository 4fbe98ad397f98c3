//! Which calls there are: who may begin one, and how a ticket leads back to one.

use crate::account::Account;
use crate::call::Input;
use crate::metrics::Metrics;
use crate::settings::Limits;
use engine::Clock;
use record::Stamp;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedSender;

pub struct Calls {
    limits: Limits,
    clock: Clock,
    metrics: Arc<Metrics>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    standing: BTreeMap<u64, Standing>,
    by_ticket: BTreeMap<String, u64>,
    by_address: BTreeMap<IpAddr, usize>,
}

struct Standing {
    to_call: UnboundedSender<Input>,
    account: Arc<Account>,
}

/// A place among the calls, given back when it is dropped, however the call ends.
pub struct Seat {
    calls: Arc<Calls>,
    number: u64,
    ticket: String,
    address: IpAddr,
    began: Stamp,
}

impl Calls {
    pub fn new(limits: Limits, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self { limits, clock, metrics, table: Mutex::default() }
    }

    /// Or says which limit is reached.
    pub fn take_seat(
        self: &Arc<Self>,
        address: IpAddr,
        ticket: &str,
        to_call: UnboundedSender<Input>,
        account: Arc<Account>,
    ) -> Result<Seat, String> {
        let address = household(address);
        let mut table = self.table.lock().expect("no holder panics");
        if table.standing.len() >= self.limits.calls {
            return Err(format!("all {} calls of this reflector are taken", self.limits.calls));
        }
        let here = table.by_address.entry(address).or_default();
        if *here >= self.limits.calls_per_address {
            return Err(format!("all {} calls of your address are taken", self.limits.calls_per_address));
        }
        *here += 1;
        let number = table.next;
        table.next += 1;
        table.standing.insert(number, Standing { to_call, account });
        table.by_ticket.insert(ticket.to_owned(), number);
        drop(table);
        self.metrics.call_began();
        let began = self.clock.now();
        Ok(Seat { calls: Arc::clone(self), number, ticket: ticket.to_owned(), address, began })
    }

    /// The call that a ticket belongs to. Tickets are 128 random bits: there is nothing to be learned from how long the
    /// search takes.
    pub fn by_ticket(&self, ticket: &str) -> Option<UnboundedSender<Input>> {
        let table = self.table.lock().expect("no holder panics");
        let number = table.by_ticket.get(ticket)?;
        table.standing.get(number).map(|standing| standing.to_call.clone())
    }

    /// One look at every call for media that stopped.
    pub fn look(&self, now: Stamp) {
        for account in self.accounts() {
            account.look(now);
        }
    }

    /// We did not run from `from` to `to`: every caller is told, or would look for the fault on the way.
    pub fn stood_still(&self, from: Stamp, to: Stamp) {
        for account in self.accounts() {
            account.stood_still(from, to);
        }
    }

    fn accounts(&self) -> Vec<Arc<Account>> {
        let table = self.table.lock().expect("no holder panics");
        table.standing.values().map(|standing| Arc::clone(&standing.account)).collect()
    }

    pub fn count(&self) -> usize {
        self.table.lock().expect("no holder panics").standing.len()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.calls.table.lock().expect("no holder panics");
        table.standing.remove(&self.number);
        table.by_ticket.remove(&self.ticket);
        if let Some(here) = table.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                table.by_address.remove(&self.address);
            }
        }
        drop(table);
        self.calls.metrics.call_ended(self.began, self.calls.clock.now());
    }
}

/// Whoever has one IPv6 address has the whole /64 around it.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    fn calls(calls: usize, calls_per_address: usize) -> Arc<Calls> {
        let limits = Limits { calls, calls_per_address, ..Limits::default() };
        Arc::new(Calls::new(limits, Clock::real(), Arc::default()))
    }
    fn enter(calls: &Arc<Calls>, address: &str, ticket: &str) -> Result<Seat, String> {
        let account = Arc::new(Account::new(Clock::real(), |_, _| {}));
        calls.take_seat(address.parse().unwrap(), ticket, unbounded_channel().0, account)
    }

    #[test]
    fn a_seat_given_back_is_free_again_and_its_ticket_void() {
        let calls = calls(2, 1);
        let first = enter(&calls, "192.0.2.1", "a").unwrap();
        assert!(enter(&calls, "192.0.2.1", "b").is_err_and(|says| says.contains("your address")));
        let _second = enter(&calls, "192.0.2.2", "c").unwrap();
        assert!(enter(&calls, "192.0.2.3", "d").is_err_and(|says| says.contains("this reflector")));
        assert!(calls.by_ticket("a").is_some());
        drop(first);
        assert!(calls.by_ticket("a").is_none());
        assert!(enter(&calls, "192.0.2.1", "e").is_ok());
        assert_eq!(calls.count(), 1);
    }

    #[test]
    fn one_ipv6_household_is_one_address_and_a_mapped_ipv4_is_itself() {
        let calls = calls(10, 1);
        let _first = enter(&calls, "2001:db8:0:1::5", "a").unwrap();
        assert!(enter(&calls, "2001:db8:0:1:ffff::6", "b").is_err());
        assert!(enter(&calls, "2001:db8:0:2::5", "c").is_ok());
        let _fourth = enter(&calls, "192.0.2.1", "d").unwrap();
        assert!(enter(&calls, "::ffff:192.0.2.1", "e").is_err());
    }
}
