//! What an administrator of Google Cloud runs so that Weir may read.

use super::config::{Config, SignIn};
use super::dialect::quote;
use crate::setup::{Given, Language, Setup, Tables, incomplete, lines};
use crate::{Result, TableRef};

/// The account the scripts make, where a key is to be given out.
const ACCOUNT: &str = "weir-reader";

/// The scripts for an account that runs statements in the project that pays and reads these tables, or the whole
/// dataset when none is named; without tables and dataset nothing is granted to be read.
///
/// # Errors
/// `Config` when it is not clear where a table lies.
pub fn scripts(config: &Config, tables: Tables<'_>, given: Given<'_>) -> Result<Setup> {
    let project = word(&config.project);
    let email = match config.sign_in {
        SignIn::Key => format!("{ACCOUNT}@{}.iam.gserviceaccount.com", host(&config.project)),
        SignIn::Weir => given.google_account.unwrap_or("ADDRESS-OF-WEIRS-ACCOUNT").to_owned(),
    };
    let member = word(&format!("serviceAccount:{email}"));
    let role = format!("{project} --member={member} --role=roles/bigquery.jobUser --condition=None");
    let objects = objects(config, tables)?;
    let rights = |verb: &str, to: &str| -> Vec<String> {
        let sql = objects
            .iter()
            .map(|on| format!("{verb} `roles/bigquery.dataViewer` ON {on} {to} \"serviceAccount:{email}\""));
        sql.map(|sql| format!("bq query --project_id={project} --use_legacy_sql=false {}", word(&sql)))
            .collect()
    };
    let mut grant = vec![
        "# Run with gcloud and bq signed in as somebody who may grant roles in the projects.".to_owned(),
    ];
    let mut revoke = grant.clone();
    if config.sign_in == SignIn::Key {
        grant.push(format!(
            "gcloud iam service-accounts create {ACCOUNT} --project={project} --display-name='Weir, reads only'"
        ));
    }
    grant.push(format!("gcloud projects add-iam-policy-binding {role}"));
    if !tables.0.is_empty() {
        grant.push("# For a view, write VIEW instead of TABLE.".to_owned());
    }
    grant.extend(rights("GRANT", "TO"));
    revoke.extend(rights("REVOKE", "FROM"));
    revoke.push(format!("gcloud projects remove-iam-policy-binding {role}"));
    if config.sign_in == SignIn::Key {
        grant.push("# The file this makes is the key to give to Weir; delete it afterwards.".to_owned());
        let account = word(&email);
        grant.push(format!("gcloud iam service-accounts keys create weir-key.json --iam-account={account}"));
        revoke.push(format!("gcloud iam service-accounts delete {account} --project={project} --quiet"));
    }
    Ok(Setup { language: Language::Shell, grant: lines(grant), revoke: lines(revoke) })
}

/// What to read, as a grant names it.
fn objects(config: &Config, tables: Tables<'_>) -> Result<Vec<String>> {
    let dataset = |project: &str, dataset: &str| format!("{}.{}", quote(project), quote(dataset));
    let place = |table: &TableRef| {
        let project = table.catalog.as_deref().unwrap_or(config.data_project());
        let schema = table.schema.as_deref().or(config.dataset.as_deref());
        let schema = schema.ok_or_else(|| incomplete(table, "dataset", "DATASET.TABLE"))?;
        Ok(format!("TABLE {}.{}", dataset(project, schema), quote(&table.name)))
    };
    if tables.0.is_empty() {
        let whole = config.dataset.iter();
        return Ok(whole.map(|whole| format!("SCHEMA {}", dataset(config.data_project(), whole))).collect());
    }
    tables.0.iter().map(place).collect()
}

/// A text as one word of a shell.
fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let one_line: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    format!("'{}'", one_line.replace('\'', "'\\''"))
}

/// A project's part of its accounts' addresses: that of an old one, `example.com:proj`, is turned around.
fn host(project: &str) -> String {
    match project.split_once(':') {
        Some((domain, own)) => format!("{own}.{domain}"),
        None => project.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(json: serde_json::Value) -> Config {
        serde_json::from_value(json).expect("a configuration")
    }

    fn table(name: &str) -> TableRef {
        TableRef { catalog: None, schema: Some("sales".to_owned()), name: name.to_owned() }
    }

    #[test]
    fn a_key_of_ones_own_reads_the_tables_named_and_no_more() {
        let config = config(json!({"project": "acme-pays", "dataProject": "acme-data"}));
        let setup =
            scripts(&config, Tables(&[table("usage"), table("it's; rm -rf $HOME `x`")]), Given::default())
                .expect("scripts");
        let grant: Vec<&str> = setup.grant.lines().skip(1).collect();
        let email = "weir-reader@acme-pays.iam.gserviceaccount.com";
        let on = |table: &str| {
            format!(
                "bq query --project_id=acme-pays --use_legacy_sql=false 'GRANT `roles/bigquery.dataViewer` ON TABLE \
                 `acme-data`.`sales`.{table} TO \"serviceAccount:{email}\"'"
            )
        };
        assert_eq!(
            grant,
            [
                "gcloud iam service-accounts create weir-reader --project=acme-pays --display-name='Weir, reads only'"
                    .to_owned(),
                format!(
                    "gcloud projects add-iam-policy-binding acme-pays --member=serviceAccount:{email} \
                     --role=roles/bigquery.jobUser --condition=None"
                ),
                "# For a view, write VIEW instead of TABLE.".to_owned(),
                on("`usage`"),
                on("`it'\\''s; rm -rf $HOME \\`x\\``"),
                "# The file this makes is the key to give to Weir; delete it afterwards.".to_owned(),
                format!("gcloud iam service-accounts keys create weir-key.json --iam-account={email}"),
            ]
        );
        assert!(
            setup
                .revoke
                .contains("REVOKE `roles/bigquery.dataViewer` ON TABLE `acme-data`.`sales`.`usage` FROM")
        );
        assert!(setup.revoke.ends_with(&format!("delete {email} --project=acme-pays --quiet\n")));
    }

    #[test]
    fn weirs_own_account_is_granted_to_and_no_key_is_made() {
        let config = config(json!({"project": "acme-1", "dataset": "sales", "signIn": "weir"}));
        let given =
            Given { google_account: Some("weir@operator.iam.gserviceaccount.com"), ..Given::default() };
        let setup = scripts(&config, Tables(&[]), given).expect("scripts");
        assert!(setup.grant.contains("ON SCHEMA `acme-1`.`sales` TO \"serviceAccount:weir@operator.iam"));
        assert!(!setup.grant.contains("service-accounts") && !setup.revoke.contains("service-accounts"));
        let nowhere = Config { dataset: None, ..config };
        let setup = scripts(&nowhere, Tables(&[]), given).expect("scripts");
        assert!(!setup.grant.contains("dataViewer"), "{}", setup.grant);
        let bare = TableRef { schema: None, ..table("usage") };
        let refused = scripts(&nowhere, Tables(&[bare]), given).expect_err("which dataset?");
        assert!(refused.message().contains("table usage names no dataset"), "{refused:?}");
    }
}
