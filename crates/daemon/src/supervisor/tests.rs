use std::{ffi::OsString, path::Path};

use super::*;

const WATCHDOG: Duration = Duration::from_mins(1);

/// A service manager that keeps what it is told.
struct Listener {
    socket: UnixDatagram,
    manager: Manager,
}

impl Listener {
    fn at(address: &OsStr, socket: UnixDatagram) -> Self {
        socket.set_nonblocking(true).unwrap();
        Self { socket, manager: Manager::at(address).unwrap() }
    }

    fn in_directory(dir: &Path) -> Self {
        let path = dir.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self::at(path.as_os_str(), socket)
    }

    /// What it was told since it was last asked.
    fn heard(&self) -> Vec<String> {
        let mut buffer = [0; 512];
        let next = || {
            let length = self.socket.recv(&mut buffer).ok()?;
            Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
        };
        std::iter::from_fn(next).collect()
    }
}

#[test]
fn both_kinds_of_address_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let check = |listener: Listener| {
        listener.manager.ready();
        listener.manager.status("a\nREADY=1");
        listener.manager.stopping();
        assert_eq!(listener.heard(), ["READY=1", "STATUS=a READY=1", "STOPPING=1\nSTATUS=Stopping."]);
    };
    check(Listener::in_directory(dir.path()));
    let name = format!("nachtwacht-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    check(Listener::at(&OsString::from(format!("@{name}")), socket));
    // Nobody is there, and nothing happens.
    Manager::default().ready();
    Manager::at(OsStr::new("/nowhere/notify")).unwrap().ready();
}

fn fed(heard: &[String]) -> usize {
    heard.iter().filter(|state| *state == "WATCHDOG=1").count()
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_starves_when_one_loop_of_two_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let listener = Listener::in_directory(dir.path());
    let (healthy, hanging) = (Pulse::default(), Pulse::default());
    let loops = [("healthy", healthy.clone()), ("hanging", hanging.clone())];
    let supervisor =
        Supervisor::new(listener.manager.clone(), Some(WATCHDOG), loops, BackOff::default(), || "Well.".to_owned());
    let stop = CancellationToken::new();
    let mut task = tokio::task::JoinSet::new();
    task.spawn(supervisor.run(stop.clone()));
    // The system keeps a few datagrams for whoever listens, and no more.
    let turn = async |pulses: &[&Pulse], seconds: u64| {
        let mut heard = Vec::new();
        for _ in 0..seconds {
            for pulse in pulses {
                pulse.beat();
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            heard.extend(listener.heard());
        }
        heard
    };
    let heard = turn(&[&healthy, &hanging], 120).await;
    assert!(fed(&heard) >= 20, "{heard:?}");
    assert_eq!(heard.iter().filter(|state| *state == "STATUS=Well.").count(), 1, "said once");

    let work = hanging.long_work();
    assert!(fed(&turn(&[&healthy], 120).await) >= 20, "long work is no hanging");
    drop(work);

    let heard = turn(&[&healthy], 120).await;
    assert!(fed(&heard) <= 7, "fed for half of the watchdog's time at most: {heard:?}");
    assert!(heard.iter().any(|state| state.starts_with("STATUS=hanging does not turn")), "{heard:?}");
    assert_eq!(fed(&turn(&[&healthy], 120).await), 0);

    assert!(fed(&turn(&[&healthy, &hanging], 30).await) >= 4, "it turns again");
    stop.cancel();
    task.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn where_nobody_asks_nothing_is_fed() {
    let dir = tempfile::tempdir().unwrap();
    let listener = Listener::in_directory(dir.path());
    let loops = [("hanging", Pulse::default())];
    let supervisor = Supervisor::new(listener.manager.clone(), None, loops, BackOff::default(), || "Well.".to_owned());
    let stop = CancellationToken::new();
    let _ = tokio::time::timeout(Duration::from_mins(10), supervisor.run(stop)).await;
    assert_eq!(listener.heard(), ["STATUS=Well."]);
}
