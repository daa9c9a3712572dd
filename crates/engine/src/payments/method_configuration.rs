//! Configurations of payment methods, and their effect on payment objects.

use crate::list::list_body;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::id::MethodConfigurationId;
use model::payments::intent::Intent;
use model::payments::method_configuration::{
    ConfiguredBy, MethodConfiguration, Preference, state, types_offered,
};
use std::collections::BTreeMap;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::render::payments::method_configuration::value;

/// The param of payment objects that names a configuration.
const PARAM: &str = "payment_method_configuration";

/// The params of a create or an update.
#[derive(Clone, Debug, Default)]
pub struct MethodConfigurationInput {
    /// True if payment objects may name it.
    pub active: Option<bool>,
    /// The merchant's name for it.
    pub name: Option<String>,
    /// The parent configuration.
    pub parent: Option<String>,
    /// The preference for each payment method, by its name.
    pub preferences: BTreeMap<String, Preference>,
}

impl MethodConfigurationInput {
    fn apply(&self, configuration: &mut MethodConfiguration) -> Result<(), ApiError> {
        if self.active == Some(false) && configuration.is_default {
            let message = "The default configuration stays active.";
            return Err(ApiError::invalid(message).param("active"));
        }
        configuration.active = self.active.unwrap_or(configuration.active);
        if let Some(name) = &self.name {
            configuration.name.clone_from(name);
        }
        if self.parent.is_some() {
            configuration.parent.clone_from(&self.parent);
        }
        let said = self.preferences.iter().map(|(name, said)| (name.clone(), *said));
        configuration.preferences.extend(said);
        Ok(())
    }
}

impl Engine {
    /// Makes a configuration. The default one is stored with the first.
    pub async fn create_method_configuration(
        &self,
        context: &Context,
        input: &MethodConfigurationInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_method_configuration", async || {
            let mut configuration = MethodConfiguration {
                id: MethodConfigurationId::from_number(self.next_number()),
                version: 1,
                created: self.clock.account_now(),
                is_default: false,
                name: "Untitled".to_owned(),
                ..MethodConfiguration::default_of(context.merchant, context.livemode)
            };
            input.apply(&mut configuration)?;
            let body = bytes(context, value(&configuration));
            let mut changes = Changes::of_call(context, self.clock.account_now());
            let mut default = self.default_configuration(context).await?;
            if default.version == 0 {
                default.version = 1;
                changes.put(Object::MethodConfiguration(default));
            }
            changes.put(Object::MethodConfiguration(configuration));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Shows a configuration.
    pub async fn retrieve_method_configuration(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let configuration = self.get_configuration(context, id, "configuration").await?;
        Ok(ApiResponse::unchanged(bytes(context, value(&configuration))))
    }

    /// Changes a configuration. Existing payment objects keep their decision.
    pub async fn update_method_configuration(
        &self,
        context: &Context,
        id: &str,
        input: &MethodConfigurationInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_method_configuration", async || {
            let before = self.get_configuration(context, id, "configuration").await?;
            let mut configuration = before.clone();
            input.apply(&mut configuration)?;
            let body = bytes(context, value(&configuration));
            if configuration == before {
                return Ok(Some(ApiResponse::unchanged(body)));
            }
            configuration.version += 1;
            let mut changes = Changes::of_call(context, self.clock.account_now());
            changes.put(Object::MethodConfiguration(configuration));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Lists configurations, the newest first and the default one last.
    pub async fn list_method_configurations(
        &self,
        context: &Context,
        active: Option<bool>,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let url = "/v1/payment_method_configurations";
        let default = self.default_configuration(context).await?;
        let cursor = page.starting_after.as_ref().or(page.ending_before.as_ref());
        let mut has_more = false;
        let listed = match cursor {
            // The default configuration is the first to be stored.
            None if default.version == 0 => {
                vec![default].into_iter().filter(fits(active)).collect()
            }
            Some(id) if default.version == 0 && *id == default.id.to_string() => Vec::new(),
            _ => {
                let of = match active {
                    Some(active) => ObjectsOf::Lookup(state(active).to_owned()),
                    None => ObjectsOf::All,
                };
                let created = Bounds::default();
                let listed = self.list::<MethodConfiguration>(context, of, created, page).await?;
                has_more = listed.has_more;
                listed.items
            }
        };
        let bodies: Vec<Vec<u8>> =
            listed.iter().map(|configuration| bytes(context, value(configuration))).collect();
        Ok(ApiResponse::unchanged(list_body(url, has_more, &bodies)))
    }

    /// The decision for a payment object that names its types, or a configuration, or neither.
    /// `None` if the merchant has never changed a configuration.
    pub(crate) async fn configured_by(
        &self,
        context: &Context,
        types_named: bool,
        id: Option<&str>,
        changes: &mut Changes,
    ) -> Result<Option<ConfiguredBy>, Error> {
        match id {
            Some(_) if types_named => {
                Err(ApiError::exclusive(&[PARAM, "payment_method_types"]).into())
            }
            Some(id) => {
                let configuration = self.get_configuration(context, id, PARAM).await?;
                if !configuration.active {
                    let message = "This configuration of payment methods is not active.";
                    return Err(ApiError::invalid(message).param(PARAM).into());
                }
                changes.require_unchanged::<MethodConfiguration>(&configuration);
                Ok(Some(configuration.decision()))
            }
            None if types_named => Ok(None),
            None => {
                let default = self.default_configuration(context).await?;
                // It has version 0 until it is stored.
                changes.require_unchanged::<MethodConfiguration>(&default);
                Ok((default.version > 0).then(|| default.decision()))
            }
        }
    }

    /// Updates the decision for an intent.
    pub(crate) async fn configure_intent(
        &self,
        context: &Context,
        intent: &mut Intent,
        id: Option<&str>,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let named = intent.method_types.is_some();
        if id.is_some() || named {
            intent.configuration = self.configured_by(context, named, id, changes).await?;
        }
        Ok(())
    }

    async fn default_configuration(&self, context: &Context) -> Result<MethodConfiguration, Error> {
        let default = MethodConfiguration::default_of(context.merchant, context.livemode);
        let number = default.id.number();
        let found = self.find::<MethodConfiguration>(context.merchant, number).await?;
        Ok(found.unwrap_or(default))
    }

    async fn get_configuration(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<MethodConfiguration, Error> {
        if id.parse().ok() == Some(MethodConfiguration::default_id(context.merchant)) {
            return self.default_configuration(context).await;
        }
        self.get::<MethodConfiguration>(context, id, param).await
    }
}

fn fits(active: Option<bool>) -> impl Fn(&MethodConfiguration) -> bool {
    move |configuration| active.is_none_or(|active| configuration.active == active)
}

/// Rejects a bank account for an object if its configuration does not offer it.
pub(crate) fn check_offered(
    named: Option<&[String]>,
    configuration: Option<&ConfiguredBy>,
    param: Option<&str>,
) -> Result<(), Error> {
    if !types_offered(named, configuration).is_empty() {
        return Ok(());
    }
    let message = "The configuration of payment methods that decides here has us_bank_account \
                   switched off.";
    let api_error = ApiError::invalid(message);
    Err(match param {
        Some(param) => api_error.param(param),
        None => api_error,
    }
    .into())
}
