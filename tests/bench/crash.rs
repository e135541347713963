//! `bench crash`: deaths of a writer in the middle of its work, and a look at what is left.

/// Runs the rounds in a temporary directory; the first that does not hold is an error that names its seed.
pub(crate) fn run(rounds: usize, seed: Option<u64>) -> anyhow::Result<()> {
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) << 20);
    println!("seed {seed}");
    let dir = tempfile::tempdir()?;
    let tally = tests::crash::run(dir.path(), rounds, seed, |line| eprintln!("{line}"))?;
    println!("{tally}");
    Ok(())
}
