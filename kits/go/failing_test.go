//go:build failing

package bankfeedtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	bankfeedtest "github.com/bankfeed/bankfeed/kits/go"
	"github.com/stripe/stripe-go/v86"
)

// These tests fail on purpose. Tests of bankfeedtest_test.go run them and expect it.

func TestFailsByAClientThatStopsPaging(t *testing.T) {
	bankfeed := bankfeedtest.Start(t)
	bankfeed.Link(bankfeedtest.Link{
		Prefetch: []string{"transactions"},
		Webhook: func(event stripe.Event) error {
			if !strings.HasSuffix(string(event.Type), "refreshed_transactions") {
				return nil
			}
			account := stripe.String(event.Data.Object["id"].(string))
			params := &stripe.FinancialConnectionsTransactionListParams{Account: account}
			for _, err := range bankfeed.Client.V1FinancialConnectionsTransactions.List(context.Background(), params).All(context.Background()) {
				return err
			}
			return nil
		},
	})
}

func TestFailsByAnErrorOfTheReceiver(t *testing.T) {
	bankfeedtest.Start(t).Link(bankfeedtest.Link{
		Webhook: func(stripe.Event) error { return errors.New("no such column") },
	})
}
