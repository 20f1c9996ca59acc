//! Servers and clients that nobody here wrote, started for one test each.

use std::{
    env, fs,
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub use self::{mosquitto::Mosquitto, openssl::OpenSsl, rabbitmq::RabbitMq, script::Script};

mod localstack;
mod mosquitto;
mod openssl;
mod rabbitmq;
mod script;

/// RabbitMQ takes six seconds when nothing else runs.
const START_LIMIT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// A free port can be taken by someone else before the server has it.
const START_ATTEMPTS: usize = 3;

/// A server in a process of its own, on a port of 127.0.0.1. Dropping it kills the process.
pub struct Peer {
    process: Child,
    port: u16,
    /// Its configuration and whatever it writes; removed with it.
    folder: TempDir,
}

impl Peer {
    /// Mosquitto, which admits everyone and queues without limit. One that asks for passwords is [`Mosquitto`].
    ///
    /// None when it is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn mosquitto() -> Option<Self> {
        // Debian's folder for it is not in every PATH.
        let program = installed(&["mosquitto", "/usr/sbin/mosquitto"])?;
        let started = Self::start(|port, folder| {
            let config = format!(
                "allow_anonymous true\npersistence false\nmax_queued_messages 0\n{}listener {port} 127.0.0.1\n",
                user_line(folder.path())?,
            );
            let file = folder.path().join("mosquitto.conf");
            fs::write(&file, config)?;
            let mut command = Command::new(program);
            command.arg("-c").arg(file);
            Ok(command)
        });
        Some(started.unwrap_or_else(|error| panic!("mosquitto does not start: {error}")))
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts what `command` makes for a port and an empty folder, and waits until it listens.
    fn start(command: impl Fn(u16, &TempDir) -> io::Result<Command>) -> io::Result<Self> {
        let mut attempts = START_ATTEMPTS;
        loop {
            attempts -= 1;
            let folder = tempfile::tempdir()?;
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let mut command = command(port, &folder)?;
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut peer = Self { process: command.spawn()?, port, folder };
            match peer.wait_until_it_listens() {
                Err(_) if attempts > 0 => {}
                waited => return waited.map(|()| peer),
            }
        }
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        loop {
            let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
            // Asked after connecting: whoever else has the port makes this server exit.
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            match connected {
                Ok(_) => return Ok(()),
                Err(error) if begin.elapsed() > START_LIMIT => return Err(error),
                Err(_) => thread::sleep(POLL_INTERVAL),
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Mosquitto's setting of its user. Without it the server leaves root's rights, and cannot read root's files then.
fn user_line(folder: &Path) -> io::Result<&'static str> {
    Ok(if fs::metadata(folder)?.uid() == 0 { "user root\n" } else { "" })
}

/// The first of these programs that can be run. None when there is none: that is printed.
///
/// # Panics
/// There is none although the environment says `INTEROP=required`.
#[must_use]
pub fn installed(programs: &[&'static str]) -> Option<&'static str> {
    let runs = |program: &&&str| {
        let help =
            Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !help.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let found = programs.iter().find(runs).copied();
    present(programs[0], found.is_some()).then_some(found).flatten()
}

/// Whether the peer of this name is there; says so when it is not, in the way that `INTEROP` asks for.
fn present(name: &str, is_present: bool) -> bool {
    if !is_present {
        let required = env::var_os("INTEROP").is_some_and(|value| value == "required");
        assert!(!required, "{name} is not installed, and INTEROP=required");
        // Not with a macro of the standard library: the test harness keeps to itself what those print.
        let _ = writeln!(io::stderr(), "skipped: {name} is not installed");
    }
    is_present
}
