//! LocalStack: SNS and SQS of somebody else. Its SNS signs what it delivers with a key of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Peer, present};

impl Peer {
    /// LocalStack with SNS and SQS, over HTTP. It takes some seconds.
    ///
    /// None when it is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn localstack() -> Option<Self> {
        let python = python()?;
        let started = Self::start(|port, folder| {
            let address = format!("127.0.0.1:{port}");
            let mut command = Command::new(&python);
            command
                .args(["-m", "localstack.runtime.main"])
                .current_dir(folder.path())
                // Else it keeps things in the home of the user, or in /var/lib if it finds itself in a container.
                .env("HOME", folder.path())
                .env("TMPDIR", folder.path())
                .env("FILESYSTEM_ROOT", folder.path())
                .env("OVERRIDE_IN_DOCKER", "0")
                .env_remove("XDG_CACHE_HOME")
                .env("GATEWAY_LISTEN", &address)
                // What the URLs in its messages lead to: else a name that not every resolver knows.
                .env("LOCALSTACK_HOST", &address)
                .env("SERVICES", "sns,sqs")
                // Before it listens, not at the first call.
                .env("EAGER_SERVICE_LOADING", "1")
                // The usual SNS is on another project, which is not installed.
                .env("PROVIDER_OVERRIDE_SNS", "v2")
                // The usual server needs a package that is not asked for.
                .env("GATEWAY_SERVER", "hypercorn")
                // It asks nobody on the network.
                .env("DISABLE_EVENTS", "1")
                .env("SKIP_SSL_CERT_DOWNLOAD", "1")
                .env("DNS_ADDRESS", "0");
            Ok(command)
        });
        Some(started.unwrap_or_else(|error| panic!("LocalStack does not start: {error}")))
    }
}

/// The Python that has it, and Amazon's client with it. None when there is none: that is printed.
pub(super) fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/localstack/bin/python");
    present("LocalStack (CONTRIBUTING.md says how)", python.is_file()).then_some(python)
}
