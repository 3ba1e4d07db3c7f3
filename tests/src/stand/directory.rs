//! Accounts, IDs and links of a stand.

use anyhow::{Context, Result};
use entity::{
    AccountId, ExternalIdId, IgnoreRuleId, InputId, MetricId, MetricLinkId, Normalizer, OpportunityId,
    account, external_id, external_id_setting, id_space, ignore_rule, input, metric, metric_link,
    opportunity,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use server::domain::normalizer::normalize;

use super::Stand;

impl Stand {
    /// Adds an account without an ID.
    pub async fn account(&self, name: &str) -> Result<AccountId> {
        let id = AccountId::new();
        let now = self.app.clock.now();
        account::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(id),
            name: Set(name.to_owned()),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }

    /// Gives an account an ID in the space `account_id`, as the product does: matching is told.
    pub async fn identify(&self, account: AccountId, value: &str) -> Result<()> {
        self.identify_in("account_id", Normalizer::Exact, account, value).await
    }

    /// The same in another space, which has that normalizer.
    pub async fn identify_in(
        &self,
        space: &str,
        normalizer: Normalizer,
        account: AccountId,
        value: &str,
    ) -> Result<()> {
        let normalized = normalize(normalizer, value).value.context("an ID of that sort")?;
        external_id::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(ExternalIdId::new()),
            account_id: Set(account),
            space: Set(space.to_owned()),
            value: Set(value.to_owned()),
            normalized: Set(normalized),
            created_at: Set(self.app.clock.now()),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        self.changed().await
    }

    /// Makes the setting of all streams try these ID spaces, in this order.
    pub async fn tries(&self, spaces: &[&str]) -> Result<()> {
        external_id_setting::Entity::update_many()
            .col_expr(external_id_setting::Column::Spaces, Expr::value(serde_json::to_string(spaces)?))
            .filter(external_id_setting::Column::OrganizationId.eq(self.organization))
            .exec(self.app.db.orm())
            .await?;
        self.changed().await
    }

    /// Gives an ID space another normalizer; its IDs are normalized anew by the replay.
    pub async fn normalize(&self, space: &str, normalizer: Normalizer) -> Result<()> {
        id_space::Entity::update_many()
            .col_expr(id_space::Column::Normalizer, Expr::value(normalizer))
            .filter(id_space::Column::OrganizationId.eq(self.organization))
            .filter(id_space::Column::Name.eq(space))
            .exec(self.app.db.orm())
            .await?;
        self.changed().await
    }

    /// Takes an ID of the space `account_id` away from whatever account has it.
    pub async fn forget(&self, value: &str) -> Result<()> {
        self.forget_in("account_id", value).await
    }

    /// The same in another space.
    pub async fn forget_in(&self, space: &str, value: &str) -> Result<()> {
        external_id::Entity::delete_many()
            .filter(external_id::Column::OrganizationId.eq(self.organization))
            .filter(external_id::Column::Space.eq(space))
            .filter(external_id::Column::Value.eq(value))
            .exec(self.app.db.orm())
            .await?;
        self.changed().await
    }

    /// Links an account's metric to a new input of a new opportunity.
    pub async fn link(&self, account: AccountId, external_metric: &str) -> Result<InputId> {
        let (opportunity, made, found, now) =
            (OpportunityId::new(), InputId::new(), self.metric(external_metric).await?, self.app.clock.now());
        let db = self.app.db.orm();
        opportunity::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(opportunity),
            account_id: Set(account),
            name: Set(format!("case {made}")),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        input::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(made),
            opportunity_id: Set(opportunity),
            name: Set(external_metric.to_owned()),
            kind: Set(entity::InputKind::Series),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        metric_link::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(MetricLinkId::new()),
            account_id: Set(account),
            metric_id: Set(found),
            input_id: Set(made),
            enabled: Set(true),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        self.changed().await?;
        Ok(made)
    }

    /// Switches an account's link off or on.
    pub async fn enable(&self, input: InputId, enabled: bool) -> Result<()> {
        metric_link::Entity::update_many()
            .col_expr(metric_link::Column::Enabled, Expr::value(enabled))
            .filter(metric_link::Column::OrganizationId.eq(self.organization))
            .filter(metric_link::Column::InputId.eq(input))
            .exec(self.app.db.orm())
            .await?;
        self.changed().await
    }

    /// Puts an account away or takes it out again.
    pub async fn put_away(&self, account: AccountId, away: bool) -> Result<()> {
        let at = away.then(|| self.app.clock.now());
        account::Entity::update_many()
            .col_expr(account::Column::ArchivedAt, Expr::value(at))
            .filter(account::Column::OrganizationId.eq(self.organization))
            .filter(account::Column::Id.eq(account))
            .exec(self.app.db.orm())
            .await?;
        self.changed().await
    }

    /// Ignores an external account from now on, or no longer.
    pub async fn ignore(&self, external_account: &str, ignored: bool) -> Result<()> {
        ignore_rule::Entity::delete_many()
            .filter(ignore_rule::Column::OrganizationId.eq(self.organization))
            .filter(ignore_rule::Column::ExternalAccount.eq(external_account))
            .exec(self.app.db.orm())
            .await?;
        if ignored {
            ignore_rule::ActiveModel {
                organization_id: Set(self.organization),
                id: Set(IgnoreRuleId::new()),
                external_account: Set(Some(external_account.to_owned())),
                reason: Set("a test account".to_owned()),
                created_at: Set(self.app.clock.now()),
                ..Default::default()
            }
            .insert(self.app.db.orm())
            .await?;
        }
        self.changed().await
    }

    async fn metric(&self, external: &str) -> Result<MetricId> {
        let found = metric::Entity::find()
            .filter(metric::Column::OrganizationId.eq(self.organization))
            .filter(metric::Column::ExternalId.eq(external))
            .one(self.app.db.orm())
            .await?;
        if let Some(found) = found {
            return Ok(found.id);
        }
        let (id, now) = (MetricId::new(), self.app.clock.now());
        metric::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(id),
            external_id: Set(external.to_owned()),
            name: Set(external.to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }

    /// Tells matching that something changed.
    pub async fn changed(&self) -> Result<()> {
        server::domain::matching_change::bump(self.app.db.orm(), self.organization).await?;
        Ok(())
    }
}
