use std::{
    fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    net::UnixStream,
    process::{Child, Command},
    time::Instant,
};

use crate::{Deadline, wait_until};

/// The daemon's program, built beside the one that runs.
pub fn program() -> anyhow::Result<PathBuf> {
    built("nachtwacht")
}

/// A program of the workspace, built beside the one that runs.
pub fn built(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().map(|directory| directory.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("the program {name} is not built: run `cargo build --workspace` first"))
}

/// A real daemon on a directory of its own.
pub struct Daemon {
    program: PathBuf,
    /// What runs the program in place of the kernel: another program, with its arguments.
    under: Vec<String>,
    dir: PathBuf,
    child: Option<Child>,
    /// The one-time password of the approver, until it was used.
    approver: Option<String>,
    /// What the service manager hands over in the environment.
    environment: Vec<(&'static str, String)>,
}

/// Who uses the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Whoever holds every role.
    Tester,
    /// Whoever approves what the tester proposes.
    Approver,
    /// Whoever opens the socket as root.
    Local,
}

impl Person {
    const fn token_file(self) -> &'static str {
        match self {
            Self::Tester => "tester.token",
            Self::Approver => "approver.token",
            Self::Local => "none.token",
        }
    }
}

/// The password that people of the tests choose.
pub const PASSWORD: &str = "correct horse battery staple";

impl Daemon {
    /// Prepares the directory: configuration, keys, accounts. Nothing runs yet. `settings` are lines of TOML, tables by their full names.
    pub async fn prepare(dir: &Path, network_config: &Path, settings: &str) -> anyhow::Result<Self> {
        Self::prepare_under(&[], dir, network_config, settings).await
    }

    /// The same with a daemon that is run by another program, which is named with its arguments and replaces itself by what it runs.
    pub async fn prepare_under(
        under: &[&str],
        dir: &Path,
        network_config: &Path,
        settings: &str,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut daemon = Self {
            program: program()?,
            under: under.iter().map(|&word| word.to_owned()).collect(),
            dir: dir.canonicalize()?,
            child: None,
            approver: None,
            environment: Vec::new(),
        };
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").canonicalize()?;
        let config = format!(
            "data_dir = '{}'\nthemes_dir = '{}'\nindicators_dir = '{}'\nsites_dir = '{}'\nlisten.tcp = ['127.0.0.1:0']\nlisten.socket = '{}'\nfetch.tor.network_config = '{}'\n{settings}\n",
            daemon.dir.join("data").display(),
            config.join("themes").display(),
            config.join("indicators").display(),
            config.join("sites").display(),
            daemon.dir.join("api.sock").display(),
            network_config.display(),
        );
        fs::write(daemon.config(), config)?;
        let made: Value = serde_json::from_str(&daemon.cli_as(Person::Local, &["--json", "init"]).await?)?;
        let of = |name: &str| made["accounts"].as_array()?.iter().find(|account| account["name"] == name);
        let password = of("approver").and_then(|account| account["password"].as_str());
        daemon.approver = Some(password.context("init made no approver")?.to_owned());
        Ok(daemon)
    }

    /// A daemon that somebody else started: `program` asks it, its socket and its configuration are found in `dir`, and `password` is the
    /// approver's one-time password.
    pub async fn attach(program: &Path, dir: &Path, password: &str) -> anyhow::Result<Self> {
        let daemon = Self {
            program: program.to_owned(),
            under: Vec::new(),
            dir: dir.canonicalize()?,
            child: None,
            approver: None,
            environment: Vec::new(),
        };
        daemon.log_in(Person::Approver, "approver", password).await?;
        daemon.settle_in().await?;
        Ok(daemon)
    }

    /// Starts the daemon, and returns when its API answers.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.log())?;
        let mut command = match self.under.split_first() {
            Some((runner, args)) => {
                let mut command = Command::new(runner);
                command.args(args).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command
            .arg("--config")
            .arg(self.config())
            .arg("serve")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        self.child = Some(command.spawn()?);
        let this = &*self;
        wait_until("the daemon's API answers", Deadline::seconds(30), || async move {
            Ok(this.cli_as(Person::Local, &["whoami"]).await.ok())
        })
        .await
        .with_context(|| format!("its log ends with:\n{}", self.end_of_log()))?;
        if let Some(password) = self.approver.take() {
            self.log_in(Person::Approver, "approver", &password).await?;
            self.settle_in().await?;
        }
        Ok(())
    }

    /// Hands a variable over in the environment, from the next start on.
    pub fn hand_over(&mut self, name: &'static str, value: &str) {
        self.environment.push((name, value.to_owned()));
    }

    /// Sends a signal, such as `HUP`.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid()?.to_string()]).status().await?;
        ensure!(sent.success(), "the daemon cannot be sent SIG{name}");
        Ok(())
    }

    /// Waits until the daemon ends, whatever it ends with.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let Some(mut child) = self.child.take() else { bail!("the daemon does not run") };
        tokio::time::timeout(Duration::from_secs(30), child.wait())
            .await
            .context("the daemon does not end")?
            .map_err(Into::into)
    }

    /// Makes the tester, who holds every role.
    async fn settle_in(&self) -> anyhow::Result<()> {
        let local = |args: Vec<&'static str>| async move { self.cli_as(Person::Local, &args).await };
        let made = local(vec!["--json", "user", "add", "tester", "--full-name", "The tester"]).await?;
        let made: Value = serde_json::from_str(&made)?;
        let give = ["--qualification", "The tests.", "--ends", "2099-01-01"];
        for role in ["administrator", "auditor"] {
            local([&["user", "give", "tester", role][..], &give].concat()).await?;
        }
        for role in ["operator", "analyst", "investigator", "approver"] {
            for theme in ["marketplace", "cybercrime"] {
                local([&["user", "give", "tester", role, "--theme", theme][..], &give].concat()).await?;
            }
        }
        let password = made["password"].as_str().context("no password for the tester")?;
        self.log_in(Person::Tester, "tester", password).await
    }

    /// Logs in with a one-time password, and sets another one.
    async fn log_in(&self, person: Person, name: &str, password: &str) -> anyhow::Result<()> {
        let mut command = self.command(person, &["login", name]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        stdin.write_all(format!("{password}\n{PASSWORD}\n").as_bytes()).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        ensure!(output.status.success(), "{name} cannot log in: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The file with somebody's token.
    pub fn token_file(&self, person: Person) -> PathBuf {
        self.dir.join(person.token_file())
    }

    fn command(&self, person: Person, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.config()).arg("--token-file").arg(self.token_file(person));
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// The file that the daemon logs to.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.join("nachtwacht.toml")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Where the API is, as the newest start tells in the log.
    pub fn url(&self) -> anyhow::Result<String> {
        let log = fs::read_to_string(self.log())?;
        let address = log.rsplit_once("tcp=[").and_then(|(_, rest)| rest.split([']', ',']).next());
        Ok(format!("http://{}", address.context("the log tells of no address")?))
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.as_ref().and_then(Child::id).context("the daemon does not run")
    }

    /// Runs a command of the command line to its end, as the tester; fails when it does.
    pub async fn cli(&self, args: &[&str]) -> anyhow::Result<String> {
        self.cli_as(Person::Tester, args).await
    }

    /// Runs a command of the command line to its end, as somebody; fails when it does.
    pub async fn cli_as(&self, person: Person, args: &[&str]) -> anyhow::Result<String> {
        let output = self.command(person, args).output().await?;
        ensure!(output.status.success(), "nachtwacht {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command of the command line to its end, as the tester, whatever that is.
    pub async fn try_cli(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.try_cli_as(Person::Tester, args).await
    }

    /// Runs a command of the command line to its end, as somebody, whatever that is.
    pub async fn try_cli_as(&self, person: Person, args: &[&str]) -> anyhow::Result<Output> {
        Ok(self.command(person, args).output().await?)
    }

    /// Adds a target with a decision that lasts: one person proposes it, another approves. Returns its id.
    pub async fn add_target(&self, theme: &str, name: &str, seed: &str, more: &[&str]) -> anyhow::Result<String> {
        let (id, proposal) = self.propose_target(theme, name, seed, more).await?;
        self.approve(theme, &id, proposal).await?;
        // The crawl hears of it a moment later; before that it may well be idle.
        wait_until("the crawl knows the target", Deadline::seconds(60), || async {
            let status = self.get("/status").await?;
            let known = status["crawl"]["targets"].as_array().context("no targets in the status")?;
            Ok(known.iter().any(|target| target["id"] == *id).then_some(()))
        })
        .await?;
        Ok(id)
    }

    /// Proposes a target; returns its id, and the proposal.
    pub async fn propose_target(
        &self,
        theme: &str,
        name: &str,
        seed: &str,
        more: &[&str],
    ) -> anyhow::Result<(String, u64)> {
        let mut args = vec!["--json", "target", "propose", "--theme", theme, "--name", name, "--seed", seed];
        args.extend([
            "--grounds",
            "A test of the whole.",
            "--expected-value",
            "That all of it works together.",
            "--legal-basis",
            "None is needed: the site is our own.",
            "--necessity",
            "Nothing else shows that.",
            "--proportionality",
            "Nobody is concerned.",
            "--review",
            "2098-01-01",
            "--ends",
            "2099-01-01",
        ]);
        args.extend(more);
        let answer: Value = serde_json::from_str(&self.cli(&args).await?)?;
        let id = answer["id"].as_str().context("no id in the answer")?.to_owned();
        let proposal = answer["open_proposals"][0]["proposal"].as_u64().context("no proposal in the answer")?;
        Ok((id, proposal))
    }

    /// Approves a proposal, as a second person.
    pub async fn approve(&self, theme: &str, target: &str, proposal: u64) -> anyhow::Result<()> {
        let proposal = proposal.to_string();
        let args = ["target", "approve", theme, target, &proposal, "--reasons", "A test needs it."];
        self.cli_as(Person::Approver, &args).await.map(drop)
    }

    /// Asks the API over its socket.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.get_bytes(path).await?)?)
    }

    /// Asks the API over its socket for an answer as it is.
    pub async fn get_bytes(&self, path: &str) -> anyhow::Result<Bytes> {
        let stream = UnixStream::connect(self.dir.join("api.sock")).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = tokio::task::JoinSet::new();
        driver.spawn(connection);
        let token = fs::read_to_string(self.token_file(Person::Tester)).context("the tester is not logged in")?;
        let request = Request::get(format!("/api/v1{path}"))
            .header("host", "nachtwacht")
            .header("authorization", format!("Bearer {}", token.trim()))
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "GET {path}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    /// Every capture of a theme, newest first.
    pub async fn captures(&self, theme: &str) -> anyhow::Result<Vec<Value>> {
        let mut captures = Vec::new();
        let mut from = String::new();
        loop {
            let page = self.get(&format!("/themes/{theme}/captures?limit=100{from}")).await?;
            captures.extend(page["captures"].as_array().context("no captures in the answer")?.iter().cloned());
            match &page["next"] {
                Value::Null => return Ok(captures),
                next => from = format!("&from={next}"),
            }
        }
    }

    /// Waits until nothing is in flight, due or waiting for analysis and index.
    pub async fn wait_until_idle(&self, deadline: Deadline) -> anyhow::Result<()> {
        wait_until("the crawl comes to rest", deadline, || async {
            Ok(is_idle(&self.get("/status").await?).then_some(()))
        })
        .await
        .with_context(|| format!("the daemon's log ends with:\n{}", self.end_of_log()))
    }

    /// Kills the daemon as a power cut would, for all the daemon can tell.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { bail!("the daemon does not run") };
        child.kill().await?;
        Ok(())
    }

    /// Asks the daemon to stop; returns how long it took. Fails when it does not end well.
    pub async fn stop(&mut self) -> anyhow::Result<Duration> {
        let Some(mut child) = self.child.take() else { bail!("the daemon does not run") };
        let pid = child.id().context("the daemon has ended by itself")?;
        let begun = Instant::now();
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "the daemon cannot be told to stop");
        let status =
            tokio::time::timeout(Duration::from_secs(15), child.wait()).await.context("the daemon does not stop")??;
        ensure!(status.success(), "the daemon ended with {status}:\n{}", self.end_of_log());
        Ok(begun.elapsed())
    }

    /// The last lines of the log.
    pub fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

/// Whether everything that was owed is done: fetched, analysed, indexed, and its links followed.
fn is_idle(status: &Value) -> bool {
    let all =
        |list: &Value, is_done: &dyn Fn(&Value) -> bool| list.as_array().is_some_and(|list| list.iter().all(is_done));
    let targets = &status["crawl"]["targets"];
    targets.as_array().is_some_and(|targets| !targets.is_empty())
        && status["crawl"]["in_flight"] == 0
        && all(targets, &|target| target["is_idle"] == true && target["captures"] != 0)
        && all(&status["analysis"], &|theme| {
            ["analysed", "indexed", "followed"].iter().all(|reached| theme[reached] == theme["captured"])
        })
}
