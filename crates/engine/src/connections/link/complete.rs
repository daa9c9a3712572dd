//! The end of a flow that linked: new accounts, and accounts that become active again.

use super::flow::{bill, ended};
use crate::connections::carrier::{Carrier, CarrierEnd, LinkRequirements};
use crate::connections::change::{push_event, record_interrupted_by};
use crate::connections::watch::{bank_account, first_events, first_look, relinked};
use crate::context::settled;
use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::account::{Account, AccountStatus, InactiveCause, StatusAction};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::{AccountId, AuthorizationId, InstitutionId};
use model::link::{FlowEnd, LinkFlow, Offer};
use model::refresh::RefreshJob;
use model::undone::Undone;
use std::collections::{BTreeMap, BTreeSet};
use store::{AccountChange, CompleteLink, Connection, FindLinkedAccount, NewAccount};

/// The context that all accounts of one link share.
struct Linking<'a> {
    context: &'a Context,
    needs: &'a LinkRequirements,
    now: AccountTime,
    /// One for each bank.
    authorizations: BTreeMap<InstitutionId, AuthorizationId>,
}

impl Linking<'_> {
    /// The authorization that an account is linked with. Every bank of the link has one.
    fn authorization(&self, offer: &Offer) -> AuthorizationId {
        self.authorizations[&offer.institution]
    }
}

impl Engine {
    /// Links the picked accounts and ends the carrier. Returns `None` after a version conflict.
    pub(super) async fn link_accounts(
        &self,
        context: &Context,
        carrier: Carrier,
        picked: Vec<Offer>,
        flow: Option<LinkFlow>,
        changes: Changes,
    ) -> Result<Option<Vec<u8>>, Error> {
        let now = changes.now;
        let needs = carrier.requirements();
        let mut linking = Linking { context, needs: &needs, now, authorizations: BTreeMap::new() };
        let mut of_login = Vec::new();
        if let Some(relink) = &needs.relink {
            linking.authorizations.insert(relink.institution, relink.authorization);
            of_login = self.accounts_of_authorization(needs.merchant, relink.authorization).await?;
            of_login.retain(|account| account.status != AccountStatus::Disconnected);
        }
        let (mut new, mut again) = (Vec::new(), Vec::new());
        for offer in picked {
            linking
                .authorizations
                .entry(offer.institution)
                .or_insert_with(|| AuthorizationId::from_number(self.next_number()));
            let renewed = of_login.iter().position(|account| is_of(account, &offer));
            let renewed = renewed.map(|place| of_login.swap_remove(place));
            match self.linked_before(context, &needs, renewed, &offer).await? {
                Some((account, connection)) => {
                    again.push(self.linked_again(&linking, account, connection, offer));
                }
                None => new.push(self.newly_linked(&linking, offer)),
            }
        }
        let accounts: Vec<Account> = {
            let new = new.iter().map(|new: &NewAccount| new.account.clone());
            let again = again.iter().map(|change: &AccountChange| change.account.clone());
            new.chain(again).collect()
        };
        let mut end = self.carrier_linked(context, carrier, &accounts, changes).await?;
        if let Some(flow) = &flow {
            bill(&mut end, &flow.billing_details);
        }
        let CarrierEnd { mut changes, body, .. } = end;
        if let Some(mut flow) = flow {
            flow.run.accounts = accounts.iter().map(|account| account.id).collect();
            changes.put(ended(flow, FlowEnd::Linked));
        }
        // Events of the carrier follow the events of its accounts.
        match (again.last_mut(), new.last_mut()) {
            (Some(last), _) => last.events.append(&mut changes.events),
            (None, Some(last)) => last.events.append(&mut changes.events),
            (None, None) => unreachable!("a flow links at least one account"),
        }
        again.extend(self.no_longer_shared(&linking, of_login).await?);
        let (requires, reply) = (changes.take_requires(), context.reply(self, &body));
        let link = CompleteLink { objects: changes.objects, requires, new, again, reply };
        Ok(settled(self.store.write(link).await?)?.then_some(body))
    }

    async fn linked_before(
        &self,
        context: &Context,
        needs: &LinkRequirements,
        renewed: Option<Account>,
        offer: &Offer,
    ) -> Result<Option<(Account, Connection)>, Error> {
        let found = match (renewed, needs.holder.clone()) {
            (Some(account), _) => Some(account),
            (None, None) => None,
            (None, Some(holder)) => {
                let find = FindLinkedAccount {
                    merchant: context.merchant,
                    holder,
                    institution: offer.institution,
                    bank_account: offer.bank_account.clone(),
                };
                self.store.read(find).await?
            }
        };
        let Some(account) = found else { return Ok(None) };
        let connection = self.connection_of(&account).await?;
        Ok(connection.map(|connection| (account, connection)))
    }

    fn newly_linked(&self, linking: &Linking<'_>, offer: Offer) -> NewAccount {
        let needs = linking.needs;
        let mut account = Account {
            id: AccountId::from_number(self.next_number()),
            merchant: needs.merchant,
            version: 1,
            livemode: needs.livemode,
            created: linking.now,
            holder: needs.holder.clone(),
            clock: needs.clock,
            authorization: linking.authorization(&offer),
            institution: offer.institution,
            institution_name: offer.institution_name,
            bank_account: offer.bank_account,
            category: offer.category,
            subcategory: offer.subcategory,
            display_name: Some(offer.name),
            last4: offer.last4,
            supported_payment_method_types: offer.supported_payment_method_types,
            account_numbers: Vec::new(),
            permissions: needs.permissions.clone(),
            status: AccountStatus::Active,
            expected_deactivation: None,
            balance: None,
            ownership: None,
            balance_refresh: None,
            inferred_balances_refresh: None,
            inferred_from: None,
            also_subscribed: BTreeSet::new(),
            ownership_refresh: None,
            transaction_refresh: None,
            transactions_listable: false,
            subscribed: false,
            daily_due_at: None,
            bank_due_at: None,
            rows: 0,
            renewals: 0,
            undone: Undone::default(),
        };
        let connection = Connection {
            account: account.id,
            merchant: account.merchant,
            version: 1,
            relinked_at: linking.now,
            credential: offer.credential,
            state: Vec::new(),
            cursors: BTreeMap::new(),
        };
        let watch = self.connector.watch(&bank_account(&account, &connection), linking.now);
        let news = first_look(&mut account, watch);
        let started = self.prefetched(&mut account, needs, linking.now);
        let events = first_events(&account, &news, linking.now, linking.context.cause().as_ref());
        NewAccount { account, connection, started, events }
    }

    /// An account that the holder links again. Permissions are united, an inactive account becomes
    /// active, and the new login replaces the old one.
    fn linked_again(
        &self,
        linking: &Linking<'_>,
        mut account: Account,
        connection: Connection,
        offer: Offer,
    ) -> AccountChange {
        account.version += 1;
        account.permissions.extend(linking.needs.permissions.iter().copied());
        account.authorization = linking.authorization(&offer);
        // A closed account stays inactive, because linking again does not help.
        let lost =
            matches!(account.status, AccountStatus::Inactive { action: StatusAction::None, .. });
        let mut connection = if lost {
            Connection { version: connection.version + 1, ..connection }
        } else {
            relinked(connection, &mut account, linking.now)
        };
        connection.credential = offer.credential;
        let reactivated = !lost && account.reactivate(linking.now);
        let mut change = AccountChange::of(account);
        if reactivated {
            let event_type = EventType::AccountReactivated;
            push_event(&mut change, event_type, linking.now, linking.context);
        }
        let cause = linking.context.cause();
        self.observe(&mut change, &connection, linking.now, cause.as_ref());
        change.started = self.prefetched(&mut change.account, linking.needs, linking.now);
        change.connection = Some(connection);
        change
    }

    /// The accounts of a renewed login that its holder left out on a page of the bank that shares
    /// only the picked accounts. On this server's own page, an account that is left out does not
    /// change.
    async fn no_longer_shared(
        &self,
        linking: &Linking<'_>,
        left_out: Vec<Account>,
    ) -> Result<Vec<AccountChange>, Error> {
        let Some(relink) = linking.needs.relink.as_ref().filter(|relink| relink.account.is_none())
        else {
            return Ok(Vec::new());
        };
        let banks = self.banks(linking.context.merchant, linking.needs.livemode).await?;
        let mut banks = banks.institutions().into_iter();
        if !banks.any(|bank| bank.id == relink.institution && bank.picks_accounts) {
            return Ok(Vec::new());
        }
        let (cause, now) = (linking.context.cause(), linking.now);
        let mut changes = Vec::new();
        for mut account in left_out {
            account.version += 1;
            let denied = (InactiveCause::AccessDenied, StatusAction::RelinkRequired);
            if let Some(interrupted) = account.deactivate(denied.0, denied.1) {
                let mut change = AccountChange::of(account);
                record_interrupted_by(&mut change, &interrupted, now, cause.as_ref());
                push_event(&mut change, EventType::AccountDeactivated, now, linking.context);
                changes.push(change);
            }
        }
        Ok(changes)
    }

    /// Starts the refreshes that the carrier prefetches.
    fn prefetched(
        &self,
        account: &mut Account,
        needs: &LinkRequirements,
        now: AccountTime,
    ) -> Vec<RefreshJob> {
        let mut started = Vec::new();
        for prefetch in &needs.prefetch {
            let feature = prefetch.feature();
            if account.is_active() && !account.is_pending(feature) {
                let sequence = account.start_prefetch(feature, now);
                started.push(self.job(account, feature, sequence, now));
            }
        }
        started
    }
}

/// True if an account is the one that is offered.
pub(super) fn is_of(account: &Account, offer: &Offer) -> bool {
    account.institution == offer.institution && account.bank_account == offer.bank_account
}
