//! The rules for URLs, the slow way: put together what would be allowed, and compare.

pub(crate) fn certificate_url(url: &str, host: &str, strict: bool) -> bool {
    let file = url.rsplit('/').next().unwrap();
    let Some(name) = file.strip_suffix(".pem") else { return false };
    let name_is_good = if strict {
        let hex: String =
            name.chars().rev().take(32).collect::<Vec<_>>().into_iter().rev().collect();
        hex.len() == 32
            && hex.chars().all(|digit| "0123456789abcdef".contains(digit))
            && name == format!("SimpleNotificationService-{hex}")
    } else {
        name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    name_is_good && url.len() <= 512 && url == format!("https://{host}/{file}")
}

pub(crate) fn subscribe_url(url: &str, host: &str, topic: &str, token: &str) -> bool {
    let (_, query) = url.split_once('?').unwrap_or_default();
    let parameters: Vec<&str> = query.split('&').collect();
    let once = |name: &str, value: &str| {
        let named =
            |parameter: &&&str| **parameter == name || parameter.starts_with(&format!("{name}="));
        let found: Vec<_> = parameters.iter().filter(named).collect();
        found == [&format!("{name}={value}").as_str()]
    };
    url.len() <= 2048
        && url == format!("https://{host}/?{query}")
        && query.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:=&".contains(c))
        && once("Action", "ConfirmSubscription")
        && once("TopicArn", topic)
        && once("Token", token)
}
