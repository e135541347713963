use std::{collections::VecDeque, io};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// The status of an event that nobody asked for at the moment it comes.
const ASYNCHRONOUS: &str = "650";

/// A connection to the control port of a tor process (control-spec).
#[derive(Debug)]
pub(crate) struct Control {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    events: VecDeque<Vec<String>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection is gone, and with it most likely the process.
    Closed,
    /// tor says no, in these words.
    Refused(String),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

impl Control {
    pub(crate) fn over(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { lines: BufReader::new(reader).lines(), writer, events: VecDeque::new() }
    }

    /// Sends a command and returns the lines of its answer, without their status.
    pub(crate) async fn ask(&mut self, command: &str) -> Result<Vec<String>, Broken> {
        self.writer.write_all(format!("{command}\r\n").as_bytes()).await?;
        loop {
            let (status, lines) = self.read_reply().await?;
            if status == ASYNCHRONOUS {
                self.events.push_back(lines);
            } else if status.starts_with('2') {
                return Ok(lines);
            } else {
                return Err(Broken::Refused(format!("{status} {}", lines.join(" "))));
            }
        }
    }

    /// The lines of the next event that was subscribed to.
    pub(crate) async fn event(&mut self) -> Result<Vec<String>, Broken> {
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        loop {
            let (status, lines) = self.read_reply().await?;
            if status == ASYNCHRONOUS {
                return Ok(lines);
            }
        }
    }

    /// One reply (control-spec, section 2.3): lines with `-` go on, those with `+` carry data until a full stop, a
    /// space ends it.
    async fn read_reply(&mut self) -> Result<(String, Vec<String>), Broken> {
        let mut lines = Vec::new();
        loop {
            let line = self.read_line().await?;
            let (status, rest) = line.split_at_checked(3).ok_or(Broken::Closed)?;
            let (kind, text) = rest.split_at_checked(1).ok_or(Broken::Closed)?;
            lines.push(text.to_owned());
            match kind {
                "-" => {}
                "+" => self.read_data(&mut lines).await?,
                _ => return Ok((status.to_owned(), lines)),
            }
        }
    }

    async fn read_data(&mut self, lines: &mut Vec<String>) -> Result<(), Broken> {
        loop {
            let line = self.read_line().await?;
            if line == "." {
                return Ok(());
            }
            lines.push(line);
        }
    }

    async fn read_line(&mut self) -> Result<String, Broken> {
        self.lines.next_line().await?.ok_or(Broken::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A control connection to something that says `script` whatever it hears, and then says no more. The other end is
    /// kept open: a command written to a closed socket fails before the script is read.
    async fn scripted(script: &str) -> (Control, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(script.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        (Control::over(ours), theirs)
    }

    #[tokio::test]
    async fn an_event_in_front_of_an_answer_waits_its_turn() {
        let (mut control, _peer) =
            scripted("650 HS_DESC UPLOAD x\r\n250+ns/all=\r\nr one\r\ns Running\r\n.\r\n250 OK\r\n").await;
        assert_eq!(control.ask("GETINFO ns/all").await.unwrap(), ["ns/all=", "r one", "s Running", "OK"]);
        assert_eq!(control.event().await.unwrap(), ["HS_DESC UPLOAD x"]);
        assert!(matches!(control.event().await, Err(Broken::Closed)));
    }

    #[tokio::test]
    async fn a_refusal_keeps_the_words_of_tor() {
        let (mut control, _peer) = scripted("510 Unrecognized command\r\n").await;
        assert!(
            matches!(control.ask("NONSENSE").await, Err(Broken::Refused(words)) if words == "510 Unrecognized command")
        );
    }
}
