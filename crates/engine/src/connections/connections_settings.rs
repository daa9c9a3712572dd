//! The settings of Financial Connections. Payment objects that leave the choice of payment methods
//! to the merchant take their link requirements from these.

use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::account::Permission;
use model::collection::Collection;
use model::connections_settings::{ConnectionsSettings, Registration, Registrations};
use model::session::Prefetch;
use store::Object;
use wire::error::Error as ApiError;

/// The params of a change of the settings.
#[derive(Clone, Debug, Default)]
pub struct SettingsInput {
    /// The permissions to request from the holder. An empty list requests payment only.
    pub permissions: Option<Vec<Permission>>,
    /// The data to prefetch.
    pub prefetch: Option<Vec<Prefetch>>,
    /// The states of the registration to rehearse. Only test mode accepts them.
    pub rehearse: Registrations,
}

/// The settings as a page shows them.
#[derive(Clone, Debug)]
pub struct ShownSettings {
    /// The stored settings, or the default ones.
    pub settings: ConnectionsSettings,
    /// The state of the registration for each kind of data.
    pub registrations: Registrations,
}

impl Engine {
    /// Shows the settings.
    pub async fn retrieve_connections_settings(
        &self,
        context: &Context,
    ) -> Result<ApiResponse, Error> {
        let shown = self.show_connections_settings(context).await?;
        Ok(ApiResponse::unchanged(self.settings_body(context, &shown)))
    }

    /// The settings as a page shows them.
    pub async fn show_connections_settings(
        &self,
        context: &Context,
    ) -> Result<ShownSettings, Error> {
        let stored = self.connections_settings(context).await?;
        let settings = stored.unwrap_or_else(|| {
            let now = self.clock.account_now();
            ConnectionsSettings::unchanged(context.merchant, context.livemode, now)
        });
        self.shown_settings(context, settings)
    }

    fn shown_settings(
        &self,
        context: &Context,
        settings: ConnectionsSettings,
    ) -> Result<ShownSettings, Error> {
        let stored = self.registrations(context, Some(&settings))?;
        let state = |permission| registration(context.livemode, &stored, permission);
        let registrations = Permission::ALL.iter().map(|one| (*one, state(*one))).collect();
        Ok(ShownSettings { settings, registrations })
    }

    fn settings_body(&self, context: &Context, shown: &ShownSettings) -> Vec<u8> {
        let collection = &shown.settings.collection;
        let permissions = collection.requested_permissions(None);
        let prefetch = collection.requested_prefetch(None);
        let registration: serde_json::Map<_, _> = shown
            .registrations
            .iter()
            .map(|(permission, state)| (permission.word().to_owned(), state.word().into()))
            .collect();
        bytes(
            context,
            serde_json::json!({
                "object": "financial_connections.settings",
                "livemode": context.livemode,
                "permissions": permissions.iter().map(|word| word.word()).collect::<Vec<_>>(),
                "prefetch": prefetch.iter().map(|word| word.word()).collect::<Vec<_>>(),
                "registration": registration,
                "url": self.settings_url(),
            }),
        )
    }

    /// Changes the settings.
    pub async fn update_connections_settings(
        &self,
        context: &Context,
        input: &SettingsInput,
    ) -> Result<ApiResponse, Error> {
        if context.livemode && !input.rehearse.is_empty() {
            let message = "In live mode only the operator of this server changes a registration: \
                           bankfeed registration set.";
            return Err(ApiError::invalid(message).status(403).param("registration").into());
        }
        self.change("update_connections_settings", async || {
            let mut settings = self.show_connections_settings(context).await?.settings;
            settings.version += 1;
            let collection = &mut settings.collection;
            if let Some(permissions) = &input.permissions {
                let mut permissions: std::collections::BTreeSet<Permission> =
                    permissions.iter().copied().collect();
                permissions.insert(Permission::PaymentMethod);
                collection.permissions = Some(permissions);
            }
            if let Some(prefetch) = &input.prefetch {
                collection.prefetch = Some(prefetch.clone());
            }
            check_prefetch(collection, None, "")?;
            settings.rehearsed.extend(&input.rehearse);
            let shown = self.shown_settings(context, settings)?;
            let body = self.settings_body(context, &shown);
            let mut changes = Changes::of_call(context, self.clock.account_now());
            changes.put(Object::ConnectionsSettings(shown.settings));
            self.commit_any(context, changes, body).await
        })
        .await
        .inspect(|_| self.forget_rehearsals())
    }

    /// The settings that a payment object takes over, or `None` if it names its types itself.
    pub(crate) async fn collection_of_settings(
        &self,
        context: &Context,
        types_named: bool,
        changes: &mut Changes,
    ) -> Result<Option<Collection>, Error> {
        if types_named {
            return Ok(None);
        }
        let (merchant, number) = (context.merchant, ConnectionsSettings::NUMBER);
        let settings =
            self.find_unchanged::<ConnectionsSettings>(merchant, changes, number).await?;
        Ok(settings.map(|settings| settings.collection))
    }

    pub(crate) async fn connections_settings(
        &self,
        context: &Context,
    ) -> Result<Option<ConnectionsSettings>, Error> {
        self.find::<ConnectionsSettings>(context.merchant, ConnectionsSettings::NUMBER).await
    }
}

/// Rejects a prefetch without its permission. `path` is the param that contains the prefetch.
pub fn check_prefetch(
    collection: &Collection,
    settings: Option<&Collection>,
    path: &str,
) -> Result<(), ApiError> {
    let requested = collection.requested_permissions(settings);
    for (index, prefetch) in collection.prefetch.iter().flatten().enumerate() {
        let missing = prefetch.permissions().iter().find(|one| !requested.contains(one));
        if let Some(missing) = missing {
            let message = format!(
                "To prefetch {}, ask for the permission {} too.",
                prefetch.word(),
                missing.word()
            );
            let param = if path.is_empty() {
                format!("prefetch[{index}]")
            } else {
                format!("{path}[prefetch][{index}]")
            };
            return Err(ApiError::invalid(message).param(param));
        }
    }
    Ok(())
}

/// The registration for a kind of data. In test mode it is complete unless a test says otherwise.
pub(crate) fn registration(
    livemode: bool,
    registrations: &Registrations,
    permission: Permission,
) -> Registration {
    let usual = if livemode { Registration::Unrequested } else { Registration::Active };
    registrations.get(&permission).copied().unwrap_or(usual)
}
