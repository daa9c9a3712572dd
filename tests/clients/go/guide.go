package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/customer"
	"github.com/stripe/stripe-go/v86/financialconnections/account"
	"github.com/stripe/stripe-go/v86/financialconnections/session"
	"github.com/stripe/stripe-go/v86/financialconnections/transaction"
	"github.com/stripe/stripe-go/v86/webhook"
)

var guide = []step{
	{"an endpoint is made with the client's own version", anEndpoint},
	{"a customer is made", aCustomer},
	{"a session asks for transactions, and its holder links an account", aSession},
	{"nothing is listed before a refresh succeeded", nothingYet},
	{"subscribing starts a refresh, and a webhook tells of its end", subscribing},
	{"transactions are listed page by page", paging},
	{"after a refresh only what came later is listed", later},
	{"unsubscribing keeps what was refreshed", unsubscribing},
	{"a prefetch starts with the link; owners come with their permission", prefetch},
	{"the same calls work in the resource style", resources},
}

func anEndpoint(m *merchant) (err error) {
	if m.inbox, err = openInbox(); err != nil {
		return err
	}
	endpoint, err := m.V1WebhookEndpoints.Create(ctx, &stripe.WebhookEndpointCreateParams{
		URL:           stripe.String(m.inbox.url),
		EnabledEvents: list("*"),
		APIVersion:    stripe.String(stripe.APIVersion),
	})
	if err != nil {
		return err
	}
	m.secret = endpoint.Secret
	return equal(endpoint.APIVersion, stripe.APIVersion)
}

func aCustomer(m *merchant) error {
	made, err := m.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		Email: stripe.String(email),
		Phone: stripe.String("2025550100"),
	})
	if err != nil {
		return err
	}
	m.customer = made.ID
	return errors.Join(equal(made.Email, email), prefixed(made.LastResponse.RequestID, "req_"))
}

func aSession(m *merchant) error {
	made, err := m.V1FinancialConnectionsSessions.Create(ctx, &stripe.FinancialConnectionsSessionCreateParams{
		AccountHolder: &stripe.FinancialConnectionsSessionCreateAccountHolderParams{
			Type:     stripe.String("customer"),
			Customer: stripe.String(m.customer),
		},
		Permissions: list("transactions"),
	})
	if err != nil {
		return err
	}
	if err := m.link(made.ID, "&accounts[]=Success"); err != nil {
		return err
	}
	linked, err := m.V1FinancialConnectionsSessions.Retrieve(ctx, made.ID, &stripe.FinancialConnectionsSessionRetrieveParams{
		Expand: list("accounts.data.account_holder.customer"),
	})
	if err != nil {
		return err
	}
	one := linked.Accounts.Data[0]
	m.account = one.ID
	accounts := m.V1FinancialConnectionsAccounts.List(ctx, &stripe.FinancialConnectionsAccountListParams{
		AccountHolder: &stripe.FinancialConnectionsAccountListAccountHolderParams{Customer: stripe.String(m.customer)},
	})
	return errors.Join(
		accounts.Err(),
		prefixed(made.ClientSecret, "fcsess_client_secret_"),
		equal(one.AccountHolder.Customer.Email, email),
		holds(one.TransactionRefresh == nil, "nothing was refreshed"),
		equal(len(accounts.Data()), 1),
	)
}

func nothingYet(m *merchant) error {
	none := m.V1FinancialConnectionsTransactions.List(ctx, transactions(m.account))
	return refused(none.Err(), 400, stripe.ErrorTypeInvalidRequest, "financial_connections_no_successful_transaction_refresh")
}

func transactions(account string) *stripe.FinancialConnectionsTransactionListParams {
	return &stripe.FinancialConnectionsTransactionListParams{Account: stripe.String(account)}
}

func subscribing(m *merchant) error {
	one, err := m.V1FinancialConnectionsAccounts.Subscribe(ctx, m.account, &stripe.FinancialConnectionsAccountSubscribeParams{
		Features: list("transactions"),
	})
	if err != nil {
		return err
	}
	m.refresh = one.TransactionRefresh.ID
	return errors.Join(
		equal(one.Subscriptions[0], stripe.FinancialConnectionsAccountSubscriptionTransactions),
		equal(one.TransactionRefresh.Status, stripe.FinancialConnectionsAccountTransactionRefreshStatusPending),
		m.told(m.refresh),
	)
}

func paging(m *merchant) error {
	params := transactions(m.account)
	params.Limit = stripe.Int64(40)
	ids := map[string]bool{}
	for row, err := range m.V1FinancialConnectionsTransactions.List(ctx, params).All(ctx) {
		if err != nil {
			return err
		}
		if err := errors.Join(equal(row.Account, m.account), equal(row.TransactionRefresh, m.refresh)); err != nil {
			return err
		}
		ids[row.ID] = true
	}
	return holds(len(ids) > 100, fmt.Sprintf("%d are more than 100", len(ids)))
}

func later(m *merchant) error {
	entry := url.Values{"amount": {"-1200"}, "description": {"Blue Door Coffee"}}
	if err := m.raw("/financial_connections/accounts/"+m.account+"/transactions", entry.Encode()); err != nil {
		return err
	}
	before := m.refresh
	one, err := m.V1FinancialConnectionsAccounts.Refresh(ctx, m.account, &stripe.FinancialConnectionsAccountRefreshParams{
		Features: list("transactions"),
	})
	if err != nil {
		return err
	}
	m.refresh = one.TransactionRefresh.ID
	if err := m.told(m.refresh); err != nil {
		return err
	}
	params := transactions(m.account)
	params.TransactionRefresh = &stripe.FinancialConnectionsTransactionListTransactionRefreshParams{After: &before}
	found := false
	for row, err := range m.V1FinancialConnectionsTransactions.List(ctx, params).All(ctx) {
		if err != nil {
			return err
		}
		if err := equal(row.TransactionRefresh, m.refresh); err != nil {
			return err
		}
		found = found || row.Description == "Blue Door Coffee" && row.Amount == -1200
	}
	return holds(found, "the new transaction is listed")
}

func unsubscribing(m *merchant) error {
	one, err := m.V1FinancialConnectionsAccounts.Unsubscribe(ctx, m.account, &stripe.FinancialConnectionsAccountUnsubscribeParams{
		Features: list("transactions"),
	})
	if err != nil {
		return err
	}
	return errors.Join(equal(len(one.Subscriptions), 0), equal(one.TransactionRefresh.ID, m.refresh))
}

func prefetch(m *merchant) error {
	wanted := list("transactions", "balances", "ownership")
	made, err := m.V1FinancialConnectionsSessions.Create(ctx, &stripe.FinancialConnectionsSessionCreateParams{
		AccountHolder: &stripe.FinancialConnectionsSessionCreateAccountHolderParams{
			Type:     stripe.String("customer"),
			Customer: stripe.String(m.customer),
		},
		Permissions: wanted,
		Prefetch:    wanted,
	})
	if err != nil {
		return err
	}
	if err := m.link(made.ID, "&accounts[]=High%20Balance"); err != nil {
		return err
	}
	accounts := m.V1FinancialConnectionsAccounts.List(ctx, &stripe.FinancialConnectionsAccountListParams{Session: &made.ID})
	if err := accounts.Err(); err != nil {
		return err
	}
	linked := accounts.Data()[0]
	if err := m.told(linked.TransactionRefresh.ID); err != nil {
		return err
	}
	err = m.inbox.wait("the owners", func(came delivery) (bool, error) {
		event, err := webhook.ConstructEvent(came.body, came.signature, m.secret)
		owners := event.Type == stripe.EventTypeFinancialConnectionsAccountRefreshedOwnership
		return owners && event.Data.Object["id"] == linked.ID, err
	})
	if err != nil {
		return err
	}
	shown, err := m.V1FinancialConnectionsAccounts.GetByID(ctx, linked.ID, &stripe.FinancialConnectionsAccountRetrieveParams{
		Expand: list("ownership"),
	})
	if err != nil {
		return err
	}
	owners := m.V1FinancialConnectionsAccounts.ListOwners(ctx, &stripe.FinancialConnectionsAccountListOwnersParams{
		Account:   stripe.String(linked.ID),
		Ownership: stripe.String(shown.Ownership.ID),
	})
	if err := owners.Err(); err != nil {
		return err
	}
	return equal(owners.Data()[0].Name, shown.Ownership.Owners.Data[0].Name)
}

// resources is the older style of the client: one package a resource, one key for all.
func resources(m *merchant) error {
	stripe.Key = key
	stripe.SetBackend(stripe.APIBackend, backends(m.server.address, nil).API)
	payer, err := customer.New(&stripe.CustomerParams{Email: stripe.String(email)})
	if err != nil {
		return err
	}
	made, err := session.New(&stripe.FinancialConnectionsSessionParams{
		AccountHolder: &stripe.FinancialConnectionsSessionAccountHolderParams{
			Type:     stripe.String("customer"),
			Customer: stripe.String(payer.ID),
		},
		Permissions: list("transactions"),
		Prefetch:    list("transactions"),
	})
	if err != nil {
		return err
	}
	if err := m.link(made.ID, ""); err != nil {
		return err
	}
	linked, err := session.Get(made.ID, nil)
	if err != nil {
		return err
	}
	id := linked.Accounts.Data[0].ID
	if err := m.told(linked.Accounts.Data[0].TransactionRefresh.ID); err != nil {
		return err
	}
	features := list("transactions")
	subscribed, err := account.Subscribe(id, &stripe.FinancialConnectionsAccountSubscribeParams{Features: features})
	if err != nil {
		return err
	}
	if err := m.told(subscribed.TransactionRefresh.ID); err != nil {
		return err
	}
	asked, err := account.Refresh(id, &stripe.FinancialConnectionsAccountRefreshParams{Features: features})
	if err != nil {
		return err
	}
	if err := m.told(asked.TransactionRefresh.ID); err != nil {
		return err
	}
	rows := transaction.List(transactions(id))
	count := 0
	for rows.Next() {
		count++
	}
	ended, err := account.Unsubscribe(id, &stripe.FinancialConnectionsAccountUnsubscribeParams{Features: features})
	if err != nil {
		return err
	}
	return errors.Join(rows.Err(), holds(count > 100, "there is more than one page"), equal(len(ended.Subscriptions), 0))
}
