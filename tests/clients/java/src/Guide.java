import com.stripe.Stripe;
import com.stripe.exception.InvalidRequestException;
import com.stripe.model.Customer;
import com.stripe.model.financialconnections.Account;
import com.stripe.model.financialconnections.Session;
import com.stripe.model.financialconnections.Transaction;
import com.stripe.param.CustomerCreateParams;
import com.stripe.param.WebhookEndpointCreateParams;
import com.stripe.param.financialconnections.AccountListOwnersParams;
import com.stripe.param.financialconnections.AccountListParams;
import com.stripe.param.financialconnections.AccountOwnerListParams;
import com.stripe.param.financialconnections.AccountRefreshParams;
import com.stripe.param.financialconnections.AccountRetrieveParams;
import com.stripe.param.financialconnections.AccountSubscribeParams;
import com.stripe.param.financialconnections.AccountUnsubscribeParams;
import com.stripe.param.financialconnections.SessionCreateParams;
import com.stripe.param.financialconnections.SessionRetrieveParams;
import com.stripe.param.financialconnections.TransactionListParams;
import com.stripe.service.FinancialConnectionsService;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The guide's calls in the order of an integration, by the client and then in the resource style. */
final class Guide {
  private final Merchant merchant;

  Guide(Merchant merchant) {
    this.merchant = merchant;
  }

  private FinancialConnectionsService connections() {
    return merchant.stripe.v1().financialConnections();
  }

  void anEndpointIsMadeWithTheClientsOwnVersion() throws Exception {
    var params =
        WebhookEndpointCreateParams.builder()
            .setUrl(merchant.inbox.url())
            .addEnabledEvent(WebhookEndpointCreateParams.EnabledEvent.ALL)
            .setApiVersion(
                Arrays.stream(WebhookEndpointCreateParams.ApiVersion.values())
                    .filter(version -> version.getValue().equals(Stripe.API_VERSION))
                    .findFirst()
                    .orElseThrow());
    var endpoint = merchant.stripe.v1().webhookEndpoints().create(params.build());
    Merchant.equal(Stripe.API_VERSION, endpoint.getApiVersion());
    merchant.secret = endpoint.getSecret();
  }

  void aCustomerIsMade() throws Exception {
    var params =
        CustomerCreateParams.builder().setEmail(Merchant.EMAIL).setPhone("2025550100").build();
    Customer customer = merchant.stripe.v1().customers().create(params);
    Merchant.equal(Merchant.EMAIL, customer.getEmail());
    Merchant.holds(customer.getLastResponse().requestId().startsWith("req_"), "it has an id");
    merchant.customer = customer.getId();
  }

  static SessionCreateParams.Builder session(String customer) {
    var holder =
        SessionCreateParams.AccountHolder.builder()
            .setType(SessionCreateParams.AccountHolder.Type.CUSTOMER)
            .setCustomer(customer);
    return SessionCreateParams.builder()
        .setAccountHolder(holder.build())
        .addPermission(SessionCreateParams.Permission.TRANSACTIONS);
  }

  void aSessionAsksForTransactionsAndItsHolderLinksAnAccount() throws Exception {
    Session made = connections().sessions().create(session(merchant.customer).build());
    Merchant.holds(made.getClientSecret().startsWith("fcsess_client_secret_"), "it has a secret");
    merchant.help("/financial_connections/link", "carrier", made.getId(), "accounts[]", "Success");
    var expand = SessionRetrieveParams.builder().addExpand("accounts.data.account_holder.customer");
    Session linked = connections().sessions().retrieve(made.getId(), expand.build());
    Account account = linked.getAccounts().getData().get(0);
    var holder = account.getAccountHolder();
    Merchant.equal(Merchant.EMAIL, holder.getCustomerObject().getEmail());
    Merchant.equal(null, account.getTransactionRefresh());
    var of =
        AccountListParams.AccountHolder.builder().setCustomer(merchant.customer).build();
    var listed =
        connections().accounts().list(AccountListParams.builder().setAccountHolder(of).build());
    Merchant.equal(account.getId(), listed.getData().get(0).getId());
    merchant.account = account.getId();
  }

  private TransactionListParams.Builder transactions() {
    return TransactionListParams.builder().setAccount(merchant.account);
  }

  void nothingIsListedBeforeARefreshSucceeded() {
    Merchant.refused(
        400,
        "financial_connections_no_successful_transaction_refresh",
        InvalidRequestException.class,
        () -> connections().transactions().list(transactions().build()));
  }

  void subscribingStartsARefreshAndAWebhookTellsOfItsEnd() throws Exception {
    var params =
        AccountSubscribeParams.builder()
            .addFeature(AccountSubscribeParams.Feature.TRANSACTIONS)
            .build();
    Account account = connections().accounts().subscribe(merchant.account, params);
    Merchant.equal(List.of("transactions"), account.getSubscriptions());
    Merchant.equal("pending", account.getTransactionRefresh().getStatus());
    merchant.refresh = account.getTransactionRefresh().getId();
    merchant.told(merchant.refresh);
  }

  void transactionsAreListedPageByPage() throws Exception {
    Set<String> ids = new HashSet<>();
    var first = connections().transactions().list(transactions().setLimit(40L).build());
    Merchant.holds(first.getHasMore() && first.getData().size() == 40, "there is another page");
    for (Transaction row : first.autoPagingIterable()) {
      Merchant.equal(merchant.account, row.getAccount());
      Merchant.equal(merchant.refresh, row.getTransactionRefresh());
      ids.add(row.getId());
    }
    Merchant.holds(ids.size() > 100, ids.size() + " are more than 100");
  }

  void afterARefreshOnlyWhatCameLaterIsListed() throws Exception {
    String path = "/financial_connections/accounts/" + merchant.account + "/transactions";
    merchant.help(path, "amount", "-1200", "description", "Blue Door Coffee");
    var params =
        AccountRefreshParams.builder().addFeature(AccountRefreshParams.Feature.TRANSACTIONS);
    Account account = connections().accounts().refresh(merchant.account, params.build());
    var after =
        TransactionListParams.TransactionRefresh.builder().setAfter(merchant.refresh).build();
    merchant.refresh = account.getTransactionRefresh().getId();
    merchant.told(merchant.refresh);
    boolean found = false;
    var later = connections().transactions().list(transactions().setTransactionRefresh(after).build());
    for (Transaction row : later.autoPagingIterable()) {
      Merchant.equal(merchant.refresh, row.getTransactionRefresh());
      found |= row.getDescription().equals("Blue Door Coffee") && row.getAmount() == -1200;
    }
    Merchant.holds(found, "the new transaction is listed");
  }

  void unsubscribingKeepsWhatWasRefreshed() throws Exception {
    var params =
        AccountUnsubscribeParams.builder()
            .addFeature(AccountUnsubscribeParams.Feature.TRANSACTIONS)
            .build();
    Account account = connections().accounts().unsubscribe(merchant.account, params);
    Merchant.equal(List.of(), account.getSubscriptions());
    Merchant.equal(merchant.refresh, account.getTransactionRefresh().getId());
  }

  void aPrefetchStartsWithTheLinkAndOwnersComeWithTheirPermission() throws Exception {
    var params =
        session(merchant.customer)
            .addPermission(SessionCreateParams.Permission.OWNERSHIP)
            .addPrefetch(SessionCreateParams.Prefetch.TRANSACTIONS)
            .addPrefetch(SessionCreateParams.Prefetch.OWNERSHIP);
    Session made = connections().sessions().create(params.build());
    merchant.help("/financial_connections/link", "carrier", made.getId(), "accounts[]", "High Balance");
    var of = AccountListParams.builder().setSession(made.getId()).build();
    Account linked = connections().accounts().list(of).getData().get(0);
    merchant.told(linked.getTransactionRefresh().getId());
    String type = "financial_connections.account.refreshed_ownership";
    merchant.inbox.await(
        "the owners",
        delivery ->
            merchant
                .accountOf(delivery, type)
                .filter(account -> account.getId().equals(linked.getId())));
    var expand = AccountRetrieveParams.builder().addExpand("ownership").build();
    Account shown = connections().accounts().retrieve(linked.getId(), expand);
    var ownership = AccountOwnerListParams.builder().setOwnership(shown.getOwnership()).build();
    var owners = connections().accounts().owners().list(linked.getId(), ownership);
    var expanded = shown.getOwnershipObject().getOwners().getData();
    Merchant.equal(expanded.get(0).getName(), owners.getData().get(0).getName());
  }

  /** The older style: static methods, one key for all; an object is read before it is acted on. */
  void theSameCallsWorkInTheResourceStyle() throws Exception {
    Stripe.apiKey = Merchant.KEY;
    Stripe.overrideApiBase(Server.url(merchant.server.port));
    Customer customer =
        Customer.create(CustomerCreateParams.builder().setEmail(Merchant.EMAIL).build());
    var asked =
        session(customer.getId()).addPrefetch(SessionCreateParams.Prefetch.TRANSACTIONS).build();
    Session made = Session.create(asked);
    merchant.link(made.getId());
    Account account = Session.retrieve(made.getId()).getAccounts().getData().get(0);
    merchant.told(account.getTransactionRefresh().getId());
    Account resource = Account.retrieve(account.getId());
    var features = AccountSubscribeParams.Feature.TRANSACTIONS;
    resource = resource.subscribe(AccountSubscribeParams.builder().addFeature(features).build());
    merchant.told(resource.getTransactionRefresh().getId());
    var refresh =
        AccountRefreshParams.builder().addFeature(AccountRefreshParams.Feature.TRANSACTIONS);
    resource = resource.refresh(refresh.build());
    merchant.told(resource.getTransactionRefresh().getId());
    int rows = 0;
    var of = TransactionListParams.builder().setAccount(resource.getId()).build();
    for (Transaction row : Transaction.list(of).autoPagingIterable()) {
      Merchant.equal(resource.getId(), row.getAccount());
      rows++;
    }
    Merchant.holds(rows > 100, "there is more than one page");
    var end = AccountUnsubscribeParams.Feature.TRANSACTIONS;
    var ended = resource.unsubscribe(AccountUnsubscribeParams.builder().addFeature(end).build());
    Merchant.equal(List.of(), ended.getSubscriptions());
    var owners = AccountListOwnersParams.builder().setOwnership("fcaowns_none").build();
    Merchant.refused(InvalidRequestException.class, () -> ended.listOwners(owners));
  }
}
