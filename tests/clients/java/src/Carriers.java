import com.stripe.model.Invoice;
import com.stripe.model.PaymentIntent;
import com.stripe.model.PaymentMethod;
import com.stripe.model.SetupIntent;
import com.stripe.model.financialconnections.Account;
import com.stripe.param.CustomerCreateParams;
import com.stripe.param.InvoiceCreateParams;
import com.stripe.param.InvoiceItemCreateParams;
import com.stripe.param.InvoiceRetrieveParams;
import com.stripe.param.PaymentIntentCreateParams;
import com.stripe.param.PaymentIntentRetrieveParams;
import com.stripe.param.SetupIntentCreateParams;
import com.stripe.param.SetupIntentRetrieveParams;
import com.stripe.param.SubscriptionCreateParams;
import com.stripe.param.SubscriptionRetrieveParams;
import com.stripe.param.checkout.SessionCreateParams;
import com.stripe.param.checkout.SessionRetrieveParams;
import com.stripe.param.financialconnections.TransactionListParams;
import com.stripe.service.V1Services;

/** The guide's other carriers, each from its create call to the transactions of its account. */
final class Carriers {
  private static final String TYPE = "us_bank_account";

  private final Merchant merchant;
  private final V1Services v1;

  Carriers(Merchant merchant) {
    this.merchant = merchant;
    v1 = merchant.stripe.v1();
  }

  private String payer() throws Exception {
    var params = CustomerCreateParams.builder().setEmail(Merchant.EMAIL).build();
    return v1.customers().create(params).getId();
  }

  /** The account under a payment method; its prefetch has to end in a webhook. */
  private void collected(PaymentMethod method) throws Exception {
    String id = method.getUsBankAccount().getFinancialConnectionsAccount();
    Account account = v1.financialConnections().accounts().retrieve(id);
    merchant.told(account.getTransactionRefresh().getId());
    var of = TransactionListParams.builder().setAccount(id).build();
    var rows = v1.financialConnections().transactions().list(of).getData();
    Merchant.holds(!rows.isEmpty(), "there are transactions");
  }

  private void collectedBy(String intent) throws Exception {
    var expand = PaymentIntentRetrieveParams.builder().addExpand("payment_method").build();
    collected(v1.paymentIntents().retrieve(intent, expand).getPaymentMethodObject());
  }

  void aPaymentIntentCollectsAnAccount() throws Exception {
    var connections =
        PaymentIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections.builder()
            .addPermission(
                PaymentIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Permission.PAYMENT_METHOD)
            .addPermission(
                PaymentIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Permission.TRANSACTIONS)
            .addPrefetch(
                PaymentIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Prefetch.TRANSACTIONS);
    var bank =
        PaymentIntentCreateParams.PaymentMethodOptions.UsBankAccount.builder()
            .setFinancialConnections(connections.build());
    var options =
        PaymentIntentCreateParams.PaymentMethodOptions.builder().setUsBankAccount(bank.build());
    var params =
        PaymentIntentCreateParams.builder()
            .setAmount(2000L)
            .setCurrency("usd")
            .setCustomer(payer())
            .setSetupFutureUsage(PaymentIntentCreateParams.SetupFutureUsage.OFF_SESSION)
            .addPaymentMethodType(TYPE)
            .setPaymentMethodOptions(options.build());
    PaymentIntent intent = v1.paymentIntents().create(params.build());
    merchant.link(intent.getId());
    collectedBy(intent.getId());
  }

  void aSetupIntentCollectsAnAccount() throws Exception {
    var connections =
        SetupIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections.builder()
            .addPermission(
                SetupIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Permission.PAYMENT_METHOD)
            .addPermission(
                SetupIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Permission.TRANSACTIONS)
            .addPrefetch(
                SetupIntentCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Prefetch.TRANSACTIONS);
    var bank =
        SetupIntentCreateParams.PaymentMethodOptions.UsBankAccount.builder()
            .setFinancialConnections(connections.build());
    var options =
        SetupIntentCreateParams.PaymentMethodOptions.builder().setUsBankAccount(bank.build());
    var params =
        SetupIntentCreateParams.builder()
            .setCustomer(payer())
            .addPaymentMethodType(TYPE)
            .setPaymentMethodOptions(options.build());
    SetupIntent intent = v1.setupIntents().create(params.build());
    merchant.link(intent.getId());
    var expand = SetupIntentRetrieveParams.builder().addExpand("payment_method").build();
    collected(v1.setupIntents().retrieve(intent.getId(), expand).getPaymentMethodObject());
  }

  void aCheckoutSessionCollectsAnAccount() throws Exception {
    var connections =
        SessionCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections.builder()
            .addPermission(
                SessionCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Permission.PAYMENT_METHOD)
            .addPermission(
                SessionCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections
                    .Permission.TRANSACTIONS)
            .addPrefetch(
                SessionCreateParams.PaymentMethodOptions.UsBankAccount.FinancialConnections.Prefetch
                    .TRANSACTIONS);
    var bank =
        SessionCreateParams.PaymentMethodOptions.UsBankAccount.builder()
            .setFinancialConnections(connections.build());
    var options = SessionCreateParams.PaymentMethodOptions.builder().setUsBankAccount(bank.build());
    var params =
        SessionCreateParams.builder()
            .setCustomer(payer())
            .addPaymentMethodType(SessionCreateParams.PaymentMethodType.US_BANK_ACCOUNT)
            .setPaymentMethodOptions(options.build());
    var sessions = v1.checkout().sessions();
    String id = sessions.create(params.build()).getId();
    merchant.link(id);
    var expand = SessionRetrieveParams.builder().addExpand("setup_intent.payment_method").build();
    var done = sessions.retrieve(id, expand);
    Merchant.equal("complete", done.getStatus());
    collected(done.getSetupIntentObject().getPaymentMethodObject());
  }

  void anInvoiceCollectsAnAccount() throws Exception {
    var connections =
        InvoiceCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount.FinancialConnections
            .builder()
            .addPermission(
                InvoiceCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
                    .FinancialConnections.Permission.PAYMENT_METHOD)
            .addPermission(
                InvoiceCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
                    .FinancialConnections.Permission.TRANSACTIONS)
            .addPrefetch(
                InvoiceCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
                    .FinancialConnections.Prefetch.TRANSACTIONS);
    var bank =
        InvoiceCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount.builder()
            .setFinancialConnections(connections.build());
    var options =
        InvoiceCreateParams.PaymentSettings.PaymentMethodOptions.builder()
            .setUsBankAccount(bank.build());
    var settings =
        InvoiceCreateParams.PaymentSettings.builder()
            .addPaymentMethodType(
                InvoiceCreateParams.PaymentSettings.PaymentMethodType.US_BANK_ACCOUNT)
            .setPaymentMethodOptions(options.build());
    String payer = payer();
    var params =
        InvoiceCreateParams.builder().setCustomer(payer).setPaymentSettings(settings.build());
    Invoice draft = v1.invoices().create(params.build());
    var item =
        InvoiceItemCreateParams.builder()
            .setCustomer(payer)
            .setInvoice(draft.getId())
            .setAmount(1000L)
            .setCurrency("usd");
    v1.invoiceItems().create(item.build());
    v1.invoices().finalizeInvoice(draft.getId());
    merchant.link(draft.getId());
    var expand =
        InvoiceRetrieveParams.builder().addExpand("payments.data.payment.payment_intent").build();
    var payments = v1.invoices().retrieve(draft.getId(), expand).getPayments().getData();
    collectedBy(payments.get(0).getPayment().getPaymentIntentObject().getId());
  }

  void aSubscriptionCollectsAnAccount() throws Exception {
    var connections =
        SubscriptionCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
            .FinancialConnections.builder()
            .addPermission(
                SubscriptionCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
                    .FinancialConnections.Permission.PAYMENT_METHOD)
            .addPermission(
                SubscriptionCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
                    .FinancialConnections.Permission.TRANSACTIONS)
            .addPrefetch(
                SubscriptionCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount
                    .FinancialConnections.Prefetch.TRANSACTIONS);
    var bank =
        SubscriptionCreateParams.PaymentSettings.PaymentMethodOptions.UsBankAccount.builder()
            .setFinancialConnections(connections.build());
    var options =
        SubscriptionCreateParams.PaymentSettings.PaymentMethodOptions.builder()
            .setUsBankAccount(bank.build());
    var settings =
        SubscriptionCreateParams.PaymentSettings.builder()
            .addPaymentMethodType(
                SubscriptionCreateParams.PaymentSettings.PaymentMethodType.US_BANK_ACCOUNT)
            .setPaymentMethodOptions(options.build());
    var params =
        SubscriptionCreateParams.builder()
            .setCustomer(payer())
            .setPaymentSettings(settings.build());
    String id = v1.subscriptions().create(params.build()).getId();
    merchant.link(id);
    var expand =
        SubscriptionRetrieveParams.builder().addExpand("pending_setup_intent.payment_method");
    var shown = v1.subscriptions().retrieve(id, expand.build());
    collected(shown.getPendingSetupIntentObject().getPaymentMethodObject());
  }
}
