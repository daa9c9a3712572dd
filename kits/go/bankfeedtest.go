// Package bankfeedtest gives a test a bank that it controls, behind Stripe's Financial Connections API.
package bankfeedtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v86"
)

const (
	beginS   = 1_790_000_000
	dayS     = 86_400
	hourS    = 3_600
	waitSMax = "60"
	helpers  = "/v1/test_helpers"
	bank     = helpers + "/financial_connections"
)

// Bankfeed is one empty merchant on the server, with a key of its own.
type Bankfeed struct {
	// Client is the official SDK's client for the key.
	Client *stripe.Client
	// Key is the secret key.
	Key string
	// URL is the server's address.
	URL string

	t         testing.TB
	receivers []*receiver
	unjudged  bool
}

// Start returns an empty merchant. The first call of a test process starts the server. At the end of the
// test the client is judged.
func Start(t testing.TB) *Bankfeed {
	t.Helper()
	address, err := serverURL()
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 12)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	key := "sk_test_" + hex.EncodeToString(random)
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:           stripe.String(address),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	client := stripe.NewClient(key, stripe.WithBackends(backends))
	b := &Bankfeed{Client: client, Key: key, URL: address, t: t}
	t.Cleanup(b.end)
	return b
}

// Unjudged leaves the judge out at the end of the test.
func (b *Bankfeed) Unjudged() {
	b.unjudged = true
}

// Settle waits until all due work is done and every webhook was attempted once. An error of a function
// that received a webhook ends the test.
func (b *Bankfeed) Settle() {
	b.t.Helper()
	b.call("GET", helpers+"/settled", url.Values{"timeout": {waitSMax}}, nil)
	for _, receiver := range b.receivers {
		if err := receiver.takeError(); err != nil {
			b.t.Fatalf("a function that received a webhook failed: %v", err)
		}
	}
}

// Scenario adds the test banks of a scenario, a file in TOML or JSON, to this merchant.
func (b *Bankfeed) Scenario(text string) {
	b.t.Helper()
	b.call("POST", bank+"/scenarios", url.Values{"scenario": {text}}, nil)
}

// Fault creates a fault, such as Fault("webhook_lost", url.Values{"every": {"3"}}).
func (b *Bankfeed) Fault(kind string, params url.Values) {
	b.t.Helper()
	form := url.Values{"kind": {kind}}
	for name, values := range params {
		form[name] = values
	}
	b.call("POST", helpers+"/faults", form, nil)
}

// Finding is behavior of a client that would lose data in production.
type Finding struct {
	Account         string `json:"account"`
	Code            string `json:"code"`
	Fix             string `json:"fix"`
	Message         string `json:"message"`
	WebhookEndpoint string `json:"webhook_endpoint"`
}

// Judge returns the findings about the client, as if the client had done all its work.
func (b *Bankfeed) Judge() []Finding {
	b.t.Helper()
	var report struct{ Findings []Finding }
	b.call("GET", helpers+"/consumer_report", url.Values{"finished": {"true"}}, &report)
	return report.Findings
}

func (b *Bankfeed) end() {
	defer func() {
		for _, receiver := range b.receivers {
			receiver.stop()
		}
	}()
	if b.t.Failed() {
		b.t.Logf("bankfeed: key %s on %s", b.Key, b.URL)
		return
	}
	b.Settle()
	if b.unjudged {
		return
	}
	for _, finding := range b.Judge() {
		subject := finding.Account + finding.WebhookEndpoint
		b.t.Errorf("%s  %s\n  %s\n  Fix: %s\n  bankfeed: key %s on %s",
			finding.Code, subject, finding.Message, finding.Fix, b.Key, b.URL)
	}
}

// call makes any call, and reads its response.
func (b *Bankfeed) call(method, path string, form url.Values, response any) {
	b.t.Helper()
	address, body := b.URL+path, ""
	if method == http.MethodGet {
		address += "?" + form.Encode()
	} else {
		body = form.Encode()
	}
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.SetBasicAuth(b.Key, "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	received, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer received.Body.Close()
	text, err := io.ReadAll(received.Body)
	if err == nil && received.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, path, received.StatusCode, bytes.TrimSpace(text))
	}
	if err == nil && response != nil {
		err = json.Unmarshal(text, response)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// Link describes a link. Its zero value links the preselected account of the default test bank, with a
// subscription to its transactions.
type Link struct {
	// Permissions are those of the session. The default is balances, ownership and transactions.
	Permissions []string
	// Prefetch names the data that the link fetches.
	Prefetch []string
	// Institution is the name of a test bank.
	Institution string
	// Account is the name of an account at the bank.
	Account string
	// Webhook receives each verified event.
	Webhook func(stripe.Event) error
	// Unsubscribed leaves out the daily refresh of the transactions.
	Unsubscribed bool
	// Seed selects the data of the bank, unless it is 0.
	Seed int64
}

// Link links one bank account of a new customer, whose time a test clock moves. It returns after the
// prefetches have ended and their webhooks were answered.
func (b *Bankfeed) Link(link Link) *Feed {
	b.t.Helper()
	ctx := context.Background()
	feed := &Feed{bankfeed: b}
	if link.Webhook != nil {
		feed.Endpoint = b.Endpoint(link.Webhook)
	}
	permissions := link.Permissions
	if permissions == nil {
		permissions = []string{"balances", "ownership", "transactions"}
	}
	clock, err := b.Client.V1TestHelpersTestClocks.Create(ctx,
		&stripe.TestHelpersTestClockCreateParams{FrozenTime: stripe.Int64(beginS)})
	b.must(err)
	customer, err := b.Client.V1Customers.Create(ctx,
		&stripe.CustomerCreateParams{TestClock: stripe.String(clock.ID)})
	b.must(err)
	wanted := &stripe.FinancialConnectionsSessionCreateParams{
		AccountHolder: &stripe.FinancialConnectionsSessionCreateAccountHolderParams{
			Type:     stripe.String("customer"),
			Customer: stripe.String(customer.ID),
		},
		Permissions: stripe.StringSlice(permissions),
	}
	if len(link.Prefetch) > 0 {
		wanted.Prefetch = stripe.StringSlice(link.Prefetch)
	}
	session, err := b.Client.V1FinancialConnectionsSessions.Create(ctx, wanted)
	b.must(err)
	form := url.Values{"carrier": {session.ID}}
	if link.Institution != "" {
		form.Set("institution", link.Institution)
	}
	if link.Account != "" {
		form.Set("accounts[]", link.Account)
	}
	if link.Seed != 0 {
		form.Set("seed", strconv.FormatInt(link.Seed, 10))
	}
	var linked struct {
		Accounts struct{ Data []struct{ ID string } }
	}
	b.call("POST", bank+"/link", form, &linked)
	feed.Account = linked.Accounts.Data[0].ID
	feed.Customer, feed.Clock, feed.Session = customer.ID, clock.ID, session.ID
	if !link.Unsubscribed && contains(permissions, "transactions") {
		_, err := b.Client.V1FinancialConnectionsAccounts.Subscribe(ctx, feed.Account,
			&stripe.FinancialConnectionsAccountSubscribeParams{
				Features: stripe.StringSlice([]string{"transactions"}),
			})
		b.must(err)
	}
	b.Settle()
	return feed
}

func (b *Bankfeed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func contains(words []string, word string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}
