//! Services that demand proofs of work: whether one is made is for the decision to say, and what one service demands costs no other.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

use fetch::{Limits, ProofsOfWork, TorConfig};
use futures::future::{join, join_all};
use model::Outcome;
use tokio::{sync::Mutex, time::timeout};

use super::{failures::check, *};

/// What arti takes any higher demand for.
const UTMOST: u32 = 10_000;

/// The longest wait for work to begin or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// One proof is made at a time in a process, and so by one test.
static ONE_TEST: Mutex<()> = Mutex::const_new(());

async fn fetch(fetcher: &Fetcher, uri: &str, target: u64, epoch: u32, allows_proof_of_work: bool) -> Exchange {
    let isolation = Isolation { target: TargetId::from_u64(target), epoch };
    fetcher.fetch(&Request { allows_proof_of_work, ..Request::new(uri.parse().unwrap(), isolation) }).await
}

fn proofs(fetcher: &Fetcher) -> ProofsOfWork {
    fetcher.status().borrow().proofs_of_work
}

/// Waits until the counts of proofs are as wanted.
async fn until(fetcher: &Fetcher, are_so: impl Fn(&ProofsOfWork) -> bool) {
    let mut status = fetcher.status();
    timeout(PATIENCE, status.wait_for(|status| are_so(&status.proofs_of_work))).await.unwrap().unwrap();
}

/// Lets a service demand this effort, and returns its seed when the client has met with the demand. That stands for a time period,
/// which may end just now, and for client and service at different moments; then it is made once more.
async fn demanding(fetcher: &Fetcher, onion: &str, effort: u32) -> String {
    const PROBE: u64 = 99;
    static EPOCH: AtomicU32 = AtomicU32::new(0);
    let (underworld, seed) = (underworld(), underworld().seed(onion).unwrap());
    let met = wait_until("the client meets with the demand", Deadline::seconds(120), || async {
        underworld.network.demand_proof_of_work(onion, effort).await?;
        let epoch = EPOCH.fetch_add(1, Ordering::SeqCst);
        tokio::select! {
            () = until(fetcher, |proofs| proofs.under_way == 1) => Ok(Some(())),
            _ = fetch(fetcher, &seed, PROBE, epoch, true) => Ok(None),
        }
    });
    met.await.unwrap();
    until(fetcher, |proofs| proofs.under_way == 0).await;
    seed
}

/// The priorities (`nice` values) of the threads of this process that make a proof, by `/proc` (proc(5)).
fn workers() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let stats = tasks.filter_map(|task| fs::read_to_string(task.join("stat")).ok());
    let working = stats.filter_map(|stat| stat.split_once("(proof-of-work) ").map(|(_, rest)| rest.to_owned()));
    working.filter_map(|rest| rest.split(' ').nth(16).map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_made_where_the_decision_allows_it_and_nowhere_else() {
    let _one = ONE_TEST.lock().await;
    let limits = Limits { connect_s: 60, ..short() };
    let (_dir, _tor, fetcher) = client(underworld().network.arti_config_file(), limits).await;
    let toll = demanding(&fetcher, "toll", 4).await;
    let before = proofs(&fetcher);
    let exchange = fetch(&fetcher, &toll, 1, 0, false).await;
    check("proof of work demanded, and not allowed", &exchange);
    assert_eq!(proofs(&fetcher), before);

    // This service checks what it gets: with a wrong proof it would not come to the rendezvous.
    let exchange = fetch(&fetcher, &toll, 2, 0, true).await;
    check("proof of work demanded, and allowed", &exchange);
    let once = proofs(&fetcher);
    assert!(once.made > before.made && once.given_up == before.given_up, "{once:?}");

    // Many at once get their turns one by one.
    let all = join_all((3..=6).map(|target| fetch(&fetcher, &toll, target, 0, true)));
    tokio::pin!(all);
    let (mut most, mut status) = (0, fetcher.status());
    let exchanges = loop {
        tokio::select! {
            exchanges = &mut all => break exchanges,
            _ = status.changed() => most = most.max(status.borrow_and_update().proofs_of_work.under_way),
        }
    };
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Outcome::Ok), "{exchanges:?}");
    assert_eq!(most, 1, "proofs that were made at once");
    // A busy machine may need a second try at a rendezvous, and with it a proof.
    let proofs = proofs(&fetcher);
    assert!(proofs.made >= once.made + 4 && proofs.given_up == once.given_up, "{proofs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_demands_the_utmost_keeps_nothing_from_others() {
    let _one = ONE_TEST.lock().await;
    let underworld = underworld();
    let network_config = Some(underworld.network.arti_config_file());
    let tor = TorConfig { proof_of_work_s: 20, network_config, ..TorConfig::default() };
    let limits = Limits { connect_s: 60, cold_opens: 1, total_s: 90, ..short() };
    let (_dir, _tor, fetcher) = client_with(tor, limits).await;
    let greedy = demanding(&fetcher, "greedy", UTMOST).await;
    let market = underworld.onion("market").unwrap();
    let pages: Vec<String> = underworld.sites.market().pages().into_iter().take(60).collect();
    let before = proofs(&fetcher);

    let demanding = join_all((1..=3).map(|target| fetch(&fetcher, &greedy, target, 0, true)));
    let others = async {
        until(&fetcher, |proofs| proofs.under_way == 1 && proofs.waiting == 2).await;
        // Two targets that are opened afresh, through the one place for that, and sixty pages.
        for (page, target) in pages.iter().zip([10, 11].iter().cycle()) {
            let exchange = fetch(&fetcher, &format!("http://{market}{page}"), *target, 0, false).await;
            assert_eq!(exchange.outcome, Outcome::Ok, "{page}: {:?}", exchange.detail);
        }
        assert_eq!(workers(), ["19"], "three demands, and one thread, of the lowest priority");
        let proofs = proofs(&fetcher);
        assert_eq!((proofs.under_way, proofs.given_up), (1, before.given_up), "the pages came while the work went on");
    };
    let (exchanges, ()) = join(demanding, others).await;
    for exchange in &exchanges {
        check("the utmost effort demanded, and allowed", exchange);
        assert!(exchange.ended_at.since(exchange.started_at) < Duration::from_mins(1));
    }
    until(&fetcher, |proofs| (proofs.waiting, proofs.under_way) == (0, 0)).await;
    let proofs = proofs(&fetcher);
    assert!(
        proofs.given_up > before.given_up || proofs.made >= before.made + 3,
        "the work ends in time, or by luck: {proofs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn work_for_a_connection_that_is_given_up_ends_with_it() {
    let _one = ONE_TEST.lock().await;
    let (_dir, _tor, fetcher) = client(underworld().network.arti_config_file(), short()).await;
    let greedy = demanding(&fetcher, "greedy", UTMOST).await;
    let before = proofs(&fetcher);
    let mut epoch = 0;
    let exchange = loop {
        let begins = until(&fetcher, |proofs| proofs.under_way == 1);
        let (exchange, ()) = join(fetch(&fetcher, &greedy, 1, epoch, true), begins).await;
        until(&fetcher, |proofs| proofs.under_way == 0).await;
        if proofs(&fetcher).given_up > before.given_up {
            break exchange;
        }
        // Luck makes any proof.
        epoch += 1;
    };
    check("a proof that takes longer than connecting may", &exchange);
    assert!(exchange.needs_new_epoch);
    let gone =
        wait_until("the thread ends", Deadline::seconds(60), || async { Ok(workers().is_empty().then_some(())) });
    gone.await.unwrap();
}
