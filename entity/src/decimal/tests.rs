//! Decimals as text, in order, and from the wire.

use super::numeric::read_binary;
use super::{Decimal, DecimalError};

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

#[test]
fn every_spelling_has_one_canonical_form() {
    for (given, canonical) in [
        ("0", "0"),
        ("-0.000", "0"),
        ("0e999999999999999999999", "0"),
        ("+7", "7"),
        ("007.500", "7.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-.25", "-0.25"),
        ("1e-5", "0.00001"),
        ("1.5E+3", "1500"),
        ("12345e-3", "12.345"),
        ("-0.00012e2", "-0.012"),
        ("100", "100"),
        ("123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"),
    ] {
        assert_eq!(decimal(given).as_str(), canonical, "{given}");
        assert_eq!(decimal(canonical).as_str(), canonical);
    }
}

#[test]
fn what_is_not_a_finite_number_is_refused() {
    for text in [
        "", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "1_000", "1,5", " 1", "--1", "+-1", "١",
        "1e5.0",
    ] {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Malformed), "{text:?}");
    }
    for text in ["NaN", "nan", "inf", "-Infinity", "+INF"] {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::NotFinite), "{text:?}");
    }
    for text in ["1e400", "1e-400", "1e99999999999999999999", &"9".repeat(401)] {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::TooLong), "{text:?}");
    }
    assert_eq!(decimal("1e399").as_str().len(), 400);
    assert_eq!(decimal(&format!("-{}", "9".repeat(400))).as_str().len(), 401);
}

#[test]
fn order_is_by_value() {
    let sorted = [
        "-100", "-99.5", "-1", "-0.5", "-0.25", "0", "0.001", "0.01", "0.5", "0.51", "1", "9", "10", "100.1",
    ];
    for (left_at, left) in sorted.iter().enumerate() {
        for (right_at, right) in sorted.iter().enumerate() {
            assert_eq!(decimal(left).cmp(&decimal(right)), left_at.cmp(&right_at), "{left} against {right}");
        }
    }
}

#[test]
fn floats_keep_their_shortest_spelling() {
    assert_eq!(Decimal::from_f64(0.1).expect("finite").as_str(), "0.1");
    assert_eq!(Decimal::from_f64(-0.0).expect("finite").as_str(), "0");
    assert_eq!(Decimal::from_f64(1e22).expect("finite").as_str(), "10000000000000000000000");
    for number in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.0 / 3.0] {
        assert_eq!(Decimal::from_f64(number).expect("finite").to_f64(), number);
    }
    assert_eq!(Decimal::from_f64(f64::NAN), Err(DecimalError::NotFinite));
    assert_eq!(Decimal::from_f64(f64::NEG_INFINITY), Err(DecimalError::NotFinite));
}

#[test]
fn json_is_a_string() {
    let number = decimal("-12.50");
    assert_eq!(serde_json::to_string(&number).expect("text"), "\"-12.5\"");
    assert_eq!(serde_json::from_str::<Decimal>("\"1e2\"").expect("a number"), Decimal::from(100));
    assert!(serde_json::from_str::<Decimal>("\"NaN\"").is_err());
}

#[test]
fn whole_numbers_are_canonical() {
    for number in [i128::MIN, -1, 0, 1, i128::MAX] {
        assert_eq!(Decimal::from(number), decimal(&number.to_string()));
    }
}

#[test]
fn the_wire_form_is_read_exactly() {
    let wire = |weight: i16, sign: u16, scale: u16, groups: &[u16]| {
        let head = [groups.len() as u16, weight as u16, sign, scale];
        let bytes: Vec<u8> = head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect();
        read_binary(&bytes)
    };
    assert_eq!(wire(0, 0, 0, &[]), Ok(decimal("0")));
    assert_eq!(wire(0, 0x4000, 2, &[12, 5000]), Ok(decimal("-12.5")));
    assert_eq!(wire(2, 0, 0, &[1]), Ok(decimal("100000000")));
    assert_eq!(wire(-2, 0, 8, &[42]), Ok(decimal("0.00000042")));
    assert_eq!(wire(1, 0, 4, &[1, 2, 3]), Ok(decimal("10002.0003")));
    assert_eq!(wire(0, 0xC000, 0, &[]), Err(DecimalError::NotFinite));
    assert_eq!(wire(0, 0xD000, 0, &[]), Err(DecimalError::NotFinite));
    assert_eq!(wire(0, 0, 0, &[10_000]), Err(DecimalError::Malformed));
    assert_eq!(read_binary(&[0, 1]), Err(DecimalError::Malformed));
}
