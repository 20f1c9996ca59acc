//! The obvious way to open a message: everything copied, AES-GCM called as its documentation shows.

use aes_gcm::{
    Aes128Gcm, Aes256Gcm,
    aead::{Aead, KeyInit},
};
use aia_proto::{protect::OpenError, sequence::SequenceNumber};

/// The number and the body, by section 4.3.
pub(crate) fn open(secret: &[u8], message: &[u8]) -> Result<(SequenceNumber, Vec<u8>), OpenError> {
    if message.len() < 36 {
        return Err(OpenError::TooShort { len: message.len() });
    }
    let plaintext = decrypt(secret, message).ok_or(OpenError::BadTag)?;
    let (outer, inner) = (number(message), number(&plaintext));
    if inner == outer {
        Ok((outer, plaintext[4..].to_vec()))
    } else {
        Err(OpenError::Tampered { outer, inner })
    }
}

/// The plaintext, the number in it included, if the tag is right.
pub(crate) fn decrypt(secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let iv: [u8; 12] = message[4..16].try_into().ok()?;
    let text_and_tag = [&message[32..], &message[16..32]].concat();
    if secret.len() == 16 {
        Aes128Gcm::new_from_slice(secret).ok()?.decrypt(&iv.into(), &text_and_tag[..]).ok()
    } else {
        Aes256Gcm::new_from_slice(secret).ok()?.decrypt(&iv.into(), &text_and_tag[..]).ok()
    }
}

/// A message whose plaintext is just this, the number included or not.
pub(crate) fn encrypt(secret: &[u8], outer: u32, iv: [u8; 12], plaintext: &[u8]) -> Vec<u8> {
    let text_and_tag = if secret.len() == 16 {
        Aes128Gcm::new_from_slice(secret).map(|aes| aes.encrypt(&iv.into(), plaintext))
    } else {
        Aes256Gcm::new_from_slice(secret).map(|aes| aes.encrypt(&iv.into(), plaintext))
    };
    let text_and_tag = text_and_tag.unwrap().unwrap();
    let (text, tag) = text_and_tag.split_at(plaintext.len());
    [&outer.to_le_bytes()[..], &iv, tag, text].concat()
}

fn number(bytes: &[u8]) -> SequenceNumber {
    SequenceNumber::new(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
