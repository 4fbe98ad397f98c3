//! What the systems' own numbers mean. Plain code, so that it is tested on every system.

use super::Event;

/// The callback of `PowerRegisterSuspendResumeNotification`. `RESUMEAUTOMATIC` comes with every waking; `RESUMESUSPEND`
/// follows it when a person is there, and would tell the same waking twice.
#[cfg(any(windows, test))]
pub fn windows_event(code: u32) -> Option<Event> {
    const SUSPEND: u32 = 4;
    const RESUME_AUTOMATIC: u32 = 18;
    match code {
        SUSPEND => Some(Event::AboutToSleep),
        RESUME_AUTOMATIC => Some(Event::Woke),
        _ => None,
    }
}

/// `SYSTEM_POWER_STATUS`: 255 means unknown in every field, bit 7 of the flag that there is no battery.
#[cfg(any(windows, test))]
pub fn windows_supply(ac_line: u8, battery_flag: u8, percent: u8) -> Option<Event> {
    const NO_BATTERY: u8 = 128;
    let has_battery = battery_flag != 255 && battery_flag & NO_BATTERY == 0;
    let on_battery = match ac_line {
        0 => true,
        1 => false,
        _ => return None,
    };
    let percent = (has_battery && percent <= 100).then_some(f64::from(percent));
    Some(Event::Supply { on_battery, percent })
}

/// What a message of `IORegisterForSystemPower` tells us, and whether the system waits for our consent.
#[cfg(any(target_os = "macos", test))]
pub fn macos_event(message: u32) -> (Option<Event>, Consent) {
    const BASE: u32 = 0xe000_0000;
    const CAN_SLEEP: u32 = BASE | 0x270;
    const WILL_SLEEP: u32 = BASE | 0x280;
    const HAS_POWERED_ON: u32 = BASE | 0x300;
    match message {
        CAN_SLEEP => (None, Consent::Wanted),
        WILL_SLEEP => (Some(Event::AboutToSleep), Consent::Wanted),
        HAS_POWERED_ON => (Some(Event::Woke), Consent::NotAsked),
        _ => (None, Consent::NotAsked),
    }
}

#[cfg(any(target_os = "macos", test))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// Without an answer the system waits half a minute for us, and sleeps then.
    Wanted,
    NotAsked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_waking_of_windows_is_told_once() {
        let (status_change, resume_suspend, setting) = (10, 7, 0x8013);
        let told: Vec<_> = [4, 18, resume_suspend, status_change, setting].into_iter().map(windows_event).collect();
        assert_eq!(told, [Some(Event::AboutToSleep), Some(Event::Woke), None, None, None]);
    }

    #[test]
    fn a_status_of_windows_with_unknowns_claims_nothing() {
        let supply = |on_battery, percent| Some(Event::Supply { on_battery, percent });
        assert_eq!(windows_supply(0, 1, 57), supply(true, Some(57.0)));
        assert_eq!(windows_supply(1, 8, 100), supply(false, Some(100.0)));
        assert_eq!(windows_supply(1, 128, 255), supply(false, None), "a desktop");
        assert_eq!(windows_supply(0, 1, 255), supply(true, None));
        assert_eq!(windows_supply(255, 255, 255), None);
    }

    #[test]
    fn macos_is_answered_where_it_waits_and_nowhere_else() {
        let message = |low: u32| macos_event(0xe000_0000 | low);
        assert_eq!(message(0x270), (None, Consent::Wanted));
        assert_eq!(message(0x280), (Some(Event::AboutToSleep), Consent::Wanted));
        assert_eq!(message(0x320), (None, Consent::NotAsked), "will power on: too early for anything");
        assert_eq!(message(0x300), (Some(Event::Woke), Consent::NotAsked));
        assert_eq!(message(0x290), (None, Consent::NotAsked), "somebody vetoed an idle sleep");
    }
}
