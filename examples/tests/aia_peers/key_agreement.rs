//! Both forms of the key agreement, on either side.

use aia_proto::registration::{Algorithm, KeyPair};
use data_encoding::HEXLOWER;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::node::Node;

#[tokio::test]
async fn node_agrees_on_every_secret() {
    let Some(mut node) = Node::start() else { return };
    let mut random = Rng::with_seed(SEED);
    for case in 0..CASES {
        let (mut ours, mut theirs) = ([0; 32], [0; 32]);
        random.fill(&mut ours);
        random.fill(&mut theirs);
        let (pair, other) = (KeyPair::from_random(ours), KeyPair::from_random(theirs));
        for algorithm in Algorithm::ALL {
            let told = agree(&mut node, &theirs, &pair.public_key(), algorithm).await;
            assert_eq!(told["public"], HEXLOWER.encode(&other.public_key()), "{case}");
            // With the public key as Node made it.
            let public = HEXLOWER.decode(told["public"].as_str().unwrap().as_bytes()).unwrap();
            let secret = pair.agree(algorithm, &public.try_into().unwrap()).unwrap();
            assert_eq!(secret.len(), algorithm.key_len());
            assert_eq!(told["secret"], HEXLOWER.encode(secret.expose()), "{case} {algorithm}");
        }
    }
}

/// What is no point of the curve, or written larger than it needs to be, is taken by both; what makes a secret of zeros
/// by neither (specification, Q43).
#[tokio::test]
async fn node_refuses_the_same_public_keys() {
    let Some(mut node) = Node::start() else { return };
    let mut random = Rng::with_seed(SEED);
    for (digits, is_good) in ODD_KEYS {
        let mut public: [u8; 32] = HEXLOWER.decode(digits.as_bytes()).unwrap().try_into().unwrap();
        for top_bit in [0, 0x80] {
            public[31] = public[31] & 0x7f | top_bit;
            let mut private = [0; 32];
            random.fill(&mut private);
            for algorithm in Algorithm::ALL {
                let told = agree(&mut node, &private, &public, algorithm).await;
                match KeyPair::from_random(private).agree(algorithm, &public) {
                    Ok(secret) => assert_eq!(told["secret"], HEXLOWER.encode(secret.expose())),
                    Err(error) => assert_eq!(told, format!("{error:?}")),
                }
                assert_eq!(told.is_object(), *is_good, "{digits}");
            }
        }
    }
}

async fn agree(
    node: &mut Node,
    private: &[u8; 32],
    peer: &[u8; 32],
    algorithm: Algorithm,
) -> Value {
    let question = json!({
        "private": HEXLOWER.encode(private),
        "peer": HEXLOWER.encode(peer),
        "algorithm": algorithm.as_str(),
    });
    node.ask(&json!({ "agree": question })).await
}

const SEED: u64 = 25_519;
const CASES: usize = 100;

/// Little-endian: the points of small order, written in every way; then 2, p + 2 and the largest number.
const ODD_KEYS: &[(&str, bool)] = &[
    ("0000000000000000000000000000000000000000000000000000000000000000", false),
    ("0100000000000000000000000000000000000000000000000000000000000000", false),
    ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false),
    ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false),
    ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false),
    ("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", false),
    ("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", false),
    ("0200000000000000000000000000000000000000000000000000000000000000", true),
    ("efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true),
    ("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true),
];
