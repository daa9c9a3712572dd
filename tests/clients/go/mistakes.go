package main

import (
	"bytes"
	"errors"
	"net"

	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"
)

var mistakes = []step{
	{"a key that opens nothing, and one that may not, are typed errors", keys},
	{"wrong parameters, unknown ids and reused keys are typed errors", parameters},
	{"a forged webhook is refused by the client's own verifier", forged},
	{"a connection that is cut is tried again, and the work is done once", cut},
	{"a disconnected account is closed", disconnected},
	{"a rate limit, and a failure inside the server, are typed errors", faults},
}

func keys(m *merchant) error {
	stranger := client(m.server.address, "sk_wrong", nil)
	browser := client(m.server.address, "pk_test_go", nil)
	return errors.Join(
		refused(stranger.V1Customers.List(ctx, nil).Err(), 401, stripe.ErrorTypeInvalidRequest, ""),
		refused(browser.V1Customers.List(ctx, nil).Err(), 403, stripe.ErrorTypeInvalidRequest, stripe.ErrorCodeSecretKeyRequired),
	)
}

func parameters(m *merchant) error {
	_, unknown := m.V1FinancialConnectionsAccounts.GetByID(ctx, "fca_none", nil)
	_, missing := m.V1FinancialConnectionsAccounts.Subscribe(ctx, m.account, nil)
	named := func(name string) (*stripe.Customer, error) {
		params := &stripe.CustomerCreateParams{Name: stripe.String(name)}
		params.IdempotencyKey = stripe.String("go-once")
		return m.V1Customers.Create(ctx, params)
	}
	first, err := named("Once")
	if err != nil {
		return err
	}
	again, err := named("Once")
	if err != nil {
		return err
	}
	_, reused := named("Twice")
	return errors.Join(
		refused(unknown, 404, stripe.ErrorTypeInvalidRequest, stripe.ErrorCodeResourceMissing),
		refused(missing, 400, stripe.ErrorTypeInvalidRequest, stripe.ErrorCodeParameterMissing),
		equal(again.ID, first.ID),
		refused(reused, 400, stripe.ErrorTypeIdempotency, ""),
	)
}

func forged(m *merchant) error {
	return m.inbox.wait("any webhook", func(came delivery) (bool, error) {
		changed := bytes.Replace(came.body, []byte(`"livemode":false`), []byte(`"livemode":true`), 1)
		_, err := webhook.ConstructEvent(changed, came.signature, m.secret)
		return true, holds(errors.Is(err, webhook.ErrNoValidSignature), "the signature is refused")
	})
}

func cut(m *merchant) error {
	front, err := cutOnce(m.server.address)
	if err != nil {
		return err
	}
	address := "cut@example.com"
	made, err := client(front.Addr().String(), key, nil).V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: &address})
	if err != nil {
		return err
	}
	all := m.V1Customers.List(ctx, &stripe.CustomerListParams{Email: &address})
	if err := errors.Join(all.Err(), equal(len(all.Data()), 1), equal(all.Data()[0].ID, made.ID)); err != nil {
		return err
	}
	front.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	nobody.Close()
	gone := client(nobody.Addr().String(), key, stripe.Int64(0)).V1Customers.List(ctx, nil).Err()
	var network *net.OpError
	return holds(errors.As(gone, &network), "nobody answers")
}

func disconnected(m *merchant) error {
	if _, err := m.V1FinancialConnectionsAccounts.Disconnect(ctx, m.account, nil); err != nil {
		return err
	}
	closed := m.V1FinancialConnectionsTransactions.List(ctx, transactions(m.account)).Err()
	events := m.V1Events.List(ctx, &stripe.EventListParams{Type: stripe.String("financial_connections.account.disconnected")})
	return errors.Join(
		refused(closed, 400, stripe.ErrorTypeInvalidRequest, "financial_connections_account_inactive"),
		events.Err(),
		equal(events.Data()[0].Data.Object["id"], any(m.account)),
	)
}

func faults(m *merchant) error {
	hasty := client(m.server.address, key, stripe.Int64(0)).V1Customers
	if err := m.raw("/faults", "kind=api_rate_limited&path=/v1/customers&times=1"); err != nil {
		return err
	}
	limited := hasty.List(ctx, nil).Err()
	if err := m.raw("/faults", "kind=api_error_before&path=/v1/customers&times=1"); err != nil {
		return err
	}
	return errors.Join(
		refused(limited, 429, stripe.ErrorTypeInvalidRequest, stripe.ErrorCodeRateLimit),
		refused(hasty.List(ctx, nil).Err(), 500, stripe.ErrorTypeAPI, ""),
	)
}
