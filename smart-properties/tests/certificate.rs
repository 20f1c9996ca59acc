//! The certificates of specification section 13.1, and others made for this, with throw-away keys.

use std::time::Duration;

use iot_sansio::UnixMillis;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use smart_properties::{
    Instant, TopicArn,
    sns::{CertUrl, Certificate, CertificateCache, CertificateError, PathRule},
};
use verifying::{certificate, pem};

#[expect(dead_code, reason = "nothing is signed here")]
mod verifying;

#[test]
fn the_key_is_that_of_the_specification() {
    let certificate = certificate("C-GOOD").unwrap();
    let key = certificate.public_key();
    assert_eq!((key.spki_der().len(), key.pkcs1_der().len(), key.modulus_len()), (294, 270, 256));
    let spki = "0793ab27b2662acda73095d2417c960e5eb48ca13113e1b18455926bc08c089f";
    let pkcs1 = "d16c5f6526fb05ec6072c4e014cd09dcff3119796cf1c044d75e00c886c1ddfa";
    assert_eq!((hash(key.spki_der()), hash(key.pkcs1_der())), (spki.into(), pkcs1.into()));
    assert_eq!(Certificate::from_der(certificate.der()), Ok(certificate));
}

#[test]
fn name_time_and_key_are_checked() {
    let check =
        |name: &str, region: &str, now: &str| certificate(name)?.check(&url(region), at(now));
    let now = "2024-05-01T10:00:00Z";
    assert_eq!(check("C-GOOD", "us-east-1", now), Ok(()));
    let not_after = at("2021-01-01T00:00:00Z");
    let expired = Err(CertificateError::Expired { not_after });
    assert_eq!(check("C-EXPIRED", "us-east-1", now), expired);
    assert_eq!(check("C-NAME", "us-east-1", now), Err(CertificateError::WrongName));
    assert_eq!(check("C-EC", "us-east-1", now), Err(CertificateError::NotRsa));
    assert_eq!(check("C-GOOD", "ap-east-1", now), Err(CertificateError::WrongName));
    let early = Err(CertificateError::NotYetValid { not_before: at("2024-01-01T00:00:00Z") });
    assert_eq!(check("C-GOOD", "us-east-1", "2023-12-31T23:59:59Z"), early);

    // Its time is looked at first, as the specification lists it.
    let wrong_and_early = check("C-NAME", "us-east-1", "2023-12-31T23:59:59Z");
    assert_eq!(wrong_and_early, early);

    // The second name for this region, after a mail address and another name.
    assert_eq!(check("C-AP-EAST-1", "ap-east-1", now), Ok(()));
    assert_eq!(check("C-AP-EAST-1", "us-east-1", now), Err(CertificateError::WrongName));
    // The common name counts where there is no other, as browsers had it once.
    assert_eq!(check("C-COMMON-NAME", "us-east-1", now), Ok(()));
    assert_eq!(check("C-OTHER-NAME", "us-east-1", now), Err(CertificateError::WrongName));
    assert_eq!(check("C-WILDCARD", "us-east-1", now), Err(CertificateError::WrongName));
    // RSA with another padding, and one bit too few.
    assert_eq!(check("C-PSS", "us-east-1", now), Err(CertificateError::NotRsa));
    let short = Err(CertificateError::KeyLength { bits: 2047 });
    assert_eq!(check("C-SHORT-KEY", "us-east-1", now), short);
}

#[test]
fn both_ends_of_its_time_belong_to_it() {
    let certificate = certificate("C-GOOD").unwrap();
    let (first, last) = (at("2024-01-01T00:00:00Z"), at("2044-01-01T00:00:00Z"));
    assert_eq!((certificate.not_before(), certificate.not_after()), (first, last));
    let check = |now| certificate.check(&url("us-east-1"), now);
    assert_eq!((check(first), check(last)), (Ok(()), Ok(())));
    let moment = Duration::from_millis(1);
    let not_before = first;
    assert_eq!(check(first.before(moment)), Err(CertificateError::NotYetValid { not_before }));
    let not_after = last;
    assert_eq!(check(last.after(moment)), Err(CertificateError::Expired { not_after }));
}

#[test]
fn the_first_of_several_counts() {
    let (first, second) = (pem("C-GOOD"), pem("C-EC"));
    let good = Certificate::from_pem(first.as_bytes()).unwrap();
    let read = |pem: String| Certificate::from_pem(pem.as_bytes());
    assert_eq!(read(format!("{first}{second}")), Ok(good.clone()));
    assert_eq!(read(format!("{second}{first}")), Err(CertificateError::NotRsa));
    // What is before the first mark, and how lines end, does not matter.
    assert_eq!(read(format!("subject=CN = sns.amazonaws.com\n{first}")), Ok(good.clone()));
    assert_eq!(read(first.replace('\n', "\r\n")), Ok(good.clone()));
    assert_eq!(read(first.trim_end().into()), Ok(good));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let malformed = |part| Err(CertificateError::Malformed { part });
    let good = pem("C-GOOD");
    let read = |pem: &str| Certificate::from_pem(pem.as_bytes());
    for text in [
        "",
        "<html>not found</html>",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
        &good.replace("-----END", "-----end"),
        &good.replace("CERTIFICATE", "PUBLIC KEY"),
        &good.replacen("MII", "M\u{e9}I", 1),
        &good.replacen("MII", "MI", 1),
    ] {
        assert_eq!(read(text), malformed("PEM"), "{text}");
    }
    assert_eq!(Certificate::from_pem(b"\xff"), malformed("PEM"));
    let der = certificate("C-GOOD").unwrap().der().to_vec();
    assert_eq!(Certificate::from_der([]), malformed("DER"));
    assert_eq!(Certificate::from_der(&der[..der.len() - 1]), malformed("DER"));
    assert_eq!(Certificate::from_der([&der[..], &[0]].concat()), malformed("DER"));

    let too_long = Err(CertificateError::TooLong { bytes: 65_537, max: 65_536 });
    assert_eq!(Certificate::from_pem(&[b' '; 65_537]), too_long);
    assert_eq!(Certificate::from_pem(&[b' '; 65_536]), malformed("PEM"));
    let too_long = Err(CertificateError::TooLong { bytes: 16_385, max: 16_384 });
    assert_eq!(Certificate::from_der([0; 16_385]), too_long);
}

#[test]
fn ten_are_kept_and_the_one_not_asked_for_longest_goes() {
    let now = at("2024-05-01T10:00:00Z");
    let good = certificate("C-GOOD").unwrap();
    let urls: Vec<_> = (0..11).map(|n| numbered(n, "us-east-1")).collect();
    let mut cache = CertificateCache::new();
    for url in &urls[..10] {
        cache.insert(url.clone(), good.clone(), now).unwrap();
    }
    // Asked for, so the second is now the one that was not asked for longest.
    assert_eq!(cache.get(&urls[0], now), Some(&good));
    cache.insert(urls[10].clone(), good.clone(), now).unwrap();
    let kept: Vec<_> = urls.iter().map(|url| cache.get(url, now).is_some()).collect();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 10);
    assert!(!kept[1]);
    // The same again takes no room.
    cache.insert(urls[10].clone(), good.clone(), now).unwrap();
    assert_eq!(cache.len(), 10);
}

#[test]
fn the_same_again_takes_no_room() {
    let now = at("2024-05-01T10:00:00Z");
    let mut cache = CertificateCache::new();
    for _ in 0..2 {
        cache.insert(url("us-east-1"), certificate("C-GOOD").unwrap(), now).unwrap();
    }
    assert_eq!(cache.len(), 1);
}

#[test]
fn the_length_of_a_key_is_that_of_its_modulus() {
    let modulus_len = |bits: usize| {
        with_key(&key_of(bits, &[])).map(|certificate| certificate.public_key().modulus_len())
    };
    for (bits, bytes) in [(2_048, 256), (2_049, 257), (2_056, 257), (2_057, 258), (8_192, 1_024)] {
        assert_eq!(modulus_len(bits), Ok(bytes), "{bits}");
    }
    for bits in [1_024, 2_040, 2_047, 8_193, 9_000] {
        assert_eq!(modulus_len(bits), Err(CertificateError::KeyLength { bits }));
    }
}

#[test]
fn nothing_stands_behind_a_key() {
    let malformed = Err(CertificateError::Malformed { part: "key" });
    assert_eq!(with_key(&key_of(2_048, &[0])), malformed);
    assert_eq!(with_key(&key_of(2_048, &[])[1..]), malformed);
}

#[test]
fn failures_and_what_expired_are_not_kept() {
    let now = at("2024-05-01T10:00:00Z");
    let (first, second) = (numbered(0, "us-east-1"), numbered(1, "us-east-1"));
    let mut cache = CertificateCache::new();
    for name in ["C-EXPIRED", "C-NAME"] {
        assert!(cache.insert(first.clone(), certificate(name).unwrap(), now).is_err());
        assert!(cache.is_empty());
    }
    let other_region = numbered(0, "ap-east-1");
    let wrong = cache.insert(other_region, certificate("C-GOOD").unwrap(), now);
    assert_eq!(wrong, Err(CertificateError::WrongName));

    cache
        .insert(first.clone(), certificate("C-EXPIRED").unwrap(), at("2020-06-01T00:00:00Z"))
        .unwrap();
    assert!(cache.get(&first, at("2021-01-01T00:00:00Z")).is_some());
    assert!(cache.get(&second, at("2020-06-01T00:00:00Z")).is_none());
    let late = at("2021-01-01T00:00:00.001Z");
    let mut inserted = cache.clone();
    inserted.insert(second, certificate("C-COMMON-NAME").unwrap(), now).unwrap();
    assert_eq!(inserted.len(), 1, "the expired one went");
    assert!(cache.get(&first, late).is_none());
    assert!(cache.is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Certificate::from_der(bytes.clone()).is_err());
        prop_assert!(Certificate::from_pem(&bytes).is_err());
    }

    #[test]
    fn a_changed_certificate_is_read_or_refused(at in 0_usize..746, byte: u8, cut in 0_usize..746) {
        let mut der = certificate("C-GOOD").unwrap().der().to_vec();
        prop_assert_eq!(der.len(), 746);
        der[at] = byte;
        if let Ok(certificate) = Certificate::from_der(der.clone()) {
            let key = certificate.public_key();
            prop_assert!((256..=1024).contains(&key.modulus_len()));
            prop_assert!(key.spki_der().ends_with(key.pkcs1_der()));
        }
        prop_assert!(Certificate::from_der(&der[..cut]).is_err());
    }
}

fn at(text: &str) -> UnixMillis {
    Instant::parse(text).unwrap().unix_millis()
}

fn url(region: &str) -> CertUrl {
    numbered(0, region)
}

fn numbered(number: usize, region: &str) -> CertUrl {
    let topic = TopicArn::new(format!("arn:aws:sns:{region}:123456789012:t")).unwrap();
    let url =
        format!("https://sns.{region}.amazonaws.com/SimpleNotificationService-{number:032x}.pem");
    CertUrl::parse(&url, &topic, PathRule::Strict).unwrap()
}

/// The good certificate with another key, whoever has signed that.
fn with_key(pkcs1: &[u8]) -> Result<Certificate, CertificateError> {
    let good = certificate("C-GOOD").unwrap();
    let (der, old) = (good.der(), good.public_key().spki_der());
    let at = der.windows(old.len()).position(|part| part == old).unwrap();
    let algorithm = &old[4..19];
    let new = value(0x30, &[algorithm, &value(0x03, &[&[0], pkcs1])]);
    let mut changed = [&der[..at], &new, &der[at + old.len()..]].concat();
    // The certificate, and what is signed of it: each has a tag, a mark, and two bytes of length.
    for length in [2, 6] {
        let bytes = u16::from_be_bytes([der[length], der[length + 1]]);
        let bytes = usize::from(bytes) + new.len() - old.len();
        changed[length..length + 2].copy_from_slice(&u16::try_from(bytes).unwrap().to_be_bytes());
    }
    Certificate::from_der(changed)
}

/// A key with a modulus of so many bits, and with something behind it.
fn key_of(bits: usize, behind: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0xff; bits.div_ceil(8)];
    modulus[0] >>= modulus.len() * 8 - bits;
    // A first byte of 0x80 and more would be a sign.
    let sign: &[u8] = if modulus[0] < 0x80 { &[] } else { &[0] };
    let exponent = value(0x02, &[&[1, 0, 1]]);
    let key = value(0x30, &[&value(0x02, &[sign, &modulus]), &exponent]);
    [&key, behind].concat()
}

/// In DER.
fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match length {
        [0, short @ 0..=0x7f] => vec![short],
        [0, byte] => vec![0x81, byte],
        [high, low] => vec![0x82, high, low],
    };
    [&[tag], &length[..], &content].concat()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
