//! The URLs U-01 to U-26 of specification section 13.4 by id, and the rule against a naive one.

use proptest::prelude::*;
use smart_properties::{
    Partition, TopicArn, TopicArnError,
    sns::{CertUrl, PathRule, UrlError},
};

#[path = "naive/url.rs"]
#[expect(dead_code, reason = "the other rule is that of confirmations")]
mod naive;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
const HOST: &str = "sns.us-east-1.amazonaws.com";

#[test]
fn every_url_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/cert_urls.jsonl").lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let (id, url) = (vector["id"].as_str().unwrap(), vector["url"].as_str().unwrap());
        let topic = TopicArn::new(vector["topic"].as_str().unwrap_or(TOPIC));
        let found = match topic.map(|topic| CertUrl::parse(url, &topic, PathRule::Strict)) {
            Ok(Ok(parsed)) => {
                assert_eq!(parsed.as_str(), url, "{id}");
                "Ok".to_owned()
            }
            Ok(Err(UrlError::BadCharacters { position })) => {
                assert_eq!(position, url.len() - 1, "{id}");
                "BadCharacters".to_owned()
            }
            Ok(Err(error)) => format!("{error:?}"),
            // The specification has one name for all of these.
            Err(TopicArnError::NotSns) => "BadTopicArn".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(found, vector["expected"], "{id}");
        ids.push(id.to_owned());
    }
    let expected: Vec<_> = (1..=26).map(|number| format!("U-{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_url_says_which_region_it_leads_to() {
    let topic = TopicArn::new("arn:aws-cn:sns:cn-north-1:123456789012:t").unwrap();
    let url = "https://sns.cn-north-1.amazonaws.com.cn/a.pem";
    let url = CertUrl::parse(url, &topic, PathRule::AnyPem).unwrap();
    assert_eq!((url.partition(), url.region()), (Partition::AwsCn, "cn-north-1"));
}

#[test]
fn other_names_of_files_are_taken_when_asked_for() {
    let topic = TopicArn::new(TOPIC).unwrap();
    let parse = |path: &str, rule| {
        CertUrl::parse(&format!("https://{HOST}{path}"), &topic, rule).map(|url| url.to_string())
    };
    for path in ["/a.pem", "/.pem", "/a_b-C.9.pem", "/SimpleNotificationService-0.pem", "/..pem"] {
        assert_eq!(parse(path, PathRule::AnyPem), Ok(format!("https://{HOST}{path}")));
        assert_eq!(parse(path, PathRule::Strict), Err(UrlError::BadPath));
    }
    for path in
        ["/", "/a", "/a/b.pem", "//a.pem", "/a.pem?x=1", "/a.pem?.pem", "/a%41.pem", "/a~.pem"]
    {
        assert_eq!(parse(path, PathRule::AnyPem), Err(UrlError::BadPath), "{path}");
    }
}

#[test]
fn the_limit_is_exact() {
    let topic = TopicArn::new(TOPIC).unwrap();
    let start = format!("https://{HOST}/");
    let longest = format!("{start}{}.pem", "a".repeat(512 - start.len() - 4));
    assert!(CertUrl::parse(&longest, &topic, PathRule::AnyPem).is_ok());
    let longer = longest.replace("/a", "/aa");
    let too_long = Err(UrlError::TooLong { bytes: 513, max: 512 });
    assert_eq!(CertUrl::parse(&longer, &topic, PathRule::AnyPem), too_long);
}

#[test]
fn each_odd_character_is_told() {
    let topic = TopicArn::new(TOPIC).unwrap();
    let parse = |url: &str| CertUrl::parse(url, &topic, PathRule::Strict);
    for odd in ['@', ':', '?', '#', '\\', '%'] {
        assert_eq!(parse(&format!("https://{HOST}{odd}/a.pem")), Err(UrlError::BadAuthority));
    }
    for odd in [' ', '\t', '\u{7f}', '\u{e9}'] {
        let position = "https://".len() + HOST.len();
        let found = parse(&format!("https://{HOST}{odd}/a.pem"));
        assert_eq!(found, Err(UrlError::BadCharacters { position }));
    }
}

#[test]
fn what_is_said_of_a_url_does_not_show_it() {
    let topic = TopicArn::new(TOPIC).unwrap();
    for url in ["https://secret.example/x.pem", "secret", "https://secret@x/", "https://x/secret\n"]
    {
        let error = CertUrl::parse(url, &topic, PathRule::Strict).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

/// The good URL with a few characters changed, or pieces of URLs in any order.
fn urls() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "https://",
        "http://",
        HOST,
        "sns.",
        "us-east-1",
        ".amazonaws.com",
        ".cn",
        "/",
        "//",
        ":443",
        "@",
        "?",
        "#",
        "%2f",
        "\\",
        ".",
        "SimpleNotificationService-",
        "0123456789abcdef",
        "A",
        "g",
        ".pem",
        ".PEM",
        "\u{e9}",
        "\n",
        " ",
    ];
    let good =
        format!("https://{HOST}/SimpleNotificationService-{}.pem", "0123456789abcdef".repeat(2));
    let length = good.len();
    let changed =
        (0..length, 0..length, prop::sample::select(PIECES)).prop_map(move |(from, to, piece)| {
            let (from, to) = (from.min(to), from.max(to).min(from + 3).max(from));
            [&good[..from], piece, &good[to..]].concat()
        });
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..8)
        .prop_map(|pieces| pieces.concat());
    prop_oneof![3 => changed, 1 => pieces]
}

proptest! {
    #[test]
    fn only_what_can_be_put_together_again_is_taken(url in urls()) {
        let topic = TopicArn::new(TOPIC).unwrap();
        for (rule, strict) in [(PathRule::Strict, true), (PathRule::AnyPem, false)] {
            let taken = CertUrl::parse(&url, &topic, rule).is_ok();
            prop_assert_eq!(taken, naive::certificate_url(&url, HOST, strict), "{:?}", url);
        }
    }

    #[test]
    fn every_file_of_every_region_is_taken(hex in "[0-9a-f]{32}", region in "[a-z]{2,4}(-[a-z]{1,9}){1,2}-[0-9]{1,2}") {
        for (partition, domain) in [("aws", "amazonaws.com"), ("aws-cn", "amazonaws.com.cn")] {
            let topic = TopicArn::new(format!("arn:{partition}:sns:{region}:123456789012:t")).unwrap();
            let url = format!("https://sns.{region}.{domain}/SimpleNotificationService-{hex}.pem");
            let parsed = CertUrl::parse(&url, &topic, PathRule::Strict);
            prop_assert_eq!(parsed.map(|url| url.to_string()), Ok(url));
        }
    }
}
