package bankfeedtest_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	bankfeedtest "github.com/bankfeed/bankfeed/kits/go"
	"github.com/stripe/stripe-go/v86"
)

// app is an application that follows an account, as the documents describe.
type app struct {
	client *stripe.Client
	copy   map[string]*stripe.FinancialConnectionsTransaction
	last   string
}

func newApp(b *bankfeedtest.Bankfeed) *app {
	return &app{client: b.Client, copy: map[string]*stripe.FinancialConnectionsTransaction{}}
}

func (a *app) handle(event stripe.Event) error {
	if event.Type != "financial_connections.account.refreshed_transactions" {
		return nil
	}
	ctx := context.Background()
	var account stripe.FinancialConnectionsAccount
	if err := json.Unmarshal(event.Data.Raw, &account); err != nil {
		return err
	}
	if account.TransactionRefresh.Status != "succeeded" {
		_, err := a.client.V1FinancialConnectionsAccounts.GetByID(ctx, account.ID, nil)
		return err
	}
	params := &stripe.FinancialConnectionsTransactionListParams{Account: stripe.String(account.ID)}
	if a.last != "" {
		params.TransactionRefresh = &stripe.FinancialConnectionsTransactionListTransactionRefreshParams{
			After: stripe.String(a.last),
		}
	}
	for row, err := range a.client.V1FinancialConnectionsTransactions.List(ctx, params).All(ctx) {
		if err != nil {
			return err
		}
		a.copy[row.ID] = row
	}
	a.last = account.TransactionRefresh.ID
	return nil
}

func (a *app) rows() []bankfeedtest.Row {
	var all []*stripe.FinancialConnectionsTransaction
	for _, row := range a.copy {
		all = append(all, row)
	}
	return bankfeedtest.Rows(all)
}

func equal(t *testing.T, found, expected any) {
	t.Helper()
	if !reflect.DeepEqual(found, expected) {
		t.Fatalf("found %v, not %v", found, expected)
	}
}

func coffees(rows []bankfeedtest.Row) []int64 {
	var amounts []int64
	for _, row := range rows {
		if row.Description == "Blue Door Coffee" {
			amounts = append(amounts, row.Amount)
		}
	}
	return amounts
}

func TestTip(t *testing.T) {
	bankfeed := bankfeedtest.Start(t)
	app := newApp(bankfeed)
	feed := bankfeed.Link(bankfeedtest.Link{Prefetch: []string{"transactions"}, Webhook: app.handle})
	coffee := feed.AddPending(-1200, "Blue Door Coffee")
	feed.Refresh()
	equal(t, coffees(app.rows()), []int64{-1200})
	coffee.PostAmount(-1440)
	feed.Refresh()
	equal(t, coffees(app.rows()), []int64{-1440})
	feed.Advance(bankfeedtest.Advance{Days: 7}) // returns when every webhook was answered
	equal(t, app.rows(), feed.Ledger())
}

func TestAFailedRefreshChangesNoRow(t *testing.T) {
	bankfeed := bankfeedtest.Start(t)
	app := newApp(bankfeed)
	feed := bankfeed.Link(bankfeedtest.Link{Webhook: app.handle})
	before := app.rows()
	feed.Add(-500, "Parking")
	feed.FailNext("institution_timeout", 1)
	equal(t, string(feed.Refresh().TransactionRefresh.Status), "failed")
	equal(t, app.rows(), before)
	equal(t, string(feed.Refresh().TransactionRefresh.Status), "succeeded")
	equal(t, len(app.rows()), len(before)+1)
	equal(t, app.rows(), feed.Ledger())
}

func TestBalanceOwnersAndStatus(t *testing.T) {
	feed := bankfeedtest.Start(t).Link(bankfeedtest.Link{})
	feed.SetBalance(12345)
	feed.SetOwners("Jenny Rosen")
	equal(t, feed.Refresh("balance", "ownership").Balance.Current["usd"], int64(12345))
	feed.Deactivate("access_expired")
	equal(t, string(feed.Retrieve().Status), "inactive")
	feed.Reactivate()
	equal(t, string(feed.Retrieve().Status), "active")
}

func TestAScenarioAddsABank(t *testing.T) {
	bankfeed := bankfeedtest.Start(t)
	bankfeed.Scenario("name = \"Quiet Bank\"\n[[accounts]]\nname = \"Checking\"\nbalance = \"12.00\"")
	feed := bankfeed.Link(bankfeedtest.Link{Institution: "Quiet Bank"})
	equal(t, len(feed.Ledger()), 0)
	equal(t, feed.Refresh("balance").Balance.Current["usd"], int64(1200))
}

func TestKeysShareNoData(t *testing.T) {
	bankfeedtest.Start(t).Link(bankfeedtest.Link{})
	ctx := context.Background()
	for customer, err := range bankfeedtest.Start(t).Client.V1Customers.List(ctx, nil).All(ctx) {
		t.Fatalf("found %v %v", customer, err)
	}
}

// runFailing runs a test of failing_test.go, which must fail, and returns its output.
func runFailing(t *testing.T, name string) string {
	t.Helper()
	output, err := exec.Command("go", "test", "-tags", "failing", "-run", "^"+name+"$", ".").CombinedOutput()
	if err == nil {
		t.Fatalf("%s did not fail:\n%s", name, output)
	}
	return string(output)
}

func TestTheJudgeFailsAClientThatStopsPaging(t *testing.T) {
	output := runFailing(t, "TestFailsByAClientThatStopsPaging")
	for _, part := range []string{"paging_stopped", "Fix: Read every page", "bankfeed: key sk_test_"} {
		if !strings.Contains(output, part) {
			t.Fatalf("no %q in:\n%s", part, output)
		}
	}
}

func TestAnErrorOfTheReceiverFailsTheTest(t *testing.T) {
	output := runFailing(t, "TestFailsByAnErrorOfTheReceiver")
	if !strings.Contains(output, "no such column") || !strings.Contains(output, "bankfeed: key sk_test_") {
		t.Fatal(output)
	}
}
