//! One lifecycle: every long-lived task runs on one tracker and ends on one token; a task that dies takes the others down cleanly.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, anyhow};
use model::Pulse;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    back_off::BackOff,
    supervisor::{self, Manager, Supervisor},
};

/// How long tasks may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// The tasks of the daemon.
pub(crate) struct Lifecycle {
    stop: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    loops: Vec<(&'static str, Pulse)>,
    manager: Manager,
    terminate: Signal,
    interrupt: Signal,
}

impl Lifecycle {
    /// A lifecycle of which `manager` is told. From here on a signal to end is obeyed in good order.
    pub(crate) fn new(manager: Manager) -> anyhow::Result<Self> {
        Ok(Self {
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            loops: Vec::new(),
            manager,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The token that tells every task to end.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a task until the end of the daemon. Each of its loops has a pulse, by which it is seen to turn.
    pub(crate) fn run<E>(
        &mut self,
        name: &'static str,
        pulses: impl IntoIterator<Item = Pulse>,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.loops.extend(pulses.into_iter().map(|pulse| (name, pulse)));
        self.tasks.spawn(async move { (name, task.await.map_err(anyhow::Error::from)) });
    }

    /// Watches over the tasks that run by now, and tells the service manager that the daemon serves, and how.
    pub(crate) fn supervise(&mut self, back_off: BackOff, status: impl Fn() -> String + Send + 'static) {
        let supervisor =
            Supervisor::new(self.manager.clone(), supervisor::watchdog(), self.loops.clone(), back_off, status);
        self.run("supervisor", [], supervisor.run(self.stop()));
        self.manager.ready();
    }

    /// Waits for a signal or a death, then for the tasks; fails when one of them did, or will not end.
    pub(crate) async fn until_stopped(mut self) -> anyhow::Result<()> {
        let ended = tokio::select! {
            _ = self.terminate.recv() => None,
            _ = self.interrupt.recv() => None,
            ended = self.tasks.join_next() => ended,
        };
        tracing::info!("stopping");
        self.manager.stopping();
        self.stop.cancel();
        let mut result = ended.map_or(Ok(()), |ended| Self::died(ended, true));
        let wait = async {
            while let Some(ended) = self.tasks.join_next().await {
                let ended = Self::died(ended, false);
                if result.is_ok() {
                    result = ended;
                }
            }
        };
        tokio::select! {
            () = wait => {}
            () = tokio::time::sleep(GRACE) => return Err(anyhow!("not every task ended within {} s", GRACE.as_secs())),
            _ = self.interrupt.recv() => return Err(again()),
            _ = self.terminate.recv() => return Err(again()),
        }
        result
    }

    fn died(
        ended: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>,
        too_early: bool,
    ) -> anyhow::Result<()> {
        match ended {
            Ok((name, Ok(()))) if too_early => Err(anyhow!("{name} ended by itself")),
            Ok((_, Ok(()))) => Ok(()),
            Ok((name, Err(error))) => Err(error).with_context(|| format!("{name} died")),
            Err(panic) => Err(anyhow!("a task panicked: {panic}")),
        }
    }
}

fn again() -> anyhow::Error {
    anyhow!("stopped at once, as asked a second time")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifecycle() -> Lifecycle {
        Lifecycle::new(Manager::default()).unwrap()
    }

    #[tokio::test]
    async fn one_dead_task_stops_the_others() {
        let mut lifecycle = lifecycle();
        let stop = lifecycle.stop();
        lifecycle.run("patient", [], async move {
            stop.cancelled().await;
            Ok::<_, std::io::Error>(())
        });
        lifecycle.run("doomed", [], async { Err(std::io::Error::other("bad luck")) });
        let error = lifecycle.until_stopped().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "doomed died: bad luck");
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_a_death() {
        let mut lifecycle = lifecycle();
        lifecycle.run("short", [], async { Ok::<_, std::io::Error>(()) });
        assert_eq!(lifecycle.until_stopped().await.unwrap_err().to_string(), "short ended by itself");
    }

    #[tokio::test]
    async fn a_panic_is_a_death() {
        let mut lifecycle = lifecycle();
        let stop = lifecycle.stop();
        lifecycle.run("patient", [], async move {
            stop.cancelled().await;
            Ok::<_, std::io::Error>(())
        });
        lifecycle.run("clumsy", [], async { if true { panic!("oh dear") } else { Ok::<_, std::io::Error>(()) } });
        let error = lifecycle.until_stopped().await.unwrap_err().to_string();
        assert!(error.starts_with("a task panicked") && error.contains("oh dear"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_will_not_end_is_left_behind() {
        let mut lifecycle = lifecycle();
        lifecycle.run("deaf", [], std::future::pending::<Result<(), std::io::Error>>());
        lifecycle.run("doomed", [], async { Err(std::io::Error::other("bad luck")) });
        let error = lifecycle.until_stopped().await.unwrap_err().to_string();
        assert_eq!(error, "not every task ended within 10 s");
    }
}
