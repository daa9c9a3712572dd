package bankfeedtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"
)

// Endpoint is a webhook endpoint of the key. Secret verifies its webhooks.
type Endpoint struct {
	ID     string
	URL    string
	Secret string
}

// receiver calls a function for each webhook, one at a time, after it has verified the signature. The
// response is 200 after a return without an error and 500 otherwise.
type receiver struct {
	handle func(stripe.Event) error
	server *httptest.Server

	mutex  sync.Mutex
	secret string
	err    error
}

// Endpoint registers a function that gets each verified event.
func (b *Bankfeed) Endpoint(handle func(stripe.Event) error) *Endpoint {
	b.t.Helper()
	mine := &receiver{handle: handle}
	mine.server = httptest.NewServer(mine)
	b.receivers = append(b.receivers, mine)
	endpoint := b.EndpointAt(mine.server.URL)
	mine.mutex.Lock()
	defer mine.mutex.Unlock()
	mine.secret = endpoint.Secret
	return endpoint
}

// EndpointAt registers the URL of a receiver for all events.
func (b *Bankfeed) EndpointAt(url string) *Endpoint {
	b.t.Helper()
	created, err := b.Client.V1WebhookEndpoints.Create(context.Background(),
		&stripe.WebhookEndpointCreateParams{
			URL:           stripe.String(url),
			EnabledEvents: stripe.StringSlice([]string{"*"}),
			APIVersion:    stripe.String(stripe.APIVersion),
		})
	b.must(err)
	return &Endpoint{ID: created.ID, URL: created.URL, Secret: created.Secret}
}

// ServeHTTP verifies a webhook and passes its event to the function.
func (r *receiver) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var event stripe.Event
	if err == nil {
		event, err = webhook.ConstructEvent(body, request.Header.Get("Stripe-Signature"), r.secret)
	}
	if err != nil {
		response.WriteHeader(http.StatusBadRequest)
		return
	}
	if err := r.handle(event); err != nil {
		r.err = err
		response.WriteHeader(http.StatusInternalServerError)
	}
}

// takeError removes and returns the last error of the function.
func (r *receiver) takeError() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	err := r.err
	r.err = nil
	return err
}

func (r *receiver) stop() {
	r.server.Close()
}
