//! Node, with its own crypto.

use examples::peers::Script;
use serde_json::Value;

/// Answers one question at a time: what it can be asked stands in `aia_crypto.js`.
pub(crate) struct Node(Script);

impl Node {
    /// None when it is not installed.
    pub(crate) fn start() -> Option<Self> {
        Script::node("aia_crypto.js").map(Self)
    }

    pub(crate) async fn ask(&mut self, question: &Value) -> Value {
        self.0.tell(&question.to_string()).await;
        let answer = self.0.line().await.expect("it runs");
        serde_json::from_str(&answer).expect("JSON")
    }
}
