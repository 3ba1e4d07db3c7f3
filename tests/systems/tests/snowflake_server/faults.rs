//! What goes wrong when it is asked to.

use anyhow::Result;
use reqwest::Method;
use systems::snowflake::{Call, Fault};

use crate::client::Client;

#[tokio::test]
async fn refusals_come_once_each_in_their_order() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::rate_limit(Call::Submit, Some(3)));
    client.server.fault(Fault::status(Call::Submit, 503, "390503", "Service unavailable"));
    let response = client.call(Method::POST, "")?.json(&client.body("SELECT 1")).send().await?;
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str()?), (429, "3"));
    for status in [503, 200] {
        assert_eq!(client.run("SELECT 1").await?.status, status);
    }
    Ok(())
}

#[tokio::test]
async fn statements_time_out_and_fail() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::TimesOut);
    let answer = client.run("SELECT 1").await?;
    assert_eq!((answer.status, answer.code()), (408, "000630"));
    client.server.fault(Fault::Running { polls: 0 });
    client.server.fault(Fault::TimesOut);
    let handle = client.run("SELECT 1").await?.handle();
    let answer = client.get(&format!("/{handle}")).await?;
    assert_eq!((answer.status, answer.code()), (422, "000630"), "a poll knows no 408");
    client.server.fault(Fault::fails("090073", "57014", "Warehouse cannot be resumed: resource monitor."));
    let answer = client.run("SELECT 1").await?;
    assert_eq!((answer.status, answer.code()), (422, "090073"));
    assert_eq!(client.run("SELECT 1").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn answers_are_cut_in_two_ways() -> Result<()> {
    let client = Client::reader().await?;
    let send = || -> Result<_> { Ok(client.call(Method::POST, "")?.json(&client.body("SELECT 1")).send()) };
    client.server.fault(Fault::Cut { on: Call::Submit });
    assert!(send()?.await?.bytes().await.is_err(), "the connection ends in the middle");
    client.server.fault(Fault::Half { on: Call::Submit });
    let half = send()?.await?.bytes().await?;
    assert!(half.starts_with(b"{") && !half.ends_with(b"}"));
    Ok(())
}

#[tokio::test]
async fn results_lie_lose_rows_and_expire() -> Result<()> {
    let client = Client::reader().await?;
    client.place.run("CREATE TABLE T AS SELECT SEQ8() AS ID FROM TABLE(GENERATOR(ROWCOUNT => 6))").await?;
    client.server.fault(Fault::RowsPerPartition(3));
    client.server.fault(Fault::WrongTotal(2));
    client.server.fault(Fault::ShortPartition(1));
    let first = client.run("SELECT ID FROM T ORDER BY ID").await?;
    assert_eq!(first.body["resultSetMetaData"]["numRows"], 8);
    let partition = format!("/{}?partition=1", first.handle());
    assert_eq!(client.get(&partition).await?.rows(), [["3"], ["4"]]);
    client.server.fault(Fault::Expired);
    assert_eq!(client.get(&partition).await?.status, 422);
    assert_eq!(client.run("SELECT ID FROM T").await?.body["resultSetMetaData"]["numRows"], 6);
    Ok(())
}
