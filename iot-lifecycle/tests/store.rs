//! The conditional writes, without a database: their condition in plain code, and DynamoDB's text by its own grammar.

mod heads;

use core::time::Duration;
use std::collections::HashMap;

use heads::{THETA, pairs};
use iot_lifecycle::{
    Head, HeadKind, Order, SessionId,
    store::{
        dynamodb::{self, AttributeValue},
        postgres, redis,
    },
};
use iot_sansio::UnixMillis;
use proptest::prelude::*;

const ORDER: Order = Order::Versioned { theta: THETA };

/// Specification section 7 as it stands there, on the item `old` and the parameters of the write.
fn section_7(old: &postgres::Parameters<'_>, e: &postgres::Parameters<'_>) -> bool {
    let (v, t, k, s) = (old.v, old.t, old.k, old.s.as_str());
    (v < e.v && t <= e.hi)
        || (v > e.v && t < e.lo)
        || (v == e.v && s == e.s && !s.is_empty() && k < e.k)
        || (v == e.v && s != e.s && !s.is_empty() && !e.s.is_empty())
            && (t < e.t || (t == e.t && k > e.k) || (t == e.t && k == e.k && s < e.s.as_str()))
        || (v == e.v && (s.is_empty() || e.s.is_empty())) && (t < e.lo || (t <= e.hi && k < e.k))
}

#[test]
fn the_condition_is_newer_on_every_pair() {
    for (new, old) in pairs() {
        let item = postgres::parameters("x", &old, THETA);
        let write = postgres::parameters("x", &new, THETA);
        assert_eq!(section_7(&item, &write), ORDER.newer(&new, &old), "{new:?} {old:?}");
    }
}

proptest! {
    /// Also at the ends of `i64`, where the bounds saturate, and for any Θ.
    #[test]
    fn the_condition_is_newer_for_any_heads(new in any_head(), old in any_head(), theta: u32) {
        let theta = Duration::from_millis(theta.into());
        let item = postgres::parameters("x", &old, theta);
        let write = postgres::parameters("x", &new, theta);
        let order = Order::Versioned { theta };
        prop_assert_eq!(section_7(&item, &write), order.newer(&new, &old));
    }
}

fn any_head() -> impl Strategy<Value = Head<'static>> {
    let edge = prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), any::<i64>()];
    let number = (edge, -2_i64..3).prop_map(|(near, off)| near.saturating_add(off));
    let kind = prop_oneof![Just(HeadKind::Connect), Just(HeadKind::Disconnect)];
    (kind, number.clone(), "[AB]?", number).prop_map(|(kind, version, session, t)| Head {
        kind,
        version,
        session: SessionId::new(session),
        timestamp: UnixMillis::new(t),
    })
}

#[test]
fn the_dynamodb_text_is_newer_on_every_pair() {
    let condition = Parser::condition(dynamodb::CONDITION);
    let values = |head: &Head<'_>| HashMap::from(dynamodb::values(head, THETA));
    for (new, old) in pairs() {
        let mut item = HashMap::new();
        let write = values(&new);
        assert!(condition.holds(&item, &write), "an absent item is always written");
        item = update(&values(&old));
        assert_eq!(condition.holds(&item, &write), ORDER.newer(&new, &old), "{new:?} {old:?}");
    }
}

/// The service refuses what is declared and not used, and what is used and not declared.
#[test]
fn the_dynamodb_texts_use_exactly_what_is_declared() {
    let texts = [dynamodb::UPDATE, dynamodb::CONDITION].join(" ");
    let head = &pairs()[0].0;
    let values = dynamodb::values(head, THETA).map(|(name, _)| name);
    let declared = dynamodb::NAMES.map(|(name, _)| name).into_iter().chain(values);
    let mut declared: Vec<_> = declared.collect();
    let mut used: Vec<_> =
        (texts.split([' ', '(', ')', ','])).filter(|word| word.starts_with(['#', ':'])).collect();
    declared.sort_unstable();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, declared);
}

#[test]
fn sessions_are_stored_in_their_normal_form_and_unknown_ones_empty() {
    let mut head = Head {
        kind: HeadKind::Disconnect,
        version: 3,
        session: SessionId::new("ABCDEF01-0000-0000-0000-000000000000"),
        timestamp: UnixMillis::new(1_000),
    };
    let written = "abcdef01000000000000000000000000";
    assert_eq!(postgres::parameters("x", &head, THETA).s, written);
    assert_eq!(redis::arguments(&head, THETA)[3], written);
    assert_eq!(dynamodb::values(&head, THETA)[3].1, AttributeValue::S(written.to_owned()));
    head.session = None;
    assert_eq!(postgres::parameters("x", &head, THETA).s, "");
}

type Item = HashMap<&'static str, AttributeValue>;

/// The item that `UPDATE` leaves.
fn update(values: &Item) -> Item {
    let assignments = dynamodb::UPDATE.strip_prefix("SET ").expect("it sets");
    let assign = |text: &str| {
        let (name, value) = text.split_once(" = ").expect("an assignment");
        (attribute(name), values[value].clone())
    };
    assignments.split(", ").map(assign).collect()
}

fn attribute(placeholder: &str) -> &'static str {
    let name = dynamodb::NAMES.iter().find(|(name, _)| *name == placeholder);
    name.expect("a declared name").1
}

/// A condition expression.
#[derive(Debug)]
enum Condition {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    NotExists(String),
    Compare(String, String, String),
}

impl Condition {
    fn holds(&self, item: &Item, values: &Item) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(item, values)),
            Self::All(parts) => parts.iter().all(|part| part.holds(item, values)),
            Self::Not(part) => !part.holds(item, values),
            Self::NotExists(name) => !item.contains_key(attribute(name)),
            Self::Compare(left, operator, right) => {
                let operand = |text: &String| match text.starts_with('#') {
                    true => item.get(attribute(text)),
                    false => Some(&values[text.as_str()]),
                };
                let ordering = match (operand(left), operand(right)) {
                    (Some(AttributeValue::N(one)), Some(AttributeValue::N(two))) => one.cmp(two),
                    (Some(AttributeValue::S(one)), Some(AttributeValue::S(two))) => {
                        one.as_bytes().cmp(two.as_bytes())
                    }
                    // An attribute that is missing, or of another type, equals and orders with nothing.
                    _ => return operator == "<>",
                };
                match operator.as_str() {
                    "=" => ordering.is_eq(),
                    "<>" => ordering.is_ne(),
                    "<" => ordering.is_lt(),
                    "<=" => ordering.is_le(),
                    ">" => ordering.is_gt(),
                    ">=" => ordering.is_ge(),
                    other => panic!("no such comparison: {other}"),
                }
            }
        }
    }
}

/// `NOT` binds tighter than `AND`, and `AND` tighter than `OR`.
struct Parser(Vec<String>);

impl Parser {
    fn condition(text: &str) -> Condition {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut parser = Self(spaced.split_whitespace().rev().map(str::to_owned).collect());
        let condition = parser.any();
        assert_eq!(parser.0, Vec::<String>::new(), "text is left over");
        condition
    }

    fn next(&mut self) -> String {
        self.0.pop().expect("the text goes on")
    }

    fn skip(&mut self, word: &str) -> bool {
        let found = self.0.last().is_some_and(|next| next == word);
        if found {
            self.0.pop();
        }
        found
    }

    fn any(&mut self) -> Condition {
        let mut parts = vec![self.all()];
        while self.skip("OR") {
            parts.push(self.all());
        }
        if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) }
    }

    fn all(&mut self) -> Condition {
        let mut parts = vec![self.not()];
        while self.skip("AND") {
            parts.push(self.not());
        }
        if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) }
    }

    fn not(&mut self) -> Condition {
        if self.skip("NOT") {
            return Condition::Not(Box::new(self.not()));
        }
        if self.skip("(") {
            let inner = self.any();
            assert!(self.skip(")"));
            assert!(
                matches!(inner, Condition::Any(_)),
                "redundant parentheses are refused: {inner:?}"
            );
            return inner;
        }
        if self.skip("attribute_not_exists") {
            assert!(self.skip("("));
            let name = self.next();
            assert!(self.skip(")"));
            return Condition::NotExists(name);
        }
        Condition::Compare(self.next(), self.next(), self.next())
    }
}
