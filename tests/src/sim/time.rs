//! Time that is computed: events in their order, computers that may sleep, and programs on them that may stand still.
//!
//! ```text
//! Time      what is due next, anywhere; everything else stands still until then
//! Computer  its three clocks, and what its kernel and its programs wait for: it waits in awake time
//! Program   tasks that run while the program does; dropped with it
//! ```

use engine::Clock;
use record::{Micros, Stamp};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

type Deed = Box<dyn FnOnce()>;
/// When, and the how manieth of that moment.
type Turn = (u64, u64);

/// In one moment; beyond it, somebody waits for nothing again and again.
const MOST_TURNS: u32 = 100_000;

#[derive(Clone, Default)]
pub struct Time(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<u64>,
    turns: Cell<u64>,
    due: RefCell<BTreeMap<Turn, Deed>>,
    computers: RefCell<Vec<Computer>>,
}

impl Time {
    /// Since the beginning of the world.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.0.now.get())
    }

    pub fn after(&self, wait: Duration, deed: impl FnOnce() + 'static) {
        let turn = (self.0.now.get() + wait.as_micros() as u64, self.turn());
        self.0.due.borrow_mut().insert(turn, Box::new(deed));
    }

    pub fn computer(&self, start: Stamp) -> Computer {
        let inner = Machine {
            time: Rc::downgrade(&self.0),
            clock: Clock::scripted(start),
            asleep: Cell::default(),
            due: RefCell::default(),
            programs: RefCell::default(),
        };
        let computer = Computer(Rc::new(inner));
        self.0.computers.borrow_mut().push(computer.clone());
        computer
    }

    fn turn(&self) -> u64 {
        self.0.turns.replace(self.0.turns.get() + 1)
    }

    /// Until `done` says so, or that long.
    pub fn run(&self, most: Duration, done: impl Fn() -> bool) {
        let end = self.0.now.get() + most.as_micros() as u64;
        let computers = self.0.computers.borrow().clone();
        loop {
            let mut turns = 0u32;
            while computers.iter().any(Computer::run_programs) {
                turns += 1;
                assert!(turns < MOST_TURNS, "something goes on without end at {:?}", self.now());
            }
            if done() {
                return;
            }
            let first = self.0.due.borrow().keys().next().copied();
            let of_computers = computers.iter().enumerate().filter_map(|(n, computer)| Some((computer.next()?, n)));
            let first_of_computers = of_computers.min();
            match (first, first_of_computers) {
                (_, Some((turn, n))) if first.is_none_or(|first| turn < first) => {
                    if turn.0 > end {
                        return self.forward_to(end, &computers);
                    }
                    self.forward_to(turn.0, &computers);
                    computers[n].do_next();
                }
                (Some(turn), _) => {
                    if turn.0 > end {
                        return self.forward_to(end, &computers);
                    }
                    self.forward_to(turn.0, &computers);
                    let deed = self.0.due.borrow_mut().remove(&turn);
                    deed.into_iter().for_each(|deed| deed());
                }
                (None, _) => return self.forward_to(end, &computers),
            }
        }
    }

    fn forward_to(&self, at: u64, computers: &[Computer]) {
        let passed = Duration::from_micros(at - self.0.now.replace(at));
        if !passed.is_zero() {
            computers.iter().for_each(|computer| computer.pass(passed));
        }
    }

    /// Drops whatever is still to come, which may hold on to this.
    pub fn end(&self) {
        let computers = std::mem::take(&mut *self.0.computers.borrow_mut());
        for computer in computers {
            let programs = std::mem::take(&mut *computer.0.programs.borrow_mut());
            programs.iter().for_each(Program::kill);
            let _due = std::mem::take(&mut *computer.0.due.borrow_mut());
        }
        let _due = std::mem::take(&mut *self.0.due.borrow_mut());
    }
}

/// What its clocks and its kernel do while it sleeps: nothing.
#[derive(Clone)]
pub struct Computer(Rc<Machine>);

struct Machine {
    time: Weak<Inner>,
    clock: Clock,
    asleep: Cell<bool>,
    /// In awake time.
    due: RefCell<BTreeMap<Turn, Deed>>,
    programs: RefCell<Vec<Program>>,
}

impl Computer {
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub fn now(&self) -> Stamp {
        self.0.clock.now()
    }

    pub fn is_asleep(&self) -> bool {
        self.0.asleep.get()
    }

    pub fn sleeps(&self, asleep: bool) {
        self.0.asleep.set(asleep);
    }

    /// As its kernel waits: through whatever its programs do, and not through sleep.
    pub fn after(&self, wait: Duration, deed: impl FnOnce() + 'static) {
        self.at(self.now().awake + wait, deed);
    }

    fn at(&self, awake: Micros, deed: impl FnOnce() + 'static) {
        let Some(time) = self.0.time.upgrade() else { return };
        self.0.due.borrow_mut().insert((awake.0, Time(time).turn()), Box::new(deed));
    }

    pub fn program(&self) -> Program {
        let inner = Running {
            computer: self.clone(),
            stands_still: Cell::default(),
            over: Cell::default(),
            numbers: Cell::default(),
            tasks: RefCell::default(),
            ready: Arc::default(),
        };
        let program = Program(Rc::new(inner));
        self.0.programs.borrow_mut().push(program.clone());
        program
    }

    /// In the world's time.
    fn next(&self) -> Option<Turn> {
        if self.is_asleep() {
            return None;
        }
        let (awake, turn) = *self.0.due.borrow().keys().next()?;
        let world = self.0.time.upgrade()?.now.get();
        Some((world + awake.saturating_sub(self.now().awake.0), turn))
    }

    fn do_next(&self) {
        let next = self.0.due.borrow_mut().pop_first();
        next.into_iter().for_each(|(_, deed)| deed());
    }

    fn pass(&self, d: Duration) {
        if self.is_asleep() { self.0.clock.sleep(d) } else { self.0.clock.advance(d) }
    }

    fn run_programs(&self) -> bool {
        if self.is_asleep() {
            return false;
        }
        let programs = self.0.programs.borrow().clone();
        let ran = programs.iter().any(Program::run);
        self.0.programs.borrow_mut().retain(|program| !program.0.over.get());
        ran
    }
}

/// One that runs on a computer.
#[derive(Clone)]
pub struct Program(Rc<Running>);

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Running {
    computer: Computer,
    stands_still: Cell<bool>,
    over: Cell<bool>,
    numbers: Cell<u64>,
    /// Absent while it is being polled.
    tasks: RefCell<BTreeMap<u64, Option<Work>>>,
    ready: Arc<Mutex<VecDeque<u64>>>,
}

/// Dropped, the task is too.
pub struct Task {
    program: Weak<Running>,
    number: u64,
}

impl Program {
    pub fn computer(&self) -> &Computer {
        &self.0.computer
    }

    pub fn now(&self) -> Stamp {
        self.0.computer.now()
    }

    pub fn is_over(&self) -> bool {
        self.0.over.get()
    }

    /// Stopped, as by SIGSTOP: its kernel goes on.
    pub fn stands_still(&self, still: bool) {
        self.0.stands_still.set(still);
    }

    pub fn kill(&self) {
        self.0.over.set(true);
        // What a task holds may end other tasks in turn.
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(tasks);
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Task {
        let number = self.0.numbers.replace(self.0.numbers.get() + 1);
        if !self.is_over() {
            self.0.tasks.borrow_mut().insert(number, Some(Box::pin(task)));
            self.0.ready.lock().expect("no holder panics").push_back(number);
        }
        Task { program: Rc::downgrade(&self.0), number }
    }

    pub fn sleep(&self, d: Duration) -> Sleep {
        self.sleep_until(self.now().awake + Duration::from_micros(d.as_nanos().div_ceil(1_000) as u64))
    }

    /// On the awake clock, as every timer of a program. No clock is finer than a microsecond, and nobody waits for less:
    /// who is woken a fraction of it too early goes round once more, and must find that time has passed.
    pub fn sleep_until(&self, awake: Micros) -> Sleep {
        let awake = awake.max(self.now().awake + Duration::from_micros(1));
        Sleep { computer: self.0.computer.clone(), awake, set: None }
    }

    pub async fn within<T>(&self, d: Duration, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = what => Some(done),
            () = self.sleep(d) => None,
        }
    }

    /// Whether there was anything to do.
    fn run(&self) -> bool {
        if self.0.stands_still.get() || self.is_over() {
            return false;
        }
        let mut ran = false;
        // In portions: one that wakes itself again and again must not keep this from coming back.
        for _ in 0..1_000 {
            let ready = self.0.ready.lock().expect("no holder panics").pop_front();
            let Some(number) = ready else { return ran };
            let task = self.0.tasks.borrow_mut().get_mut(&number).and_then(Option::take);
            let Some(mut task) = task else { continue };
            ran = true;
            let waker = Waker::from(Arc::new(Bell { number, ready: Arc::clone(&self.0.ready) }));
            let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
            let mut tasks = self.0.tasks.borrow_mut();
            match polled {
                Poll::Ready(()) => {
                    tasks.remove(&number);
                }
                // It may have been dropped by what it did itself.
                Poll::Pending => {
                    if let Some(place) = tasks.get_mut(&number) {
                        *place = Some(task);
                        continue;
                    }
                }
            }
            drop(tasks);
        }
        ran
    }
}

impl Task {
    /// Runs to its end, or to its program's.
    pub fn detach(mut self) {
        self.program = Weak::new();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let Some(program) = self.program.upgrade() else { return };
        let task = program.tasks.borrow_mut().remove(&self.number);
        drop(task);
    }
}

struct Bell {
    number: u64,
    ready: Arc<Mutex<VecDeque<u64>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().expect("no holder panics");
        if !ready.contains(&self.number) {
            ready.push_back(self.number);
        }
    }
}

pub struct Sleep {
    computer: Computer,
    awake: Micros,
    /// Who is woken, once it is set.
    set: Option<Rc<RefCell<Waker>>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.computer.now().awake >= self.awake {
            return Poll::Ready(());
        }
        match &self.set {
            Some(waker) => waker.borrow_mut().clone_from(cx.waker()),
            None => {
                let waker = Rc::new(RefCell::new(cx.waker().clone()));
                self.set = Some(Rc::clone(&waker));
                let of_sleeper = Rc::downgrade(&waker);
                self.computer.at(self.awake, move || {
                    if let Some(waker) = of_sleeper.upgrade() {
                        waker.borrow().wake_by_ref();
                    }
                });
            }
        }
        Poll::Pending
    }
}
