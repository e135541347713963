//! Proofs of work (Tor specifications, hspow-spec): for whom one may be made, when, and for how long.
//!
//! Arti asks our gate before it makes one, in the task of its attempt to connect, which it has spawned. It says neither for whom
//! the attempt is nor who waits for it. So the leave to work is a value of the task: [`Works::attempt`] sets it for the call that
//! leads to the attempt, and our runtime hands it from each task to those that the task spawns.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, FutureObj},
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tor_hsclient::{Turn, set_work_gate};

use crate::{ProofsOfWork, TorStatus};

/// One proof at a time in the whole process: it takes a processor to itself.
static TURN: Semaphore = Semaphore::const_new(1);

tokio::task_local! {
    static LEAVE: Option<Arc<Leave>>;
}

/// Grants leave to work to attempts to connect, and counts what is made of it.
pub(crate) struct Works {
    limit: Duration,
    status: watch::Sender<TorStatus>,
}

/// The leave of one attempt to connect.
struct Leave {
    limit: Duration,
    /// When the time for all proofs of the attempt is over. It begins with the first demand.
    deadline: OnceLock<Instant>,
    /// Who is told of that.
    demanded: Arc<Notify>,
    /// Nobody waits for the connection any more. Arti goes on nevertheless.
    abandoned: CancellationToken,
    status: watch::Sender<TorStatus>,
}

impl Works {
    /// `limit` bounds the time that an attempt waits for its turn and works.
    pub(crate) fn new(limit: Duration, status: watch::Sender<TorStatus>) -> Self {
        set_work_gate(gate);
        Self { limit, status }
    }

    /// Runs an attempt to connect, which has leave to work if somebody is to be told of it. The leave ends with the attempt,
    /// also when that is dropped.
    pub(crate) async fn attempt<T>(&self, leave: Option<Arc<Notify>>, attempt: impl Future<Output = T>) -> T {
        let leave = leave.map(|demanded| {
            let (deadline, abandoned) = (OnceLock::new(), CancellationToken::new());
            Arc::new(Leave { limit: self.limit, deadline, demanded, abandoned, status: self.status.clone() })
        });
        let _end = leave.as_ref().map(|leave| leave.abandoned.clone().drop_guard());
        LEAVE.scope(leave, attempt).await
    }
}

/// The task, with the leave of the task that spawns it.
pub(crate) fn inherit(task: FutureObj<'static, ()>) -> FutureObj<'static, ()> {
    match leave() {
        Some(leave) => FutureObj::new(Box::new(LEAVE.scope(Some(leave), task))),
        None => task,
    }
}

fn leave() -> Option<Arc<Leave>> {
    LEAVE.try_with(Clone::clone).ok().flatten()
}

fn gate(effort: u32) -> BoxFuture<'static, Option<Turn>> {
    let leave = leave();
    async move { leave?.turn(effort).await }.boxed()
}

impl Leave {
    /// Waits for the turn; `None` when the time is over before it comes.
    async fn turn(self: Arc<Self>, effort: u32) -> Option<Turn> {
        let deadline = *self.deadline.get_or_init(|| Instant::now() + self.limit);
        self.demanded.notify_one();
        let waiting = self.count(|proofs| &mut proofs.waiting);
        let permit = tokio::select! {
            biased;
            () = self.is_over(deadline) => return None,
            permit = TURN.acquire() => permit.ok()?,
        };
        drop(waiting);
        tracing::info!(effort, "a service demands a proof of work, which is being made");
        // In this order: who has the next turn finds this one no longer counted.
        let place = Box::new((self.count(|proofs| &mut proofs.under_way), permit));
        let work = Work { leave: self, effort, since: Instant::now(), is_in_time: true };
        Some(Turn { place, is_over: work.give_up_at(deadline).boxed() })
    }

    /// Completes when the time is over, or nobody waits for the connection any more.
    async fn is_over(&self, deadline: Instant) {
        tokio::select! {
            () = sleep_until(deadline) => {}
            () = self.abandoned.cancelled() => {}
        }
    }

    fn count(&self, what: fn(&mut ProofsOfWork) -> &mut u32) -> Counted {
        self.status.send_modify(|status| *what(&mut status.proofs_of_work) += 1);
        Counted { status: self.status.clone(), what }
    }
}

/// Counts for as long as it lives.
struct Counted {
    status: watch::Sender<TorStatus>,
    what: fn(&mut ProofsOfWork) -> &mut u32,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.status.send_modify(|status| *(self.what)(&mut status.proofs_of_work) -= 1);
    }
}

/// A proof under way. Arti drops it when it has the proof, or when the time is over.
struct Work {
    leave: Arc<Leave>,
    effort: u32,
    since: Instant,
    is_in_time: bool,
}

impl Work {
    async fn give_up_at(mut self, deadline: Instant) {
        self.leave.is_over(deadline).await;
        self.is_in_time = false;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let elapsed_ms = self.since.elapsed().as_millis();
        tracing::info!(self.effort, elapsed_ms, is_made = self.is_in_time, "the work on a proof has ended");
        self.leave.status.send_modify(|status| {
            let proofs = &mut status.proofs_of_work;
            *(if self.is_in_time { &mut proofs.made } else { &mut proofs.given_up }) += 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        sync::{Mutex, oneshot},
        time::advance,
    };
    use tor_rtcompat::SpawnExt as _;

    use super::{
        super::runtime::{self, Runtime},
        *,
    };

    const LIMIT: Duration = Duration::from_mins(1);

    /// The turn is one for the whole process, and so for all tests.
    static ONE_TEST: Mutex<()> = Mutex::const_new(());

    fn works() -> (Works, watch::Receiver<TorStatus>) {
        let (sender, status) = watch::channel(TorStatus::default());
        (Works::new(LIMIT, sender), status)
    }

    fn leave() -> Arc<Notify> {
        Arc::default()
    }

    fn proofs(status: &watch::Receiver<TorStatus>) -> ProofsOfWork {
        status.borrow().proofs_of_work
    }

    #[tokio::test(start_paused = true)]
    async fn without_leave_there_is_no_turn() {
        let _one = ONE_TEST.lock().await;
        let (works, status) = works();
        assert!(gate(1).await.is_none());
        assert!(works.attempt(None, async { gate(1).await }).await.is_none());
        assert_eq!(proofs(&status), ProofsOfWork::default());
        assert!(works.attempt(Some(leave()), async { gate(1).await }).await.is_some(), "with leave there is one");
    }

    /// Whether a task of a task gets a turn, spawned as arti does.
    async fn has_turn_below(runtime: Runtime) -> bool {
        let (sender, has_turn) = oneshot::channel();
        let spawner = runtime.clone();
        let child = async move {
            spawner.spawn(async { sender.send(gate(1).await.is_some()).unwrap() }).unwrap();
        };
        runtime.spawn(child).unwrap();
        has_turn.await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_inherit_leave_for_as_long_as_the_attempt_lasts() {
        let _one = ONE_TEST.lock().await;
        let (works, _status) = works();
        let runtime = runtime::current(true).unwrap();
        assert!(!works.attempt(None, has_turn_below(runtime.clone())).await);
        assert!(works.attempt(Some(leave()), has_turn_below(runtime.clone())).await);
        assert!(!works.attempt(None, has_turn_below(runtime.clone())).await, "leave is of one attempt");

        let (end, ended) = oneshot::channel::<()>();
        let (sender, has_turn) = oneshot::channel();
        let late = async move {
            drop(ended.await);
            sender.send(gate(1).await.is_some()).unwrap();
        };
        works.attempt(Some(leave()), async { runtime.spawn(late).unwrap() }).await;
        end.send(()).unwrap();
        assert!(!has_turn.await.unwrap(), "the attempt is over");
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_one_by_one_and_end_with_the_time() {
        let _one = ONE_TEST.lock().await;
        let (works, status) = works();
        let demanded = Arc::<Notify>::default();
        let first = works.attempt(Some(Arc::clone(&demanded)), async {
            let turn = gate(10).await.unwrap();
            demanded.notified().await;
            turn.is_over.await;
            turn.place
        });
        let second = works.attempt(Some(leave()), async {
            tokio::task::yield_now().await;
            advance(Duration::from_secs(10)).await;
            let begun = Instant::now();
            assert_eq!((proofs(&status).under_way, proofs(&status).waiting), (1, 0));
            // The thread of the first one holds the place until the end, and the time of this one runs meanwhile.
            (gate(10).await.is_none(), begun.elapsed())
        });
        let (place, (came_too_late, waited)) = futures::future::join(first, second).await;
        assert!(came_too_late);
        assert_eq!(waited, LIMIT);
        assert_eq!(proofs(&status), ProofsOfWork { under_way: 1, given_up: 1, ..ProofsOfWork::default() });
        drop(place);
        let third = works.attempt(Some(leave()), async { gate(10).await.map(drop) });
        assert!(third.await.is_some(), "the place is free again");
        assert_eq!(proofs(&status), ProofsOfWork { made: 1, given_up: 1, ..ProofsOfWork::default() });
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_has_one_limit_for_all_its_proofs() {
        let _one = ONE_TEST.lock().await;
        let (works, status) = works();
        let attempt = works.attempt(Some(leave()), async {
            let begun = Instant::now();
            let Turn { place, is_over } = gate(10).await.unwrap();
            advance(Duration::from_secs(50)).await;
            drop((place, is_over));
            gate(20).await.unwrap().is_over.await;
            begun.elapsed()
        });
        assert_eq!(attempt.await, LIMIT);
        assert_eq!(proofs(&status), ProofsOfWork { made: 1, given_up: 1, ..ProofsOfWork::default() });
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_when_nobody_waits_for_it() {
        let _one = ONE_TEST.lock().await;
        let (works, status) = works();
        let (sender, turn) = oneshot::channel();
        let connect = works.attempt(Some(leave()), async {
            drop(sender.send(gate(10).await));
            std::future::pending::<()>().await;
        });
        let begun = Instant::now();
        assert!(tokio::time::timeout(Duration::from_secs(5), connect).await.is_err());
        turn.await.unwrap().unwrap().is_over.await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        assert_eq!(proofs(&status), ProofsOfWork { given_up: 1, ..ProofsOfWork::default() });
    }
}
