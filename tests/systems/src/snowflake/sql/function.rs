//! Functions: those of the session, and those of values.

use super::cast::{cast, document};
use super::compile::Typed;
use super::error::{Outcome, SqlError};
use super::eval::{Action, Node};
use super::format;
use super::number::{Number, power};
use super::session::Session;
use super::types::Type;
use super::value::Value;
use crate::snowflake::users;

/// Functions that need no brackets.
pub fn bare(name: &str) -> Option<()> {
    const BARE: [&str; 5] =
        ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_USER", "LOCALTIMESTAMP"];
    BARE.iter().any(|it| it.eq_ignore_ascii_case(name)).then_some(())
}

/// Functions that tell of the session and take nothing.
pub fn constant(name: &str, session: &Session) -> Option<Typed> {
    let text = |text: Option<&str>| (Value::maybe(text), Type::TEXT);
    let local = Value::Ltz(session.now);
    let as_kind = |kind: Type| (cast(&local, kind, session).unwrap_or(Value::Null), kind);
    let (value, kind) = match name.to_uppercase().as_str() {
        "CURRENT_TIMESTAMP" | "GETDATE" | "SYSTIMESTAMP" | "LOCALTIMESTAMP" => (local, Type::Ltz(9)),
        // The one clock that is always in UTC, and naive.
        "SYSDATE" => (Value::Ntz(session.now), Type::Ntz(9)),
        "CURRENT_DATE" => as_kind(Type::Date),
        "CURRENT_TIME" => as_kind(Type::Time(9)),
        "CURRENT_VERSION" => text(Some("9.36.2")),
        "CURRENT_USER" => text(Some(&session.user)),
        "CURRENT_ROLE" => text(session.role.as_deref()),
        "CURRENT_WAREHOUSE" => text(session.warehouse.as_deref()),
        "CURRENT_DATABASE" => text(session.database.as_deref()),
        "CURRENT_SCHEMA" => text(session.schema.as_deref()),
        "CURRENT_ACCOUNT" => text(Some(users::LOCATOR)),
        "CURRENT_ACCOUNT_NAME" => text(users::ACCOUNT.split_once('-').map(|(_, name)| name)),
        "CURRENT_ORGANIZATION_NAME" => text(users::ACCOUNT.split_once('-').map(|(name, _)| name)),
        "CURRENT_REGION" => text(Some("AWS_EU_CENTRAL_1")),
        // Numbers the rows that a statement makes.
        "SEQ4" | "SEQ8" => {
            return Some(Typed { node: Node::Sequence, kind: Type::Number(19, 0), nullable: false });
        }
        _ => return None,
    };
    Some(Typed { nullable: value.is_null(), node: Node::Constant(value), kind })
}

/// Makes a call of a function of values.
pub fn build(name: &str, mut of: Vec<Typed>, session: &Session) -> Outcome<Typed> {
    let first = of.first().map(|it| it.kind);
    let wrong = || {
        let text = format!(
            "SQL compilation error: error line 1 at position 7\nnot enough arguments for function [{name}]"
        );
        SqlError::new("000938", "22023", text)
    };
    let to = |of: Vec<Typed>, kind: Type, forgiving: bool| -> Outcome<Typed> {
        let node = of.into_iter().next().ok_or_else(wrong)?.node;
        let typed = Typed { node: Node::Cast(Box::new(node), kind, forgiving), kind, nullable: true };
        Ok(typed)
    };
    let call = |action: Action, of: Vec<Typed>, kind: Type| {
        Ok(Typed {
            node: Node::Call(action, of.into_iter().map(|it| it.node).collect()),
            kind,
            nullable: true,
        })
    };
    match (name, of.len()) {
        ("COALESCE" | "IFNULL" | "NVL", 1..) => {
            let kind = first.ok_or_else(wrong)?;
            Ok(Typed {
                node: Node::Coalesce(of.into_iter().map(|it| it.node).collect()),
                kind,
                nullable: true,
            })
        }
        ("IFF", 3) => {
            let (otherwise, then) = (of.pop().ok_or_else(wrong)?, of.pop().ok_or_else(wrong)?);
            let when = of.pop().ok_or_else(wrong)?.node;
            let kind = then.kind;
            Ok(Typed {
                node: Node::Case(vec![(when, then.node)], Box::new(otherwise.node)),
                kind,
                nullable: true,
            })
        }
        ("TO_VARCHAR" | "TO_CHAR", 1 | 2) => call(to_text, of, Type::TEXT),
        ("TO_NUMBER" | "TO_DECIMAL" | "TO_NUMERIC", 1 | 3) => {
            let digits = |typed: Option<&Typed>| match typed.map(|it| &it.node) {
                Some(Node::Constant(Value::Number(number))) => u8::try_from(number.digits).ok(),
                _ => None,
            };
            let kind = Type::Number(digits(of.get(1)).unwrap_or(38), digits(of.get(2)).unwrap_or(0));
            to(of, kind, false)
        }
        ("TO_DOUBLE", 1) => to(of, Type::Float, false),
        ("TO_BOOLEAN", 1) => to(of, Type::Boolean, false),
        ("TO_DATE" | "DATE", 1) => to(of, Type::Date, false),
        ("TRY_TO_DATE", 1) => to(of, Type::Date, true),
        ("TO_TIME" | "TIME", 1) => to(of, Type::Time(9), false),
        ("TO_TIMESTAMP" | "TO_TIMESTAMP_NTZ", 1) => to(of, Type::Ntz(9), false),
        ("TRY_TO_TIMESTAMP" | "TRY_TO_TIMESTAMP_NTZ", 1) => to(of, Type::Ntz(9), true),
        ("TO_TIMESTAMP_LTZ", 1) => to(of, Type::Ltz(9), false),
        ("TO_TIMESTAMP_TZ", 1) => to(of, Type::Tz(9), false),
        ("TO_BINARY", 1) => to(of, Type::Binary(8_388_608), false),
        ("TO_BINARY", 2) => call(to_binary, of, Type::Binary(8_388_608)),
        ("TO_VARIANT", 1) => to(of, Type::Variant, false),
        ("TO_OBJECT", 1) => to(of, Type::Object, false),
        ("TO_ARRAY", 1) => to(of, Type::Array, false),
        ("TO_JSON", 1) => call(to_json, of, Type::TEXT),
        ("PARSE_JSON", 1) => call(parse_json, of, Type::Variant),
        ("TRY_PARSE_JSON", 1) => call(try_parse_json, of, Type::Variant),
        ("OBJECT_CONSTRUCT", n) if n % 2 == 0 => call(object, of, Type::Object),
        ("ARRAY_CONSTRUCT", _) => call(array, of, Type::Array),
        ("UPPER", 1) => call(|of, _| map(of, |text| text.to_uppercase()), of, Type::TEXT),
        ("LOWER", 1) => call(|of, _| map(of, |text| text.to_lowercase()), of, Type::TEXT),
        ("TRIM", 1) => call(|of, _| map(of, |text| text.trim_matches(' ').to_owned()), of, Type::TEXT),
        ("LENGTH" | "LEN", 1) => call(length, of, Type::Number(18, 0)),
        ("LEFT" | "SUBSTR" | "SUBSTRING" | "REPEAT", 2 | 3) => match name {
            "LEFT" => call(left, of, Type::TEXT),
            "REPEAT" => call(repeat, of, Type::TEXT),
            _ => call(substring, of, Type::TEXT),
        },
        ("ABS" | "FLOOR", 1) => {
            let kind = first.ok_or_else(wrong)?;
            let (action, kind): (Action, Type) = match (name, kind) {
                ("FLOOR", Type::Number(..)) => (floor, Type::Number(38, 0)),
                ("ABS", Type::Number(..)) => (absolute, kind),
                _ => return Err(SqlError::unsupported(format!("{name} of {kind}"))),
            };
            call(action, of, kind)
        }
        ("CONCAT", 1..) => call(concat, of, Type::TEXT),
        ("MD5", 1) => call(digest, of, Type::Text(64)),
        ("HASH", 1..) => call(hash, of, Type::Number(19, 0)),
        ("CONVERT_TIMEZONE", 2) => call(convert, of, Type::Tz(9)),
        ("SYSTEM$TYPEOF", 1) => {
            let kind = first.ok_or_else(wrong)?;
            let text = Value::text(format!("{kind}[LOB]"));
            Ok(Typed { node: Node::Constant(text), kind: Type::TEXT, nullable: false })
        }
        _ => {
            let _unused = session;
            let text = format!("SQL compilation error:\nUnknown function {name}.");
            Err(SqlError::new("002140", "42601", text))
        }
    }
}

fn texts(of: &[Value]) -> Option<Vec<&str>> {
    of.iter().map(Value::as_text).collect()
}

fn map(of: &[Value], change: impl Fn(&str) -> String) -> Outcome<Value> {
    Ok(texts(of)
        .map_or(Value::Null, |texts| Value::text(texts.first().map_or(String::new(), |it| change(it)))))
}

fn count(value: Option<&Value>) -> Option<usize> {
    match value {
        Some(Value::Number(number)) => usize::try_from(number.rescale(0)?.digits).ok(),
        _ => None,
    }
}

fn absolute(of: &[Value], _session: &Session) -> Outcome<Value> {
    Ok(match of.first() {
        Some(Value::Number(it)) => Value::Number(Number { digits: it.digits.abs(), ..*it }),
        _ => Value::Null,
    })
}

fn floor(of: &[Value], _session: &Session) -> Outcome<Value> {
    Ok(match of.first() {
        Some(Value::Number(it)) => Value::int(it.digits.div_euclid(power(it.scale))),
        _ => Value::Null,
    })
}

fn to_text(of: &[Value], session: &Session) -> Outcome<Value> {
    let wanted = of.get(1).map(|it| it.as_text().unwrap_or_default());
    Ok(Value::maybe(of.first().and_then(|value| format::text(value, wanted, session))))
}

fn to_binary(of: &[Value], session: &Session) -> Outcome<Value> {
    match texts(of).as_deref() {
        Some([text, "UTF-8" | "utf-8"]) => Ok(Value::Binary(text.as_bytes().into())),
        Some([text, "HEX" | "hex"]) => cast(&Value::text(*text), Type::Binary(8_388_608), session),
        _ => Ok(Value::Null),
    }
}

fn to_json(of: &[Value], session: &Session) -> Outcome<Value> {
    Ok(of.first().filter(|it| !it.is_null()).map_or(Value::Null, |it| Value::text(document(it, session))))
}

fn parse_json(of: &[Value], _session: &Session) -> Outcome<Value> {
    let Some(text) = of.first().and_then(Value::as_text) else { return Ok(Value::Null) };
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(Value::Json(text.trim().into())),
        Err(error) => Err(SqlError::new("100069", "22P02", format!("Error parsing JSON: {error}"))),
    }
}

fn try_parse_json(of: &[Value], session: &Session) -> Outcome<Value> {
    Ok(parse_json(of, session).unwrap_or(Value::Null))
}

fn object(of: &[Value], session: &Session) -> Outcome<Value> {
    let pairs = of.chunks(2).filter_map(|pair| match pair {
        // A pair with NULL is left out.
        [Value::Text(key), value] if !value.is_null() => {
            Some(format!("{}:{}", serde_json::Value::from(&**key), document(value, session)))
        }
        _ => None,
    });
    Ok(Value::Json(format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")).into()))
}

fn array(of: &[Value], session: &Session) -> Outcome<Value> {
    // A hole is printed so; it is no JSON.
    let one = |value: &Value| if value.is_null() { "undefined".to_owned() } else { document(value, session) };
    Ok(Value::Json(format!("[{}]", of.iter().map(one).collect::<Vec<_>>().join(",")).into()))
}

fn length(of: &[Value], session: &Session) -> Outcome<Value> {
    Ok(match of.first() {
        Some(Value::Binary(bytes)) => Value::int(bytes.len() as i128),
        Some(value) => format::text(value, None, session)
            .map_or(Value::Null, |it| Value::int(it.chars().count() as i128)),
        None => Value::Null,
    })
}

fn left(of: &[Value], session: &Session) -> Outcome<Value> {
    let text = of.first().and_then(|it| format::text(it, None, session));
    let cut = text.zip(count(of.get(1))).map(|(text, count)| text.chars().take(count).collect::<String>());
    Ok(Value::maybe(cut))
}

fn substring(of: &[Value], session: &Session) -> Outcome<Value> {
    let text = of.first().and_then(|it| format::text(it, None, session));
    let (from, most) = (count(of.get(1)), of.get(2).map_or(Some(usize::MAX), |it| count(Some(it))));
    let (Some(text), Some(from), Some(most)) = (text, from, most) else { return Ok(Value::Null) };
    Ok(Value::text(text.chars().skip(from.saturating_sub(1)).take(most).collect::<String>()))
}

fn repeat(of: &[Value], session: &Session) -> Outcome<Value> {
    let text = of.first().and_then(|it| format::text(it, None, session));
    Ok(Value::maybe(text.zip(count(of.get(1))).map(|(text, times)| text.repeat(times))))
}

/// `||`; NULL when any is.
pub fn concat(of: &[Value], session: &Session) -> Outcome<Value> {
    let texts: Option<Vec<String>> = of.iter().map(|it| format::text(it, None, session)).collect();
    Ok(Value::maybe(texts.map(|it| it.concat())))
}

fn digest(of: &[Value], session: &Session) -> Outcome<Value> {
    use sha2::{Digest, Sha256};
    // As long and as even as MD5's, and not the same: what it is for here is text of that sort.
    let text = of.first().and_then(|it| format::text(it, None, session));
    let hex = |text: String| {
        Sha256::digest(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    Ok(Value::maybe(text.map(hex)))
}

/// A number of 64 bits for some values, NULL too; not the very number that the service has.
pub fn hash(of: &[Value], session: &Session) -> Outcome<Value> {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for value in of {
        match format::text(value, Some("YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM"), session) {
            Some(text) => hasher.update(format!("{}:{text};", text.len())),
            None => hasher.update("-;"),
        }
    }
    let bytes: [u8; 8] = hasher.finalize()[..8].try_into().unwrap_or_default();
    Ok(Value::int(i64::from_be_bytes(bytes)))
}

fn convert(of: &[Value], session: &Session) -> Outcome<Value> {
    let (Some(name), Some(value)) = (of.first().and_then(Value::as_text), of.get(1)) else {
        return Ok(Value::Null);
    };
    let zone = super::zone::find(name)?;
    Ok(match cast(value, Type::Ltz(9), session)? {
        Value::Ltz(utc) => Value::Tz(utc, super::zone::offset_at(zone, utc)),
        _ => Value::Null,
    })
}

fn pattern(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut in_pattern, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some('%') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
            }
            Some(letter) if *letter == '_' || *letter == text[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    (in_pattern, at) = (star_at + 1, from + 1);
                    star = Some((star_at, at));
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|it| *it == '%')
}

/// `LIKE`.
pub fn like(of: &[Value], _session: &Session) -> Outcome<Value> {
    Ok(match texts(of).as_deref() {
        Some([text, wanted]) => Value::Bool(pattern(text, wanted)),
        _ => Value::Null,
    })
}

/// `ILIKE`: `LIKE` in any case, which is also how `SHOW ... LIKE` compares.
pub fn ilike(of: &[Value], _session: &Session) -> Outcome<Value> {
    Ok(match texts(of).as_deref() {
        Some([text, wanted]) => Value::Bool(pattern(&text.to_lowercase(), &wanted.to_lowercase())),
        _ => Value::Null,
    })
}
