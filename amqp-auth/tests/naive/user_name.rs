//! The user name taken apart again, in no hurry: specification section 3.1 in the order of section 15.C.

/// What a user name says, as owned texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UserName {
    pub(crate) client_id: String,
    /// In the order in which they stand.
    pub(crate) params: Vec<(String, String)>,
}

impl UserName {
    /// The value of the parameter with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn extensions(&self) -> Vec<(&str, &str)> {
        let pairs = self.params.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        pairs.filter(|(key, _)| !KEYS.contains(key)).collect()
    }
}

/// The parts, or the refusal as `Debug` prints it.
pub(crate) fn parse(bytes: &[u8]) -> Result<UserName, String> {
    if bytes.len() > 16_384 {
        return Err(format!("TooLong {{ len: {} }}", bytes.len()));
    }
    let text = match String::from_utf8(bytes.to_vec()) {
        Ok(text) => text,
        Err(error) => {
            return Err(format!("NotUtf8 {{ index: {} }}", error.utf8_error().valid_up_to()));
        }
    };
    let mut index = 0;
    for ch in text.chars() {
        if ch.is_control() {
            return Err(format!("ForbiddenChar {{ index: {index}, ch: {ch:?} }}"));
        }
        index += ch.len_utf8();
    }
    let pieces: Vec<&str> = text.split('|').collect();
    let client_id = pieces[0].to_owned();
    let chars = client_id.chars().count();
    let rest: usize = pieces.iter().skip(2).map(|piece| piece.len() + 1).sum();
    match pieces.len() {
        1 => return Err("MissingOpeningBar".into()),
        _ if chars == 0 => return Err("ClientIdEmpty".into()),
        _ if chars > 64 => return Err(format!("ClientIdTooLong {{ chars: {chars} }}")),
        2 => return Err("MissingClosingBar".into()),
        _ if rest > 1 => {
            return Err(format!("TrailingData {{ index: {} }}", text.len() - (rest - 1)));
        }
        _ => {}
    }
    let params = params(pieces[1], client_id.len() + 1)?;
    let user_name = UserName { client_id, params };
    check(&user_name)?;
    Ok(user_name)
}

fn params(text: &str, start: usize) -> Result<Vec<(String, String)>, String> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut index = start;
    for param in text.split(',') {
        if params.len() == 64 {
            return Err("TooManyParams".into());
        }
        if param.is_empty() {
            return Err(format!("EmptyParam {{ index: {index} }}"));
        }
        let pieces: Vec<&str> = param.split('=').collect();
        if pieces.len() == 1 {
            return Err(format!("MissingEquals {{ index: {index} }}"));
        }
        let (key, value) = (pieces[0], pieces[1..].join("="));
        let is_key_char = |ch| ('a'..='z').chain('A'..='Z').chain('0'..='9').any(|ok| ok == ch);
        if key.is_empty() || !key.chars().all(is_key_char) {
            return Err(format!("BadKey {{ index: {index} }}"));
        }
        if params.iter().any(|(known, _)| known == key) {
            return Err(format!("DuplicateKey {{ key: {key:?} }}"));
        }
        params.push((key.to_owned(), value));
        index += param.len() + 1;
    }
    Ok(params)
}

fn check(user_name: &UserName) -> Result<(), String> {
    let mode = user_name.get("authMode");
    if mode.is_some_and(|mode| mode != "aksign" && mode != "ststoken") {
        return Err("UnknownAuthMode".into());
    }
    let method = user_name.get("signMethod").map(str::to_ascii_lowercase);
    let methods = ["hmacmd5", "hmacsha1", "hmacsha256"];
    if method.is_some_and(|method| !methods.contains(&method.as_str())) {
        return Err("UnknownSignMethod".into());
    }
    for (key, field) in [
        ("authMode", "AuthMode"),
        ("signMethod", "SignMethod"),
        ("consumerGroupId", "ConsumerGroupId"),
        ("authId", "AuthId"),
        ("timestamp", "Timestamp"),
        ("securityToken", "SecurityToken"),
    ] {
        let optional = key == "securityToken" && mode == Some("aksign");
        match user_name.get(key) {
            None if !optional => return Err(format!("Missing {{ field: {field} }}")),
            Some("") if key != "timestamp" && !optional => {
                return Err(format!("Empty {{ field: {field} }}"));
            }
            _ => {}
        }
    }
    if mode == Some("aksign") && user_name.get("securityToken").is_some() {
        return Err("UnexpectedSecurityToken".into());
    }
    let mut extensions = user_name.params.iter().filter(|(key, _)| !KEYS.contains(&key.as_str()));
    if extensions.any(|(_, value)| value.is_empty()) {
        return Err("Empty { field: Extension }".into());
    }
    let timestamp = user_name.get("timestamp").unwrap_or_default();
    let digits = timestamp.chars().filter(char::is_ascii_digit).count();
    let fits = timestamp.parse::<u128>().is_ok_and(|number| number < 1 << 63);
    if digits == timestamp.len() && digits <= 19 && fits {
        Ok(())
    } else {
        Err("BadTimestamp".into())
    }
}

const KEYS: [&str; 7] = [
    "iotInstanceId",
    "authMode",
    "securityToken",
    "signMethod",
    "consumerGroupId",
    "authId",
    "timestamp",
];
