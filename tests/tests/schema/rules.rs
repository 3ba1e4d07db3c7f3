//! Rules about the schema that hold for every table of today and tomorrow.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use sea_orm::{ColumnTrait, ColumnType, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn};

use crate::catalog::{self, Catalog, Table};
use tests::databases::Both;

#[tokio::test]
async fn both_databases_end_with_the_same_tables() -> Result<()> {
    let both = Both::migrated().await?;
    let (sqlite, postgres) = (catalog::read(&both.sqlite).await?, catalog::read(&both.postgres).await?);
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, table) in &sqlite {
        assert_eq!(table, &postgres[name], "table {name}");
    }
    Ok(())
}

/// An entity's columns, as a catalog would tell them.
struct Described {
    columns: Vec<(String, &'static str, bool)>,
    key: Vec<String>,
}

fn describe<E: EntityTrait>(entities: &mut BTreeMap<String, Described>, entity: E) {
    let columns = E::Column::iter().map(|column| {
        let definition = column.def();
        let kind = match definition.get_column_type() {
            ColumnType::BigInteger | ColumnType::Integer => "integer",
            ColumnType::Boolean => "boolean",
            ColumnType::Uuid => "uuid",
            ColumnType::Text | ColumnType::String(_) => "text",
            other => panic!("column {} has the unexpected type {other:?}", column.as_str()),
        };
        (column.as_str().to_owned(), kind, definition.is_null())
    });
    let key = E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned());
    let described = Described { columns: columns.collect(), key: key.collect() };
    entities.insert(entity.table_name().to_owned(), described);
}

macro_rules! entities {
    ($($module:ident),* $(,)?) => {{
        let mut entities = BTreeMap::new();
        $(describe(&mut entities, entity::$module::Entity);)*
        entities
    }};
}

#[tokio::test]
async fn entities_are_what_the_tables_are() -> Result<()> {
    let entities = entities![
        account,
        api_token,
        audit_event,
        checkpoint,
        counter,
        external_id,
        external_id_setting,
        id_space,
        idempotency,
        ignore_rule,
        input,
        job,
        key_pair,
        match_state,
        measurement,
        measurement_revision,
        membership,
        metric,
        metric_link,
        opportunity,
        organization,
        reconcile,
        reconcile_setting,
        reconcile_slice,
        series,
        session,
        setting,
        source,
        stream,
        sync_run,
        unmatched_group,
        user,
        waiting_row,
        worker,
    ];
    let both = Both::migrated().await?;
    for db in both.each() {
        let catalog = catalog::read(db).await?;
        assert_eq!(catalog.keys().collect::<Vec<_>>(), entities.keys().collect::<Vec<_>>());
        for (name, table) in catalog {
            let stored: Vec<_> =
                table.columns.into_iter().map(|column| (column.name, column.kind, column.nullable)).collect();
            assert_eq!(stored, entities[&name].columns, "columns of {name}");
            assert_eq!(table.key, entities[&name].key, "key of {name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn integers_are_as_wide_as_the_entities_say() -> Result<()> {
    let both = Both::migrated().await?;
    let narrow = "SELECT table_name || '.' || column_name AS name FROM information_schema.columns
                  WHERE table_schema = 'public' AND data_type = 'integer'";
    let rows = catalog::rows(&both.postgres, narrow).await?;
    let narrow: BTreeSet<String> =
        rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?;
    let expected = [
        "account.version",
        "external_id_setting.version",
        "input.version",
        "job.attempts",
        "job.max_attempts",
        "job.priority",
        "key_pair.slot",
        "metric_link.version",
        "opportunity.version",
        "reconcile.attempt",
        "reconcile.days",
        "reconcile.stream_version",
        "reconcile_setting.days",
        "source.version",
        "stream.version",
        "sync_run.attempt",
        "unmatched_group.version",
    ];
    assert_eq!(narrow, expected.map(str::to_owned).into());
    Ok(())
}

fn covered(table: &Table, columns: &[String]) -> bool {
    let complete = table.indexes.iter().filter(|index| !index.partial).map(|index| &index.columns);
    complete.chain([&table.key]).any(|index| {
        let head: BTreeSet<_> = index.iter().take(columns.len()).collect();
        head == columns.iter().collect()
    })
}

fn owned(catalog: &Catalog, table: &str) -> bool {
    catalog[table].columns.iter().any(|column| column.name == "organization_id")
}

#[tokio::test]
async fn foreign_keys_have_an_index_a_delete_rule_and_the_organization() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let catalog = catalog::read(db).await?;
        let mut seen = 0;
        for (name, table) in &catalog {
            for reference in &table.references {
                seen += 1;
                assert!(covered(table, &reference.columns), "{name}: no index for {reference:?}");
                assert_ne!(reference.on_delete, "NO ACTION", "{name}: no delete rule for {reference:?}");
                // Groups have install-wide integer keys, handed out by us and never taken from a caller.
                let inside = owned(&catalog, name) && owned(&catalog, &reference.table);
                if inside && reference.table != "unmatched_group" {
                    assert!(
                        reference.columns.contains(&"organization_id".to_owned()),
                        "{name}: {reference:?} could reach into another organization"
                    );
                }
            }
        }
        assert!(seen > 30, "only {seen} foreign keys were found");
    }
    Ok(())
}

/// The tables whose key does not begin with the organization, and why.
const OTHER_KEYS: [(&str, &str); 11] = [
    ("job", "belongs to the installation"),
    ("measurement", "written most: its series and time"),
    ("measurement_revision", "a number, for a revision of a measurement"),
    ("organization", "is what the others belong to"),
    ("series", "a number, to keep the keys of measurements narrow"),
    ("session", "belongs to a person, who may be in several organizations"),
    ("setting", "belongs to the installation"),
    ("unmatched_group", "a number, to keep waiting rows narrow"),
    ("user", "may be in several organizations"),
    ("waiting_row", "a number, to be moved and deleted by"),
    ("worker", "belongs to the installation"),
];

#[tokio::test]
async fn keys_begin_with_the_organization_but_for_those_named() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let catalog = catalog::read(db).await?;
        let other = catalog
            .iter()
            .filter(|(_, table)| table.key.first().is_none_or(|first| first != "organization_id"));
        let other: Vec<&str> = other.map(|(name, _)| name.as_str()).collect();
        assert_eq!(other, OTHER_KEYS.map(|(name, _)| name));
        // Of those, what an organization owns says so in a column, or through its series.
        for name in ["series", "unmatched_group", "waiting_row"] {
            assert!(owned(&catalog, name), "{name}");
        }
        for name in ["measurement", "measurement_revision"] {
            assert!(catalog[name].columns.iter().any(|column| column.name == "series_id"), "{name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn hot_tables_are_laid_out_for_speed() -> Result<()> {
    let both = Both::migrated().await?;
    let layout = "SELECT sql FROM sqlite_schema WHERE name = 'measurement'";
    let sql: String = catalog::rows(&both.sqlite, layout).await?[0].try_get("", "sql")?;
    assert!(sql.ends_with("WITHOUT ROWID"), "{sql}");
    let layout = "SELECT reloptions::text AS options FROM pg_class WHERE relname = 'measurement'";
    let options: String = catalog::rows(&both.postgres, layout).await?[0].try_get("", "options")?;
    assert_eq!(options, "{fillfactor=90}");
    let collations = "SELECT table_name::text AS name FROM information_schema.columns
                      WHERE table_schema = 'public' AND column_name = 'row_key' AND collation_name = 'C'
                      ORDER BY table_name";
    let rows = catalog::rows(&both.postgres, collations).await?;
    let tables: Vec<String> = rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?;
    assert_eq!(tables, ["measurement", "measurement_revision", "waiting_row"]);
    Ok(())
}

#[tokio::test]
async fn processes_that_start_together_migrate_once() -> Result<()> {
    let both = Both::empty().await?;
    for db in both.each() {
        let (one, two, three) = tokio::join!(
            migration::migrate(db.orm()),
            migration::migrate(db.orm()),
            migration::migrate(db.orm())
        );
        one.and(two).and(three)?;
        let taken = catalog::rows(db, "SELECT version FROM seaql_migrations ORDER BY version").await?;
        assert_eq!(taken.len(), migration::Migrator::migrations().len());
        assert_eq!(taken[0].try_get::<String>("", "version")?, "m0001_organization");
    }
    Ok(())
}
