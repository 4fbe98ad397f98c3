use super::{Run, checked};
use record::fact::*;
#[test]
fn dump() {
    let black = Run::standing()
        .at(20.0)
        .media_stops()
        .stops_answering()
        .at(22.5)
        .resends(1, 2)
        .unanswered(1, 1.6, 2.6)
        .at(26.0)
        .ice_restarted()
        .at(26.4)
        .answered_again(1)
        .at(60.3)
        .time_up();
    let mut mixed = Run::standing()
        .plan(|p| {
            p.planned_s = 900.0;
            p.name = "Acme support: 15-minute hold".into()
        })
        .far_clock(12.0)
        .at(120.0)
        .stops_answering()
        .at(125.0)
        .at(125.6)
        .resends(1, 1)
        .at(126.2)
        .unanswered(1, 1.2, 6.2)
        .at(126.3)
        .closes(1, End::LetGo)
        .at(127.4)
        .reconnected(2, "a", true)
        .at(200.0)
        .media_stops()
        .at(200.7)
        .media_back()
        .at(270.0)
        .sleeps(130.0)
        .gap_found()
        .at(401.0)
        .closes_after(2, End::Reset, 132.0)
        .at(402.0)
        .reconnected(3, "a", true)
        .at(403.0)
        .ice_restarted();
    for (conn, at) in [(3u32, 560.0), (4, 620.0), (5, 680.1)] {
        mixed = mixed.at(at).closes_after(conn, End::Fin, 4.0).at(at + 1.2).reconnected(conn + 1, "a", true);
    }
    let mixed = mixed.at(800.0).clock_set_by(3).at(900.3).time_up();
    let held = Run::standing().at(60.3).time_up();
    let restart = Run::standing()
        .at(20.0)
        .closes(1, End::Fin)
        .media_stops()
        .at(21.0)
        .fails_to_connect(2, ConnectStage::Tcp, Trouble::Refused)
        .at(23.0)
        .reconnected(3, "b", false)
        .at(23.5)
        .flowing()
        .at(60.3)
        .time_up();
    let never = Run::begun()
        .at(0.1)
        .fails_to_connect(1, ConnectStage::Tcp, Trouble::Refused)
        .at(5.0)
        .note(Mark::Ended { by: EndedBy::NotEstablished });
    for (name, run) in [("black", black), ("mixed", mixed), ("held", held), ("restart", restart), ("never", never)] {
        let told = checked(&run.log());
        std::fs::write(format!("/tmp/x-{name}.svg"), crate::report::svg(&told)).unwrap();
        std::fs::write(
            format!("/tmp/x-{name}.txt"),
            format!(
                "{}\n\n{}\n",
                crate::report::text(&told, &jiff::tz::TimeZone::fixed(jiff::tz::offset(1))),
                crate::report::ticket(&told)
            ),
        )
        .unwrap();
        std::fs::write(format!("/tmp/x-{name}.json"), serde_json::to_string_pretty(&told.head).unwrap()).unwrap();
    }
}
