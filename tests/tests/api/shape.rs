//! The served schema as data, so that a test can ask every field of it and none is forgotten.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use server::domain::global_id::encode;

use crate::world::{World, text};

const QUERY: &str = "{ __schema { types { kind name
    fields { name args { ...slot } type { ...kind } }
    inputFields { ...slot } enumValues { name } possibleTypes { name } } } }
    fragment slot on __InputValue { name defaultValue type { ...kind } }
    fragment kind on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The schema.
pub struct Schema {
    types: BTreeMap<String, Value>,
}

/// A type as it stands at a field: its name, and how it is wrapped.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The innermost type.
    pub name: String,
    /// Its sort, such as `OBJECT`.
    pub sort: String,
    /// Whether it is a list of them.
    pub list: bool,
    /// Whether it may be left out or null.
    pub nullable: bool,
    /// As it is written.
    pub written: String,
}

/// A field or argument.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether a value must be given.
    pub required: bool,
    /// The arguments, for a field of an object.
    pub arguments: Vec<Slot>,
}

impl Schema {
    /// Reads it from a server.
    pub async fn read(world: &World) -> Result<Self> {
        let data = world.ask(QUERY, json!({})).await?;
        let types = data["__schema"]["types"].as_array().context("types")?;
        Ok(Self { types: types.iter().map(|it| (text(&it["name"]), it.clone())).collect() })
    }

    /// The fields of an object, or of an input.
    pub fn fields(&self, name: &str) -> Vec<Slot> {
        let found = &self.types[name];
        let fields = if found["fields"].is_array() { &found["fields"] } else { &found["inputFields"] };
        fields.as_array().into_iter().flatten().map(slot).collect()
    }

    /// The objects an interface or union stands for.
    pub fn possible(&self, name: &str) -> Vec<String> {
        self.types[name]["possibleTypes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| text(&it["name"]))
            .collect()
    }

    /// A value for a type, as little as it takes. `id` gives the IDs, by the path they are at.
    pub fn value(&self, kind: &Kind, path: &[String], id: &dyn Fn(&[String]) -> String) -> Value {
        let one = match (kind.sort.as_str(), kind.name.as_str()) {
            ("ENUM", name) => self.types[name]["enumValues"][0]["name"].clone(),
            ("INPUT_OBJECT", name) => self.object(name, path, id),
            (_, "ID") => json!(id(path)),
            (_, "Boolean") => json!(true),
            (_, "Int") => json!(1),
            (_, "BigInt" | "Decimal") => json!("1"),
            (_, "DateTime") => json!("2026-02-28T10:00:00Z"),
            _ => json!("x"),
        };
        if kind.list { json!([one]) } else { one }
    }

    fn object(&self, name: &str, path: &[String], id: &dyn Fn(&[String]) -> String) -> Value {
        let fields = self.fields(name);
        let below = |field: &Slot| [path, std::slice::from_ref(&field.name)].concat();
        let entry = |field: &Slot| (field.name.clone(), self.value(&field.kind, &below(field), id));
        let mut made: Map<String, Value> = fields.iter().filter(|field| field.required).map(entry).collect();
        // Of an input whose fields are all optional, a `@oneOf` wants one, and no other minds.
        if made.is_empty() && ["SourceConfigInput", "StreamScheduleInput"].contains(&name) {
            made.extend(fields.first().map(entry));
        }
        Value::Object(made)
    }

    /// A request of one field: the document and its variables. Besides what is required, it gives what leads to `place`.
    pub fn request(
        &self,
        root: &str,
        field: &Slot,
        place: &[String],
        id: &dyn Fn(&[String]) -> String,
    ) -> (String, Value) {
        let wanted = |slot: &&Slot| slot.required || place.get(1) == Some(&slot.name);
        let taken: Vec<&Slot> = field.arguments.iter().filter(wanted).collect();
        let mut variables = Map::new();
        for slot in &taken {
            let path = vec![field.name.clone(), slot.name.clone()];
            let mut value = self.value(&slot.kind, &path, id);
            if place.get(1) == Some(&slot.name) {
                self.lead(&mut value, &slot.kind, path, place, id);
            }
            variables.insert(slot.name.clone(), value);
        }
        let list = |write: fn(&Slot) -> String| {
            let text = taken.iter().map(|slot| write(slot)).collect::<Vec<_>>().join(", ");
            if text.is_empty() { text } else { format!("({text})") }
        };
        let declared = list(|slot| format!("${}: {}", slot.name, slot.kind.written));
        let passed = list(|slot| format!("{0}: ${0}", slot.name));
        let selection = match root {
            "mutation" => "{ userErrors { code field message } }".to_owned(),
            _ if field.kind.name.ends_with("Connection") => "{ nodes { __typename } }".to_owned(),
            _ => self.plain(&field.kind),
        };
        (format!("{root}{declared} {{ {}{passed} {selection} }}", field.name), Value::Object(variables))
    }

    /// Gives what leads from a value to a place below it.
    fn lead(
        &self,
        value: &mut Value,
        kind: &Kind,
        path: Vec<String>,
        place: &[String],
        id: &dyn Fn(&[String]) -> String,
    ) {
        let Some(next) = place.get(path.len()) else { return };
        let Some(field) = self.fields(&kind.name).into_iter().find(|field| field.name == *next) else {
            return;
        };
        let path = [path, vec![next.clone()]].concat();
        let inside = &mut value[next];
        if inside.is_null() {
            *inside = self.value(&field.kind, &path, id);
        }
        self.lead(inside, &field.kind, path, place, id);
    }

    /// What to select of a type: its plain fields.
    pub fn plain(&self, kind: &Kind) -> String {
        match kind.sort.as_str() {
            "SCALAR" | "ENUM" => String::new(),
            "OBJECT" => {
                let plain = |field: &Slot| ["SCALAR", "ENUM"].contains(&field.kind.sort.as_str());
                let fields = self.fields(&kind.name).into_iter().filter(plain);
                let names: Vec<String> = fields.map(|field| field.name).collect();
                format!("{{ __typename {} }}", names.join(" "))
            }
            _ => "{ __typename }".to_owned(),
        }
    }

    /// All places below a slot where an ID is taken, as paths of names.
    pub fn ids(&self, slot: &Slot) -> Vec<Vec<String>> {
        let own = vec![slot.name.clone()];
        match (slot.kind.name.as_str(), slot.kind.sort.as_str()) {
            ("ID", _) => vec![own],
            (name, "INPUT_OBJECT") => {
                let below = self.fields(name);
                let paths = below.iter().flat_map(|field| self.ids(field));
                paths.map(|path| [own.clone(), path].concat()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The type of object that the ID at a path names. A path nobody has thought of fails the test.
pub fn noun(path: &[String]) -> &'static str {
    let nouns = [
        "Account",
        "ApiToken",
        "ExternalId",
        "ExternalIdSetting",
        "IgnoreRule",
        "Input",
        "KeyPair",
        "Metric",
        "MetricLink",
        "Opportunity",
        "Series",
        "Source",
        "Stream",
        "SyncRun",
        "UnmatchedGroup",
    ];
    let (root, leaf) = (path[0].as_str(), path[path.len() - 1].as_str());
    let capital = |text: &str| text[..1].to_uppercase() + &text[1..];
    let found = match leaf {
        "id" | "ids" if root == "rejectedRowRetry" => Some("WaitingRow"),
        "id" | "ids" if ["node", "nodes"].contains(&root) => Some("Account"),
        "id" | "ids" => {
            let fitting = nouns.into_iter().filter(|noun| capital(root).starts_with(noun));
            fitting.max_by_key(|noun| noun.len())
        }
        "assigneeId" | "userId" => Some("User"),
        "subjectId" => Some("Account"),
        other => {
            nouns.into_iter().find(|noun| other.strip_suffix("Id").map(capital).as_deref() == Some(noun))
        }
    };
    found.unwrap_or_else(|| panic!("no case for the ID at {path:?}: say what it names"))
}

/// The ID of an object that is not there.
pub fn nothing(noun: &str) -> String {
    match noun {
        "Series" | "UnmatchedGroup" | "WaitingRow" => encode(noun, 987_654),
        _ => encode(noun, "01900000-0000-7000-8000-000000000000"),
    }
}

fn slot(it: &Value) -> Slot {
    let kind = kind(&it["type"]);
    Slot {
        name: text(&it["name"]),
        required: !kind.nullable && it["defaultValue"].is_null(),
        kind,
        arguments: it["args"].as_array().into_iter().flatten().map(slot).collect(),
    }
}

fn kind(it: &Value) -> Kind {
    match it["kind"].as_str() {
        Some("NON_NULL") => {
            let inner = kind(&it["ofType"]);
            Kind { nullable: false, written: format!("{}!", inner.written), ..inner }
        }
        Some("LIST") => {
            let inner = kind(&it["ofType"]);
            Kind { list: true, nullable: true, written: format!("[{}]", inner.written), ..inner }
        }
        _ => Kind {
            name: text(&it["name"]),
            sort: text(&it["kind"]),
            list: false,
            nullable: true,
            written: text(&it["name"]),
        },
    }
}
