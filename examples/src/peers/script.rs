//! Programs in other languages, on AMQP, MQTT and SNS libraries of those languages.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{self, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::{installed, localstack, present};

/// Debian's, which finds Debian's packages; another one may come first in the PATH.
const PYTHON: &str = "/usr/bin/python3";
const NODE: &[&str] = &["node", "nodejs"];
/// How long a program may be silent while it is listened to.
const LINE_LIMIT: Duration = Duration::from_secs(30);

/// A program of `tests/peers` in a process of its own, that is told by its standard input and tells by lines of its
/// standard output. Dropping it kills the process.
pub struct Script {
    _process: Child,
    /// None once it is told everything.
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Script {
    /// Starts a program for Node alone. It goes on being [told](Self::tell).
    ///
    /// None when Node is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn node(file: &str) -> Option<Self> {
        Some(Self::start(installed(NODE)?, file))
    }

    /// Starts a program on [rhea](https://www.npmjs.com/package/rhea), for Node. `input` is all that it is told:
    /// secrets are seen there by nobody else.
    ///
    /// None when Node or rhea is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    pub async fn rhea(file: &str, input: &str) -> Option<Self> {
        let node = node_with("rhea")?;
        Some(Self::start(node, file).told_all(input).await)
    }

    /// Starts a program on [MQTT.js](https://www.npmjs.com/package/mqtt), for Node. It goes on being
    /// [told](Self::tell).
    ///
    /// None when Node or MQTT.js is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn mqttjs(file: &str) -> Option<Self> {
        Some(Self::start(node_with("mqtt")?, file))
    }

    /// Starts a program on the validators [sns-validator](https://www.npmjs.com/package/sns-validator) and
    /// [sns-payload-validator](https://www.npmjs.com/package/sns-payload-validator), for Node. It goes on being
    /// [told](Self::tell).
    ///
    /// None when Node or one of them is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn sns_validators(file: &str) -> Option<Self> {
        node_with("sns-validator")?;
        Some(Self::start(node_with("sns-payload-validator")?, file))
    }

    /// Starts a program on boto3, the AWS client for Python, which LocalStack brings with it. It goes
    /// on being [told](Self::tell).
    ///
    /// None when LocalStack is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn boto3(file: &str) -> Option<Self> {
        Some(Self::start(localstack::python()?, file))
    }

    /// Starts a program on Qpid Proton, for Python, in the same way.
    ///
    /// None when it is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It does not start, or it is not installed although the environment says `INTEROP=required`.
    pub async fn proton(file: &str, input: &str) -> Option<Self> {
        let imported = process::Command::new(PYTHON)
            .args(["-c", "import proton"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !present("python3-qpid-proton", imported.is_ok_and(|status| status.success())) {
            return None;
        }
        Some(Self::start(PYTHON, file).told_all(input).await)
    }

    /// Tells it one line more. A program that has ended does not hear it: that is noticed by what it does not say.
    pub async fn tell(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).await;
        }
    }

    /// The next line that it tells; none when it has ended.
    ///
    /// # Panics
    /// It is silent for 30 s.
    pub async fn line(&mut self) -> Option<String> {
        let line = timeout(LINE_LIMIT, self.lines.next_line()).await;
        line.expect("the program says nothing").expect("the program speaks UTF-8")
    }

    fn start(program: impl AsRef<OsStr>, file: &str) -> Self {
        let spawned = Command::new(program)
            .arg(folder().join(file))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{file} does not start: {error}"));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it is piped");
        Self { _process: child, stdin, lines: BufReader::new(stdout).lines() }
    }

    /// The same program, that is told this and nothing more.
    async fn told_all(mut self, input: &str) -> Self {
        if let Some(mut stdin) = self.stdin.take() {
            // One that ends without reading is noticed by what it does not say.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        self
    }
}

/// Node, when it has this package.
fn node_with(package: &str) -> Option<&'static str> {
    let node = installed(NODE)?;
    let is_present = folder().join("node_modules").join(package).is_dir();
    present(&format!("{package} (npm ci in examples/tests/peers)"), is_present).then_some(node)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}
