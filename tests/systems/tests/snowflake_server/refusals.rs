//! Calls that are not as the documents have them are refused.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value as Json, json};
use systems::snowflake::Who;

use crate::client::{Client, read};

#[tokio::test]
async fn headers_are_required() -> Result<()> {
    let client = Client::reader().await?;
    let call = || -> Result<_> {
        let bare = client.bare(Method::POST, "").bearer_auth(client.token(&client.claims()?)?);
        Ok(bare.header("X-Snowflake-Authorization-Token-Type", "KEYPAIR_JWT"))
    };
    let body = client.body("SELECT 1").to_string();
    let json = "application/json";
    for (agent, accept, content, status) in [
        (None, json, json, 400),
        (Some("weir/1"), "text/html", json, 400),
        (Some("weir/1"), json, "text/plain", 415),
        (Some("weir/1"), json, json, 200),
        (Some("weir/1"), "application/json, text/plain", "application/json; charset=utf-8", 200),
        (Some("weir/1"), "*/*", json, 200),
    ] {
        let mut call = call()?.header("Accept", accept).header("Content-Type", content).body(body.clone());
        if let Some(agent) = agent {
            call = call.header("User-Agent", agent);
        }
        let answer = read(call.send().await?).await?;
        assert_eq!(answer.status, status, "{agent:?} {accept} {content}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn paths_and_methods_are_exact() -> Result<()> {
    let client = Client::reader().await?;
    let handle = client.run("SELECT 1").await?.handle();
    for (method, path, status) in [
        (Method::GET, String::new(), 405),
        (Method::POST, format!("/{handle}"), 405),
        (Method::GET, format!("/{handle}/cancel"), 405),
        (Method::GET, format!("/{handle}/result"), 404),
        (Method::GET, "/not-a-handle".to_owned(), 400),
        (Method::GET, format!("/{}", uuid::Uuid::now_v7()), 404),
        (Method::GET, format!("/{handle}?partition=1"), 400),
        (Method::GET, format!("/{handle}?partition=x"), 400),
        (Method::GET, format!("/{handle}?nullable=true"), 400),
        (Method::GET, format!("/{handle}"), 200),
    ] {
        let answer = read(client.call(method.clone(), &path)?.send().await?).await?;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn query_strings_are_known() -> Result<()> {
    let client = Client::reader().await?;
    let id = uuid::Uuid::now_v7();
    for (query, status) in [
        (format!("?requestId={id}"), 200),
        (format!("?requestId={id}&retry=true&nullable=true&async=false"), 200),
        ("?requestId=1".to_owned(), 400),
        ("?retry=true".to_owned(), 400),
        ("?async=yes".to_owned(), 400),
        ("?page=1".to_owned(), 400),
    ] {
        let answer = client.submit(&query, &client.body("SELECT 1")).await?;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn bodies_have_no_other_fields() -> Result<()> {
    let client = Client::reader().await?;
    let cases: [(&str, Json, u16); 15] = [
        ("comment", json!("x"), 400),
        ("timeout", json!("60"), 400),
        ("timeout", json!(604_801), 400),
        ("timeout", json!(0), 200),
        ("statement", Json::Null, 400),
        ("parameters", json!({"query_tag": "weir", "timezone": "UTC", "use_cached_result": true}), 200),
        ("parameters", json!({"query_tag": "x".repeat(2_001)}), 400),
        ("parameters", json!({"timezone": "Mars/Base"}), 400),
        ("parameters", json!({"statement_timeout_in_seconds": 60}), 400),
        ("parameters", json!({"multi_statement_count": 2}), 400),
        ("bindings", json!({"1": {"type": "TEXT", "value": 1}}), 400),
        ("bindings", json!({"1": {"type": "TEXT"}}), 400),
        ("bindings", json!({"0": {"type": "TEXT", "value": "x"}}), 400),
        ("bindings", json!({"1": {"type": "TEXT", "value": "x", "fmt": "y"}}), 400),
        ("role", json!("SYSADMIN"), 400),
    ];
    for (field, value, status) in cases {
        let mut body = client.body("SELECT 1");
        body[field] = value.clone();
        let answer = client.submit("", &body).await?;
        assert_eq!(answer.status, status, "{field} = {value}: {answer:?}");
    }
    let answer = read(
        client.call(Method::POST, "")?.header("Content-Type", "application/json").body("{").send().await?,
    );
    assert_eq!(answer.await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn bindings_are_as_documented() -> Result<()> {
    let client = Client::reader().await?;
    for (kind, value, wanted) in [
        ("FIXED", "123", "123"),
        ("REAL", "1.5", "1.5"),
        ("TEXT", "x", "x"),
        ("BOOLEAN", "true", "true"),
        ("BINARY", "00ff", "00FF"),
        ("DATE", "1611792000000", "18655"),
        ("TIME", "1500000000", "1.500000000"),
        ("TIMESTAMP_NTZ", "1611871777123456789", "1611871777.123456789"),
        ("TIMESTAMP_LTZ", "1611871777123456789", "1611871777.123456789"),
        ("TIMESTAMP_TZ", "1611871777123456789 960", "1611871777.123456789 960"),
    ] {
        assert_eq!(client.bound("SELECT ?", &[(kind, Some(value))]).await?.rows(), [[wanted]], "{kind}");
        assert_eq!(client.bound("SELECT ?", &[(kind, None)]).await?.rows(), [["-"]], "{kind}");
    }
    for (kind, value) in
        [("FIXED", "1.5"), ("DATE", "2021-01-28"), ("TIMESTAMP_NTZ", "2021-01-28"), ("NUMBER", "1")]
    {
        let answer = client.bound("SELECT ?", &[(kind, Some(value))]).await?;
        assert_eq!((answer.status, answer.code()), (422, "100037"), "{kind} {value}");
        assert_eq!(answer.body["sqlState"], "22018");
    }
    assert_eq!(client.code("SELECT ?").await?, "002049");
    let surplus = client.bound("SELECT ?", &[("TEXT", Some("a")), ("TEXT", Some("b"))]).await?;
    assert_eq!(surplus.status, 422);
    assert_eq!(
        client.bound("SELECT '?', \"?\" FROM (SELECT ? AS \"?\")", &[("TEXT", Some("a"))]).await?.rows(),
        [["?", "a"]]
    );
    Ok(())
}

#[tokio::test]
async fn statements_fail_with_the_services_codes() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (ID NUMBER)").await?;
    for (statement, code) in [
        ("SELEC 1", "001003"),
        ("SELECT 1 FROM", "001003"),
        ("SELECT 1; SELECT 2", "000008"),
        ("", "000900"),
        ("SELECT * FROM GONE", "002003"),
        ("SELECT * FROM \"t\"", "002003"),
        ("SELECT * FROM GONE.PUBLIC.T", "002003"),
        ("SELECT * FROM GONE.T", "002003"),
        ("SELECT GONE FROM T", "000904"),
        ("SELECT \"id\" FROM T", "000904"),
        ("SELECT ID FROM T GROUP BY 1 HAVING GONE > 1", "000904"),
        ("SELECT NO_SUCH_FUNCTION(1)", "002140"),
        ("SELECT CAST('x' AS NUMBER)", "100038"),
        ("SELECT CAST('2021-02-30' AS DATE)", "100040"),
        ("SELECT CAST('noon' AS TIMESTAMP_NTZ)", "100035"),
        ("SELECT CAST(1000 AS NUMBER(3,0))", "100039"),
        ("SELECT 1 / 0", "100051"),
        ("USE ROLE SYSADMIN", "391911"),
        ("ALTER SESSION SET TIMEZONE = 'UTC'", "391911"),
        ("BEGIN", "391911"),
        ("INSERT INTO T VALUES (1)", "003001"),
        ("DROP TABLE T", "003001"),
        ("CREATE TABLE U (ID NUMBER)", "003001"),
        ("DESCRIBE TABLE GONE", "002003"),
        ("SHOW TABLES IN SCHEMA GONE", "002043"),
    ] {
        let answer = client.run(statement).await?;
        assert_eq!((answer.status, answer.code()), (422, code), "{statement}: {answer:?}");
        for field in ["message", "sqlState", "statementHandle"] {
            assert!(answer.body[field].is_string(), "{field} of {statement}");
        }
        assert!(answer.body["createdOn"].is_i64());
    }
    Ok(())
}

#[tokio::test]
async fn roles_see_what_they_were_granted() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (ID NUMBER)").await?;
    let stranger = Client::at(&client.place, Who::Stranger)?;
    let answer = stranger.run("SELECT 1").await?;
    assert_eq!((answer.status, answer.code()), (400, "390201"), "the database may not be used");
    let mut body = stranger.body("SELECT * FROM PLACE.PUBLIC.T");
    body["database"] = Json::Null;
    assert_eq!(stranger.submit("", &body).await?.code(), "002003");
    body["statement"] = json!("SHOW DATABASES");
    assert!(stranger.submit("", &body).await?.rows().is_empty());
    let role = &client.account.role;
    client.place.run(&format!("REVOKE SELECT ON TABLE T FROM ROLE {role}")).await?;
    assert_eq!(client.code("SELECT * FROM T").await?, "002003");
    client.place.run(&format!("GRANT REFERENCES ON TABLE T TO ROLE {role}")).await?;
    assert_eq!(client.code("SELECT * FROM T").await?, "003001");
    client.place.run(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA PUBLIC TO ROLE {role}")).await?;
    assert_eq!(client.run("SELECT * FROM T").await?.status, 200);
    client.place.run(&format!("REVOKE USAGE ON SCHEMA PUBLIC FROM ROLE {role}")).await?;
    assert_eq!(client.code("SELECT * FROM T").await?, "002003");
    client.place.run(&format!("REVOKE ROLE {role} FROM USER {}", client.account.user)).await?;
    assert_eq!(client.code("SELECT 1").await?, "390189");
    Ok(())
}

#[tokio::test]
async fn reading_needs_a_warehouse_and_listing_does_not() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T (ID NUMBER)").await?;
    for (setup, code) in [("SUSPEND", "090001"), ("SET AUTO_RESUME=FALSE", "000606"), ("RESUME", "090001")] {
        client.place.run(&format!("ALTER WAREHOUSE {} {setup}", client.account.warehouse)).await?;
        assert_eq!(client.run("SELECT * FROM T").await?.code(), code, "{setup}");
    }
    let mut body = client.body("SELECT * FROM T");
    body["warehouse"] = json!("NO_SUCH_WAREHOUSE");
    let answer = client.submit("", &body).await?;
    assert_eq!((answer.status, answer.code(), &answer.body["sqlState"]), (422, "000606", &json!("57P03")));
    for free in
        ["SELECT 1", "SHOW TABLES", "DESCRIBE TABLE T", "SHOW COLUMNS IN TABLE T", "SELECT CURRENT_VERSION()"]
    {
        body["statement"] = json!(free);
        assert_eq!(client.submit("", &body).await?.status, 200, "{free}");
    }
    Ok(())
}
