//! How many requests of one account are answered: so many at once, and so many in a second on the whole. Each answer says how many are left, in the
//! fields of draft-ietf-httpapi-ratelimit-headers.

use std::{
    collections::HashSet,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, QuantaInstant},
    middleware::StateInformationMiddleware,
};

use crate::{
    app::Shared,
    authentication::{Config, Who},
    refusal::Refusal,
};

/// What is granted: `q` requests in a window of `w` seconds.
pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is left: `r` requests, and all of them again in `t` seconds.
pub(crate) const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Accounts that are remembered before those who asked for nothing lately are forgotten.
const MOST_REMEMBERED: usize = 1_000;

/// The limits of every account.
pub(crate) struct Limits {
    limiter: DefaultKeyedRateLimiter<String, StateInformationMiddleware>,
    per_second: NonZeroU32,
    at_once: NonZeroU32,
    /// Accounts whose last request was refused.
    refused: Mutex<HashSet<String>>,
}

/// Marks the first request in a row that is too many: it is refused where refusals are recorded. Those behind it are refused at the door, so that a
/// flood of them does not flood the audit log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooMany {
    pub(crate) retry_after_s: u64,
}

impl Limits {
    pub(crate) fn new(config: &Config) -> Self {
        let per_second = NonZeroU32::new(config.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let at_once = NonZeroU32::new(config.requests_at_once).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(at_once);
        let limiter = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Self { limiter, per_second, at_once, refused: Mutex::default() }
    }

    /// How many requests are left to `name`, or for how many seconds there are none.
    fn admit(&self, name: &str) -> Result<u32, u64> {
        if self.limiter.len() > MOST_REMEMBERED {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&name.to_owned()) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(not_until) => {
                let now: QuantaInstant = self.limiter.clock().now();
                Err(not_until.wait_time_from(now).as_secs() + 1)
            }
        }
    }

    /// Whether this refusal is the first one since a request of `name` was answered.
    fn is_first_refusal(&self, name: &str) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned())
    }

    fn forgive(&self, name: &str) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Says in an answer what is granted and what is left.
    fn tell(&self, left: u32, response: &mut Response) {
        let seconds = |requests: u32| requests.div_ceil(self.per_second.get());
        let policy = format!("\"requests\";q={};w={}", self.at_once, seconds(self.at_once.get()).max(1));
        let state = format!("\"requests\";r={left};t={}", seconds(self.at_once.get().saturating_sub(left)));
        for (name, text) in [(POLICY, policy), (LEFT, state)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

/// Lets those pass who have not asked for too much.
pub(crate) async fn limit(
    State(running): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let who = request.extensions().get::<Who>().cloned().ok_or(Refusal::Unauthenticated)?;
    let limits = &running.limits;
    let (left, mut response) = match limits.admit(who.name()) {
        Ok(left) => {
            limits.forgive(who.name());
            (left, next.run(request).await)
        }
        Err(retry_after_s) if limits.is_first_refusal(who.name()) => {
            request.extensions_mut().insert(TooMany { retry_after_s });
            (0, next.run(request).await)
        }
        Err(retry_after_s) => (0, Refusal::TooManyRequests { retry_after_s }.into_response()),
    };
    limits.tell(left, &mut response);
    Ok(response)
}
