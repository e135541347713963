use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

/// Keeps the lines that come by.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct All(String);
        impl Visit for All {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                let _ = write!(self.0, "{}={value:?};", field.name());
            }
        }
        let mut all = All(String::new());
        event.record(&mut all);
        self.0.lock().unwrap().push(all.0);
    }
}

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn hostile(turn: u32) {
    tracing::warn!(turn, "the site fails");
}

#[tokio::test(start_paused = true)]
async fn a_flood_becomes_a_number_and_others_are_heard() {
    let (flood, lines) = (Flood::of_at_most(3), Lines::default());
    let subscriber = tracing_subscriber::registry().with(flood.clone()).with(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    for turn in 0..1_000 {
        hostile(turn);
    }
    tracing::error!("something else");
    let expect: Vec<String> = (0..3).map(|turn| format!("message=the site fails;turn={turn};")).collect();
    assert_eq!(lines.take(), [expect, vec!["message=something else;".to_owned()]].concat());

    let stop = CancellationToken::new();
    let mut teller = std::pin::pin!(flood.run(stop.clone()));
    assert!(tokio::time::timeout(WINDOW, &mut teller).await.is_err());
    let told = lines.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("says=\"the site fails\"") && told[0].contains("left_out=997"), "{told:?}");

    // Another minute, another share; and what was left out at the end is told, too.
    (0..5).for_each(hostile);
    assert_eq!(lines.take().len(), 3);
    stop.cancel();
    teller.await.unwrap();
    let told = lines.take();
    assert!(told.len() == 1 && told[0].contains("left_out=2"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_everything_is_told() {
    let lines = Lines::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(Flood::of_at_most(0)).with(lines.clone()));
    (0..500).for_each(hostile);
    assert_eq!(lines.take().len(), 500);
}
