//! One lifecycle: every long-lived task runs on one tracker and ends on one token; a task that dies takes the others down cleanly.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, anyhow};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How long tasks may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// The tasks of the daemon.
#[derive(Default)]
pub(crate) struct Lifecycle {
    stop: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Lifecycle {
    /// The token that tells every task to end.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a task until the end of the daemon.
    pub(crate) fn run<E>(&mut self, name: &'static str, task: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.tasks.spawn(async move { (name, task.await.map_err(anyhow::Error::from)) });
    }

    /// Waits for a signal or a death, then for the tasks; fails when one of them did, or will not end.
    pub(crate) async fn until_stopped(mut self) -> anyhow::Result<()> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let ended = tokio::select! {
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
            ended = self.tasks.join_next() => ended,
        };
        tracing::info!("stopping");
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
            _ = interrupt.recv() => return Err(anyhow!("stopped at once, as asked a second time")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_dead_task_stops_the_others() {
        let mut lifecycle = Lifecycle::default();
        let stop = lifecycle.stop();
        lifecycle.run("patient", async move {
            stop.cancelled().await;
            Ok::<_, std::io::Error>(())
        });
        lifecycle.run("doomed", async { Err(std::io::Error::other("bad luck")) });
        let error = lifecycle.until_stopped().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "doomed died: bad luck");
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_a_death() {
        let mut lifecycle = Lifecycle::default();
        lifecycle.run("short", async { Ok::<_, std::io::Error>(()) });
        assert_eq!(lifecycle.until_stopped().await.unwrap_err().to_string(), "short ended by itself");
    }
}
