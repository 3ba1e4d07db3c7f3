//! Times and the session's zone: the traps.

use anyhow::Result;
use serde_json::json;

use crate::client::Client;

async fn filled() -> Result<Client> {
    let client = Client::reader().await?;
    client
        .place
        .run("CREATE TABLE T (ID NUMBER, N TIMESTAMP_NTZ, L TIMESTAMP_LTZ, Z TIMESTAMP_TZ, D DATE)")
        .await?;
    let row =
        "(1, '2024-01-01 00:00:00', '2024-01-01 00:00:00 +0000', '2024-01-01 05:30:00 +0530', '2024-01-01')";
    client.place.run(&format!("INSERT INTO T VALUES {row}")).await?;
    Ok(client)
}

async fn count(client: &Client, zone: Option<&str>, condition: &str, value: (&str, &str)) -> Result<String> {
    let mut body = client.body(&format!("SELECT COUNT(*) FROM T WHERE {condition}"));
    body["parameters"] = zone.map_or(json!({}), |zone| json!({"timezone": zone}));
    body["bindings"] = json!({"1": {"type": value.0, "value": value.1}});
    let answer = client.submit("", &body).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(answer.rows().concat().concat())
}

#[tokio::test]
async fn a_naive_time_meets_an_instant_in_the_sessions_zone() -> Result<()> {
    let client = filled().await?;
    // 2024-01-01 00:00 UTC.
    let instant = ("TIMESTAMP_TZ", "1704067200000000000 1440");
    let naive = ("TIMESTAMP_NTZ", "1704067200000000000");
    let text = ("TEXT", "2024-01-01 00:00:00");
    for (zone, condition, value, wanted) in [
        (Some("UTC"), "N = ?", instant, "1"),
        // A new account is in Los Angeles: naive midnight is eight hours later there.
        (None, "N = ?", instant, "0"),
        (None, "N > ?", instant, "1"),
        (Some("Asia/Kolkata"), "N < ?", instant, "1"),
        (None, "N = ?", naive, "1"),
        (Some("Asia/Kolkata"), "N = ?", naive, "1"),
        (Some("UTC"), "L = ?", naive, "1"),
        (None, "L = ?", naive, "0"),
        (None, "L = ?", instant, "1"),
        (Some("Asia/Kolkata"), "Z = ?", instant, "1"),
        (None, "L = CAST(? AS TIMESTAMP_LTZ)", text, "0"),
        (Some("UTC"), "L = CAST(? AS TIMESTAMP_LTZ)", text, "1"),
        (None, "D = CAST(? AS DATE)", ("TEXT", "2024-01-01"), "1"),
        (None, "D = ?", ("DATE", "1704067200000"), "1"),
    ] {
        assert_eq!(count(&client, zone, condition, value).await?, wanted, "{zone:?} {condition} {value:?}");
    }
    Ok(())
}

#[tokio::test]
async fn text_of_a_time_has_three_digits_unless_asked() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (N TIMESTAMP_NTZ)").await?;
    client.place.run("INSERT INTO T VALUES ('2024-01-01 00:00:00.123456789')").await?;
    assert_eq!(client.cell("SELECT TO_VARCHAR(MAX(N)) FROM T").await?, "2024-01-01 00:00:00.123");
    assert_eq!(client.cell("SELECT CAST(N AS VARCHAR) FROM T").await?, "2024-01-01 00:00:00.123");
    let nine = "SELECT TO_VARCHAR(MAX(N), 'YYYY-MM-DD HH24:MI:SS.FF9') FROM T";
    assert_eq!(client.cell(nine).await?, "2024-01-01 00:00:00.123456789");
    let mut body = client.body("SELECT TO_VARCHAR(N) FROM T");
    body["parameters"]["timestamp_ntz_output_format"] = json!("YYYY-MM-DD\"T\"HH24:MI:SS.FF9");
    assert_eq!(client.submit("", &body).await?.rows(), [["2024-01-01T00:00:00.123456789"]]);
    Ok(())
}

#[tokio::test]
async fn the_clock_is_an_instant_or_naive_in_utc() -> Result<()> {
    let client = Client::reader().await?;
    let answer = client.run("SELECT CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP, SYSDATE()").await?;
    let rows = answer.rows().concat();
    let kinds: Vec<_> =
        (0..3).map(|at| answer.body["resultSetMetaData"]["rowType"][at]["type"].clone()).collect();
    assert_eq!(kinds, ["timestamp_ltz", "timestamp_ltz", "timestamp_ntz"]);
    assert!(rows[0] == rows[1] && rows[1] == rows[2], "{rows:?}");
    let seconds: f64 = rows[0].parse()?;
    assert!((seconds - crate::client::now() as f64).abs() < 5.0, "{seconds}");
    Ok(())
}
