//! Values come back exactly as they went in, through entities and through raw SQL.

use anyhow::Result;
use entity::{
    Decimal, Hidden, MetricId, OrganizationId, Role, SeriesId, SourceId, SourceState, UserId, measurement,
    measurement_revision, membership, metric, organization, source, user, waiting_row,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};
use server::db::{Backend, Db};

use tests::databases::Both;

use crate::catalog;

/// The digits warehouses send, and some they could.
fn numbers() -> Vec<Decimal> {
    let ones = |count: usize| "1234567890".chars().cycle().take(count).collect::<String>();
    let mut texts = vec![
        "0".to_owned(),
        "1".into(),
        "-1".into(),
        "0.1".into(),
        "1e5".into(),
        "1e-5".into(),
        "1e75".into(),
    ];
    texts.extend(
        ["9999", "10000", "10001", "99999999.9999", "0.00009999", "0.9999", "100000000"].map(str::to_owned),
    );
    for count in [15, 17, 18, 19, 20, 29, 38, 60, 76, 80] {
        let digits = ones(count);
        texts.push(digits.clone());
        texts.push(format!("-{digits}"));
        texts.push(format!("0.{digits}"));
        texts.push(format!("{}.{}", &digits[..count / 2], &digits[count / 2..]));
        texts.push(format!("{digits}e-{count}"));
        texts.push(format!("-{digits}e-{}", 2 * count));
        texts.push(format!("{digits}e{}", count / 2));
    }
    for float in [f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1 + 0.2] {
        texts.push(float.to_string());
    }
    texts.iter().map(|text| text.parse().expect("a number")).collect()
}

fn row(series: i64, at: i64, value: &Decimal) -> measurement::ActiveModel {
    let model = measurement::Model {
        series_id: SeriesId(series),
        measured_at: at,
        value: value.clone(),
        cursor: i64::MAX,
        run: 0,
        row_key: "k".into(),
        period: None,
    };
    model.into_active_model()
}

async fn stored(db: &Db, series: i64) -> Result<Vec<Decimal>> {
    let query = measurement::Entity::find().filter(measurement::Column::SeriesId.eq(SeriesId(series)));
    let rows = query.order_by_asc(measurement::Column::MeasuredAt).all(db.orm()).await?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

#[tokio::test]
async fn decimals_are_exact() -> Result<()> {
    let both = Both::migrated().await?;
    let numbers = numbers();
    for db in both.each() {
        for (at, number) in numbers.iter().enumerate() {
            row(1, at as i64, number).insert(db.orm()).await?;
        }
        assert_eq!(stored(db, 1).await?, numbers);

        let many = numbers.iter().enumerate().map(|(at, number)| row(2, at as i64, number));
        measurement::Entity::insert_many(many).exec_without_returning(db.orm()).await?;
        assert_eq!(stored(db, 2).await?, numbers);

        for number in &numbers {
            let found = measurement::Entity::find()
                .filter(measurement::Column::SeriesId.eq(SeriesId(2)))
                .filter(measurement::Column::Value.eq(number.clone()))
                .all(db.orm())
                .await?;
            assert!(found.iter().all(|row| &row.value == number) && !found.is_empty(), "{number}");
        }
        let picked: Vec<Decimal> = measurement::Entity::find()
            .select_only()
            .column(measurement::Column::Value)
            .filter(measurement::Column::SeriesId.eq(SeriesId(1)))
            .order_by_asc(measurement::Column::MeasuredAt)
            .into_tuple()
            .all(db.orm())
            .await?;
        assert_eq!(picked, numbers);
    }
    Ok(())
}

#[tokio::test]
async fn decimals_are_canonical_text_or_numeric_in_the_database() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        row(1, 1, &"1.50e3".parse()?).insert(db.orm()).await?;
        row(1, 2, &"-0.000".parse()?).insert(db.orm()).await?;
        let kind = if db.backend() == Backend::Sqlite { "typeof" } else { "pg_typeof" };
        let sql = format!(
            "SELECT CAST({kind}(value) AS text) AS kind, CAST(value AS text) AS digits FROM measurement"
        );
        for (row, digits) in
            catalog::rows(db, &format!("{sql} ORDER BY measured_at")).await?.iter().zip(["1500", "0"])
        {
            let kind: String = row.try_get("", "kind")?;
            assert_eq!(kind, if db.backend() == Backend::Sqlite { "text" } else { "numeric" });
            assert_eq!(row.try_get::<String>("", "digits")?, digits);
        }
    }
    Ok(())
}

#[tokio::test]
async fn decimals_can_be_replaced_and_be_absent() -> Result<()> {
    let both = Both::migrated().await?;
    let (old, new): (Decimal, Decimal) = ("1".parse()?, "0.12345678901234567890123456789012345678".parse()?);
    for db in both.each() {
        row(1, 1, &old).insert(db.orm()).await?;
        let mut upsert =
            OnConflict::columns([measurement::Column::SeriesId, measurement::Column::MeasuredAt]);
        upsert.update_column(measurement::Column::Value);
        measurement::Entity::insert(row(1, 1, &new))
            .on_conflict(upsert)
            .exec_without_returning(db.orm())
            .await?;
        assert_eq!(stored(db, 1).await?, std::slice::from_ref(&new));

        let mut again = measurement::Entity::find_by_id((SeriesId(1), 1))
            .one(db.orm())
            .await?
            .expect("stored")
            .into_active_model();
        again.value = Set(old.clone());
        assert_eq!(again.update(db.orm()).await?.value, old);

        let absent = catalog::rows(db, "SELECT constant_value FROM input UNION ALL SELECT NULL").await?;
        assert_eq!(absent[0].try_get::<Option<Decimal>>("", "constant_value")?, None);
        assert!(absent[0].try_get::<Decimal>("", "constant_value").is_err());
    }
    let strange = catalog::rows(&both.postgres, "SELECT 'NaN'::numeric AS value").await?;
    assert!(strange[0].try_get::<Decimal>("", "value").is_err());
    let padded =
        catalog::rows(&both.postgres, "SELECT 1.500::numeric(10,3) AS value, '2.50'::text AS text").await?;
    assert_eq!(padded[0].try_get::<Decimal>("", "value")?.as_str(), "1.5");
    assert_eq!(padded[0].try_get::<Decimal>("", "text")?.as_str(), "2.5");
    Ok(())
}

async fn new_organization(db: &Db) -> Result<OrganizationId> {
    let id = OrganizationId::new();
    let model = organization::Model { id, name: "Acme".into(), ingestion_enabled: true, created_at: 1 };
    assert_eq!(model.clone().into_active_model().insert(db.orm()).await?, model);
    Ok(id)
}

#[tokio::test]
async fn ids_and_choices_come_back() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let organization_id = new_organization(db).await?;
        let model = source::Model {
            organization_id,
            id: SourceId::new(),
            name: "Warehouse".into(),
            kind: "snowflake".into(),
            config: "{}".into(),
            sealed_credential: Some(Hidden::from("v1.a.b")),
            state: SourceState::Paused,
            last_check: None,
            last_error: None,
            version: 1,
            created_at: i64::MIN,
            updated_at: i64::MAX,
            deleted_at: None,
        };
        source::Entity::insert(model.clone().into_active_model()).exec(db.orm()).await?;
        assert_eq!(
            source::Entity::find_by_id((organization_id, model.id)).one(db.orm()).await?,
            Some(model.clone())
        );
        let stranger = OrganizationId::new();
        assert_eq!(source::Entity::find_by_id((stranger, model.id)).one(db.orm()).await?, None);
        assert!(!format!("{model:?}").contains("v1.a.b"));

        let text =
            if db.backend() == Backend::Sqlite { "lower(hex(id))" } else { "replace(id::text, '-', '')" };
        let raw = catalog::rows(db, &format!("SELECT {text} AS id, state FROM source")).await?;
        assert_eq!(raw[0].try_get::<String>("", "id")?, model.id.0.simple().to_string());
        assert_eq!(raw[0].try_get::<SourceState>("", "state")?, SourceState::Paused);
        let bound = Statement::from_sql_and_values(
            db.orm().get_database_backend(),
            "SELECT id FROM source WHERE organization_id = $1 AND id = $2",
            [organization_id.into(), model.id.into()],
        );
        assert_eq!(
            db.orm().query_one_raw(bound).await?.expect("found").try_get::<SourceId>("", "id")?,
            model.id
        );
    }
    Ok(())
}

#[tokio::test]
async fn joins_and_deletes_follow_the_keys() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let organization_id = new_organization(db).await?;
        let person = user::Model {
            id: UserId::new(),
            email: "ada@example.com".into(),
            name: "Ada".into(),
            password_hash: Hidden::from("$argon2id$"),
            created_at: 1,
            disabled_at: None,
        };
        person.clone().into_active_model().insert(db.orm()).await?;
        let member =
            membership::Model { organization_id, user_id: person.id, role: Role::Owner, created_at: 1 };
        member.clone().into_active_model().insert(db.orm()).await?;
        let joined = user::Entity::find().find_with_related(membership::Entity).all(db.orm()).await?;
        assert_eq!(joined, [(person.clone(), vec![member])]);
        user::Entity::delete_by_id(person.id).exec(db.orm()).await?;
        assert_eq!(membership::Entity::find().all(db.orm()).await?, []);

        let model = metric::Model {
            organization_id,
            id: MetricId::new(),
            external_id: "seats".into(),
            name: "Seats".into(),
            unit: None,
            created_at: 1,
            updated_at: 1,
        };
        model.into_active_model().insert(db.orm()).await?;
        let refused = organization::Entity::delete_by_id(organization_id).exec(db.orm()).await;
        assert!(refused.is_err(), "an organization with rows was deleted");
    }
    Ok(())
}

#[tokio::test]
async fn databases_count_up_the_keys_of_kept_rows() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let revision = |at| measurement_revision::ActiveModel {
            series_id: Set(SeriesId(1)),
            measured_at: Set(at),
            value: Set(Decimal::from(at)),
            cursor: Set(0),
            run: Set(1),
            row_key: Set("k".into()),
            reason: Set(entity::RevisionReason::Replaced),
            replaced_by_run: Set(2),
            replaced_at: Set(3),
            ..Default::default()
        };
        let (one, two) = (revision(1).insert(db.orm()).await?, revision(2).insert(db.orm()).await?);
        assert!(one.id < two.id);
        assert_eq!(two.value, Decimal::from(2));
        assert_eq!(waiting_row::Entity::find().all(db.orm()).await?, []);
    }
    Ok(())
}
