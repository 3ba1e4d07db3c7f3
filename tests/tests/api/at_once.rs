//! Two changes at once: the second one decides by what the first one left, not by what it had read before.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use entity::{KeyPairId, KeyPairState, Role, key_pair, membership, source};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::custody::credential;
use server::domain::global_id;

use crate::world::{World, text};

/// Has two mutations come to the same rows, the first one first, before either may write them. On SQLite they come to
/// the one lock there is, in any order.
async fn at_once(
    world: &World,
    tables: &[&str],
    first: impl Future<Output = Result<Value>>,
    second: impl Future<Output = Result<Value>>,
) -> Result<[Value; 2]> {
    let db = &world.site.app.db;
    let gate = db.begin().await?;
    for table in tables.iter().filter(|_| db.postgres().is_some()) {
        gate.execute_unprepared(&format!("SELECT 1 FROM {table} FOR UPDATE")).await?;
    }
    let second = async {
        waiting(world, 1).await?;
        second.await
    };
    let open = async {
        waiting(world, 2).await?;
        Ok(gate.commit().await?)
    };
    let (first, second, ()) = tokio::try_join!(first, second, open)?;
    Ok([first, second])
}

/// Waits until so many transactions wait for a lock. SQLite does not tell: there, time passes, and nothing hangs on it.
async fn waiting(world: &World, count: i64) -> Result<()> {
    let Some(pool) = world.site.app.db.postgres() else {
        tokio::time::sleep(Duration::from_millis(20)).await;
        return Ok(());
    };
    let (begun, asked) = (
        Instant::now(),
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    while sqlx::query_scalar::<_, i64>(asked).fetch_one(pool).await? < count {
        ensure!(begun.elapsed() < Duration::from_secs(30), "{count} changes never came to wait for the rows");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// The code a mutation was refused with; empty when it was not.
fn code(payload: &Value) -> String {
    text(&payload["userErrors"][0]["code"])
}

/// The worlds, with nobody at work in them but the test.
async fn worlds() -> Result<Vec<World>> {
    let mut worlds = World::both().await?;
    for world in &mut worlds {
        world.rest().await;
    }
    Ok(worlds)
}

#[tokio::test]
async fn of_two_changes_of_one_version_one_is_refused() -> Result<()> {
    for world in worlds().await? {
        world.usage(&[(1, "a-1", "seats", "1")]).await?;
        let (account, metric) = (world.account("Acme").await?, world.metric("seats").await?);
        let (opportunity, inputs) = world.opportunity(&account, "Renewal", &["Seats"]).await?;
        let link = json!({ "accountId": account, "metricId": metric, "inputId": inputs[0] });
        let link = world.act("metricLinkCreate", "metricLink { id }", link).await?;
        let objects = [
            ("account", "account", "name", account),
            ("opportunity", "opportunity", "name", opportunity),
            ("input", "input", "unit", inputs[0].clone()),
            ("metricLink", "metric_link", "note", text(&link["metricLink"]["id"])),
            ("externalIdSetting", "external_id_setting", "name", world.setting("Plain").await?),
            ("source", "source", "name", world.source("Warehouse").await?),
            ("stream", "stream", "name", world.stream(json!({})).await?),
        ];
        for (noun, table, field, id) in objects {
            let (name, fields) = (format!("{noun}Update"), format!("{noun} {{ version {field} }}"));
            let change = |word: &str| {
                let input = json!({ "id": id, (field): word, "expectedVersion": 1 });
                world.act_as(&world.ours.token, &name, &fields, input)
            };
            let answers = at_once(&world, &[table], change("one"), change("two")).await?;
            let passed: Vec<&Value> = answers.iter().filter(|it| code(it).is_empty()).collect();
            let refused: Vec<&Value> = answers.iter().filter(|it| code(it) == "STALE_OBJECT").collect();
            assert_eq!((passed.len(), refused.len()), (1, 1), "{noun}: {answers:?}");
            let next = json!({ "id": id, "expectedVersion": 2 });
            let stored = world.act(&name, &fields, next).await?;
            assert_eq!(stored[noun][field], passed[0][noun][field], "{noun}: what passed is what is stored");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_given_for_one_host_is_never_stored_with_another() -> Result<()> {
    for world in worlds().await? {
        let config = |host: &str, password: Option<&str>| {
            let mut config = json!({ "host": host, "database": "d", "user": "u" });
            if let Some(password) = password {
                config["password"] = json!(password);
            }
            json!({ "postgres": config })
        };
        let new = json!({ "name": "P", "config": config("old.example.com", Some("before")) });
        let id = world.act("sourceCreate", "source { id }", new).await?["source"]["id"].take();
        let change = |config: Value| {
            let input = json!({ "id": id, "config": config });
            world.act_as(&world.ours.token, "sourceUpdate", "", input)
        };
        // One moves the source with another secret; one keeps the secret for the place where the source was.
        let moves = change(config("new.example.com", Some("after")));
        let stays = change(config("old.example.com", None));
        let [moved, stayed] = at_once(&world, &["source"], moves, stays).await?;
        assert_eq!(code(&moved), "", "{moved}");
        let app = &world.site.app;
        let stored = source::Entity::find().one(app.db.orm()).await?.expect("the source");
        let sealed = stored.sealed_credential.as_ref().expect("its secret");
        let opened = credential::open(&app.keyring, stored.organization_id, stored.id, sealed)?;
        assert!(stored.config.contains("new.example.com"), "{}", stored.config);
        assert!(opened.expose_secret().contains("after"), "the secret of the new host");
        let first_come = app.db.postgres().is_some();
        assert!(!first_come || code(&stayed) == "SECRET_REQUIRED", "{stayed}");
    }
    Ok(())
}

#[tokio::test]
async fn the_last_two_owners_cannot_both_go() -> Result<()> {
    for world in worlds().await? {
        let (db, ours) =
            (world.site.app.db.orm(), membership::Column::OrganizationId.eq(world.ours.organization));
        membership::Entity::delete_many().filter(ours.clone()).exec(db).await?;
        let (ann, bob) = ("ann@example.com", "bob@example.com");
        let (by_ann, by_bob) =
            (world.session(ann, Role::Owner).await?, world.session(bob, Role::Owner).await?);
        let people = world.ask("{ memberships { nodes { user { id email } } } }", json!({})).await?;
        let people = people["memberships"]["nodes"].as_array().cloned().unwrap_or_default();
        let id = |email: &str| {
            let found = people.iter().find(|it| it["user"]["email"] == email);
            found.map(|it| it["user"]["id"].clone()).unwrap_or_default()
        };
        // Each goes by themselves: what one does takes no right from the other, whichever comes first.
        let demotion = json!({ "userId": id(ann), "role": "ADMIN" });
        let demotion = world.act_signed(&by_ann, "membershipUpdate", "", demotion);
        let removal = world.act_signed(&by_bob, "membershipRemove", "", json!({ "userId": id(bob) }));
        let answers = at_once(&world, &["membership"], demotion, removal).await?;
        let mut codes = answers.each_ref().map(code);
        codes.sort();
        assert_eq!(codes, ["", "CONFLICT"], "{answers:?}");
        let left = membership::Entity::find().filter(ours).all(db).await?;
        let owners = left.iter().filter(|member| member.role == Role::Owner).count();
        assert_eq!(owners, 1, "{left:?}");
    }
    Ok(())
}

/// Stores a key pair of the one source there is, as if it had been made, which takes a while.
async fn key_pair(world: &World, slot: i32) -> Result<Value> {
    let db = world.site.app.db.orm();
    let source = source::Entity::find().one(db).await?.expect("the source");
    let id = KeyPairId::new();
    let made = key_pair::ActiveModel {
        organization_id: Set(source.organization_id),
        id: Set(id),
        source_id: Set(source.id),
        slot: Set(slot),
        public_key: Set(format!("key {slot}")),
        fingerprint: Set(format!("fingerprint {slot}")),
        sealed_private_key: Set("sealed".to_owned().into()),
        state: Set(KeyPairState::Made),
        created_at: Set(world.site.app.clock.now()),
        activated_at: Set(None),
        retired_at: Set(None),
    };
    made.insert(db).await?;
    Ok(json!(global_id::encode("KeyPair", id)))
}

#[tokio::test]
async fn of_two_key_pairs_switched_to_one_is_in_use() -> Result<()> {
    for world in worlds().await? {
        let source = world.source("Warehouse").await?;
        let pairs = [key_pair(&world, 1).await?, key_pair(&world, 2).await?];
        let switch = |pair: &Value| {
            let input = json!({ "id": pair });
            world.act_as(&world.ours.token, "keyPairActivate", "keyPair { state }", input)
        };
        let tables = ["source", "key_pair"];
        let answers = at_once(&world, &tables, switch(&pairs[0]), switch(&pairs[1])).await?;
        assert_eq!(answers.each_ref().map(code), ["", ""], "{answers:?}");
        let states = "query($id: ID!) { source(id: $id) { keyPairs { state } } }";
        let shown = world.ask(states, json!({ "id": source })).await?["source"]["keyPairs"].take();
        let active = shown.as_array().map(|all| all.iter().filter(|it| it["state"] == "ACTIVE").count());
        assert_eq!(active, Some(1), "{shown}");

        // Whoever retires the pair that is being switched to finds it in use.
        let made = shown.as_array().and_then(|all| all.iter().position(|it| it["state"] == "MADE"));
        let id = &pairs[made.unwrap_or_default()];
        let retire = world.act_as(&world.ours.token, "keyPairRetire", "", json!({ "id": id }));
        let answers = at_once(&world, &tables, switch(id), retire).await?;
        assert!(answers.iter().any(|it| code(it) == "CONFLICT"), "{answers:?}");
    }
    Ok(())
}

#[tokio::test]
async fn no_setting_names_a_space_that_is_deleted_meanwhile() -> Result<()> {
    for world in worlds().await? {
        world.act("idSpaceCreate", "", json!({ "name": "crm", "normalizer": "EXACT" })).await?;
        let token = &world.ours.token;
        let gone = world.act_as(token, "idSpaceDelete", "", json!({ "name": "crm" }));
        let named = json!({ "name": "By CRM", "spaces": ["crm"] });
        let named = world.act_as(token, "externalIdSettingCreate", "", named);
        let answers = at_once(&world, &["id_space"], gone, named).await?;
        let refused = answers.iter().filter(|it| !code(it).is_empty()).count();
        assert_eq!(refused, 1, "{answers:?}");
    }
    Ok(())
}
