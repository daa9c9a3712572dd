<?php

declare(strict_types=1);

// The official PHP client against the real binary: the calls of Stripe's guide in the order of an
// integration. Needs what `composer.json` names, in `vendor` beside it or where STRIPE_PHP points. Prints a
// line a step, and at the end `N passed, M failed`.

use Stripe\Exception\ApiConnectionException;
use Stripe\Exception\AuthenticationException;
use Stripe\Exception\IdempotencyException;
use Stripe\Exception\InvalidRequestException;
use Stripe\Exception\PermissionException;
use Stripe\Exception\RateLimitException;
use Stripe\Exception\SignatureVerificationException;
use Stripe\Exception\UnknownApiErrorException;
use Stripe\FinancialConnections\Account;
use Stripe\PaymentMethod;
use Stripe\Stripe;
use Stripe\StripeClient;
use Stripe\Util\ApiVersion;
use Stripe\Webhook;

require getenv('STRIPE_PHP') ?: __DIR__ . '/vendor/autoload.php';
require __DIR__ . '/Server.php';

const HELPERS = '/v1/test_helpers';
const REFRESHED = 'financial_connections.account.refreshed_transactions';
const EMAIL = 'jenny.rosen@example.com';
const KEY = 'sk_test_php';
const TYPES = ['us_bank_account'];
const OPTIONS = [
    'us_bank_account' => [
        'financial_connections' => [
            'permissions' => ['payment_method', 'transactions'],
            'prefetch' => ['transactions'],
        ],
    ],
];

/** What the steps share: each one begins where the one before it ended. */
final class Merchant
{
    private StripeClient $stripe;
    private Inbox $inbox;
    private string $secret;
    private string $account;

    public function __construct(private Server $server)
    {
        $this->inbox = new Inbox();
        $this->stripe = $this->connect(KEY);
        // Later pages of a list are asked for where the class says, not where the client does.
        Stripe::$apiBase = "http://127.0.0.1:{$server->port}";
    }

    private function connect(string $key, ?int $port = null, int $retries = 0): StripeClient
    {
        return new StripeClient([
            'api_key' => $key,
            'api_base' => 'http://127.0.0.1:' . ($port ?? $this->server->port),
            'max_network_retries' => $retries,
        ]);
    }

    // Steps, in order.

    public function anEndpointIsMadeWithTheClientsOwnVersion(): void
    {
        $endpoint = $this->stripe->webhookEndpoints->create([
            'url' => $this->inbox->url,
            'enabled_events' => ['*'],
            'api_version' => ApiVersion::CURRENT,
        ]);
        holds($endpoint->api_version === ApiVersion::CURRENT, $endpoint);
        $this->secret = $endpoint->secret;
    }

    public function theGuideFromCustomerToUnsubscribe(): void
    {
        $connections = $this->stripe->financialConnections;
        $customer = $this->stripe->customers->create(['email' => EMAIL, 'phone' => '2025550100']);
        holds($customer->email === EMAIL, $customer);
        $session = $connections->sessions->create($this->session($customer->id));
        $this->link($session->id);
        $listed = $connections->accounts->all(['session' => $session->id]);
        $this->account = $listed->data[0]->id;
        $error = refused(
            InvalidRequestException::class,
            fn () => $connections->transactions->all(['account' => $this->account]),
        );
        $code = 'financial_connections_no_successful_transaction_refresh';
        holds($error->getStripeCode() === $code, $error);
        $features = ['features' => ['transactions']];
        $subscribed = $connections->accounts->subscribe($this->account, $features);
        $first = $subscribed->transaction_refresh->id;
        $this->told($first);
        $rows = $connections->transactions->all(['account' => $this->account, 'limit' => 40]);
        $ids = [];
        foreach ($rows->autoPagingIterator() as $row) {
            $ids[$row->id] = true;
        }
        holds(count($ids) > 100, count($ids));
        $entry = ['amount' => -1200, 'description' => 'Blue Door Coffee'];
        $this->raw("/financial_connections/accounts/{$this->account}/transactions", $entry);
        $second = $connections->accounts->refresh($this->account, $features)->transaction_refresh->id;
        $this->told($second);
        $later = $connections->transactions->all([
            'account' => $this->account,
            'transaction_refresh' => ['after' => $first],
        ]);
        $found = false;
        foreach ($later->autoPagingIterator() as $row) {
            holds($row->transaction_refresh === $second, $row);
            $found = $found || ($row->description === 'Blue Door Coffee' && $row->amount === -1200);
        }
        holds($found, $later);
        $ended = $connections->accounts->unsubscribe($this->account, $features);
        holds($ended->subscriptions === [], $ended);
    }

    public function aPrefetchStartsWithTheLink(): void
    {
        $connections = $this->stripe->financialConnections;
        $asked = $this->session($this->payer()) + ['prefetch' => ['transactions']];
        $session = $connections->sessions->create($asked);
        $this->link($session->id);
        $linked = $connections->sessions->retrieve($session->id)->accounts->data[0];
        $this->told($linked->transaction_refresh->id);
    }

    public function everyCarrierCollectsAnAccount(): void
    {
        $wanted = ['payment_method_types' => TYPES, 'payment_method_options' => OPTIONS];
        $expand = ['expand' => ['payment_method']];
        $payment = $this->stripe->paymentIntents->create($wanted + [
            'amount' => 2000,
            'currency' => 'usd',
            'customer' => $this->payer(),
            'setup_future_usage' => 'off_session',
        ]);
        $this->link($payment->id);
        $this->collected($this->stripe->paymentIntents->retrieve($payment->id, $expand)->payment_method);

        $setup = $this->stripe->setupIntents->create($wanted + ['customer' => $this->payer()]);
        $this->link($setup->id);
        $this->collected($this->stripe->setupIntents->retrieve($setup->id, $expand)->payment_method);

        $sessions = $this->stripe->checkout->sessions;
        $checkout = $sessions->create($wanted + ['customer' => $this->payer()]);
        $this->link($checkout->id);
        $done = $sessions->retrieve($checkout->id, ['expand' => ['setup_intent.payment_method']]);
        holds($done->status === 'complete', $done);
        $this->collected($done->setup_intent->payment_method);
    }

    public function everyBillCollectsAnAccount(): void
    {
        $settings = ['payment_method_types' => TYPES, 'payment_method_options' => OPTIONS];
        $payer = $this->payer();
        $invoices = $this->stripe->invoices;
        $draft = $invoices->create(['customer' => $payer, 'payment_settings' => $settings]);
        $item = ['customer' => $payer, 'invoice' => $draft->id, 'amount' => 1000, 'currency' => 'usd'];
        $this->stripe->invoiceItems->create($item);
        $invoices->finalizeInvoice($draft->id);
        $this->link($draft->id);
        $expand = ['expand' => ['payments.data.payment.payment_intent']];
        $open = $invoices->retrieve($draft->id, $expand);
        $intent = $this->stripe->paymentIntents->retrieve(
            $open->payments->data[0]->payment->payment_intent->id,
            ['expand' => ['payment_method']],
        );
        $this->collected($intent->payment_method);

        $subscriptions = $this->stripe->subscriptions;
        $asked = ['customer' => $this->payer(), 'payment_settings' => $settings];
        $subscription = $subscriptions->create($asked);
        $this->link($subscription->id);
        $expand = ['expand' => ['pending_setup_intent.payment_method']];
        $shown = $subscriptions->retrieve($subscription->id, $expand);
        $this->collected($shown->pending_setup_intent->payment_method);
    }

    public function mistakesAreTypedExceptions(): void
    {
        $connections = $this->stripe->financialConnections;
        $stranger = $this->connect('sk_wrong')->customers;
        $error = refused(AuthenticationException::class, fn () => $stranger->all());
        holds($error->getHttpStatus() === 401, $error);
        $browser = $this->connect('pk_test_php')->customers;
        $error = refused(PermissionException::class, fn () => $browser->all());
        holds($error->getStripeCode() === 'secret_key_required', $error);
        $error = refused(
            InvalidRequestException::class,
            fn () => $connections->accounts->retrieve('fca_none'),
        );
        holds($error->getStripeCode() === 'resource_missing', $error);
        $error = refused(
            InvalidRequestException::class,
            fn () => $connections->accounts->subscribe($this->account),
        );
        holds($error->getStripeParam() === 'features', $error);
        $customers = $this->stripe->customers;
        $once = ['idempotency_key' => 'php-once'];
        $first = $customers->create(['name' => 'Once'], $once);
        holds($customers->create(['name' => 'Once'], $once)->id === $first->id, $first);
        refused(IdempotencyException::class, fn () => $customers->create(['name' => 'Twice'], $once));
    }

    public function aForgedWebhookIsRefused(): void
    {
        [$body, $signature] = $this->inbox->wait('any webhook', fn (...$delivery) => $delivery);
        $forged = str_replace('"livemode":false', '"livemode":true', $body);
        refused(
            SignatureVerificationException::class,
            fn () => Webhook::constructEvent($forged, $signature, $this->secret),
        );
    }

    public function aCutConnectionIsTriedAgain(): void
    {
        $words = [PHP_BINARY, __DIR__ . '/front.php', (string) $this->server->port];
        $front = proc_open($words, [1 => ['pipe', 'w']], $pipes);
        $port = (int) fgets($pipes[1]);
        // A client that retries sends a key of its own only where the class retries too.
        Stripe::setMaxNetworkRetries(2);
        $made = $this->connect(KEY, $port, 2)->customers->create(['email' => 'cut@example.com']);
        Stripe::setMaxNetworkRetries(0);
        $all = $this->stripe->customers->all(['email' => 'cut@example.com']);
        holds(array_map(fn ($one) => $one->id, $all->data) === [$made->id], $all);
        proc_terminate($front);
        proc_close($front);
        $nobody = $this->connect(KEY, $port)->customers;
        refused(ApiConnectionException::class, fn () => $nobody->all());
    }

    public function aDisconnectedAccountIsClosed(): void
    {
        $connections = $this->stripe->financialConnections;
        $connections->accounts->disconnect($this->account);
        $error = refused(
            InvalidRequestException::class,
            fn () => $connections->transactions->all(['account' => $this->account]),
        );
        holds($error->getStripeCode() === 'financial_connections_account_inactive', $error);
    }

    public function aRateLimitAndAFailureInsideTheServerAreTypedExceptions(): void
    {
        $fault = ['path' => '/v1/customers', 'times' => 1];
        $this->raw('/faults', ['kind' => 'api_rate_limited'] + $fault);
        $error = refused(RateLimitException::class, fn () => $this->stripe->customers->all());
        holds($error->getStripeCode() === 'rate_limit', $error);
        $this->raw('/faults', ['kind' => 'api_error_before'] + $fault);
        $error = refused(UnknownApiErrorException::class, fn () => $this->stripe->customers->all());
        holds($error->getHttpStatus() === 500, $error);
    }

    private function raw(string $path, array $params): void
    {
        $this->stripe->rawRequest('post', HELPERS . $path, $params);
    }

    /** Links an account of a test bank as the holder would, without a browser. */
    private function link(string $carrier): void
    {
        $this->raw('/financial_connections/link', ['carrier' => $carrier]);
    }

    private function session(string $customer): array
    {
        return [
            'account_holder' => ['type' => 'customer', 'customer' => $customer],
            'permissions' => ['transactions'],
        ];
    }

    /** Waits for the verified event about the end of a refresh. */
    private function told(string $refresh): void
    {
        $account = $this->inbox->wait("the end of {$refresh}", function ($body, $signature) use ($refresh) {
            $event = Webhook::constructEvent($body, $signature, $this->secret);
            $shown = $event->data->object;
            $told = $event->type === REFRESHED && $shown->transaction_refresh->id === $refresh;

            return $told ? $shown : null;
        });
        holds($account instanceof Account, $account);
        holds($account->transaction_refresh->status === 'succeeded', $account);
    }

    private function payer(): string
    {
        return $this->stripe->customers->create(['email' => EMAIL])->id;
    }

    /** Looks at the account of a payment method; its prefetch has to end in a webhook. */
    private function collected(PaymentMethod $method): void
    {
        $connections = $this->stripe->financialConnections;
        $id = $method->us_bank_account->financial_connections_account;
        $this->told($connections->accounts->retrieve($id)->transaction_refresh->id);
        holds($connections->transactions->all(['account' => $id])->data !== [], $id);
    }
}

function holds(bool $condition, mixed $what): void
{
    if (!$condition) {
        throw new RuntimeException('it does not hold: ' . print_r($what, true));
    }
}

/** The typed exception of a call that has to fail. */
function refused(string $type, callable $call): Throwable
{
    try {
        $call();
    } catch (Throwable $error) {
        if ($error::class === $type) {
            return $error;
        }

        throw $error;
    }

    throw new RuntimeException('the call was not refused');
}

const STEPS = [
    'anEndpointIsMadeWithTheClientsOwnVersion',
    'theGuideFromCustomerToUnsubscribe',
    'aPrefetchStartsWithTheLink',
    'everyCarrierCollectsAnAccount',
    'everyBillCollectsAnAccount',
    'mistakesAreTypedExceptions',
    'aForgedWebhookIsRefused',
    'aCutConnectionIsTriedAgain',
    'aDisconnectedAccountIsClosed',
    'aRateLimitAndAFailureInsideTheServerAreTypedExceptions',
];

$server = new Server();
$passed = 0;
$failed = 0;
try {
    $merchant = new Merchant($server);
    // The first failure ends it, since later steps stand on earlier ones.
    foreach (STEPS as $step) {
        $merchant->{$step}();
        ++$passed;
        $name = strtolower(preg_replace('/(?<!^)[A-Z]/', ' $0', $step));
        echo 'php stripe ', Stripe::VERSION, ' (', ApiVersion::CURRENT, "): {$name}\n";
    }
} catch (Throwable $error) {
    $failed = 1;
    echo 'FAILED php: ', STEPS[$passed], "\n{$error}\n";
} finally {
    $server->stop();
}
echo "{$passed} passed, {$failed} failed\n";
exit($failed);
