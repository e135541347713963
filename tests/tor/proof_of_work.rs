//! Services that demand proofs of work: whether one is made is for the decision to say, and what one service demands costs no other.

use std::fs;

use fetch::{Limits, ProofsOfWork, TorConfig};
use futures::future::{join, join_all};
use model::Outcome;
use tokio::sync::Mutex;

use super::{failures::check, *};

/// What arti takes any higher demand for.
const UTMOST: u32 = 10_000;

/// One proof is made at a time in a process, and so by one test.
static ONE_TEST: Mutex<()> = Mutex::const_new(());

async fn fetch(fetcher: &Fetcher, uri: &str, target: u64, epoch: u32, allows_proof_of_work: bool) -> Exchange {
    let isolation = Isolation { target: TargetId::from_u64(target), epoch };
    fetcher.fetch(&Request { allows_proof_of_work, ..Request::new(uri.parse().unwrap(), isolation) }).await
}

fn proofs(fetcher: &Fetcher) -> ProofsOfWork {
    fetcher.status().borrow().proofs_of_work
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
    let underworld = underworld();
    let seed = underworld.seed("toll").unwrap();
    let (_dir, _tor, fetcher) =
        client(underworld.network.arti_config_file(), Limits { connect_s: 60, ..short() }).await;
    // The demand stands until the time period ends, which may be now; then it is made once more.
    let epoch = std::sync::atomic::AtomicU32::new(0);
    let made = wait_until("a proof is made", Deadline::seconds(60), || async {
        underworld.network.demand_proof_of_work("toll", 4).await?;
        let epoch = epoch.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let exchange = fetch(&fetcher, &seed, 1, epoch, true).await;
        Ok(Some(exchange).filter(|_| proofs(&fetcher).made > 0))
    });
    // This service checks what it gets: with a wrong proof it would not come to the rendezvous.
    check("proof of work demanded, and allowed", &made.await.unwrap());
    assert_eq!(proofs(&fetcher), ProofsOfWork { made: 1, ..ProofsOfWork::default() });

    let without = fetch(&fetcher, &seed, 2, 0, false).await;
    check("proof of work demanded, and not allowed", &without);
    assert_eq!(proofs(&fetcher).made, 1);

    // Many at once get their turns one by one.
    let all = join_all((3..=6).map(|target| fetch(&fetcher, &seed, target, 0, true)));
    tokio::pin!(all);
    let (mut most, mut tick) = (0, tokio::time::interval(Duration::from_millis(5)));
    let exchanges = loop {
        tokio::select! {
            exchanges = &mut all => break exchanges,
            _ = tick.tick() => most = most.max(workers().len()),
        }
    };
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Outcome::Ok), "{exchanges:?}");
    assert_eq!(proofs(&fetcher), ProofsOfWork { made: 5, ..ProofsOfWork::default() });
    assert_eq!(most, 1, "threads that worked at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_demands_the_utmost_keeps_nothing_from_others() {
    let _one = ONE_TEST.lock().await;
    let underworld = underworld();
    underworld.network.demand_proof_of_work("greedy", UTMOST).await.unwrap();
    let (greedy, market) = (underworld.seed("greedy").unwrap(), underworld.seed("market").unwrap());
    let pages: Vec<String> = underworld.sites.market().pages().into_iter().take(60).collect();
    let network_config = Some(underworld.network.arti_config_file());
    let tor = TorConfig { proof_of_work_s: 20, network_config, ..TorConfig::default() };
    let limits = Limits { connect_s: 60, cold_opens: 1, total_s: 90, ..short() };
    let (_dir, _tor, fetcher) = client_with(tor, limits).await;

    let demanding = join_all((1..=3).map(|target| fetch(&fetcher, &greedy, target, 0, true)));
    let others = async {
        let mut status = fetcher.status();
        status.wait_for(|status| status.proofs_of_work.waiting == 2).await.unwrap();
        // Two targets that are opened afresh, through the one place for that, and sixty pages.
        for (page, target) in pages.iter().zip([10, 11].iter().cycle()) {
            let exchange =
                fetch(&fetcher, &format!("{}{}", market.trim_end_matches('/'), page), *target, 0, false).await;
            assert_eq!(exchange.outcome, Outcome::Ok, "{page}: {:?}", exchange.detail);
        }
        assert_eq!(workers(), ["19"], "one thread, of the lowest priority");
        let proofs = proofs(&fetcher);
        assert_eq!((proofs.under_way, proofs.given_up), (1, 0), "the pages came while the work went on");
    };
    let (exchanges, ()) = join(demanding, others).await;
    for exchange in &exchanges {
        check("the utmost effort demanded, and allowed", exchange);
        assert!(exchange.ended_at.since(exchange.started_at) < Duration::from_secs(60));
    }
    let proofs = proofs(&fetcher);
    assert_eq!((proofs.waiting, proofs.under_way), (0, 0));
    assert!(proofs.given_up > 0, "{proofs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_for_a_connection_that_is_given_up_ends_with_it() {
    let _one = ONE_TEST.lock().await;
    let underworld = underworld();
    underworld.network.demand_proof_of_work("greedy", UTMOST).await.unwrap();
    let greedy = underworld.seed("greedy").unwrap();
    let (_dir, _tor, fetcher) = client(underworld.network.arti_config_file(), Limits { connect_s: 4, ..short() }).await;
    let mut epoch = 0;
    let exchange = loop {
        let exchange = fetch(&fetcher, &greedy, 1, epoch, true).await;
        // Luck makes any proof.
        if exchange.outcome != Outcome::Ok {
            break exchange;
        }
        epoch += 1;
    };
    check("a proof that takes longer than connecting may", &exchange);
    assert!(exchange.needs_new_epoch);
    let mut status = fetcher.status();
    let ended = status.wait_for(|status| status.proofs_of_work.under_way == 0 && status.proofs_of_work.given_up == 1);
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap().unwrap();
    assert!(workers().is_empty());
}
