//! Mosquitto with logins: it admits whom it was told, over everything that MQTT runs over.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{POLL_INTERVAL, Peer, START_LIMIT, installed, user_line};
use crate::certificates::Certificates;

/// Mosquitto on four ports of 127.0.0.1: TCP, TLS, WebSocket, and WebSocket over TLS. It admits nobody until it is told
/// to. Dropping it kills the process.
pub struct Mosquitto {
    server: Peer,
    ports: TlsAndWebSocket,
    /// The password of each user name.
    users: BTreeMap<String, String>,
}

/// The ports besides that of TCP.
#[derive(Clone, Copy, Default)]
struct TlsAndWebSocket {
    tls: u16,
    ws: u16,
    wss: u16,
}

impl Mosquitto {
    /// Starts one that shows the certificate.
    ///
    /// None when it is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn start(certificates: &Certificates) -> Option<Self> {
        let program = installed(&["mosquitto", "/usr/sbin/mosquitto"])?;
        installed(&["mosquitto_passwd"])?;
        let ports = Cell::new(TlsAndWebSocket::default());
        let server = Peer::start(|port, folder| {
            ports.set(TlsAndWebSocket::free()?);
            let config = configuration(folder.path(), port, ports.get())?;
            for (file, content) in [
                ("server.pem", certificates.server_pem()),
                ("server.key", certificates.server_key_pem()),
                (PASSWORDS, ""),
                (LOG, ""),
                ("mosquitto.conf", &config),
            ] {
                fs::write(folder.path().join(file), content)?;
            }
            let mut command = Command::new(program);
            command.arg("-c").arg(folder.path().join("mosquitto.conf"));
            Ok(command)
        });
        let server = server.unwrap_or_else(|error| panic!("mosquitto does not start: {error}"));
        Some(Self { server, ports: ports.get(), users: BTreeMap::new() })
    }

    /// Admits this user from now on, with this password and any client id; who has had another password is admitted with
    /// the new one only.
    ///
    /// # Errors
    /// A password file cannot hold them, or the server does not read it again.
    pub fn admit(&mut self, user_name: &str, password: &str) -> io::Result<()> {
        if user_name.contains([':', '\n']) || password.contains('\n') {
            return Err(io::Error::other("a password file cannot hold this user"));
        }
        self.users.insert(user_name.into(), password.into());
        let lines = self.users.iter().map(|(name, password)| format!("{name}:{password}\n"));
        let folder = self.server.folder.path();
        let file = folder.join("new_passwords");
        fs::write(&file, lines.collect::<String>())?;
        // It replaces the passwords in the file by their hashes; as arguments everyone could see them.
        let hashed = Command::new("mosquitto_passwd").arg("-U").arg(&file).output()?;
        if !hashed.status.success() {
            return Err(io::Error::other(format!("mosquitto_passwd ended with {}", hashed.status)));
        }
        fs::rename(&file, folder.join(PASSWORDS))?;
        self.reload()
    }

    /// The port of MQTT over plain TCP.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The port of MQTT over TLS.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.ports.tls
    }

    /// The port of MQTT over WebSocket.
    #[must_use]
    pub fn ws_port(&self) -> u16 {
        self.ports.ws
    }

    /// The port of MQTT over WebSocket over TLS.
    #[must_use]
    pub fn wss_port(&self) -> u16 {
        self.ports.wss
    }

    /// Has it read its passwords again, and waits until it does: it takes no packet between the line in its log and the
    /// new passwords.
    fn reload(&self) -> io::Result<()> {
        let log = self.server.folder.path().join(LOG);
        let reloads = || fs::read_to_string(&log).map(|text| text.matches(RELOADED).count());
        let before = reloads()?;
        let begin = Instant::now();
        while begin.elapsed() < START_LIMIT {
            // A signal that comes before it is done with the one before is lost.
            kill_process(Pid::from_child(&self.server.process), Signal::HUP)?;
            let sent = Instant::now();
            while sent.elapsed() < RELOAD_INTERVAL {
                if reloads()? > before {
                    return Ok(());
                }
                thread::sleep(POLL_INTERVAL);
            }
        }
        Err(io::Error::other("it does not read its passwords again"))
    }
}

impl TlsAndWebSocket {
    fn free() -> io::Result<Self> {
        // All are held until each is known: so they differ.
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (tls, ws, wss) = (listen()?, listen()?, listen()?);
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Self { tls: port(&tls)?, ws: port(&ws)?, wss: port(&wss)? })
    }
}

fn configuration(folder: &Path, port: u16, ports: TlsAndWebSocket) -> io::Result<String> {
    let user = user_line(folder)?;
    let folder = folder.display();
    let TlsAndWebSocket { tls, ws, wss } = ports;
    let certificate = format!("certfile {folder}/server.pem\nkeyfile {folder}/server.key\n");
    // Without the domain it listens for WebSocket on every interface.
    let websocket = "socket_domain ipv4\nprotocol websockets\n";
    // It opens the listeners in this order: when the last one listens, all do.
    Ok(format!(
        "per_listener_settings false\n\
         allow_anonymous false\n\
         password_file {folder}/{PASSWORDS}\n\
         persistence false\n\
         max_queued_messages 0\n\
         log_dest file {folder}/{LOG}\n\
         log_type information\n\
         {user}\
         listener {tls} 127.0.0.1\n{certificate}\
         listener {ws} 127.0.0.1\n{websocket}\
         listener {wss} 127.0.0.1\n{websocket}{certificate}\
         listener {port} 127.0.0.1\n"
    ))
}

/// It looks for signals every 100 ms.
const RELOAD_INTERVAL: Duration = Duration::from_millis(500);
const PASSWORDS: &str = "passwords";
const LOG: &str = "log";
/// What it logs when it is about to read its configuration again.
const RELOADED: &str = "Reloading config.";
