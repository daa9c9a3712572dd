// The official .NET client against the real binary: the calls of Stripe's guide in the order of an
// integration, by `StripeClient` and by services of their own. Prints a line a step, and at the end
// "N passed, M failed".
using System.Net;
using Stripe;
using Connections = Stripe.FinancialConnections;

var passed = 0;
var failed = 0;
using (var server = new Server())
using (var inbox = new Inbox())
{
    var merchant = new Merchant(server, inbox);
    foreach (var (name, act) in merchant.Steps())
    {
        try
        {
            await act();
            passed++;
            Console.WriteLine($"dotnet Stripe.net ({StripeConfiguration.ApiVersion}): {name}");
        }
        catch (Exception error)
        {
            // The first failure ends it, since later steps stand on earlier ones.
            failed++;
            Console.WriteLine($"FAILED dotnet: {name}\n{error}");
            break;
        }
    }
}

Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 ? 0 : 1;

/// <summary>What the steps share: each one begins where the one before it ended.</summary>
internal sealed class Merchant(Server server, Inbox inbox)
{
    private const string Helpers = "/v1/test_helpers";
    private const string Refreshed = "financial_connections.account.refreshed_transactions";
    private const string Email = "jenny.rosen@example.com";
    private const string Key = "sk_test_dotnet";
    private const string Bank = "us_bank_account";
    private static readonly List<string> Transactions = new() { "transactions" };
    private static readonly List<string> Permissions = new() { "payment_method", "transactions" };
    private static readonly List<string> Types = new() { Bank };

    private readonly StripeClient stripe = Connect(Key, server.Port);
    private string secret = string.Empty;
    private string account = string.Empty;

    public IEnumerable<(string Name, Func<Task> Act)> Steps() => new (string, Func<Task>)[]
    {
        ("an endpoint is made with the client's own version", this.Endpoint),
        ("the guide by the client", this.Guide),
        ("the guide by services", this.Services),
        ("intents collect an account", this.Intents),
        ("a Checkout Session collects an account", this.Checkout),
        ("bills collect an account", this.Bills),
        ("mistakes are typed exceptions", this.Mistakes),
        ("a forged webhook is refused", this.Forged),
        ("a connection that is cut is tried again, and the work is done once", this.Cut),
        ("a disconnected account is closed", this.Disconnected),
        ("a rate limit, and a failure inside the server, are typed errors", this.Faults),
    };

    private static StripeClient Connect(string key, int port, int retries = 2) =>
        new(new StripeClientOptions
        {
            ApiKey = key,
            ApiBase = $"http://127.0.0.1:{port}",
            HttpClient = new SystemNetHttpClient(new HttpClient(), maxNetworkRetries: retries),
        });

    private static void Holds(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"it does not hold that {what}");
        }
    }

    private static async Task Refused(HttpStatusCode status, string? code, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (StripeException error)
        {
            Holds(error.HttpStatusCode == status, $"{error.HttpStatusCode} is {status}");
            Holds(error.StripeError.Code == code, $"{error.StripeError.Code} is {code}");
            return;
        }

        throw new InvalidOperationException("the call was not refused");
    }

    private static Connections.SessionCreateOptions Session(string customer) => new()
    {
        AccountHolder = new() { Type = "customer", Customer = customer },
        Permissions = Transactions,
    };

    private async Task Raw(string path, string form) =>
        await this.stripe.RawRequestAsync(HttpMethod.Post, Helpers + path, form);

    /// <summary>Links an account of a test bank as the holder would, without a browser.</summary>
    private Task Link(string carrier) => this.Raw("/financial_connections/link", $"carrier={carrier}");

    /// <summary>Waits for the verified event about the end of a refresh.</summary>
    private void Told(string refresh)
    {
        var told = inbox.Wait($"the end of {refresh}", delivery =>
        {
            var constructed = EventUtility.ConstructEvent(delivery.Body, delivery.Signature, this.secret);
            var shown = constructed.Data.Object as Connections.Account;
            var found = constructed.Type == Refreshed && shown?.TransactionRefresh.Id == refresh;
            return found ? shown : null;
        });
        Holds(told.TransactionRefresh.Status == "succeeded", "the refresh succeeded");
    }

    private async Task<string> Payer()
    {
        var made = await this.stripe.V1.Customers.CreateAsync(new() { Email = Email });
        return made.Id;
    }

    /// <summary>Looks at the account of a payment method; its prefetch has to end in a webhook.</summary>
    private async Task Collected(PaymentMethod method)
    {
        var connections = this.stripe.V1.FinancialConnections;
        var id = method.UsBankAccount.FinancialConnectionsAccount;
        var linked = await connections.Accounts.GetAsync(id);
        this.Told(linked.TransactionRefresh.Id);
        var rows = await connections.Transactions.ListAsync(new() { Account = id });
        Holds(rows.Data.Count > 0, "there are transactions");
    }

    private async Task Endpoint()
    {
        var endpoint = await this.stripe.V1.WebhookEndpoints.CreateAsync(new()
        {
            Url = inbox.Url,
            EnabledEvents = new() { "*" },
            ApiVersion = StripeConfiguration.ApiVersion,
        });
        Holds(endpoint.ApiVersion == StripeConfiguration.ApiVersion, "the version is the client's");
        this.secret = endpoint.Secret;
    }

    private async Task Guide()
    {
        var connections = this.stripe.V1.FinancialConnections;
        var customer = await this.stripe.V1.Customers.CreateAsync(new() { Email = Email, Phone = "2025550100" });
        var session = await connections.Sessions.CreateAsync(Session(customer.Id));
        await this.Link(session.Id);
        var listed = await connections.Accounts.ListAsync(new() { Session = session.Id });
        this.account = listed.Data[0].Id;
        var all = new Connections.TransactionListOptions { Account = this.account, Limit = 40 };
        await Refused(
            HttpStatusCode.BadRequest,
            "financial_connections_no_successful_transaction_refresh",
            () => connections.Transactions.ListAsync(all));
        var subscribed = await connections.Accounts.SubscribeAsync(this.account, new() { Features = Transactions });
        var first = subscribed.TransactionRefresh.Id;
        this.Told(first);
        var ids = new HashSet<string>();
        await foreach (var row in connections.Transactions.ListAutoPagingAsync(all))
        {
            ids.Add(row.Id);
        }

        Holds(ids.Count > 100, $"{ids.Count} are more than 100");
        await this.Raw($"/financial_connections/accounts/{this.account}/transactions", "amount=-1200&description=Blue%20Door%20Coffee");
        var asked = await connections.Accounts.RefreshAsync(this.account, new() { Features = Transactions });
        this.Told(asked.TransactionRefresh.Id);
        all.TransactionRefresh = new() { After = first };
        var found = false;
        await foreach (var row in connections.Transactions.ListAutoPagingAsync(all))
        {
            Holds(row.TransactionRefresh == asked.TransactionRefresh.Id, "only the later refresh is listed");
            found |= row.Description == "Blue Door Coffee" && row.Amount == -1200;
        }

        Holds(found, "the new transaction is listed");
        var ended = await connections.Accounts.UnsubscribeAsync(this.account, new() { Features = Transactions });
        Holds(ended.Subscriptions.Count == 0, "nothing is subscribed to");
    }

    private async Task Services()
    {
        var customer = await new CustomerService(this.stripe).CreateAsync(new() { Email = Email });
        var wanted = Session(customer.Id);
        wanted.Prefetch = Transactions;
        var sessions = new Connections.SessionService(this.stripe);
        var made = await sessions.CreateAsync(wanted);
        await this.Link(made.Id);
        var linked = (await sessions.GetAsync(made.Id)).Accounts.Data[0];
        this.Told(linked.TransactionRefresh.Id);
        var accounts = new Connections.AccountService(this.stripe);
        var subscribed = await accounts.SubscribeAsync(linked.Id, new() { Features = Transactions });
        this.Told(subscribed.TransactionRefresh.Id);
        var rows = await new Connections.TransactionService(this.stripe).ListAsync(new() { Account = linked.Id });
        Holds(rows.HasMore, "there is another page");
    }

    private async Task Intents()
    {
        var payments = this.stripe.V1.PaymentIntents;
        var payment = await payments.CreateAsync(new()
        {
            Amount = 2000,
            Currency = "usd",
            Customer = await this.Payer(),
            SetupFutureUsage = "off_session",
            PaymentMethodTypes = Types,
            PaymentMethodOptions = new()
            {
                UsBankAccount = new()
                {
                    FinancialConnections = new() { Permissions = Permissions, Prefetch = Transactions },
                },
            },
        });
        await this.Link(payment.Id);
        var linked = await payments.GetAsync(payment.Id, new() { Expand = new() { "payment_method" } });
        await this.Collected(linked.PaymentMethod);

        var setups = this.stripe.V1.SetupIntents;
        var setup = await setups.CreateAsync(new()
        {
            Customer = await this.Payer(),
            PaymentMethodTypes = Types,
            PaymentMethodOptions = new()
            {
                UsBankAccount = new()
                {
                    FinancialConnections = new() { Permissions = Permissions, Prefetch = Transactions },
                },
            },
        });
        await this.Link(setup.Id);
        var done = await setups.GetAsync(setup.Id, new() { Expand = new() { "payment_method" } });
        await this.Collected(done.PaymentMethod);
    }

    private async Task Checkout()
    {
        var sessions = this.stripe.V1.Checkout.Sessions;
        var made = await sessions.CreateAsync(new()
        {
            Customer = await this.Payer(),
            PaymentMethodTypes = Types,
            PaymentMethodOptions = new()
            {
                UsBankAccount = new()
                {
                    FinancialConnections = new() { Permissions = Permissions, Prefetch = Transactions },
                },
            },
        });
        await this.Link(made.Id);
        var expand = new List<string> { "setup_intent.payment_method" };
        var done = await sessions.GetAsync(made.Id, new() { Expand = expand });
        Holds(done.Status == "complete", "the session is complete");
        await this.Collected(done.SetupIntent.PaymentMethod);
    }

    private async Task Bills()
    {
        var payer = await this.Payer();
        var draft = await this.stripe.V1.Invoices.CreateAsync(new()
        {
            Customer = payer,
            PaymentSettings = new()
            {
                PaymentMethodTypes = Types,
                PaymentMethodOptions = new()
                {
                    UsBankAccount = new()
                    {
                        FinancialConnections = new() { Permissions = Permissions, Prefetch = Transactions },
                    },
                },
            },
        });
        await this.stripe.V1.InvoiceItems.CreateAsync(
            new() { Customer = payer, Invoice = draft.Id, Amount = 1000, Currency = "usd" });
        await this.stripe.V1.Invoices.FinalizeInvoiceAsync(draft.Id);
        await this.Link(draft.Id);
        var expand = new List<string> { "payments.data.payment.payment_intent" };
        var open = await this.stripe.V1.Invoices.GetAsync(draft.Id, new() { Expand = expand });
        var intent = await this.stripe.V1.PaymentIntents.GetAsync(
            open.Payments.Data[0].Payment.PaymentIntentId,
            new() { Expand = new() { "payment_method" } });
        await this.Collected(intent.PaymentMethod);

        var subscription = await this.stripe.V1.Subscriptions.CreateAsync(new()
        {
            Customer = await this.Payer(),
            PaymentSettings = new()
            {
                PaymentMethodTypes = Types,
                PaymentMethodOptions = new()
                {
                    UsBankAccount = new()
                    {
                        FinancialConnections = new() { Permissions = Permissions, Prefetch = Transactions },
                    },
                },
            },
        });
        await this.Link(subscription.Id);
        expand = new() { "pending_setup_intent.payment_method" };
        var shown = await this.stripe.V1.Subscriptions.GetAsync(subscription.Id, new() { Expand = expand });
        await this.Collected(shown.PendingSetupIntent.PaymentMethod);
    }

    private async Task Mistakes()
    {
        var stranger = Connect("sk_wrong", server.Port);
        await Refused(HttpStatusCode.Unauthorized, null, () => stranger.V1.Customers.ListAsync());
        var browser = Connect("pk_test_dotnet", server.Port);
        await Refused(HttpStatusCode.Forbidden, "secret_key_required", () => browser.V1.Customers.ListAsync());
        var accounts = this.stripe.V1.FinancialConnections.Accounts;
        await Refused(HttpStatusCode.NotFound, "resource_missing", () => accounts.GetAsync("fca_none"));
        await Refused(
            HttpStatusCode.BadRequest,
            "parameter_missing",
            () => accounts.SubscribeAsync(this.account, new()));
        var once = new RequestOptions { IdempotencyKey = "dotnet-once" };
        var customers = this.stripe.V1.Customers;
        var first = await customers.CreateAsync(new() { Name = "Once" }, once);
        var again = await customers.CreateAsync(new() { Name = "Once" }, once);
        Holds(first.Id == again.Id, "the customer was made once");
        await Refused(
            HttpStatusCode.BadRequest,
            null,
            () => customers.CreateAsync(new() { Name = "Twice" }, once));
    }

    private Task Forged()
    {
        var came = inbox.Wait("any webhook", delivery => delivery);
        var forged = came.Body.Replace("\"livemode\":false", "\"livemode\":true");
        try
        {
            EventUtility.ConstructEvent(forged, came.Signature, this.secret);
        }
        catch (StripeException)
        {
            return Task.CompletedTask;
        }

        throw new InvalidOperationException("the signature was not refused");
    }

    private async Task Cut()
    {
        const string email = "cut@example.com";
        var front = Connect(Key, Network.CutOnce(server.Port));
        var made = await front.V1.Customers.CreateAsync(new() { Email = email });
        var all = await this.stripe.V1.Customers.ListAsync(new() { Email = email });
        Holds(all.Data.Count == 1 && all.Data[0].Id == made.Id, "the customer was made once");
        var nobody = Connect(Key, Network.FreePort(), retries: 0);
        try
        {
            await nobody.V1.Customers.ListAsync();
        }
        catch (HttpRequestException)
        {
            return;
        }

        throw new InvalidOperationException("somebody answered");
    }

    private async Task Disconnected()
    {
        var connections = this.stripe.V1.FinancialConnections;
        await connections.Accounts.DisconnectAsync(this.account);
        await Refused(
            HttpStatusCode.BadRequest,
            "financial_connections_account_inactive",
            () => connections.Transactions.ListAsync(new() { Account = this.account }));
    }

    private async Task Faults()
    {
        var hasty = Connect(Key, server.Port, retries: 0).V1.Customers;
        await this.Raw("/faults", "kind=api_rate_limited&path=/v1/customers&times=1");
        await Refused(HttpStatusCode.TooManyRequests, "rate_limit", () => hasty.ListAsync());
        await this.Raw("/faults", "kind=api_error_before&path=/v1/customers&times=1");
        await Refused(HttpStatusCode.InternalServerError, null, () => hasty.ListAsync());
    }
}
