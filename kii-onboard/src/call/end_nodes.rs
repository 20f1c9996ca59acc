//! The end nodes of a gateway.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{
    command::{
        BadBody,
        bad_body::{members, optional, required},
    },
    json::Value,
};

/// A page of the end nodes of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EndNodes {
    /// The end nodes on it.
    pub end_nodes: Vec<EndNode>,
    /// What asks for the next page, as `paginationKey={key}` in the query; none on the last page.
    pub next_pagination_key: Option<String>,
}

/// An end node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EndNode {
    /// The id that the cloud gave it.
    pub thing_id: String,
    /// The id that its maker gave it.
    pub vendor_thing_id: Option<String>,
}

impl EndNode {
    /// An end node with these ids.
    #[must_use]
    pub fn new(thing_id: impl Into<String>, vendor_thing_id: Option<String>) -> Self {
        Self { thing_id: thing_id.into(), vendor_thing_id }
    }
}

impl EndNodes {
    /// A page.
    #[must_use]
    pub fn new(
        end_nodes: impl IntoIterator<Item = EndNode>,
        next_pagination_key: Option<String>,
    ) -> Self {
        Self { end_nodes: end_nodes.into_iter().collect(), next_pagination_key }
    }

    /// Reads a body. Members that are not known are ignored.
    ///
    /// # Errors
    /// It is not JSON; `results` or a `thingID` is missing; a member is of another type.
    pub fn decode(body: &[u8]) -> Result<Self, BadBody> {
        let [results, next] = members(Value::parse(body)?, ["results", "nextPaginationKey"])?;
        let mut end_nodes = Vec::new();
        for result in required("results", results, Value::elements)? {
            let [thing_id, vendor] = result.members(["thingID", "vendorThingID"]);
            end_nodes.push(EndNode {
                thing_id: required("thingID", thing_id, Value::owned_text)?,
                vendor_thing_id: optional("vendorThingID", vendor, Value::owned_text)?,
            });
        }
        let next_pagination_key = optional("nextPaginationKey", next, Value::owned_text)?;
        Ok(Self { end_nodes, next_pagination_key })
    }

    /// Writes a body, as the cloud does.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let results = self.end_nodes.iter().map(|end_node| WrittenNode {
            thing_id: &end_node.thing_id,
            vendor_thing_id: end_node.vendor_thing_id.as_deref(),
        });
        let body = Written {
            results: results.collect(),
            next_pagination_key: self.next_pagination_key.as_deref(),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    results: Vec<WrittenNode<'a>>,
    #[serde(rename = "nextPaginationKey", skip_serializing_if = "Option::is_none")]
    next_pagination_key: Option<&'a str>,
}

#[derive(Serialize)]
struct WrittenNode<'a> {
    #[serde(rename = "thingID")]
    thing_id: &'a str,
    #[serde(rename = "vendorThingID", skip_serializing_if = "Option::is_none")]
    vendor_thing_id: Option<&'a str>,
}
