// The official Go client against the real binary: the calls of Stripe's guide in the order of an
// integration, in both styles of the client. Prints a line a step, and at the end "N passed, M failed".
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"
)

const (
	key       = "sk_test_go"
	email     = "jenny.rosen@example.com"
	helpers   = "/v1/test_helpers"
	refreshed = "financial_connections.account.refreshed_transactions"
)

var ctx = context.Background()

// merchant is what the steps share: each one begins where the one before it ended.
type merchant struct {
	*stripe.Client
	server   *server
	inbox    *inbox
	secret   string
	customer string
	account  string
	refresh  string
}

type step struct {
	name string
	act  func(*merchant) error
}

func main() {
	passed, failed := run()
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

// run ends at the first failure, since later steps stand on earlier ones.
func run() (passed, failed int) {
	server, err := startServer()
	if err != nil {
		fmt.Println("FAILED go:", err)
		return 0, 1
	}
	defer server.stop()
	m := &merchant{server: server, Client: client(server.address, key, nil)}
	for _, steps := range [][]step{guide, carriers, thin, mistakes} {
		for _, step := range steps {
			if err := step.act(m); err != nil {
				fmt.Printf("FAILED go: %s: %v\n", step.name, err)
				return passed, failed + 1
			}
			passed++
			fmt.Printf("go stripe-go %s (%s): %s\n", stripe.ClientVersion, stripe.APIVersion, step.name)
		}
	}
	return passed, failed
}

// backends is where a client calls: this server, silently.
func backends(address string, retries *int64) *stripe.Backends {
	return stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String("http://" + address),
		MaxNetworkRetries: retries,
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
}

func client(address, key string, retries *int64) *stripe.Client {
	return stripe.NewClient(key, stripe.WithBackends(backends(address, retries)))
}

// raw calls one of the server's own test helpers.
func (m *merchant) raw(path string, form string) error {
	backend := backends(m.server.address, nil).API.(stripe.RawRequestBackend)
	_, err := backend.RawRequest("POST", helpers+path, key, form, nil)
	return err
}

// link links an account of a test bank as the holder would, without a browser.
func (m *merchant) link(carrier string, more string) error {
	return m.raw("/financial_connections/link", "carrier="+carrier+more)
}

// told waits for the verified event about the end of a refresh.
func (m *merchant) told(refresh string) error {
	return m.inbox.wait("the end of "+refresh, func(came delivery) (bool, error) {
		event, err := webhook.ConstructEvent(came.body, came.signature, m.secret)
		if err != nil || event.Type != refreshed {
			return false, err
		}
		var account stripe.FinancialConnectionsAccount
		if err := json.Unmarshal(event.Data.Raw, &account); err != nil {
			return false, err
		}
		if account.TransactionRefresh.ID != refresh {
			return false, nil
		}
		return true, equal(string(account.TransactionRefresh.Status), "succeeded")
	})
}

func equal[T comparable](got, wanted T) error {
	if got != wanted {
		return fmt.Errorf("got %v instead of %v", got, wanted)
	}
	return nil
}

func holds(condition bool, what string) error {
	if !condition {
		return errors.New("it does not hold that " + what)
	}
	return nil
}

// refused holds that a call failed with the client's typed error.
func refused(err error, status int, kind stripe.ErrorType, code stripe.ErrorCode) error {
	var typed *stripe.Error
	if !errors.As(err, &typed) {
		return fmt.Errorf("no error of the client: %v", err)
	}
	return errors.Join(equal(typed.HTTPStatusCode, status), equal(typed.Type, kind), equal(typed.Code, code))
}

func list[T any](values ...T) []*T {
	pointers := make([]*T, len(values))
	for place := range values {
		pointers[place] = &values[place]
	}
	return pointers
}

func prefixed(text, prefix string) error {
	return holds(strings.HasPrefix(text, prefix), text+" begins with "+prefix)
}
