//! Which exchanges share a connection, and how many are opened at once.

use futures::future::join_all;
use tokio::sync::Semaphore as Gate;

use super::*;

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn group(target: u64, epoch: u32) -> Request {
    Request { isolation: Isolation { target: TargetId::from_u64(target), epoch }, ..request("/") }
}

#[tokio::test]
async fn a_connection_serves_its_group_and_service_only() {
    let loopback = serve_and_hold(PAGE);
    let fetcher = fetcher(&loopback);
    assert!(!fetcher.fetch(&group(1, 0)).await.reused_connection);
    assert!(fetcher.fetch(&group(1, 0)).await.reused_connection);
    assert!(!fetcher.fetch(&group(1, 1)).await.reused_connection);
    assert!(!fetcher.fetch(&group(2, 0)).await.reused_connection);
    let mirror = format!("http://{}/", OnionAddress::from_public_key([2; 32])).parse().unwrap();
    assert!(!fetcher.fetch(&Request { uri: mirror, ..group(1, 0) }).await.reused_connection);
    let below = format!("http://www.{}/", uri("/").host_str()).parse().unwrap();
    assert!(!fetcher.fetch(&Request { uri: below, ..group(1, 0) }).await.reused_connection);
    fetcher.forget(TargetId::from_u64(1));
    assert!(!fetcher.fetch(&group(1, 0)).await.reused_connection);
    assert_eq!(loopback.opened(), 6);
}

#[tokio::test]
async fn what_two_exchanges_on_one_connection_keep_is_their_own() {
    let fetcher = fetcher(&serve_and_hold(PAGE));
    for rest in ["/first", "/second", "/third"] {
        let exchange = fetcher.fetch(&request(rest)).await;
        assert_eq!((text(&block(&exchange)).as_str(), exchange.outcome), (PAGE, Outcome::Ok));
        assert!(text(&exchange.request).starts_with(&format!("GET {rest} HTTP/1.1\r\n")));
        assert_eq!(text(&exchange.request).matches("GET").count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn idle_connections_end_and_are_few() {
    let loopback = serve_and_hold(PAGE);
    let fetcher = fetcher_with(&loopback, |config| config.http.connections_per_target = 2);
    fetcher.fetch(&group(1, 0)).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(!fetcher.fetch(&group(1, 0)).await.reused_connection);
    let four = [group(1, 0), group(1, 0), group(1, 0), group(1, 0)];
    join_all(four.iter().map(|request| fetcher.fetch(request))).await;
    let again = join_all(four.iter().map(|request| fetcher.fetch(request))).await;
    assert_eq!(again.iter().filter(|exchange| exchange.reused_connection).count(), 2);
}

#[tokio::test]
async fn unclean_connections_are_not_used_again() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    ] {
        let loopback = serve_and_hold(answer);
        let fetcher = fetcher(&loopback);
        fetcher.fetch(&request("/")).await;
        assert!(!fetcher.fetch(&request("/")).await.reused_connection, "{answer:?}");
        assert_eq!(loopback.opened(), 2, "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_without_content_leaves_its_connection_to_others() {
    let fetcher = fetcher(&serve_and_hold("HTTP/1.1 204 No Content\r\n\r\n"));
    fetcher.fetch(&request("/")).await;
    assert!(fetcher.fetch(&request("/")).await.reused_connection);
}

/// A server that answers the first request of a connection, and hears the second one out before it hangs up; the connection
/// with number `healthy` it keeps.
fn hangs_up_on_the_second(healthy: usize) -> Arc<Loopback> {
    Loopback::new(move |number, mut stream| async move {
        let mut answered = 0;
        while read_request(&mut stream).await.is_some() {
            if number != healthy && (number > 0 || answered == 1) {
                return;
            }
            stream.write_all(PAGE.as_bytes()).await.unwrap();
            answered += 1;
        }
    })
}

#[tokio::test]
async fn a_connection_that_died_idle_is_opened_anew_once() {
    let loopback = hangs_up_on_the_second(1);
    let fetcher = fetcher(&loopback);
    fetcher.fetch(&request("/")).await;
    let second = fetcher.fetch(&request("/")).await;
    assert_eq!((second.outcome, second.reused_connection, loopback.opened()), (Outcome::Ok, false, 2));
    assert_eq!(text(&second.request).matches("GET").count(), 1);

    let loopback = hangs_up_on_the_second(usize::MAX);
    let fetcher = self::fetcher(&loopback);
    fetcher.fetch(&request("/")).await;
    let second = fetcher.fetch(&request("/")).await;
    assert_eq!((second.outcome, loopback.opened()), (Outcome::Interrupted(Stage::FirstByte), 2));
}

#[tokio::test]
async fn an_idle_connection_on_which_something_came_is_dropped() {
    let sent = Arc::new(Gate::new(0));
    let done = Arc::clone(&sent);
    let loopback = Loopback::new(move |_, mut stream| {
        let done = Arc::clone(&done);
        async move {
            read_request(&mut stream).await;
            stream.write_all(PAGE.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(b"HTTP/1.1 408 Too late\r\n\r\n").await.unwrap();
            done.add_permits(1);
            read_request(&mut stream).await;
        }
    });
    let fetcher = fetcher(&loopback);
    let first = fetcher.fetch(&request("/")).await;
    sent.acquire().await.unwrap().forget();
    let second = fetcher.fetch(&request("/")).await;
    assert_eq!((first.outcome, second.outcome), (Outcome::Ok, Outcome::Ok));
    assert!(text(&block(&second)).starts_with(PAGE) && !second.reused_connection);
}

/// A transport that lets connections through one by one, and counts how many wait.
struct Gated {
    gate: Gate,
    waiting: watch::Sender<usize>,
    most: AtomicUsize,
    inner: Arc<Loopback>,
}

impl Transport for Gated {
    fn connect<'a>(
        &'a self,
        to: &'a Destination,
        options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        async move {
            self.waiting.send_modify(|waiting| *waiting += 1);
            self.most.fetch_max(*self.waiting.borrow(), Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            self.waiting.send_modify(|waiting| *waiting -= 1);
            self.inner.connect(to, options).await
        }
        .boxed()
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        self.inner.status()
    }
}

#[tokio::test(start_paused = true)]
async fn cold_services_are_opened_a_few_at_a_time_and_warm_ones_at_once() {
    let page = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let transport = Arc::new(Gated {
        gate: Gate::new(1),
        waiting: watch::Sender::new(0),
        most: AtomicUsize::new(0),
        inner: serve(page),
    });
    let mut config = Config::default();
    config.limits.cold_opens = 2;
    let seam: Arc<dyn Transport> = Arc::<Gated>::clone(&transport);
    let fetcher = Fetcher::new(seam, Arc::new(ManualClock::at(NOW)), &config).unwrap();
    assert_eq!(fetcher.fetch(&group(1, 0)).await.outcome, Outcome::Ok);

    let requests: Vec<Request> = (2..7).map(|target| group(target, 0)).collect();
    let cold = join_all(requests.iter().map(|request| fetcher.fetch(request)));
    let warm = group(1, 0);
    let opens = async {
        let mut waiting = transport.waiting.subscribe();
        waiting.wait_for(|waiting| *waiting >= 2).await.unwrap();
        // The service that is warm waits for no slot: a third connection is under way.
        let through = async {
            waiting.wait_for(|waiting| *waiting >= 3).await.unwrap();
            transport.gate.add_permits(6);
        };
        let (exchange, ()) = futures::future::join(fetcher.fetch(&warm), through).await;
        assert_eq!(exchange.outcome, Outcome::Ok);
    };
    let (exchanges, ()) = futures::future::join(cold, opens).await;
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Outcome::Ok));
    assert_eq!(transport.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn what_opens_one_service_together_shares_a_place() {
    let transport = Arc::new(Gated {
        gate: Gate::new(0),
        waiting: watch::Sender::new(0),
        most: AtomicUsize::new(0),
        inner: serve(PAGE),
    });
    let mut config = Config::default();
    config.limits.cold_opens = 1;
    let seam: Arc<dyn Transport> = Arc::<Gated>::clone(&transport);
    let fetcher = Fetcher::new(seam, Arc::new(ManualClock::at(NOW)), &config).unwrap();
    let requests = [group(1, 0), group(1, 0), group(2, 0)];
    let fetches = join_all(requests.iter().map(|request| fetcher.fetch(request)));
    let through = async {
        transport.waiting.subscribe().wait_for(|waiting| *waiting == 2).await.unwrap();
        transport.gate.add_permits(3);
    };
    let (exchanges, ()) = futures::future::join(fetches, through).await;
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Outcome::Ok));
    assert_eq!(transport.most.load(Ordering::SeqCst), 2, "another service waits for the place");
}

/// A transport on which one target comes to a demand of work that takes for ever, and others are connected.
struct Demanding {
    by: TargetId,
    inner: Arc<Loopback>,
}

impl Transport for Demanding {
    fn connect<'a>(
        &'a self,
        to: &'a Destination,
        options: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        if options.isolation.target != self.by {
            return self.inner.connect(to, options);
        }
        if let Some(demanded) = &options.proof_of_work {
            demanded.notify_one();
        }
        futures::future::pending().boxed()
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        self.inner.status()
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_demands_work_keeps_no_place_from_others() {
    for (allows_proof_of_work, waits_s) in [(true, 0), (false, 120)] {
        let transport = Demanding { by: TargetId::from_u64(1), inner: serve(PAGE) };
        let mut config = Config::default();
        config.limits.cold_opens = 1;
        let fetcher = Fetcher::new(Arc::new(transport), Arc::new(ManualClock::at(NOW)), &config).unwrap();
        let (demanding, other) = (Request { allows_proof_of_work, ..group(1, 0) }, group(2, 0));
        let begun = Instant::now();
        let page = async {
            tokio::task::yield_now().await;
            (fetcher.fetch(&other).await.outcome, begun.elapsed().as_secs())
        };
        let (exchange, page) = futures::future::join(fetcher.fetch(&demanding), page).await;
        assert_eq!(page, (Outcome::Ok, waits_s), "without the demand the place is taken until the attempt ends");
        assert_eq!(exchange.outcome, Outcome::TimedOut(Stage::Connect));
    }
}

#[tokio::test]
async fn a_failure_to_connect_is_the_outcome() {
    struct Down;
    impl Transport for Down {
        fn connect<'a>(
            &'a self,
            _to: &'a Destination,
            _options: &'a ConnectOptions,
        ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
            let failure = ConnectFailure { outcome: Outcome::DescriptorNotFound, detail: "no descriptor".to_owned() };
            async move { Err(failure) }.boxed()
        }

        fn status(&self) -> watch::Receiver<TorStatus> {
            watch::Sender::new(TorStatus::default()).subscribe()
        }
    }
    let fetcher = Fetcher::new(Arc::new(Down), Arc::new(ManualClock::at(NOW)), &Config::default()).unwrap();
    let exchange = fetcher.fetch(&request("/")).await;
    assert_eq!((exchange.outcome, exchange.detail.as_deref()), (Outcome::DescriptorNotFound, Some("no descriptor")));
    assert!(!exchange.needs_new_epoch && exchange.request.is_empty() && exchange.block_len == 0);
}
