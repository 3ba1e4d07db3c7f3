//! Who may do what: each mutation and each query with each role, from the schema.

use anyhow::Result;
use entity::Role;
use serde_json::Value;

use crate::shape::{Schema, Slot, nothing, noun};
use crate::world::World;

/// What support may change. The rest is for owners and admins.
const SUPPORT: &[&str] = &[
    "externalIdCreate",
    "externalIdDelete",
    "externalIdUpdate",
    "ignoreRuleCreate",
    "ignoreRuleDelete",
    "metricLinkCreate",
    "metricLinkDelete",
    "metricLinkUpdate",
    "rejectedRowRetry",
    "unmatchedGroupAssign",
    "unmatchedGroupIgnore",
    "unmatchedGroupLink",
    "unmatchedGroupNote",
    "unmatchedGroupReplay",
    "unmatchedGroupSnooze",
    "unmatchedGroupUnignore",
];
/// What only owners and admins may change.
const ADMIN: &[&str] = &[
    "accountArchive",
    "accountCreate",
    "accountRestore",
    "accountUpdate",
    "apiTokenCreate",
    "apiTokenRevoke",
    "backfillStart",
    "csvImport",
    "cursorReset",
    "externalIdSettingCreate",
    "externalIdSettingDelete",
    "externalIdSettingUpdate",
    "idSpaceCreate",
    "idSpaceDelete",
    "idSpaceUpdate",
    "inputArchive",
    "inputCreate",
    "inputRestore",
    "inputUpdate",
    "keyPairActivate",
    "keyPairGenerate",
    "keyPairRetire",
    "measurementSet",
    "membershipRemove",
    "membershipUpdate",
    "metricCreate",
    "metricUpdate",
    "opportunityArchive",
    "opportunityCreate",
    "opportunityRestore",
    "opportunityUpdate",
    "organizationUpdate",
    "reconcileStart",
    "sourceCheck",
    "sourceCreate",
    "sourceDelete",
    "sourcePause",
    "sourceResume",
    "sourceUpdate",
    "streamCreate",
    "streamDelete",
    "streamPause",
    "streamReconcileSet",
    "streamResume",
    "streamUpdate",
    "syncRunCancel",
    "syncRunRetry",
    "syncRunStart",
    "userCreate",
];
/// What only owners and admins may see.
const ADMIN_SEES: &[&str] = &["apiTokens", "auditEvents", "cursorResetPreview"];
const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Support, Role::Viewer];

/// The least request of a field, with IDs of nothing.
fn request(schema: &Schema, root: &str, field: &Slot) -> (String, Value) {
    schema.request(root, field, &[], &|path| nothing(noun(path)))
}

#[tokio::test]
async fn every_mutation_is_for_the_roles_it_is_meant_for() -> Result<()> {
    for world in World::both().await? {
        let schema = Schema::read(&world).await?;
        let (mut tokens, mut people) = (Vec::new(), Vec::new());
        for role in ROLES {
            tokens.push((role, world.as_role(role).await?));
            people.push((role, world.session(&format!("{role:?}@example.com").to_lowercase(), role).await?));
        }
        for field in schema.fields("Mutation") {
            let name = field.name.as_str();
            let support = SUPPORT.contains(&name);
            assert!(support != ADMIN.contains(&name), "{name} is in one table: say who may do it");
            let (query, variables) = request(&schema, "mutation", &field);
            for (role, token) in &tokens {
                let may = match role {
                    Role::Owner | Role::Admin => true,
                    Role::Support => support,
                    Role::Viewer => false,
                };
                let answer = world.send(token, &query, variables.clone()).await?;
                assert_ne!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{name}: {}", answer.text);
                assert_eq!(answer.code() != "FORBIDDEN", may, "{name} as {role:?}: {}", answer.text);
                // A person may what a token with the scopes of their role may.
                let cookie = people.iter().find(|(of, _)| of == role).map(|(_, cookie)| cookie.as_str());
                let answer = world.send_signed(cookie.unwrap_or_default(), &query, variables.clone()).await?;
                assert_ne!(answer.code(), "UNAUTHENTICATED", "{name}: {}", answer.text);
                assert_eq!(answer.code() != "FORBIDDEN", may, "{name} by {role:?}: {}", answer.text);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_query_is_for_members_and_nobody_else() -> Result<()> {
    for world in World::both().await? {
        let schema = Schema::read(&world).await?;
        let (support, viewer) = (world.as_role(Role::Support).await?, world.as_role(Role::Viewer).await?);
        let nothing = world.token([]).await?;
        for field in schema.fields("Query") {
            let name = field.name.as_str();
            let (query, variables) = request(&schema, "query", &field);
            for token in [&support, &viewer, &nothing] {
                let answer = world.send(token, &query, variables.clone()).await?;
                let own = ["viewer", "organization", "node", "nodes"].contains(&name);
                let may = own || (token != &nothing && !ADMIN_SEES.contains(&name));
                assert_eq!(answer.code() != "FORBIDDEN", may, "{name}: {}", answer.text);
            }
            let stranger = world.send("weir_no_such_token", &query, variables).await?;
            assert_eq!(stranger.status, 401, "{name}: {}", stranger.text);
        }
    }
    Ok(())
}
