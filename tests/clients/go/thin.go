package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stripe/stripe-go/v86"
)

// The names of thin events that this release has no types for.
const (
	endedThin     = "v1.financial_connections.account.balance_refresh_succeeded"
	refreshedThin = "v1.financial_connections.account.refreshed_balance"
)

var thin = []step{
	{"a thin event leads to its account, as an unknown notification", aThinEvent},
}

// aThinEvent goes from an event destination to the fetched event and the fetched object.
func aThinEvent(m *merchant) error {
	received, err := openInbox()
	if err != nil {
		return err
	}
	destination, err := m.V2CoreEventDestinations.Create(ctx, &stripe.V2CoreEventDestinationCreateParams{
		Name:            stripe.String("Go"),
		Type:            stripe.String("webhook_endpoint"),
		EventPayload:    stripe.String("thin"),
		EnabledEvents:   list(endedThin, refreshedThin),
		WebhookEndpoint: &stripe.V2CoreEventDestinationCreateWebhookEndpointParams{URL: stripe.String(received.url)},
		Include:         list("webhook_endpoint.signing_secret"),
	})
	if err != nil {
		return err
	}
	account, err := linkedForBalance(m)
	if err != nil {
		return err
	}
	refresh := &stripe.FinancialConnectionsAccountRefreshParams{Features: list("balance")}
	if _, err := m.V1FinancialConnectionsAccounts.Refresh(ctx, account, refresh); err != nil {
		return err
	}
	secret := destination.WebhookEndpoint.SigningSecret
	return received.wait("the end of the refresh", func(came delivery) (bool, error) {
		event, err := m.ParseEventNotification(came.body, came.signature, secret)
		if err != nil {
			return false, err
		}
		notified, ok := event.(*stripe.UnknownEventNotification)
		if !ok {
			return false, fmt.Errorf("an unexpected type: %T", event)
		}
		if notified.Type != endedThin || notified.RelatedObject.ID != account {
			return false, nil
		}
		return true, fetched(notified)
	})
}

// linkedForBalance links an account whose balance may be refreshed.
func linkedForBalance(m *merchant) (string, error) {
	made, err := m.V1FinancialConnectionsSessions.Create(ctx, &stripe.FinancialConnectionsSessionCreateParams{
		AccountHolder: &stripe.FinancialConnectionsSessionCreateAccountHolderParams{
			Type:     stripe.String("customer"),
			Customer: stripe.String(m.customer),
		},
		Permissions: list("balances"),
	})
	if err != nil {
		return "", err
	}
	if err := m.link(made.ID, "&accounts[]=High+Balance"); err != nil {
		return "", err
	}
	linked, err := m.V1FinancialConnectionsSessions.Retrieve(ctx, made.ID, nil)
	if err != nil {
		return "", err
	}
	return linked.Accounts.Data[0].ID, nil
}

// fetched fetches the event and the object of a notification.
func fetched(notified *stripe.UnknownEventNotification) error {
	event, err := notified.FetchEvent(ctx)
	if err != nil {
		return err
	}
	raw, ok := event.(*stripe.V2CoreRawEvent)
	if !ok {
		return fmt.Errorf("an unexpected type: %T", event)
	}
	object, err := notified.FetchRelatedObject(ctx)
	if err != nil {
		return err
	}
	var account stripe.FinancialConnectionsAccount
	if err := json.Unmarshal(object.LastResponse.RawJSON, &account); err != nil {
		return err
	}
	return errors.Join(
		equal(raw.ID, notified.ID),
		equal(raw.RelatedObject.ID, account.ID),
		equal(string(account.BalanceRefresh.Status), "succeeded"),
	)
}
