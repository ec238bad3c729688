//! What this process knows of every lane: estimates, made exact several times a second.

use chat_core::{Lane, Timestamp, ports::Announced};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::Notify;

/// A share that is taken even if nothing seems to be there.
const SMALL_SHARE: usize = 4;

/// What is known of one lane.
#[derive(Default)]
struct Cell {
    /// The most ids that may wait, whatever the slots.
    deepest: usize,
    /// How many ids wait in Redis or were promised a place, about.
    depth: AtomicI64,
    /// How many ids the workers of all processes take at once.
    slots: AtomicUsize,
    /// How many those of this process take.
    own_slots: AtomicUsize,
    /// Counts announcements of a backlog, as Redis last said; 0: there is none.
    backlog: AtomicU64,
    /// The announcement that SQL was asked about here, and held no more.
    asked: AtomicU64,
    /// Announced here, and Redis does not know it yet.
    unsaid: AtomicBool,
    /// SQL is to be asked, whatever Redis says of a backlog.
    look: AtomicBool,
    /// Something was put in: wakes who waits here, if ids are not waited for on the server.
    arrived: Notify,
    /// Wakes who takes from this lane when SQL is to be asked.
    told: Notify,
}

/// The lanes of this process.
pub(crate) struct LaneBoard {
    lanes: [Cell; Lane::ALL.len()],
    /// The earliest due time that the relay has not been told yet.
    due: Mutex<Option<Timestamp>>,
    /// Wakes the relay.
    relay: Notify,
}

/// What Redis says of a lane.
pub(super) struct Report {
    pub(super) slots: usize,
    pub(super) depth: i64,
    pub(super) backlog: u64,
}

impl LaneBoard {
    /// At most `deepest` ids wait in a lane.
    pub(crate) fn new(deepest: usize) -> Self {
        let cell = |_| Cell { deepest, ..Cell::default() };
        Self { lanes: std::array::from_fn(cell), due: Mutex::default(), relay: Notify::new() }
    }

    fn cell(&self, lane: Lane) -> &Cell {
        &self.lanes[lane as usize]
    }

    /// Promises a place, if there is one that no job in SQL has waited for longer. Promises are forgotten with the
    /// next report.
    pub(super) fn promise(&self, lane: Lane) -> bool {
        let cell = self.cell(lane);
        let free = cell.backlog.load(Relaxed) == 0 && !cell.unsaid.load(Relaxed);
        let fits = cell.depth.load(Relaxed) < cell.capacity(cell.slots.load(Relaxed));
        if free && fits {
            cell.depth.fetch_add(1, Relaxed);
        }
        free && fits
    }

    /// How many ids this process takes of a lane at once, if it can take `max`: its share, so that a burst is not all
    /// for who comes first.
    pub(super) fn share(&self, lane: Lane, max: usize) -> usize {
        let cell = self.cell(lane);
        let (own, all) = (cell.own_slots.load(Relaxed), cell.slots.load(Relaxed));
        if own >= all {
            return max;
        }
        let depth = usize::try_from(cell.depth.load(Relaxed)).unwrap_or(0);
        (depth * own / all).max(SMALL_SHARE).min(max)
    }

    /// Ids were taken here.
    pub(super) fn taken(&self, lane: Lane, number: usize) {
        let cell = self.cell(lane);
        let before = cell.depth.fetch_sub(number as i64, Relaxed);
        if before < number as i64 {
            cell.depth.store(0, Relaxed);
        }
    }

    /// The lane was found empty.
    pub(super) fn empty(&self, lane: Lane) {
        self.cell(lane).depth.store(0, Relaxed);
    }

    /// Whether no id seems to wait.
    pub(super) fn seems_empty(&self, lane: Lane) -> bool {
        self.cell(lane).depth.load(Relaxed) <= 0
    }

    pub(super) fn report(&self, lane: Lane, report: &Report) {
        let cell = self.cell(lane);
        cell.slots.store(report.slots, Relaxed);
        cell.depth.store(report.depth, Relaxed);
        cell.backlog.store(report.backlog, Relaxed);
        if report.depth > 0 {
            cell.arrived.notify_one();
        }
        cell.tell();
    }

    /// Something was put into a lane, here or elsewhere.
    pub(super) fn offered(&self, lane: Lane) {
        self.cell(lane).arrived.notify_one();
    }

    /// Waits until something was put in. One caller at a time; what came before it asks counts, too.
    pub(super) async fn arrival(&self, lane: Lane) {
        self.cell(lane).arrived.notified().await;
    }

    /// A backlog was announced here. `false`: that is known already and will be said.
    pub(super) fn announce(&self, lane: Lane) -> bool {
        let cell = self.cell(lane);
        let unknown = !cell.unsaid.swap(true, Relaxed);
        cell.look();
        unknown
    }

    /// Redis counts an announcement that was made here.
    pub(super) fn said(&self, lane: Lane, number: u64) {
        let cell = self.cell(lane);
        cell.backlog.fetch_max(number, Relaxed);
        cell.tell();
    }

    /// An announcement is on its way: one that follows has to be made again.
    pub(super) fn saying(&self, lane: Lane) {
        let cell = self.cell(lane);
        // Until Redis has counted it this process must not overtake.
        cell.backlog.fetch_max(1, Relaxed);
        cell.unsaid.store(false, Relaxed);
    }

    /// What SQL is to be asked about, if it is.
    pub(super) fn backlog(&self, lane: Lane) -> Option<Announced> {
        let cell = self.cell(lane);
        cell.is_to_be_asked().then(|| Announced(cell.backlog.load(Relaxed)))
    }

    /// SQL is going to be asked: what is announced from now on is another reason to.
    pub(super) fn asking(&self, lane: Lane) {
        self.cell(lane).look.store(false, Relaxed);
    }

    /// Waits until SQL is to be asked. One caller at a time; what came before it waits counts, too.
    pub(super) async fn told(&self, lane: Lane) {
        self.cell(lane).told.notified().await;
    }

    /// SQL held no more. Whether Redis is to be told.
    pub(super) fn drained(&self, lane: Lane, announced: Announced) -> bool {
        self.cell(lane).asked.store(announced.0, Relaxed);
        announced.0 > 0
    }

    /// Nothing was announced since.
    pub(super) fn forgotten(&self, lane: Lane, number: u64) {
        let cell = self.cell(lane);
        cell.backlog.compare_exchange(number, 0, Relaxed, Relaxed).ok();
    }

    pub(super) fn set_slots(&self, lane: Lane, slots: usize) {
        self.cell(lane).own_slots.store(slots, Relaxed);
    }

    pub(super) fn own_slots(&self, lane: Lane) -> usize {
        self.cell(lane).own_slots.load(Relaxed)
    }

    /// A job waits for this time.
    pub(super) fn due(&self, at: Timestamp) {
        let mut due = self.lock_due();
        *due = Some(due.map_or(at, |known| known.min(at)));
        drop(due);
        self.relay.notify_waiters();
    }

    /// Has SQL asked once about every lane, as soon as nobody waits on the server: announcements may have been lost.
    pub(super) fn look_soon(&self) {
        self.lanes.iter().for_each(|cell| cell.look.store(true, Relaxed));
    }

    /// The same at once.
    pub(crate) fn look_everywhere(&self) {
        self.lanes.iter().for_each(Cell::look);
    }

    /// What another process says: `backlog LANE NUMBER`, `drained LANE NUMBER`, `offered LANE`, `due MILLISECONDS`.
    pub(crate) fn heard(&self, text: &str) {
        let words: Vec<_> = text.split(' ').collect();
        match words[..] {
            ["due", at] => {
                if let Ok(at) = at.parse() {
                    self.due(Timestamp(at));
                }
            }
            ["offered", lane] => {
                if let Some(lane) = Lane::parse(lane) {
                    self.offered(lane);
                }
            }
            [what, lane, number] => {
                if let (Some(lane), Ok(number)) = (Lane::parse(lane), number.parse()) {
                    match what {
                        "backlog" => self.said(lane, number),
                        "drained" => self.forgotten(lane, number),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// Waits until told of an earlier due time than `known`.
    pub(super) async fn due_before(&self, known: Option<Timestamp>) {
        loop {
            // Created before the check: what happens between check and wait wakes it all the same.
            let told = self.relay.notified();
            if self.lock_due().take().is_some_and(|at| known.is_none_or(|known| at < known)) {
                return;
            }
            told.await;
        }
    }

    fn lock_due(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cell {
    /// Twice what the workers can take: shallow, so that SQL decides the order, and deep enough for a burst.
    fn capacity(&self, slots: usize) -> i64 {
        slots.saturating_mul(2).min(self.deepest) as i64
    }

    fn is_to_be_asked(&self) -> bool {
        let announced = self.backlog.load(Relaxed);
        self.look.load(Relaxed) || (announced != 0 && announced != self.asked.load(Relaxed))
    }

    fn look(&self) {
        self.look.store(true, Relaxed);
        self.told.notify_one();
    }

    fn tell(&self) {
        if self.is_to_be_asked() {
            self.told.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(slots: usize, own: usize) -> LaneBoard {
        let board = LaneBoard::new(usize::MAX);
        board.set_slots(Lane::Chat, own);
        board.report(Lane::Chat, &Report { slots, depth: 0, backlog: 0 });
        board
    }

    #[test]
    fn room_is_promised_once_only_and_not_before_workers_are_known() {
        let board = board(2, 0);
        assert_eq!(
            (0..100).filter(|_| board.promise(Lane::Chat)).count(),
            4,
            "twice the slots of all processes"
        );
        assert!(!board.promise(Lane::Embed));
    }

    #[test]
    fn nobody_overtakes_a_backlog() {
        let board = board(2, 2);
        board.heard("backlog chat 7");
        assert!(!board.promise(Lane::Chat));
        assert_eq!(board.backlog(Lane::Chat), Some(Announced(7)));
        board.heard("drained chat 6"); // of an earlier moment
        assert!(!board.promise(Lane::Chat));
        assert!(board.drained(Lane::Chat, Announced(7)), "Redis is to be told");
        board.forgotten(Lane::Chat, 7);
        assert!(board.promise(Lane::Chat));
    }

    #[test]
    fn what_was_announced_while_sql_was_asked_still_waits() {
        let board = board(2, 2);
        board.said(Lane::Chat, 3);
        board.asking(Lane::Chat);
        board.said(Lane::Chat, 4); // committed meanwhile
        board.drained(Lane::Chat, Announced(3));
        assert_eq!(board.backlog(Lane::Chat), Some(Announced(4)));
        board.forgotten(Lane::Chat, 3);
        assert!(!board.promise(Lane::Chat));
    }

    /// Whoever asks SQL again and again until Redis agrees would never sleep while Redis is away.
    #[test]
    fn sql_is_asked_once_about_an_announcement() {
        let board = board(2, 2);
        assert!(board.announce(Lane::Chat));
        assert_eq!(board.backlog(Lane::Chat), Some(Announced(0)), "before Redis has counted it");
        board.asking(Lane::Chat);
        assert!(!board.drained(Lane::Chat, Announced(0)), "Redis knows nothing of it");
        assert_eq!(board.backlog(Lane::Chat), None);
        board.said(Lane::Chat, 8);
        board.asking(Lane::Chat);
        board.drained(Lane::Chat, Announced(8));
        assert_eq!(board.backlog(Lane::Chat), None);
        // Redis lost everything, and counts from one again.
        board.report(Lane::Chat, &Report { slots: 2, depth: 0, backlog: 1 });
        assert_eq!(board.backlog(Lane::Chat), Some(Announced(1)));
    }

    #[test]
    fn a_burst_is_shared() {
        let board = board(8, 4);
        assert_eq!(board.share(Lane::Chat, 100), SMALL_SHARE);
        board.report(Lane::Chat, &Report { slots: 8, depth: 60, backlog: 0 });
        assert_eq!(board.share(Lane::Chat, 100), 30);
        assert_eq!(board.share(Lane::Chat, 3), 3);
        board.report(Lane::Chat, &Report { slots: 4, depth: 60, backlog: 0 });
        assert_eq!(board.share(Lane::Chat, 100), 100, "nobody else is there");
    }

    #[tokio::test]
    async fn an_earlier_due_time_makes_the_relay_look_again() {
        let board = board(1, 1);
        let soon = async |known| {
            tokio::time::timeout(std::time::Duration::from_millis(20), board.due_before(known)).await.is_ok()
        };
        board.heard("due 500");
        assert!(!soon(Some(Timestamp(400))).await, "it knows an earlier one");
        board.due(Timestamp(300));
        assert!(soon(Some(Timestamp(400))).await);
    }

    #[test]
    fn looking_anyway_asks_sql_once() {
        let board = board(1, 1);
        board.look_everywhere();
        assert_eq!(board.backlog(Lane::Chat), Some(Announced(0)));
        board.asking(Lane::Chat);
        assert_eq!(board.backlog(Lane::Chat), None);
    }

    #[test]
    fn a_lane_is_no_deeper_than_it_may_be() {
        let board = LaneBoard::new(100);
        board.report(Lane::Chat, &Report { slots: 1_000, depth: 0, backlog: 0 });
        assert_eq!((0..500).filter(|_| board.promise(Lane::Chat)).count(), 100);
    }

    #[test]
    fn words_of_a_newer_version_are_ignored() {
        let board = board(1, 1);
        for text in [
            "",
            "backlog",
            "backlog nowhere 1",
            "backlog chat x",
            "sing chat 1",
            "offered nowhere",
            "due soon",
        ] {
            board.heard(text);
        }
        assert_eq!(board.backlog(Lane::Chat), None);
    }
}
