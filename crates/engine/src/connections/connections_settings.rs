//! The settings of Financial Connections. Payment objects that leave the choice of payment methods
//! to the merchant take their link requirements from these.

use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::account::Permission;
use model::collection::Collection;
use model::connections_settings::{ConnectionsSettings, Registration};
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
    /// The kinds of live data to register for.
    pub register: Vec<Permission>,
}

impl Engine {
    /// Shows the settings.
    pub async fn retrieve_connections_settings(
        &self,
        context: &Context,
    ) -> Result<ApiResponse, Error> {
        let settings = self.connections_settings(context).await?;
        Ok(ApiResponse::unchanged(self.settings_body(context, settings.as_ref())))
    }

    /// The settings as a page shows them.
    pub async fn show_connections_settings(
        &self,
        context: &Context,
    ) -> Result<ConnectionsSettings, Error> {
        let stored = self.connections_settings(context).await?;
        Ok(stored.unwrap_or_else(|| {
            let now = self.clock.account_now();
            ConnectionsSettings::unchanged(context.merchant, context.livemode, now)
        }))
    }

    fn settings_body(&self, context: &Context, settings: Option<&ConnectionsSettings>) -> Vec<u8> {
        let collection = settings.map(|settings| settings.collection.clone()).unwrap_or_default();
        let permissions = collection.requested_permissions(None);
        let prefetch = collection.requested_prefetch(None);
        let registration: serde_json::Map<_, _> = Permission::ALL
            .iter()
            .map(|permission| {
                let registered = registration(context.livemode, settings, *permission);
                (permission.word().to_owned(), registered.word().into())
            })
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
        self.change("update_connections_settings", async || {
            let mut settings = self.show_connections_settings(context).await?;
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
            settings.registered.extend(&input.register);
            let body = self.settings_body(context, Some(&settings));
            let mut changes = Changes::of_call(context, self.clock.account_now());
            changes.put(Object::ConnectionsSettings(settings));
            self.commit_any(context, changes, body).await
        })
        .await
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
        if !requested.contains(&prefetch.permission()) {
            let message = format!(
                "To prefetch {}, ask for the permission {} too.",
                prefetch.word(),
                prefetch.permission().word()
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

/// The registration for a kind of data. Test data needs none.
pub fn registration(
    livemode: bool,
    settings: Option<&ConnectionsSettings>,
    permission: Permission,
) -> Registration {
    let registered = settings.is_some_and(|settings| settings.registered.contains(&permission));
    if registered || !livemode { Registration::Active } else { Registration::Unrequested }
}
