//! `weir doctor` names what is wrong.

use anyhow::Result;

use crate::program::{Install, Said};

/// The marks of the steps, by name.
fn marks(said: &Said) -> Vec<(String, bool)> {
    let mark = |line: &str| {
        let name = line.get(..14).unwrap_or_default().trim().to_owned();
        (name, line.get(14..).unwrap_or_default().trim_start().starts_with("ok"))
    };
    said.out.lines().map(mark).collect()
}

fn well(said: &Said, step: &str) -> Option<bool> {
    marks(said).into_iter().find(|(name, _)| name == step).map(|(_, well)| well)
}

#[test]
fn before_the_first_start_it_says_what_is_missing_and_makes_nothing() -> Result<()> {
    let install = Install::new()?;
    let said = install.run(&["doctor"])?;
    assert!(!said.success);
    assert_eq!(well(&said, "settings"), Some(true), "{said:?}");
    for step in ["database", "server"] {
        assert_eq!(well(&said, step), Some(false), "{said:?}");
    }
    assert!(said.out.contains("weir serve"), "{said:?}");
    assert!(!install.data().exists(), "it made the data folder");
    Ok(())
}

#[test]
fn all_is_well_while_the_server_runs() -> Result<()> {
    let install = Install::new()?;
    let server = install.start("serve")?;
    server.line("set-up token: ")?;
    // The first sign of life of the workers.
    let mut said = install.run(&["doctor"])?;
    for _ in 0..50 {
        if well(&said, "workers") == Some(true) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        said = install.run(&["doctor"])?;
    }
    for step in ["settings", "database", "migrations", "key ring", "workers", "server"] {
        assert_eq!(well(&said, step), Some(true), "{step}: {said:?}");
    }
    assert_eq!(said.success, well(&said, "web interface") == Some(true), "{said:?}");
    server.stop()?;
    let stopped = install.run(&["doctor"])?;
    assert!(!stopped.success);
    assert_eq!(well(&stopped, "server"), Some(false), "{stopped:?}");
    std::fs::remove_file(install.data().join("keyring"))?;
    assert_eq!(well(&install.run(&["doctor"])?, "key ring"), Some(false));
    Ok(())
}

#[test]
fn a_wrong_setting_is_its_first_finding() -> Result<()> {
    let said = Install::new()?.with("WORKERS__LEASE_SECONDS", "1").run(&["doctor"])?;
    assert!(!said.success);
    assert_eq!(well(&said, "settings"), Some(false), "{said:?}");
    Ok(())
}
