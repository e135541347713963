use fetch::{BoxStream, ConnectFailure, ConnectOptions, Destination, TorStatus, Transport};
use model::{Digest, SystemClock, Uri};
use store::CredentialKey;

use super::*;

/// A network on which nothing ever happens.
struct Silence;

impl Transport for Silence {
    fn connect<'a>(
        &'a self,
        _: &'a Destination,
        _: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        Box::pin(std::future::pending())
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        watch::Sender::default().subscribe()
    }
}

/// Between the end of a fetch and its record nothing is in flight on the network; whoever took the crawl to be at rest would miss a page.
#[tokio::test]
async fn a_visit_is_in_flight_until_it_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &store::Config::default(), CredentialKey::from_bytes(&[1; 32])).unwrap();
    let clock = Arc::new(SystemClock);
    let fetcher = fetch::Fetcher::new(Arc::new(Silence), clock.clone(), &fetch::Config::default()).unwrap();
    let identity = Identity { software: Digest::of(b"test"), configuration: Digest::of(b"test") };
    let mut crawler = Crawler::new(Config::default(), store, Arc::new(fetcher), clock, identity);
    let uri: Uri = "http://site.example/".parse().unwrap();
    let lease = (TargetId::from_u64(1), uri.id());
    crawler.leased.insert(lease);
    crawler.tell(true);
    assert_eq!((crawler.fetches.len(), crawler.status.borrow().in_flight), (0, 1));
    crawler.acknowledged(lease, Ok(Seq(1))).unwrap();
    crawler.tell(true);
    assert_eq!(crawler.status.borrow().in_flight, 0);
}
