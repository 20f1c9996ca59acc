//! The certificate of SNS: its name, its time and its key (specification section 5.5).

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::fmt;

use iot_sansio::UnixMillis;
use x509_cert::{
    TbsCertificate,
    der::{
        self, Decode as _, Encode as _, Reader as _, SliceReader,
        asn1::{ObjectIdentifier, UintRef},
        pem,
    },
    ext::pkix::{SubjectAltName, name::GeneralName},
    time::Time,
};

use super::{cert_url::CertUrl, rsa::RsaPublicKey};
use crate::Partition;

/// A certificate with an RSA key of 2,048 to 8,192 bits.
///
/// Who issued it is not checked here, as that needs roots. Hand over only what came from the [`CertUrl`] over HTTPS,
/// from a server whose own certificate was checked; whoever wants more builds the chain to the roots of Amazon before.
///
/// ```
/// use iot_sansio::UnixMillis;
/// use smart_properties::{
///     TopicArn,
///     sns::{CertUrl, Certificate, CertificateError, PathRule},
/// };
///
/// let fetched = include_bytes!("../../tests/vectors/certificates/C-GOOD.pem");
/// let certificate = Certificate::from_pem(fetched)?;
/// assert_eq!(certificate.public_key().modulus_len(), 256);
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").unwrap();
/// let url = "https://sns.us-east-1.amazonaws.com/\
///     SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
/// let url = CertUrl::parse(url, &topic, PathRule::Strict).unwrap();
/// certificate.check(&url, UnixMillis::new(1_714_557_603_120))?;
///
/// let early = certificate.check(&url, UnixMillis::new(0));
/// assert!(matches!(early, Err(CertificateError::NotYetValid { .. })));
/// # Ok::<(), CertificateError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Certificate {
    der: Vec<u8>,
    spki: Vec<u8>,
    /// Where the PKCS#1 key begins in `spki`, which it ends.
    pkcs1: usize,
    modulus_len: usize,
    /// The DNS names; the common names of the subject where there are none.
    names: Vec<String>,
    not_before: UnixMillis,
    not_after: UnixMillis,
}

impl Certificate {
    /// Reads PEM, as SNS serves it: the first certificate counts, others behind it are those of issuers.
    ///
    /// # Errors
    /// Says what is wrong with it. Lines have 64 characters, as RFC 7468 wants them.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let bytes = pem.len();
        if bytes > MAX_PEM_BYTES {
            return Err(CertificateError::TooLong { bytes, max: MAX_PEM_BYTES });
        }
        let malformed = CertificateError::Malformed { part: "PEM" };
        let text = core::str::from_utf8(pem).map_err(|_| malformed)?;
        let rest = text.find(BEGIN).and_then(|at| text.get(at..)).ok_or(malformed)?;
        let end = rest.find(END).ok_or(malformed)? + END.len();
        let first = rest.get(..end).ok_or(malformed)?;
        let (_, der) = pem::decode_vec(first.as_bytes()).map_err(|_| malformed)?;
        Self::from_der(der)
    }

    /// Reads DER: one certificate, with nothing behind it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        let bytes = der.len();
        if bytes > MAX_DER_BYTES {
            return Err(CertificateError::TooLong { bytes, max: MAX_DER_BYTES });
        }
        let certificate = x509_cert::Certificate::from_der(&der).map_err(malformed("DER"))?;
        let certificate = certificate.tbs_certificate();
        let key = certificate.subject_public_key_info();
        if key.algorithm.oid != RSA_ENCRYPTION {
            return Err(CertificateError::NotRsa);
        }
        let pkcs1 = key.subject_public_key.as_bytes();
        let pkcs1 = pkcs1.ok_or(CertificateError::Malformed { part: "key" })?;
        let bits = modulus_bits(pkcs1).map_err(malformed("key"))?;
        if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bits) {
            return Err(CertificateError::KeyLength { bits });
        }
        let spki = key.to_der().map_err(malformed("key"))?;
        let pkcs1 = spki.len().saturating_sub(pkcs1.len());
        let names = names(certificate).map_err(malformed("name"))?;
        let validity = certificate.validity();
        let (not_before, not_after) = (millis(validity.not_before), millis(validity.not_after));
        let modulus_len = bits.div_ceil(8);
        Ok(Self { der, spki, pkcs1, modulus_len, names, not_before, not_after })
    }

    /// Whether it is the one that SNS signs with in the region of the URL, now.
    ///
    /// # Errors
    /// In this order: [`CertificateError::NotYetValid`], [`CertificateError::Expired`],
    /// [`CertificateError::WrongName`].
    pub fn check(&self, url: &CertUrl, now: UnixMillis) -> Result<(), CertificateError> {
        if now < self.not_before {
            return Err(CertificateError::NotYetValid { not_before: self.not_before });
        }
        if now > self.not_after {
            return Err(CertificateError::Expired { not_after: self.not_after });
        }
        let expected = signing_name(url.partition(), url.region());
        if !self.names.iter().any(|name| *name == expected) {
            return Err(CertificateError::WrongName);
        }
        Ok(())
    }

    /// The certificate as it came, in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The first moment at which it is valid.
    #[must_use]
    pub const fn not_before(&self) -> UnixMillis {
        self.not_before
    }

    /// The last moment at which it is valid.
    #[must_use]
    pub const fn not_after(&self) -> UnixMillis {
        self.not_after
    }

    /// Its key.
    #[must_use]
    pub fn public_key(&self) -> RsaPublicKey<'_> {
        let pkcs1 = self.spki.get(self.pkcs1..).unwrap_or_default();
        RsaPublicKey { spki: &self.spki, pkcs1, modulus_len: self.modulus_len }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { names, not_before, not_after, .. } = self;
        f.debug_struct("Certificate")
            .field("names", names)
            .field("not_before", not_before)
            .field("not_after", not_after)
            .finish_non_exhaustive()
    }
}

/// Why a certificate is not one to check a signature with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Counted in bytes.
    #[error("the certificate has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit: 65,536 for PEM, 16,384 for DER.
        max: usize,
    },
    /// It cannot be read. See what the server really answered.
    #[error("not a certificate: its {part} cannot be read, see what was fetched")]
    Malformed {
        /// `PEM`, `DER`, `key` or `name`.
        part: &'static str,
    },
    /// The key is for another algorithm, or for RSA with another padding.
    #[error("the key of the certificate is not one of rsaEncryption")]
    NotRsa,
    /// The modulus is too short to be safe, or longer than anybody's.
    #[error("the key of the certificate has {bits} bits, not {MIN_KEY_BITS} to {MAX_KEY_BITS}")]
    KeyLength {
        /// Its length.
        bits: usize,
    },
    /// It is not of SNS, or of SNS in another region.
    #[error("the certificate does not bear the name that SNS signs with in this region")]
    WrongName,
    /// It was used too early, or the clock is slow.
    #[error("the certificate is not valid before {not_before} ms of Unix time: check the clock")]
    NotYetValid {
        /// The first moment at which it is.
        not_before: UnixMillis,
    },
    /// It was used too late, or the clock is fast.
    #[error("the certificate is not valid after {not_after} ms of Unix time: check the clock")]
    Expired {
        /// The last moment at which it was.
        not_after: UnixMillis,
    },
}

/// The name in the certificate that SNS signs with.
fn signing_name(partition: Partition, region: &str) -> Cow<'static, str> {
    let domain = partition.domain();
    if OPT_IN_REGIONS.contains(&region) {
        return format!("sns-signing.{region}.{domain}").into();
    }
    match partition {
        Partition::Aws => "sns.amazonaws.com".into(),
        Partition::AwsUsGov if GOV_REGIONS.contains(&region) => {
            "sns-us-gov-west-1.amazonaws.com".into()
        }
        Partition::AwsCn if CHINA_REGIONS.contains(&region) => {
            format!("sns-{region}.{domain}").into()
        }
        Partition::AwsUsGov | Partition::AwsCn => format!("sns.{domain}").into(),
    }
}

/// The DNS names, or the common names of a certificate that has none of those.
fn names(certificate: &TbsCertificate) -> der::Result<Vec<String>> {
    let mut names = Vec::new();
    if let Some((_, alternatives)) = certificate.get_extension::<SubjectAltName>()? {
        for name in &alternatives.0 {
            if let GeneralName::DnsName(name) = name {
                names.push(name.as_str().into());
            }
        }
    }
    if names.is_empty() {
        names.extend(certificate.subject().common_name()?.map(String::from));
    }
    Ok(names)
}

fn modulus_bits(pkcs1: &[u8]) -> der::Result<usize> {
    let mut reader = SliceReader::new(pkcs1)?;
    let modulus: UintRef<'_> = reader.sequence(|key| -> der::Result<_> {
        let modulus = key.decode()?;
        key.decode::<UintRef<'_>>()?;
        Ok(modulus)
    })?;
    reader.finish()?;
    let bytes = modulus.as_bytes();
    let leading = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Ok(bytes.len() * 8 - leading)
}

fn millis(time: Time) -> UnixMillis {
    UnixMillis::new(0).after(time.to_unix_duration())
}

fn malformed(part: &'static str) -> impl Fn(der::Error) -> CertificateError {
    move |_| CertificateError::Malformed { part }
}

/// Regions of `aws` whose certificates have a name of their own.
const OPT_IN_REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];
const GOV_REGIONS: [&str; 2] = ["us-gov-east-1", "us-gov-west-1"];
const CHINA_REGIONS: [&str; 2] = ["cn-north-1", "cn-northwest-1"];
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
const MAX_PEM_BYTES: usize = 65_536;
const MAX_DER_BYTES: usize = 16_384;
const MIN_KEY_BITS: usize = 2048;
const MAX_KEY_BITS: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_each_region_is_that_of_the_specification() {
        const OWN: &str = "ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 \
            ap-southeast-6 ap-southeast-7 me-south-1 me-central-1 eu-south-1 eu-south-2 eu-central-2 af-south-1 \
            il-central-1 ca-west-1 mx-central-1";
        for region in OWN.split_ascii_whitespace() {
            let own = format!("sns-signing.{region}.amazonaws.com");
            assert_eq!(signing_name(Partition::Aws, region), own);
        }
        for region in ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "xx-new-9"] {
            assert_eq!(signing_name(Partition::Aws, region), "sns.amazonaws.com");
        }
        for region in ["us-gov-west-1", "us-gov-east-1"] {
            let gov = signing_name(Partition::AwsUsGov, region);
            assert_eq!(gov, "sns-us-gov-west-1.amazonaws.com");
        }
        assert_eq!(signing_name(Partition::AwsUsGov, "us-gov-new-1"), "sns.amazonaws.com");
        for region in ["cn-north-1", "cn-northwest-1"] {
            let china = format!("sns-{region}.amazonaws.com.cn");
            assert_eq!(signing_name(Partition::AwsCn, region), china);
        }
        assert_eq!(signing_name(Partition::AwsCn, "cn-new-1"), "sns.amazonaws.com.cn");
    }
}
