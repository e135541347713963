//! What was acknowledged survives every death: ten rounds here, two hundred in `scripts/bench crash`.

use std::fs;

use tests::crash::{self, Death, Tally, Victim};

/// Any seed does; this one makes a round repeatable.
const SEED: u64 = 20_261_124;

#[test]
fn nothing_acknowledged_is_lost_in_ten_deaths() {
    let dir = tempfile::tempdir().unwrap();
    let rounds = if std::env::var_os("NACHTWACHT_FULL").is_some_and(|full| full == "1") { 60 } else { 10 };
    let mut said = String::new();
    let tally = crash::run(dir.path(), rounds, SEED, |line| said += &format!("{line}\n")).unwrap();
    assert_eq!(tally.rounds, rounds);
    if tally.skipped > 0 {
        let mut err = std::io::stderr().lock();
        std::io::Write::write_all(&mut err, format!("\nSKIPPED: {tally}\n").as_bytes()).unwrap();
    }
    // A round in which nothing happens proves nothing.
    assert!(tally.acknowledged > 100 && tally.deaths >= rounds / 2 && tally.faults >= rounds / 2, "{tally}\n{said}");
    assert!(tally.bytes_lost > 0, "the power was never cut while something was not durable\n{said}");
}

/// The rounds would notice: what is thrown away behind the store's back is missed.
#[test]
fn a_lost_acknowledgement_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::new(dir.path()).unwrap();
    let mut tally = Tally::default();
    victim.round(Death::Killed { after: 10, delay_us: 0 }, SEED, &mut tally).unwrap();
    // The check has moved what was logged into tables; what comes now is in the write-ahead log alone.
    victim.work(Death::Killed { after: 10, delay_us: 0 }, SEED + 1, &mut tally).unwrap();
    for entry in fs::read_dir(victim.store_dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            fs::remove_file(path).unwrap();
        }
    }
    let error = victim.check().unwrap_err().to_string();
    assert!(error.contains("was acknowledged and is not there"), "{error}");
}
