package bankfeedtest

import (
	"context"
	"net/url"
	"sort"
	"strconv"

	"github.com/stripe/stripe-go/v86"
)

// Feed is one linked bank account, with the bank's side of it. The fields are ids, and the webhook
// endpoint if the link has one.
type Feed struct {
	Account  string
	Customer string
	Clock    string
	Session  string
	Endpoint *Endpoint

	bankfeed *Bankfeed
}

// Row is a transaction as both sides know it. Times are Unix seconds, and amounts are minor units.
type Row struct {
	TransactedAt int64
	Amount       int64
	Currency     string
	Description  string
	Status       string
	// PostedAt is 0 while the transaction is pending.
	PostedAt int64
}

// Add adds a posted transaction at the bank. Clients see it after the next refresh. The amount is in
// minor units, and negative for money out.
func (f *Feed) Add(amount int64, description string) *Transaction {
	f.bankfeed.t.Helper()
	return f.add(amount, description, "posted")
}

// AddPending adds a pending transaction at the bank.
func (f *Feed) AddPending(amount int64, description string) *Transaction {
	f.bankfeed.t.Helper()
	return f.add(amount, description, "pending")
}

func (f *Feed) add(amount int64, description, status string) *Transaction {
	f.bankfeed.t.Helper()
	var added struct{ ID string }
	f.bank("POST", "/transactions", url.Values{
		"amount":      {strconv.FormatInt(amount, 10)},
		"description": {description},
		"status":      {status},
	}, &added)
	return &Transaction{ID: added.ID, feed: f}
}

// Refresh refreshes the account, by default its transactions, and waits until webhooks were answered. It
// returns the account.
func (f *Feed) Refresh(features ...string) *stripe.FinancialConnectionsAccount {
	f.bankfeed.t.Helper()
	if len(features) == 0 {
		features = []string{"transactions"}
	}
	_, err := f.bankfeed.Client.V1FinancialConnectionsAccounts.Refresh(context.Background(), f.Account,
		&stripe.FinancialConnectionsAccountRefreshParams{Features: stripe.StringSlice(features)})
	f.bankfeed.must(err)
	f.bankfeed.Settle()
	return f.Retrieve()
}

// Advance describes a move of the time.
type Advance struct {
	Days, Hours, Seconds int64
	// Unrefreshed leaves out the last refresh.
	Unrefreshed bool
}

// Advance moves the time of the account. It returns when every webhook was answered once. A last refresh
// brings a subscribed account to the new time, so that its copy and the ledger can be compared.
func (f *Feed) Advance(by Advance) {
	b := f.bankfeed
	b.t.Helper()
	clock, err := b.Client.V1TestHelpersTestClocks.Retrieve(context.Background(), f.Clock, nil)
	b.must(err)
	to := clock.FrozenTime + by.Days*dayS + by.Hours*hourS + by.Seconds
	b.call("POST", helpers+"/test_clocks/"+f.Clock+"/advance", url.Values{
		"frozen_time": {strconv.FormatInt(to, 10)},
		"wait":        {"true"},
		"timeout":     {waitSMax},
	}, nil)
	b.Settle()
	account := f.Retrieve()
	active := account.Status == stripe.FinancialConnectionsAccountStatusActive
	if !by.Unrefreshed && active && len(account.Subscriptions) > 0 {
		var features []string
		for _, feature := range account.Subscriptions {
			features = append(features, string(feature))
		}
		f.Refresh(features...)
	}
}

// FailNext lets the next refreshes fail with a cause, such as institution_timeout.
func (f *Feed) FailNext(cause string, times int) {
	f.bankfeed.t.Helper()
	f.bank("POST", "/next_refresh", url.Values{
		"outcome": {"failed"}, "cause": {cause}, "times": {strconv.Itoa(times)},
	}, nil)
}

// DelayNext lets the next refresh take a time on the test clock.
func (f *Feed) DelayNext(seconds int64) {
	f.bankfeed.t.Helper()
	f.bank("POST", "/next_refresh", url.Values{"delay_seconds": {strconv.FormatInt(seconds, 10)}}, nil)
}

// SetBalance sets the bank's balance, in minor units.
func (f *Feed) SetBalance(current int64) {
	f.bankfeed.t.Helper()
	f.bank("POST", "/balance", url.Values{"current": {strconv.FormatInt(current, 10)}}, nil)
}

// SetOwners sets the owners that the bank shows.
func (f *Feed) SetOwners(names ...string) {
	f.bankfeed.t.Helper()
	form := url.Values{}
	for position, name := range names {
		form.Set("owners["+strconv.Itoa(position)+"][name]", name)
	}
	f.bank("POST", "/owners", form, nil)
}

// Deactivate makes the account inactive with a cause, such as access_expired, and waits until webhooks
// were answered.
func (f *Feed) Deactivate(cause string) {
	f.bankfeed.t.Helper()
	f.bank("POST", "/deactivate", url.Values{"cause": {cause}}, nil)
	f.bankfeed.Settle()
}

// Reactivate makes the account active again, and waits until webhooks were answered.
func (f *Feed) Reactivate() {
	f.bankfeed.t.Helper()
	f.bank("POST", "/reactivate", nil, nil)
	f.bankfeed.Settle()
}

// Ledger returns the rows that a correct copy of this account has now, by the bank's own ledger.
func (f *Feed) Ledger() []Row {
	f.bankfeed.t.Helper()
	var ledger struct {
		Transactions []*stripe.FinancialConnectionsTransaction
	}
	f.bank("GET", "/ledger", nil, &ledger)
	return Rows(ledger.Transactions)
}

// Retrieve returns the account, as the API shows it.
func (f *Feed) Retrieve() *stripe.FinancialConnectionsAccount {
	f.bankfeed.t.Helper()
	account, err := f.bankfeed.Client.V1FinancialConnectionsAccounts.GetByID(context.Background(), f.Account, nil)
	f.bankfeed.must(err)
	return account
}

func (f *Feed) bank(method, path string, form url.Values, response any) {
	f.bankfeed.t.Helper()
	f.bankfeed.call(method, bank+"/accounts/"+f.Account+path, form, response)
}

// Transaction is a transaction at the bank. A change is visible to clients after the next refresh.
type Transaction struct {
	// ID is the bank's own id.
	ID string

	feed *Feed
}

// Post posts it.
func (t *Transaction) Post() {
	t.feed.bankfeed.t.Helper()
	t.Edit(url.Values{"status": {"posted"}})
}

// PostAmount posts it with another amount, such as one with a tip.
func (t *Transaction) PostAmount(amount int64) {
	t.feed.bankfeed.t.Helper()
	t.Edit(url.Values{"status": {"posted"}, "amount": {strconv.FormatInt(amount, 10)}})
}

// Void voids it.
func (t *Transaction) Void() {
	t.feed.bankfeed.t.Helper()
	t.Edit(url.Values{"status": {"void"}})
}

// Edit changes amount, description, transacted_at or status.
func (t *Transaction) Edit(params url.Values) {
	t.feed.bankfeed.t.Helper()
	t.feed.bank("POST", "/transactions/"+t.ID, params, nil)
}

// Rows returns the rows of transactions, without void ones, in the order of their times.
func Rows(transactions []*stripe.FinancialConnectionsTransaction) []Row {
	rows := []Row{}
	for _, one := range transactions {
		if one.Status == stripe.FinancialConnectionsTransactionStatusVoid {
			continue
		}
		row := Row{
			TransactedAt: one.TransactedAt,
			Amount:       one.Amount,
			Currency:     string(one.Currency),
			Description:  one.Description,
			Status:       string(one.Status),
		}
		if one.StatusTransitions != nil {
			row.PostedAt = one.StatusTransitions.PostedAt
		}
		rows = append(rows, row)
	}
	sort.Slice(rows, func(i, j int) bool { return less(rows[i], rows[j]) })
	return rows
}

func less(a, b Row) bool {
	switch {
	case a.TransactedAt != b.TransactedAt:
		return a.TransactedAt < b.TransactedAt
	case a.Amount != b.Amount:
		return a.Amount < b.Amount
	case a.Description != b.Description:
		return a.Description < b.Description
	case a.Status != b.Status:
		return a.Status < b.Status
	default:
		return a.PostedAt < b.PostedAt
	}
}
