//! OpenSSL, by its command line.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::installed;

/// An RSA key and its certificate, which OpenSSL has made and works with. They are in a folder that is removed with it.
pub struct OpenSsl {
    program: &'static str,
    folder: TempDir,
}

impl OpenSsl {
    /// A new key of 2,048 bits, and a certificate of its own with this DNS name, from now on for two days.
    ///
    /// None when OpenSSL is not installed: that is printed, and the test has nothing to do.
    ///
    /// # Panics
    /// It fails, or it is not installed although the environment says `INTEROP=required`.
    #[must_use]
    pub fn generate(dns_name: &str) -> Option<Self> {
        let program = installed(&["openssl"])?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ours = Self { program, folder };
        let (key, certificate) = (ours.path("key.pem"), ours.path("certificate.pem"));
        let name = format!("subjectAltName=DNS:{dns_name}");
        let mut args = vec!["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
        args.extend(["-subj", "/O=test", "-addext", &name, "-keyout", &key, "-out", &certificate]);
        ours.run(&args, b"").expect("it makes a key");
        Some(ours)
    }

    /// The certificate, in PEM.
    ///
    /// # Panics
    /// It is gone.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        fs::read_to_string(self.path("certificate.pem")).expect("it is there")
    }

    /// The signature of the key over a text, RSA with PKCS#1 v1.5. The digest is `sha1` or `sha256`.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn sign(&self, digest: &str, text: &[u8]) -> Vec<u8> {
        let digest = format!("-{digest}");
        self.run(&["dgst", &digest, "-sign", &self.path("key.pem")], text).expect("it signs")
    }

    /// The public key in a certificate, in PEM.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn public_key(&self, certificate_pem: &str) -> String {
        let public = self.run(&["x509", "-pubkey", "-noout"], certificate_pem.as_bytes());
        String::from_utf8(public.expect("it has a key")).expect("PEM")
    }

    /// Whether a signature over a text is one of the [key](Self::public_key). The digest is as for [`sign`](Self::sign).
    ///
    /// # Panics
    /// It says neither yes nor no.
    #[must_use]
    pub fn verifies(&self, public_key: &str, digest: &str, text: &[u8], signature: &[u8]) -> bool {
        let public = self.written(public_key);
        let file = self.path("signature");
        fs::write(&file, signature).expect("it is written");
        let digest = format!("-{digest}");
        match self.run(&["dgst", &digest, "-verify", &public, "-signature", &file], text) {
            Ok(said) if said == b"Verified OK\n" => true,
            Err(said) if said == b"Verification failure\n" => false,
            Ok(said) | Err(said) => panic!("openssl says {:?}", String::from_utf8_lossy(&said)),
        }
    }

    /// Another certificate for the key in this one, with this common name and for two days: the key is not needed.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn renamed(&self, certificate_pem: &str, common_name: &str) -> String {
        let public = self.written(&self.public_key(certificate_pem));
        let subject = format!("/CN={common_name}");
        let (key, certificate) = (self.path("key.pem"), self.path("certificate.pem"));
        let mut args = vec!["x509", "-new", "-force_pubkey", &public, "-subj", &subject];
        args.extend(["-days", "2", "-CA", &certificate, "-CAkey", &key]);
        let issued = self.run(&args, b"");
        String::from_utf8(issued.expect("it issues one")).expect("PEM")
    }

    /// The file with this public key.
    fn written(&self, public_key: &str) -> String {
        let file = self.path("public.pem");
        fs::write(&file, public_key).expect("it is written");
        file
    }

    /// What it writes on its standard output; an error when it ends with a failure.
    fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let spawned = Command::new(self.program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = spawned.expect("it starts");
        // It says nothing before it has read all.
        let written = child.stdin.take().expect("it is piped").write_all(input);
        let output = child.wait_with_output().expect("it ends");
        written.expect("it reads");
        if output.status.success() { Ok(output.stdout) } else { Err(output.stdout) }
    }

    fn path(&self, file: &str) -> String {
        let path: PathBuf = self.folder.path().join(file);
        path.into_os_string().into_string().expect("UTF-8")
    }
}
