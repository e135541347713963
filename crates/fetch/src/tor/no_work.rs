//! In place of `work` where the feature `proof-of-work` is left out: no proof is ever made.

use std::{future::Future, sync::Arc, time::Duration};

use futures::future::FutureObj;
use tokio::sync::{Notify, watch};

use crate::TorStatus;

/// Makes nothing.
pub(crate) struct Works;

impl Works {
    pub(crate) fn new(_limit: Duration, _status: watch::Sender<TorStatus>) -> Self {
        Self
    }

    /// Runs an attempt to connect, whatever its leave.
    pub(crate) async fn attempt<T>(&self, _leave: Option<Arc<Notify>>, attempt: impl Future<Output = T>) -> T {
        attempt.await
    }
}

/// The task as it is.
pub(crate) fn inherit(task: FutureObj<'static, ()>) -> FutureObj<'static, ()> {
    task
}
