package main

import (
	"errors"

	"github.com/stripe/stripe-go/v86"
)

// What the guide asks of the link flow in each of its carriers.
var (
	types       = list("us_bank_account")
	permissions = list("payment_method", "transactions")
	prefetched  = list("transactions")
)

var carriers = []step{
	{"a Payment Intent collects an account", aPaymentIntent},
	{"a Setup Intent collects an account", aSetupIntent},
	{"a Checkout Session collects an account", aCheckoutSession},
	{"an invoice collects an account", anInvoice},
	{"a subscription collects an account", aSubscription},
}

// collected looks at the account of a payment method; its prefetch has to end in a webhook.
func (m *merchant) collected(method *stripe.PaymentMethod) error {
	linked, err := m.V1FinancialConnectionsAccounts.GetByID(ctx, method.USBankAccount.FinancialConnectionsAccount, nil)
	if err != nil {
		return err
	}
	if err := m.told(linked.TransactionRefresh.ID); err != nil {
		return err
	}
	rows := m.V1FinancialConnectionsTransactions.List(ctx, transactions(linked.ID))
	return errors.Join(rows.Err(), holds(len(rows.Data()) > 0, "there are transactions"))
}

func (m *merchant) payer() (*string, error) {
	payer, err := m.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: stripe.String(email)})
	if err != nil {
		return nil, err
	}
	return &payer.ID, nil
}

func aPaymentIntent(m *merchant) error {
	payer, err := m.payer()
	if err != nil {
		return err
	}
	intent, err := m.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount:             stripe.Int64(2000),
		Currency:           stripe.String(string(stripe.CurrencyUSD)),
		Customer:           payer,
		SetupFutureUsage:   stripe.String("off_session"),
		PaymentMethodTypes: types,
		PaymentMethodOptions: &stripe.PaymentIntentCreatePaymentMethodOptionsParams{
			USBankAccount: &stripe.PaymentIntentCreatePaymentMethodOptionsUSBankAccountParams{
				FinancialConnections: &stripe.PaymentIntentCreatePaymentMethodOptionsUSBankAccountFinancialConnectionsParams{
					Permissions: permissions,
					Prefetch:    prefetched,
				},
			},
		},
	})
	if err != nil {
		return err
	}
	if err := m.link(intent.ID, ""); err != nil {
		return err
	}
	return m.collectedBy(intent.ID)
}

// collectedBy looks at the account that a Payment Intent collected.
func (m *merchant) collectedBy(intent string) error {
	linked, err := m.V1PaymentIntents.Retrieve(ctx, intent, &stripe.PaymentIntentRetrieveParams{Expand: list("payment_method")})
	if err != nil {
		return err
	}
	return m.collected(linked.PaymentMethod)
}

func aSetupIntent(m *merchant) error {
	payer, err := m.payer()
	if err != nil {
		return err
	}
	intent, err := m.V1SetupIntents.Create(ctx, &stripe.SetupIntentCreateParams{
		Customer:           payer,
		PaymentMethodTypes: types,
		PaymentMethodOptions: &stripe.SetupIntentCreatePaymentMethodOptionsParams{
			USBankAccount: &stripe.SetupIntentCreatePaymentMethodOptionsUSBankAccountParams{
				FinancialConnections: &stripe.SetupIntentCreatePaymentMethodOptionsUSBankAccountFinancialConnectionsParams{
					Permissions: permissions,
					Prefetch:    prefetched,
				},
			},
		},
	})
	if err != nil {
		return err
	}
	if err := m.link(intent.ID, ""); err != nil {
		return err
	}
	linked, err := m.V1SetupIntents.Retrieve(ctx, intent.ID, &stripe.SetupIntentRetrieveParams{Expand: list("payment_method")})
	if err != nil {
		return err
	}
	return m.collected(linked.PaymentMethod)
}

func aCheckoutSession(m *merchant) error {
	payer, err := m.payer()
	if err != nil {
		return err
	}
	session, err := m.V1CheckoutSessions.Create(ctx, &stripe.CheckoutSessionCreateParams{
		Customer:           payer,
		PaymentMethodTypes: types,
		PaymentMethodOptions: &stripe.CheckoutSessionCreatePaymentMethodOptionsParams{
			USBankAccount: &stripe.CheckoutSessionCreatePaymentMethodOptionsUSBankAccountParams{
				FinancialConnections: &stripe.CheckoutSessionCreatePaymentMethodOptionsUSBankAccountFinancialConnectionsParams{
					Permissions: permissions,
					Prefetch:    prefetched,
				},
			},
		},
	})
	if err != nil {
		return err
	}
	if err := m.link(session.ID, ""); err != nil {
		return err
	}
	done, err := m.V1CheckoutSessions.Retrieve(ctx, session.ID, &stripe.CheckoutSessionRetrieveParams{
		Expand: list("setup_intent.payment_method"),
	})
	if err != nil {
		return err
	}
	return errors.Join(equal(done.Status, stripe.CheckoutSessionStatusComplete), m.collected(done.SetupIntent.PaymentMethod))
}

func anInvoice(m *merchant) error {
	payer, err := m.payer()
	if err != nil {
		return err
	}
	draft, err := m.V1Invoices.Create(ctx, &stripe.InvoiceCreateParams{
		Customer: payer,
		PaymentSettings: &stripe.InvoiceCreatePaymentSettingsParams{
			PaymentMethodTypes: types,
			PaymentMethodOptions: &stripe.InvoiceCreatePaymentSettingsPaymentMethodOptionsParams{
				USBankAccount: &stripe.InvoiceCreatePaymentSettingsPaymentMethodOptionsUSBankAccountParams{
					FinancialConnections: &stripe.InvoiceCreatePaymentSettingsPaymentMethodOptionsUSBankAccountFinancialConnectionsParams{
						Permissions: permissions,
						Prefetch:    prefetched,
					},
				},
			},
		},
	})
	if err != nil {
		return err
	}
	_, err = m.V1InvoiceItems.Create(ctx, &stripe.InvoiceItemCreateParams{
		Customer: payer,
		Invoice:  stripe.String(draft.ID),
		Amount:   stripe.Int64(1000),
		Currency: stripe.String("usd"),
	})
	if err != nil {
		return err
	}
	if _, err := m.V1Invoices.FinalizeInvoice(ctx, draft.ID, nil); err != nil {
		return err
	}
	if err := m.link(draft.ID, ""); err != nil {
		return err
	}
	open, err := m.V1Invoices.Retrieve(ctx, draft.ID, &stripe.InvoiceRetrieveParams{
		Expand: list("payments.data.payment.payment_intent"),
	})
	if err != nil {
		return err
	}
	return m.collectedBy(open.Payments.Data[0].Payment.PaymentIntent.ID)
}

func aSubscription(m *merchant) error {
	payer, err := m.payer()
	if err != nil {
		return err
	}
	made, err := m.V1Subscriptions.Create(ctx, &stripe.SubscriptionCreateParams{
		Customer: payer,
		PaymentSettings: &stripe.SubscriptionCreatePaymentSettingsParams{
			PaymentMethodTypes: types,
			PaymentMethodOptions: &stripe.SubscriptionCreatePaymentSettingsPaymentMethodOptionsParams{
				USBankAccount: &stripe.SubscriptionCreatePaymentSettingsPaymentMethodOptionsUSBankAccountParams{
					FinancialConnections: &stripe.SubscriptionCreatePaymentSettingsPaymentMethodOptionsUSBankAccountFinancialConnectionsParams{
						Permissions: permissions,
						Prefetch:    prefetched,
					},
				},
			},
		},
	})
	if err != nil {
		return err
	}
	if err := m.link(made.ID, ""); err != nil {
		return err
	}
	shown, err := m.V1Subscriptions.Retrieve(ctx, made.ID, &stripe.SubscriptionRetrieveParams{
		Expand: list("pending_setup_intent.payment_method"),
	})
	if err != nil {
		return err
	}
	return m.collected(shown.PendingSetupIntent.PaymentMethod)
}
