//! RabbitMQ: a broker that asks somebody else whom to admit.

use std::{fs, io, net::TcpListener, path::Path, process::Command};

use tempfile::TempDir;

use super::{Peer, present};
use crate::certificates::Certificates;

/// Where Debian has it. What is in the PATH changes the user.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
const NODE: &str = "interop@localhost";

/// RabbitMQ, that speaks AMQP 1.0 over TLS on 127.0.0.1 and asks an HTTP server about every login. Dropping it kills
/// its processes.
pub struct RabbitMq {
    server: Peer,
    /// Tells Erlang's nodes the ports of each other; one of its own, so that it ends with the test. Dropped last.
    epmd: Peer,
}

impl RabbitMq {
    /// Starts one that shows the certificate, and posts to `/auth/user`, `/auth/vhost`, `/auth/resource` and
    /// `/auth/topic` of that port of 127.0.0.1. It takes some seconds.
    ///
    /// None when it is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn start(certificates: &Certificates, auth_port: u16) -> Option<Self> {
        if !present("rabbitmq-server", Path::new(PROGRAMS).is_dir()) {
            return None;
        }
        let epmd = Peer::start(|port, _| {
            let mut command = Command::new("epmd");
            command.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
            Ok(command)
        });
        let epmd = epmd.unwrap_or_else(|error| panic!("epmd does not start: {error}"));
        let server = Peer::start(|port, folder| {
            let config = configuration(folder.path(), port, auth_port);
            for (file, content) in [
                ("ca.pem", certificates.ca_pem()),
                ("server.pem", certificates.server_pem()),
                ("server.key", certificates.server_key_pem()),
                ("rabbitmq.conf", &config),
                ("enabled_plugins", "[rabbitmq_amqp1_0,rabbitmq_auth_backend_http]."),
            ] {
                fs::write(folder.path().join(file), content)?;
            }
            let dist_port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let mut command = command("rabbitmq-server", folder, &epmd);
            command
                .env("RABBITMQ_CONFIG_FILE", folder.path().join("rabbitmq.conf"))
                .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.path().join("enabled_plugins"))
                .env("RABBITMQ_MNESIA_BASE", folder.path().join("mnesia"))
                .env("RABBITMQ_LOG_BASE", folder.path().join("log"))
                .env("RABBITMQ_DIST_PORT", dist_port.to_string())
                .env(
                    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                    "-kernel inet_dist_use_interface {127,0,0,1}",
                )
                // The script becomes the server then: else that outlives a script which is killed.
                .env("RUNNING_UNDER_SYSTEMD", "1");
            Ok(command)
        });
        let server = server.unwrap_or_else(|error| panic!("RabbitMQ does not start: {error}"));
        Some(Self { server, epmd })
    }

    /// The port of AMQP over TLS on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// How many messages it holds in a queue, also those that are on their way and not settled.
    ///
    /// # Errors
    /// It does not answer within 30 s, or has no such queue.
    pub fn messages(&self, queue: &str) -> io::Result<usize> {
        let mut command = command("rabbitmqctl", &self.server.folder, &self.epmd);
        command.args(["--silent", "--timeout", "30", "list_queues", "name", "messages"]);
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let counts = text.lines().filter_map(|line| line.split_once('\t'));
        let count = counts.into_iter().find(|(name, _)| *name == queue);
        count.and_then(|(_, count)| count.trim().parse().ok()).ok_or_else(|| {
            io::Error::other(format!("{text}{}", String::from_utf8_lossy(&output.stderr)))
        })
    }
}

/// One of its programs, that finds the node and reads nothing of this machine's settings.
fn command(program: &str, folder: &TempDir, epmd: &Peer) -> Command {
    let mut command = Command::new(Path::new(PROGRAMS).join(program));
    command
        .env("HOME", folder.path())
        .env("RABBITMQ_NODENAME", NODE)
        .env("RABBITMQ_CONF_ENV_FILE", folder.path().join("none"))
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", epmd.port().to_string());
    command
}

fn configuration(folder: &Path, port: u16, auth_port: u16) -> String {
    let folder = folder.display();
    let auth = format!("http://127.0.0.1:{auth_port}/auth");
    format!(
        "listeners.tcp = none\n\
         listeners.ssl.1 = 127.0.0.1:{port}\n\
         ssl_options.cacertfile = {folder}/ca.pem\n\
         ssl_options.certfile = {folder}/server.pem\n\
         ssl_options.keyfile = {folder}/server.key\n\
         ssl_options.verify = verify_none\n\
         auth_mechanisms.1 = PLAIN\n\
         auth_backends.1 = http\n\
         auth_http.http_method = post\n\
         auth_http.user_path = {auth}/user\n\
         auth_http.vhost_path = {auth}/vhost\n\
         auth_http.resource_path = {auth}/resource\n\
         auth_http.topic_path = {auth}/topic\n\
         loopback_users = none\n"
    )
}
