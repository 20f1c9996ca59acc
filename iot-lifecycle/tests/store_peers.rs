//! The conditional writes in the databases themselves: every pair of the universe written, older or newer first.
//!
//! A database that is not installed is skipped, unless `INTEROP=required`.

mod heads;

use core::time::Duration;
use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    thread,
};

use heads::{THETA, pairs};
use iot_lifecycle::{
    Head, Order,
    store::{postgres, redis},
};

const ORDER: Order = Order::Versioned { theta: THETA };

#[test]
fn postgresql_keeps_the_newer_of_every_pair() {
    let Some(server) = Postgres::start() else {
        return skipped("postgresql");
    };
    // The trap is set: this database sorts texts by a language, not by bytes.
    assert_eq!(server.psql("SELECT 'a' < 'B'").trim(), "t");

    let pairs = pairs();
    let mut script =
        format!("{}; PREPARE upsert AS {}; BEGIN;\n", postgres::CREATE_TABLE, postgres::UPSERT);
    for (at, (new, old)) in pairs.iter().enumerate() {
        for head in [old, new] {
            let id = at.to_string();
            let p = postgres::parameters(&id, head, THETA);
            script += &format!(
                "EXECUTE upsert('{}', {}, {}, {}, '{}', {}, {});\n",
                p.client_id, p.v, p.t, p.k, p.s, p.hi, p.lo
            );
        }
    }
    script += "COMMIT; COPY (SELECT v, t, k, s FROM presence ORDER BY client_id::int) TO STDOUT DELIMITER ' ';";
    let rows = server.psql(&script);
    let mut rows = rows.lines();
    for (new, old) in &pairs {
        let p = postgres::parameters("", kept(new, old), THETA);
        let expected = format!("{} {} {} {}", p.v, p.t, p.k, p.s);
        assert_eq!(rows.next(), Some(expected.as_str()), "{new:?} {old:?}");
    }
    assert_eq!(rows.next(), None);
}

#[test]
fn redis_keeps_the_newer_of_every_pair() {
    let Some(server) = Redis::start() else {
        return skipped("redis");
    };
    let sha = server.cli(&["-x", "SCRIPT", "LOAD"], redis::SCRIPT);
    let pairs = pairs();
    let mut commands = String::new();
    for (at, (new, old)) in pairs.iter().enumerate() {
        for head in [old, new] {
            let arguments = redis::arguments(head, THETA).map(|text| format!("\"{text}\""));
            commands += &format!("EVALSHA {} 1 {at} {}\n", sha.trim(), arguments.join(" "));
        }
        commands += &format!("HMGET {at} v t k s\n");
    }
    let replies = server.cli(&[], &commands);
    let mut replies = replies.lines();
    for (new, old) in &pairs {
        assert_eq!(replies.next(), Some("1"), "an absent key is always written");
        let newer = if ORDER.newer(new, old) { "1" } else { "0" };
        assert_eq!(replies.next(), Some(newer), "{new:?} {old:?}");
        for expected in &redis::arguments(kept(new, old), THETA)[..4] {
            assert_eq!(replies.next(), Some(expected.as_str()), "{new:?} {old:?}");
        }
    }
    assert_eq!(replies.next(), None);
}

#[test]
fn redis_lets_only_offline_clients_expire() {
    let Some(server) = Redis::start() else {
        return skipped("redis");
    };
    let sha = server.cli(&["-x", "SCRIPT", "LOAD"], redis::SCRIPT);
    let write = |n: u32, kind: u32, keep: &str| {
        let call = format!("EVALSHA {} 1 key {n:020} {n:020} {kind} A {n:020} {n:020}", sha.trim());
        let replies = server.cli(&[], &format!("{call} {keep}\nPTTL key\n"));
        let (written, left) = replies.trim().split_once('\n').expect("two replies");
        assert_eq!(written, "1");
        left.parse::<i64>().expect("milliseconds")
    };
    assert_eq!(write(1, 0, "600000"), -1);
    assert!((1..=600_000).contains(&write(1, 1, "600000")));
    assert_eq!(write(2, 0, "600000"), -1, "it is back");
    assert_eq!(write(2, 1, ""), -1, "no time was given");
}

#[test]
fn what_is_skipped_is_said_although_the_test_passes() {
    let mut harness = Command::new(env::current_exe().expect("this test"));
    harness.args(["--exact", "redis_lets_only_offline_clients_expire"]);
    let output = harness.env("PATH", "").env_remove("INTEROP").output().expect("it runs");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("skipped: redis is not installed"), "{said:?}");
}

/// What an item holds after `old` and then `new` were written to it.
fn kept<'a>(new: &'a Head<'static>, old: &'a Head<'static>) -> &'a Head<'static> {
    if ORDER.newer(new, old) { new } else { old }
}

fn skipped(peer: &str) {
    assert_ne!(env::var("INTEROP").as_deref(), Ok("required"), "{peer} is not installed");
    // Not with a macro of the standard library: the test harness keeps to itself what those print.
    let _ = writeln!(io::stderr(), "skipped: {peer} is not installed");
}

/// A server of its own in a folder of its own, reached over a socket in that folder; stopped when dropped.
struct Postgres {
    folder: Folder,
    pg_ctl: PathBuf,
}

impl Postgres {
    fn start() -> Option<Self> {
        let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let packaged = packaged.flatten().map(|version| version.path().join("bin"));
        let pg_ctl = installed("pg_ctl", packaged)?;
        let server = Self { folder: Folder::new("postgres"), pg_ctl };
        let folder = server.folder.0.display();
        if is_root() {
            let mut chown = Command::new("chown");
            run(chown.arg("postgres").arg(&server.folder.0), "");
        }
        // A language of its own makes the order of texts differ from that of their bytes.
        server.control(
            "initdb -o '-A trust -U postgres -N -E UTF8 --locale=C --locale-provider=icu --icu-locale=en-US'",
        );
        server.control(&format!(
            "start -w -l {folder}/log -o '-F -c listen_addresses= -c unix_socket_directories={folder}'"
        ));
        Some(server)
    }

    fn control(&self, arguments: &str) {
        run(&mut self.shell(arguments), "");
    }

    /// The server does not run as root.
    fn shell(&self, arguments: &str) -> Command {
        let (program, folder) = (self.pg_ctl.display(), self.folder.0.display());
        let command = format!("{program} -s -D {folder}/data {arguments}");
        let mut shell = Command::new(if is_root() { "su" } else { "sh" });
        if is_root() {
            shell.args(["postgres", "-s", "/bin/sh"]);
        }
        shell.args(["-c", &command]).current_dir(&self.folder.0);
        shell
    }

    fn psql(&self, script: &str) -> String {
        let mut command = Command::new("psql");
        command.args(["-XqAt", "-vON_ERROR_STOP=1", "-Upostgres", "-h"]);
        run(command.arg(&self.folder.0), script)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Also when it did not start.
        let _ = self.shell("stop -m immediate").status();
    }
}

/// As [`Postgres`].
struct Redis {
    folder: Folder,
    process: Child,
}

impl Redis {
    fn start() -> Option<Self> {
        let program = installed("redis-server", [])?;
        let folder = Folder::new("redis");
        // Comparisons in scripts follow the server's locale: give it one that does not sort by bytes, where it can be
        // made.
        let locale = folder.0.join("en_US.UTF-8");
        let made = (Command::new("localedef").args(["-i", "en_US", "-f", "UTF-8"]).arg(&locale))
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        let process = Command::new(program)
            .args(["--port", "0", "--save", "", "--unixsocket", "socket", "--dir"])
            .arg(&folder.0)
            .env("LOCPATH", &folder.0)
            .env("LC_ALL", "en_US.UTF-8")
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let server = Self { folder, process };
        for _ in 0..1_000 {
            if server.socket().exists() {
                let by_locale = server.cli(&["EVAL", "return 'a' < 'B'", "0"], "");
                assert_eq!(by_locale.trim() == "1", made, "the trap is set");
                return Some(server);
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not listen");
    }

    fn socket(&self) -> PathBuf {
        self.folder.0.join("socket")
    }

    fn cli(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new("redis-cli");
        run(command.arg("-s").arg(self.socket()).args(arguments), input)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// A new folder, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let thread = thread::current();
        let name = format!("store-{name}-{}-{:?}", process::id(), thread.id());
        // The thread's number comes in parentheses, which a shell would read.
        let folder = env::temp_dir().join(name.replace(['(', ')'], ""));
        fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where a program is: in the path, or in one of these folders.
fn installed(program: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let places = env::split_paths(&path).chain(folders);
    places.map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u"), "").trim() == "0"
}

/// What the program prints, given this input.
fn run(command: &mut Command, input: &str) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is piped");
    let input = input.to_owned();
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("no panic").expect("it takes its input");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
