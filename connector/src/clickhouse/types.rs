//! ClickHouse's type names, and what each is to us.

use std::sync::Arc;

use crate::Type;

/// The names of an enumeration by number, in ascending order.
pub type Names = Arc<[(i16, Box<str>)]>;

/// How a value arrives in RowBinary, nullability apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Signed integer of that many bytes.
    Int(usize),
    /// Unsigned integer of that many bytes.
    UInt(usize),
    /// `BFloat16`.
    Float2,
    /// `Float32`.
    Float4,
    /// `Float64`.
    Float8,
    /// `Decimal`: bytes and scale.
    Decimal(usize, usize),
    /// `Bool`.
    Bool,
    /// `String`.
    String,
    /// `FixedString` of that many bytes.
    FixedString(usize),
    /// `Date`.
    Date,
    /// `Date32`.
    Date32,
    /// `DateTime`.
    DateTime,
    /// `DateTime64` with that many digits after the point.
    DateTime64(u32),
    /// `UUID`.
    Uuid,
    /// `IPv4`.
    Ipv4,
    /// `IPv6`.
    Ipv6,
    /// `Enum8` or `Enum16`: bytes, and names by number in ascending order.
    Enum(usize, Names),
    /// `Nothing`, of which there is no value.
    Nothing,
}

/// How a column is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// As it is.
    Plain,
    /// As JSON text.
    Json,
    /// As text.
    Text,
    /// As hexadecimal text: states of aggregate functions.
    Hex,
}

/// What a type's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// The type without wrappers that change neither values nor order.
    pub bare: String,
    /// How values arrive; a string unless the projection is plain.
    pub wire: Wire,
    /// How the column is selected.
    pub projection: Projection,
    /// Whether a null may occur.
    pub nullable: bool,
}

impl Native {
    /// Reads a type's name.
    pub fn parse(name: &str) -> Self {
        let mut bare = name.trim();
        let mut nullable = false;
        loop {
            if let Some(inner) = inside(bare, "Nullable") {
                nullable = true;
                bare = inner;
            } else if let Some(inner) = inside(bare, "LowCardinality") {
                bare = inner;
            } else if let Some((_, inner)) = inside(bare, "SimpleAggregateFunction").and_then(first_comma) {
                bare = inner;
            } else {
                break;
            }
        }
        let (wire, projection) = match plain(bare) {
            Some(wire) => (wire, Projection::Plain),
            None => (Wire::String, converted(bare)),
        };
        let nullable = nullable || wire == Wire::Nothing || ["Variant", "Dynamic"].contains(&head(bare));
        Self { bare: bare.to_owned(), wire, projection, nullable }
    }

    /// The logical type.
    pub fn kind(&self) -> Type {
        match (self.projection, &self.wire) {
            (Projection::Json, _) => Type::Json,
            (Projection::Text | Projection::Hex, _) | (_, Wire::Nothing) => Type::Other,
            (_, Wire::Int(..=16) | Wire::UInt(..=8)) => Type::Int,
            (_, Wire::Int(_) | Wire::UInt(_) | Wire::Decimal(..)) => Type::Decimal,
            (_, Wire::Float2 | Wire::Float4 | Wire::Float8) => Type::Float,
            (_, Wire::Bool) => Type::Bool,
            (_, Wire::Date | Wire::Date32) => Type::Date,
            (_, Wire::DateTime | Wire::DateTime64(_)) => Type::Zoned,
            (_, Wire::String | Wire::FixedString(_) | Wire::Enum(..)) => Type::Text,
            (_, Wire::Uuid | Wire::Ipv4 | Wire::Ipv6) => Type::Text,
        }
    }

    /// Whether integers need more than 64 bits with a sign.
    pub fn wide(&self) -> bool {
        matches!(self.wire, Wire::Int(16) | Wire::UInt(8))
    }
}

fn plain(bare: &str) -> Option<Wire> {
    let number = |name: &str| inside(bare, name)?.parse::<usize>().ok();
    Some(match head(bare) {
        "Int8" => Wire::Int(1),
        "Int16" => Wire::Int(2),
        "Int32" => Wire::Int(4),
        "Int64" => Wire::Int(8),
        "Int128" => Wire::Int(16),
        "Int256" => Wire::Int(32),
        "UInt8" => Wire::UInt(1),
        "UInt16" => Wire::UInt(2),
        "UInt32" => Wire::UInt(4),
        "UInt64" => Wire::UInt(8),
        "UInt128" => Wire::UInt(16),
        "UInt256" => Wire::UInt(32),
        "BFloat16" => Wire::Float2,
        "Float32" => Wire::Float4,
        "Float64" => Wire::Float8,
        "Bool" => Wire::Bool,
        "String" => Wire::String,
        // Values without a single byte would never end; the server takes no longer ones (`MAX_FIXEDSTRING_SIZE`).
        "FixedString" => {
            Wire::FixedString(number("FixedString").filter(|bytes| (1..=0xff_ffff).contains(bytes))?)
        }
        "Date" => Wire::Date,
        "Date32" => Wire::Date32,
        "DateTime" => Wire::DateTime,
        "DateTime64" => {
            let inner = inside(bare, "DateTime64")?;
            let digits: u32 = inner.split(',').next()?.trim().parse().ok()?;
            Wire::DateTime64(Some(digits).filter(|digits| *digits <= 9)?)
        }
        "Decimal" => {
            let (precision, scale) = inside(bare, "Decimal")?.split_once(',')?;
            let bytes = match precision.trim().parse::<usize>().ok()? {
                1..=9 => 4,
                10..=18 => 8,
                19..=38 => 16,
                39..=76 => 32,
                _ => return None,
            };
            Wire::Decimal(bytes, scale.trim().parse().ok().filter(|scale| *scale <= 76)?)
        }
        "UUID" => Wire::Uuid,
        "IPv4" => Wire::Ipv4,
        "IPv6" => Wire::Ipv6,
        "Enum8" => Wire::Enum(1, names(inside(bare, "Enum8")?)?),
        "Enum16" => Wire::Enum(2, names(inside(bare, "Enum16")?)?),
        "Nothing" => Wire::Nothing,
        _ => return None,
    })
}

fn converted(bare: &str) -> Projection {
    match head(bare) {
        "AggregateFunction" => Projection::Hex,
        "Array" | "Map" | "Tuple" | "Nested" | "JSON" | "Object" | "Variant" | "Dynamic" | "QBit" => {
            Projection::Json
        }
        "Point" | "Ring" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon" | "Geometry" => {
            Projection::Json
        }
        _ => Projection::Text,
    }
}

/// The name before any parenthesis.
fn head(name: &str) -> &str {
    name.split('(').next().unwrap_or_default()
}

/// What stands in the parentheses of that very type.
fn inside<'a>(name: &'a str, wanted: &str) -> Option<&'a str> {
    name.strip_prefix(wanted)?.strip_prefix('(')?.strip_suffix(')').map(str::trim)
}

/// Splits at the first comma outside parentheses.
fn first_comma(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0;
    let at = text.char_indices().find(|(_, letter)| {
        depth += i32::from(*letter == '(') - i32::from(*letter == ')');
        depth == 0 && *letter == ','
    })?;
    Some((&text[..at.0], text[at.0 + 1..].trim()))
}

/// The names of an enumeration: `'a' = 1, 'it\'s' = 2`.
fn names(list: &str) -> Option<Names> {
    let mut found = Vec::new();
    let mut letters = list.chars();
    loop {
        if letters.by_ref().find(|letter| !letter.is_whitespace() && *letter != ',')? != '\'' {
            return None;
        }
        let mut name = String::new();
        loop {
            match letters.next()? {
                '\'' => break,
                '\\' => name.push(match letters.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    other => other,
                }),
                letter => name.push(letter),
            }
        }
        let rest = letters.as_str();
        let number = rest.split(',').next()?.trim().strip_prefix('=')?.trim();
        found.push((number.parse().ok()?, name.into_boxed_str()));
        match rest.find(',') {
            Some(comma) => letters = rest[comma..].chars(),
            None => break,
        }
    }
    found.sort();
    Some(found.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_understood() {
        for (name, wire, projection, nullable, kind) in [
            ("UInt64", Wire::UInt(8), Projection::Plain, false, Type::Int),
            ("Nullable(Int128)", Wire::Int(16), Projection::Plain, true, Type::Int),
            ("UInt128", Wire::UInt(16), Projection::Plain, false, Type::Decimal),
            ("LowCardinality(Nullable(String))", Wire::String, Projection::Plain, true, Type::Text),
            ("Decimal(76, 38)", Wire::Decimal(32, 38), Projection::Plain, false, Type::Decimal),
            ("DateTime64(3, 'Asia/Kolkata')", Wire::DateTime64(3), Projection::Plain, false, Type::Zoned),
            ("DateTime('UTC')", Wire::DateTime, Projection::Plain, false, Type::Zoned),
            ("FixedString(16)", Wire::FixedString(16), Projection::Plain, false, Type::Text),
            ("FixedString(16777215)", Wire::FixedString(16_777_215), Projection::Plain, false, Type::Text),
            ("FixedString(900000000000)", Wire::String, Projection::Text, false, Type::Other),
            ("SimpleAggregateFunction(sum, UInt64)", Wire::UInt(8), Projection::Plain, false, Type::Int),
            (
                "SimpleAggregateFunction(f(3, 'x'), Array(String))",
                Wire::String,
                Projection::Json,
                false,
                Type::Json,
            ),
            ("AggregateFunction(uniq, UInt64)", Wire::String, Projection::Hex, false, Type::Other),
            ("Map(String, UInt8)", Wire::String, Projection::Json, false, Type::Json),
            ("JSON(max_dynamic_paths=8)", Wire::String, Projection::Json, false, Type::Json),
            ("Dynamic", Wire::String, Projection::Json, true, Type::Json),
            ("Time64(3)", Wire::String, Projection::Text, false, Type::Other),
            ("IntervalDay", Wire::String, Projection::Text, false, Type::Other),
            ("Nullable(Nothing)", Wire::Nothing, Projection::Plain, true, Type::Other),
        ] {
            let native = Native::parse(name);
            let got = (native.wire.clone(), native.projection, native.nullable, native.kind());
            assert_eq!(got, (wire, projection, nullable, kind), "{name}");
        }
    }

    #[test]
    fn enumerations_keep_their_names_exactly() {
        let native = Native::parse(r"Enum8('it\'s' = -2, 'a, (b) = 1' = 1, 'tab\t' = 2)");
        let Wire::Enum(1, names) = native.wire else { panic!("no enumeration: {native:?}") };
        let wanted = [(-2, "it's"), (1, "a, (b) = 1"), (2, "tab\t")];
        assert!(names.iter().map(|(number, name)| (*number, &**name)).eq(wanted), "{names:?}");
    }
}
