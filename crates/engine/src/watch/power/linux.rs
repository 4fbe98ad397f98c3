//! Linux: logind tells of sleep and the lid, the kernel of the batteries.

use super::{Event, LOOK_EVERY, Teller};
use crate::logind::{self, ManagerProxy, WHO};
use futures_util::StreamExt;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use zbus::OwnedFd;

const LID_WITHIN: Duration = Duration::from_millis(200);

pub async fn sleep(teller: Teller) -> String {
    let Err(why) = watch_logind(&teller).await;
    format!("{why} to tell of sleep; sleeps are seen from the clocks alone")
}

async fn watch_logind(teller: &Teller) -> Result<std::convert::Infallible, String> {
    let manager = logind::manager().await?;
    let told = |error: zbus::Error| logind::why(&error);
    // Asked for before the first question, so that nothing falls between the two.
    let mut sleeps = manager.receive_prepare_for_sleep().await.map_err(told)?;
    let mut delay = delay(&manager).await?;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            signal = sleeps.next() => {
                let signal = signal.ok_or("the system's D-Bus has gone, and there is nobody")?;
                // Of another shape than logind's: from somebody else.
                let Ok(signal) = signal.args() else { continue };
                if signal.begins {
                    teller.tell(Event::AboutToSleep);
                    // The lid is open again when the computer wakes.
                    look_at_lid(&manager, teller).await;
                    let settling = teller.clone();
                    if let Err(error) = tokio::task::spawn_blocking(move || settling.settle()).await {
                        tracing::warn!("the log was not synced before sleep: {error}");
                    }
                    drop(delay.take());
                } else {
                    teller.tell(Event::Woke);
                    delay = self::delay(&manager).await?;
                }
            }
            _ = look.tick() => look_at_lid(&manager, teller).await,
        }
    }
}

/// Nothing where the rules forbid it: then sleep is told all the same, and the log's last second may be lost to it.
async fn delay(manager: &ManagerProxy<'_>) -> Result<Option<OwnedFd>, String> {
    match manager.inhibit("sleep", WHO, "to save the record of the call before sleep", "delay").await {
        Ok(held) => Ok(Some(held)),
        Err(error) if logind::is_absence(&error) => Err(logind::why(&error)),
        Err(error) => {
            tracing::info!("sleep is not delayed for the log: {error}");
            Ok(None)
        }
    }
}

/// logind answers at once or is in trouble, and sleep waits for us meanwhile. Older versions do not know of lids; then there
/// is none to speak of.
async fn look_at_lid(manager: &ManagerProxy<'_>, teller: &Teller) {
    let looking = tokio::time::timeout(LID_WITHIN, manager.lid_closed());
    if let Ok(Ok(closed)) = looking.await {
        teller.tell(Event::Lid { closed });
    }
}

pub async fn supply(teller: Teller) -> String {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        // Some batteries answer slowly.
        match tokio::task::spawn_blocking(|| read(Path::new("/sys/class/power_supply"))).await {
            Ok(event) => teller.tell(event),
            Err(error) => return format!("reading the batteries failed ({error})"),
        }
    }
}

/// A computer without a battery runs on mains power, also where it tells of no supply at all.
fn read(supplies: &Path) -> Event {
    let mut plugs = Vec::new();
    let (mut discharging, mut charges) = (false, Vec::new());
    // No such folder: no battery, as in most virtual machines.
    for supply in fs::read_dir(supplies).into_iter().flatten().flatten() {
        let read = |name: &str| fs::read_to_string(supply.path().join(name)).unwrap_or_default().trim().to_owned();
        match read("type").as_str() {
            "Mains" | "USB" => plugs.push(read("online") != "0"),
            // Those of mice and headsets have the scope `Device`.
            "Battery" if read("scope") != "Device" => {
                discharging |= read("status") == "Discharging";
                charges.extend(read("capacity").parse::<f64>());
            }
            _ => {}
        }
    }
    let plugged = plugs.iter().any(|online| *online);
    let told_unplugged = !plugs.is_empty() && !plugged;
    let has_battery = discharging || !charges.is_empty();
    let percent = (!charges.is_empty()).then(|| charges.iter().sum::<f64>() / charges.len() as f64);
    Event::Supply { on_battery: has_battery && !plugged && (discharging || told_unplugged), percent }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each supply is its name and its files, as `name=content`.
    fn of(supplies: &[(&str, &[&str])]) -> (bool, Option<f64>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, files) in supplies {
            let supply = folder.path().join(name);
            fs::create_dir(&supply).unwrap();
            for file in *files {
                let (file, content) = file.split_once('=').unwrap();
                fs::write(supply.join(file), format!("{content}\n")).unwrap();
            }
        }
        let Event::Supply { on_battery, percent } = read(folder.path()) else { panic!("a supply is asked for") };
        (on_battery, percent)
    }

    #[test]
    fn what_the_kernel_tells_of_plugs_and_batteries_is_understood() {
        let (on, off) = (["type=Mains", "online=1"], ["type=Mains", "online=0"]);
        let full = ["type=Battery", "status=Full", "capacity=100"];
        let drains = ["type=Battery", "status=Discharging", "capacity=60"];
        let mouse = ["type=Battery", "scope=Device", "status=Discharging", "capacity=3"];
        assert_eq!(of(&[]), (false, None), "no battery: a desktop or a virtual machine");
        assert_eq!(of(&[("AC", &on), ("BAT0", &full)]), (false, Some(100.0)));
        assert_eq!(of(&[("AC", &off), ("BAT0", &drains)]), (true, Some(60.0)));
        assert_eq!(of(&[("AC", &off), ("BAT0", &full)]), (true, Some(100.0)), "unplugged a moment ago");
        assert_eq!(of(&[("AC", &on), ("BAT0", &drains)]), (false, Some(60.0)), "the plug gives too little");
        assert_eq!(of(&[("BAT0", &drains), ("BAT1", &full)]), (true, Some(80.0)), "two, and no word of a plug");
        assert_eq!(of(&[("hid", &mouse)]), (false, None), "a mouse's battery is not ours");
        assert_eq!(of(&[("USB", &["type=USB", "online=1"]), ("BAT0", &drains)]), (false, Some(60.0)));
        assert_eq!(of(&[("BAT0", &["type=Battery", "status=Discharging", "capacity=x"])]), (true, None));
    }

    #[test]
    fn a_missing_folder_is_no_battery() {
        let nowhere = Path::new("/no/such/folder");
        assert_eq!(read(nowhere), Event::Supply { on_battery: false, percent: None });
    }
}
