//! What rules ask of the controls: did one answer through a loss, or did it fall silent with it?

use super::{At, Timeline};
use record::{Heard, Seq, Stamp, fact::ControlKind};
use std::time::Duration;

/// One control, from its first question on.
#[derive(Debug)]
pub struct Asked<'a> {
    pub kind: ControlKind,
    pub targets: Vec<(At, &'a Heard)>,
    /// It leaves out answers of its own accord, and that none came is not told.
    pub(super) rationed: bool,
    pub silences: Vec<Unheard>,
    pub(super) told: Vec<Told>,
    pub portals: Vec<Portal<'a>>,
}

/// Some seconds of questions, told together.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub at: At,
    pub asked: u32,
    pub answered: u32,
    /// The last answer up to then.
    pub last_ok: Stamp,
}

/// A stretch in which a control was not answered.
#[derive(Clone, Copy, Debug)]
pub struct Unheard {
    pub at: At,
    /// When the first question without an answer was put.
    pub since: Stamp,
    pub last_ok: Option<Stamp>,
    /// It was answered that nobody listens: no silence of the way.
    pub refused: bool,
    pub back: Option<At>,
}

/// A stretch in which somebody else answered a plain web question.
#[derive(Clone, Copy, Debug)]
pub struct Portal<'a> {
    pub at: At,
    pub status: u16,
    pub leads_to: Option<&'a Heard>,
    pub gone: Option<At>,
}

/// A question is put again for so long before its silence is told.
const OVERDUE: Duration = Duration::from_secs(2);
/// Answers are told together, every five seconds and the less often the more controls there are; a little late on a busy
/// machine.
const TOLD_WITHIN: Duration = Duration::from_secs(15);
/// A question was on its way when everything stopped, or the last packet of the call was older than its answer.
const ASKED_BEFORE: Duration = Duration::from_secs(1);

/// A packet is lost now and then, and its question is put again: so many, and one in four, are no silence.
const STRAYS: u32 = 2;

/// How far apart questions are: what costs the other side a connection or a page is asked less often.
fn apart(kind: ControlKind) -> Duration {
    match kind {
        ControlKind::Gateway | ControlKind::Dns | ControlKind::Stun | ControlKind::FarUdp => Duration::from_secs(1),
        ControlKind::Https | ControlKind::FarTcp => Duration::from_secs(2),
        ControlKind::Portal => Duration::from_secs(10),
    }
}

/// Through a shorter loss a control may have been cut off without a word of it, so nothing is said for it.
pub fn shortest(kind: ControlKind) -> Duration {
    apart(kind) + OVERDUE
}

impl<'a> Asked<'a> {
    pub(super) fn new(kind: ControlKind) -> Self {
        Self { kind, targets: Vec::new(), rationed: false, silences: Vec::new(), told: Vec::new(), portals: Vec::new() }
    }

    pub fn target(&self, at: Stamp) -> Option<&'a Heard> {
        let after = self.targets.partition_point(|(told, _)| told.stamp <= at);
        self.targets.get(after.saturating_sub(1)).map(|(_, target)| *target)
    }

    /// The event that tells of an answer well after `from`, where it was never silent between the two. Where a silence need
    /// not have been told, the answer itself must lie between them.
    fn lived(&self, from: Stamp, to: Stamp) -> Option<Seq> {
        let open = self.silences.partition_point(|silence| silence.back.is_some_and(|back| back.stamp < from));
        if self.silences.get(open).is_some_and(|silence| silence.since <= to) {
            return None;
        }
        let first = self.told.partition_point(|told| told.at.stamp < from);
        let mut near = self.told[first..].iter().take_while(|told| told.at.stamp <= to.plus(TOLD_WITHIN));
        let lives = |last_ok: Stamp| last_ok >= from.plus(shortest(self.kind)) && (!self.rationed || last_ok <= to);
        let told = near.find(|told| lives(told.last_ok))?;
        (self.rationed || self.kept_pace(from, to)).then_some(told.at.seq)
    }

    /// It was asked, and answered, from one moment to the other as often as it is meant to be: not where there was no way
    /// to ask, nor while this program did not run.
    fn kept_pace(&self, from: Stamp, to: Stamp) -> bool {
        let first = self.told.partition_point(|told| told.at.stamp < from);
        let last = self.told.partition_point(|told| told.at.stamp < to);
        let over = self.told.get(first..(last + 1).min(self.told.len())).unwrap_or_default();
        let before = first.checked_sub(1).and_then(|before| self.told.get(before)).map(|told| told.at);
        let began = before.or(self.targets.first().map(|(at, _)| *at));
        let (Some(began), Some(ended)) = (began, over.last()) else { return false };
        let sum = |count: fn(&Told) -> u32| over.iter().fold(0u32, |sum, told| sum.saturating_add(count(told)));
        let (asked, answered) = (sum(|told| told.asked), sum(|told| told.answered));
        // One answer on either side of the stretch may be just outside of it.
        // Asleep, nobody asks.
        let paced = ended.at.stamp.awake_since(began.stamp) <= apart(self.kind) * answered.saturating_add(2);
        let strays = asked.saturating_sub(answered) <= STRAYS.saturating_add(answered / 4);
        paced && strays && ended.at.stamp.plus(TOLD_WITHIN) >= to
    }

    /// Answered before a stretch and after it, with no silence told: the event that tells of the later answer, and its moment.
    fn answered_around(&self, from: Stamp, to: Stamp) -> Option<(Seq, Stamp)> {
        let open = self.silences.partition_point(|silence| silence.back.is_some_and(|back| back.stamp < from));
        let silent = self.silences.get(open).is_some_and(|silence| silence.since <= to);
        let after = self.told.partition_point(|told| told.at.stamp <= to);
        let (earlier, later) = self.told.split_at(after);
        let before = earlier.last()?.last_ok;
        let later = later.iter().find(|told| told.last_ok > to)?;
        (!silent && before <= from && from.since(before) <= TOLD_WITHIN).then_some((later.at.seq, later.last_ok))
    }

    /// The silence that began with a loss whose onset lies between the two, and outlasted it.
    fn fell_silent(&self, good: Stamp, bad: Stamp) -> Option<&Unheard> {
        let first = self.silences.partition_point(|silence| silence.since < good.minus(ASKED_BEFORE));
        let silence = self.silences.get(first)?;
        let with_it = silence.since <= bad.plus(apart(self.kind) + ASKED_BEFORE)
            && silence.back.is_none_or(|back| back.stamp > bad);
        (with_it && silence.last_ok.is_some()).then_some(silence)
    }

    /// The silence that lasts at a moment.
    pub fn silent_at(&self, at: Stamp) -> Option<&Unheard> {
        let open = self.silences.partition_point(|silence| silence.back.is_some_and(|back| back.stamp <= at));
        self.silences.get(open).filter(|silence| silence.since <= at.plus(OVERDUE))
    }

    /// The portal that stands at a moment.
    fn portal_at(&self, at: Stamp) -> Option<&Portal<'a>> {
        let after = self.portals.partition_point(|portal| portal.at.stamp <= at);
        let last = self.portals.get(after.checked_sub(1)?)?;
        last.gone.is_none_or(|gone| gone.stamp > at).then_some(last)
    }
}

impl<'a> Timeline<'a> {
    pub fn controls(&self) -> impl Iterator<Item = &Asked<'a>> {
        self.surroundings.controls.values()
    }

    pub fn controls_of(&self, kind: ControlKind) -> impl Iterator<Item = &Asked<'a>> {
        self.controls().filter(move |asked| asked.kind == kind)
    }

    /// One of this kind answered from one moment to the other: the event that shows it.
    pub fn control_alive(&self, kind: ControlKind, from: Stamp, to: Stamp) -> Option<Seq> {
        if to.since(from) < shortest(kind) {
            return None;
        }
        self.controls_of(kind).find_map(|asked| asked.lived(from, to))
    }

    /// One of this kind answered on both sides of a stretch: the event that shows it, and when it was answered after.
    pub fn control_answered_around(&self, kind: ControlKind, from: Stamp, to: Stamp) -> Option<(Seq, Stamp)> {
        self.controls_of(kind).find_map(|asked| asked.answered_around(from, to))
    }

    /// The same of a stretch that may be long. Names are asked for in two ways, and one may answer from memory: both must.
    pub fn control_alive_throughout(&self, kind: ControlKind, from: Stamp, to: Stamp) -> bool {
        let mut lines = self.controls_of(kind).filter(|asked| !asked.told.is_empty()).peekable();
        let through = |asked: &Asked| asked.lived(from, to).is_some();
        to.since(from) >= shortest(kind)
            && to.slept_since(from) < apart(kind)
            && lines.peek().is_some()
            && if kind == ControlKind::Dns { lines.all(through) } else { lines.any(through) }
    }

    /// Whoever is asked under this name answered after a moment.
    pub fn control_answered_after(&self, target: &str, moment: Stamp) -> bool {
        self.controls().any(|asked| {
            let same = asked.targets.last().is_some_and(|(_, named)| named.as_str() == target);
            same && asked.told.last().is_some_and(|told| told.last_ok >= moment)
        })
    }

    /// One of this kind fell silent with a loss that began between the two moments, and none of it answered on.
    pub fn control_silent(&self, kind: ControlKind, good: Stamp, bad: Stamp) -> Option<&Unheard> {
        let (_, silence) = self.controls_silent(kind, good, bad).next()?;
        let until = bad.plus(shortest(kind));
        self.controls_of(kind).all(|asked| asked.lived(good, until).is_none()).then_some(silence)
    }

    /// All of this kind that fell silent with it.
    pub fn controls_silent(
        &self,
        kind: ControlKind,
        good: Stamp,
        bad: Stamp,
    ) -> impl Iterator<Item = (&Asked<'a>, &Unheard)> {
        self.controls_of(kind).filter_map(move |asked| Some((asked, asked.fell_silent(good, bad)?)))
    }

    /// None of this kind has ever been answered up to this moment, though it was asked: the event that shows it.
    pub fn control_never_answered(&self, kind: ControlKind, by: Stamp) -> Option<At> {
        let never = |asked: &Asked| {
            asked
                .silences
                .first()
                .filter(|silence| {
                    silence.last_ok.is_none()
                        && silence.at.stamp <= by
                        && silence.back.is_none_or(|back| back.stamp > by)
                })
                .map(|silence| silence.at)
        };
        let all: Option<Vec<At>> = self.controls_of(kind).map(never).collect();
        all?.first().copied()
    }

    /// A sign-in page that began to stand between the two moments.
    pub fn portal_in(&self, from: Stamp, to: Stamp) -> Option<&Portal<'a>> {
        self.controls().find_map(|asked| {
            let first = asked.portals.partition_point(|portal| portal.at.stamp < from);
            asked.portals.get(first).filter(|portal| portal.at.stamp <= to)
        })
    }

    pub fn portal_at(&self, at: Stamp) -> Option<&Portal<'a>> {
        self.controls().find_map(|asked| asked.portal_at(at))
    }
}
