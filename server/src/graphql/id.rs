//! Global IDs: base64url of `Type:uuid` or `Type:number`, typed on the way in.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use async_graphql::registry::Registry;
use async_graphql::{ID, InputType, InputValueError, InputValueResult, Value};
use entity::id;

pub use crate::domain::global_id::{decode, encode};

/// An ID that stands for one GraphQL type.
pub trait NodeId: Copy + Display + FromStr + Send + Sync + 'static {
    /// The type's name in the schema.
    const TYPE: &'static str;
}

macro_rules! node_ids {
    ($($id:ident => $name:literal),* $(,)?) => {$(
        impl NodeId for id::$id {
            const TYPE: &'static str = $name;
        }
    )*};
}

node_ids! {
    AccountId => "Account",
    ApiTokenId => "ApiToken",
    AuditEventId => "AuditEvent",
    ExternalIdId => "ExternalId",
    ExternalIdSettingId => "ExternalIdSetting",
    IgnoreRuleId => "IgnoreRule",
    InputId => "Input",
    KeyPairId => "KeyPair",
    MetricId => "Metric",
    MetricLinkId => "MetricLink",
    OpportunityId => "Opportunity",
    OrganizationId => "Organization",
    ReconcileId => "Reconcile",
    SeriesId => "Series",
    SourceId => "Source",
    StreamId => "Stream",
    SyncRunId => "SyncRun",
    UnmatchedGroupId => "UnmatchedGroup",
    UserId => "User",
    WaitingRowId => "WaitingRow",
}

/// A typed ID in its opaque form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Global<T>(pub T);

/// The opaque form of a typed ID, as objects answer it.
pub fn global<T: NodeId>(id: T) -> ID {
    ID(encode(T::TYPE, id))
}

impl<T: NodeId> Global<T> {
    /// Reads an opaque ID of this type.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, id) = decode(text)?;
        (name == T::TYPE).then(|| id.parse().ok().map(Self))?
    }
}

impl<T: NodeId> Display for Global<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&encode(T::TYPE, self.0))
    }
}

impl<T: NodeId> InputType for Global<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value {
            Some(Value::String(text)) => Self::parse(&text)
                .ok_or_else(|| InputValueError::custom(format!("this is not the ID of a {}", T::TYPE))),
            other => Err(InputValueError::expected_type(other.unwrap_or_default())),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::id::{AccountId, SeriesId, StreamId};

    #[test]
    fn an_id_is_of_its_type_only() {
        let id = AccountId::new();
        let text = Global(id).to_string();
        assert_eq!(Global::<AccountId>::parse(&text), Some(Global(id)));
        assert_eq!(Global::<StreamId>::parse(&text), None);
        assert_eq!(Global::<SeriesId>::parse(&Global(SeriesId(7)).to_string()), Some(Global(SeriesId(7))));
        assert_eq!(Global::<SeriesId>::parse("7"), None);
    }
}
