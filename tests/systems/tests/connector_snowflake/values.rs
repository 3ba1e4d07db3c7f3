//! Cells exactly as the account holds them.

use anyhow::Result;
use connector::{CursorKind, Type};
use systems::snowflake::Fault;

use crate::home::{Home, column, read, request};

/// The cells of a column of that type with these values, as variant and text.
async fn cells(home: &Home, native: &str, values: &[&str]) -> Result<Vec<String>> {
    home.place.run("DROP TABLE IF EXISTS T").await?;
    home.place.run(&format!("CREATE TABLE T (ID NUMBER(38,0), V {native})")).await?;
    for (id, value) in values.iter().enumerate() {
        home.place.run(&format!("INSERT INTO T SELECT {id}, {value}")).await?;
    }
    let asked = request(home.table("T"), &["V", "ID"], ("ID", CursorKind::Int), &[]);
    Ok(column(&read(&*home.open()?, &asked).await?, "V"))
}

#[tokio::test]
async fn pitfall_14_numbers_keep_every_digit() -> Result<()> {
    let home = Home::new().await?;
    let nines = "9".repeat(38);
    let (fine, wanted) = (format!("1.{}1", "0".repeat(36)), format!("decimal 1.{}1", "0".repeat(36)));
    for (native, value, wanted) in [
        ("NUMBER(38,0)", nines.as_str(), format!("int {nines}")),
        ("NUMBER(38,0)", &format!("-{nines}"), format!("int -{nines}")),
        ("NUMBER(18,0)", "-999999999999999999", "int -999999999999999999".to_owned()),
        ("NUMBER(38,37)", &fine, wanted),
        ("NUMBER(12,2)", "-12.30", "decimal -12.3".to_owned()),
        ("NUMBER(12,2)", "0", "decimal 0".to_owned()),
        ("DECFLOAT", "'1.5E-7'", "decimal 0.00000015".to_owned()),
        ("DECFLOAT", &format!("'-{nines}E3'"), format!("decimal -{nines}000")),
        ("FLOAT", "0.1", "float 0.1".to_owned()),
        ("FLOAT", "1e300", format!("float 1{}", "0".repeat(300))),
        ("FLOAT", "'NaN'", "float NaN".to_owned()),
        ("FLOAT", "'-inf'", "float -inf".to_owned()),
    ] {
        assert_eq!(cells(&home, native, &[value]).await?, [wanted], "{native} {value}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_21_the_nulls_are_kept_apart() -> Result<()> {
    let home = Home::new().await?;
    let values = [
        "NULL",
        "PARSE_JSON('null')",
        "PARSE_JSON('\"null\"')",
        "PARSE_JSON('{\"a\":null}')",
        "PARSE_JSON('7')",
    ];
    let found = cells(&home, "VARIANT", &values).await?;
    assert_eq!(found[..3], ["null", "json null", "json \"null\""]);
    assert!(found[3].starts_with("json {") && found[3].contains("null"), "{found:?}");
    assert_eq!(found[4], "json 7");
    let found = cells(&home, "VARCHAR", &["NULL", "'null'", "''"]).await?;
    assert_eq!(found, ["null", "text null", "text "]);
    let found = cells(&home, "ARRAY", &["NULL", "PARSE_JSON('[null, \"null\"]')"]).await?;
    assert!(found[0] == "null" && found[1].starts_with("json ["), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn other_types_come_as_they_are() -> Result<()> {
    let home = Home::new().await?;
    for (native, value, wanted) in [
        ("BOOLEAN", "TRUE", "bool true"),
        ("BINARY", "TO_BINARY('00FF', 'HEX')", "text 00FF"),
        ("VARCHAR", "'é 🦀 \"q\" \\\\ \\n'", "text é 🦀 \"q\" \\ \n"),
        ("TIME(3)", "'10:00:00.5'", "text 10:00:00.5"),
    ] {
        assert_eq!(cells(&home, native, &[value]).await?, [wanted], "{native}");
    }
    Ok(())
}

#[tokio::test]
async fn type_names_in_upper_case_mean_the_same() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (ID NUMBER(38,0), A TIMESTAMP_NTZ(9), B VARIANT, C BOOLEAN)").await?;
    home.place.run("INSERT INTO T SELECT 1, '2026-01-01 00:00:00', PARSE_JSON('[]'), TRUE").await?;
    home.server.fault(Fault::UpperCaseTypes(true));
    let connector = home.open()?;
    let asked = request(home.table("T"), &["ID", "A", "B", "C"], ("ID", CursorKind::Int), &["ID"]);
    let kinds: Vec<Type> =
        read(&*connector, &asked).await?[0].columns.iter().map(connector::Column::kind).collect();
    assert_eq!(kinds, [Type::Int, Type::Naive, Type::Json, Type::Bool]);
    Ok(())
}
