UPDATE objects SET filters = '[["email","ada@example.com"],["status","open"],["subscription","sub_00000000001LP3ecAVeqbWHz"],["unfinished_of_customer","cus_00000000001ULCH2dEOE6ByZ"]]'
    WHERE merchant = 1 AND kind = 'checkout_session' AND number = 1;
UPDATE objects SET filters = '[["clock","none"],["email_on_clock","none ada@example.com"],["invoice_prefix","ADA"]]'
    WHERE merchant = 1 AND kind = 'customer' AND number = 1;
UPDATE objects SET filters = '[["clock","clock_00000000001dtrolbLmk4FZB"],["email_on_clock","clock_00000000001dtrolbLmk4FZB ada@example.com"]]'
    WHERE merchant = 1 AND kind = 'customer' AND number = 2;
UPDATE objects SET filters = '[["collection_method","charge_automatically"],["status","draft"],["subscription","sub_00000000001LP3ecAVeqbWHz"]]'
    WHERE merchant = 1 AND kind = 'invoice' AND number = 1;
UPDATE objects SET filters = '[["invoice","in_000000000019ylThxuk5PIqv"],["pending","false"]]'
    WHERE merchant = 1 AND kind = 'invoice_item' AND number = 1;
UPDATE objects SET filters = '[["invoice","in_000000000019ylThxuk5PIqv"],["payment_status","open"]]'
    WHERE merchant = 1 AND kind = 'payment_intent' AND number = 1;
UPDATE objects SET filters = '[["active","true"],["currency","usd"],["lookup_key","basic"],["recurring_interval","month"],["recurring_meter","mtr_1"],["recurring_usage_type","licensed"],["type","recurring"]]'
    WHERE merchant = 1 AND kind = 'price' AND number = 1;
UPDATE objects SET filters = '[["active","true"],["shippable","false"],["url","https://one.example"]]'
    WHERE merchant = 1 AND kind = 'product' AND number = 1;
UPDATE objects SET filters = '[["attach_to_self","false"]]'
    WHERE merchant = 1 AND kind = 'setup_intent' AND number = 1;
UPDATE objects SET filters = '[["clock","none"],["collection_method_on_clock","none charge_automatically"],["default_payment_method","pm_00000000001KP25nzL4t3BMa"],["item","si_000000000016rRQuEDPD0yB6"],["price_on_clock","none price_000000000019nfWdnWVh4kdK"],["status_on_clock","none active"],["unfinished_of_customer","cus_00000000001ULCH2dEOE6ByZ"]]'
    WHERE merchant = 1 AND kind = 'subscription' AND number = 1;
UPDATE objects SET filters = '[["clock","none"]]'
    WHERE merchant = 2 AND kind = 'customer' AND number = 1;
INSERT INTO object_filters (merchant, kind, filter, value, created, number) VALUES
    (1, 'checkout_session', 'email', 'ada@example.com', 1700000000, 1),
    (1, 'checkout_session', 'status', 'open', 1700000000, 1),
    (1, 'checkout_session', 'subscription', 'sub_00000000001LP3ecAVeqbWHz', 1700000000, 1),
    (1, 'checkout_session', 'unfinished_of_customer', 'cus_00000000001ULCH2dEOE6ByZ', 1700000000, 1),
    (1, 'customer', 'clock', 'clock_00000000001dtrolbLmk4FZB', 1700000000, 2),
    (1, 'customer', 'clock', 'none', 1700000000, 1),
    (1, 'customer', 'email_on_clock', 'clock_00000000001dtrolbLmk4FZB ada@example.com', 1700000000, 2),
    (1, 'customer', 'email_on_clock', 'none ada@example.com', 1700000000, 1),
    (1, 'customer', 'invoice_prefix', 'ADA', 1700000000, 1),
    (1, 'invoice', 'collection_method', 'charge_automatically', 1700000000, 1),
    (1, 'invoice', 'status', 'draft', 1700000000, 1),
    (1, 'invoice', 'subscription', 'sub_00000000001LP3ecAVeqbWHz', 1700000000, 1),
    (1, 'invoice_item', 'invoice', 'in_000000000019ylThxuk5PIqv', 1700000000, 1),
    (1, 'invoice_item', 'pending', 'false', 1700000000, 1),
    (1, 'payment_intent', 'invoice', 'in_000000000019ylThxuk5PIqv', 1700000000, 1),
    (1, 'payment_intent', 'payment_status', 'open', 1700000000, 1),
    (1, 'price', 'active', 'true', 1700000000, 1),
    (1, 'price', 'currency', 'usd', 1700000000, 1),
    (1, 'price', 'lookup_key', 'basic', 1700000000, 1),
    (1, 'price', 'recurring_interval', 'month', 1700000000, 1),
    (1, 'price', 'recurring_meter', 'mtr_1', 1700000000, 1),
    (1, 'price', 'recurring_usage_type', 'licensed', 1700000000, 1),
    (1, 'price', 'type', 'recurring', 1700000000, 1),
    (1, 'product', 'active', 'true', 1700000000, 1),
    (1, 'product', 'shippable', 'false', 1700000000, 1),
    (1, 'product', 'url', 'https://one.example', 1700000000, 1),
    (1, 'setup_intent', 'attach_to_self', 'false', 1700000000, 1),
    (1, 'subscription', 'clock', 'none', 1700000000, 1),
    (1, 'subscription', 'collection_method_on_clock', 'none charge_automatically', 1700000000, 1),
    (1, 'subscription', 'default_payment_method', 'pm_00000000001KP25nzL4t3BMa', 1700000000, 1),
    (1, 'subscription', 'item', 'si_000000000016rRQuEDPD0yB6', 1700000000, 1),
    (1, 'subscription', 'price_on_clock', 'none price_000000000019nfWdnWVh4kdK', 1700000000, 1),
    (1, 'subscription', 'status_on_clock', 'none active', 1700000000, 1),
    (1, 'subscription', 'unfinished_of_customer', 'cus_00000000001ULCH2dEOE6ByZ', 1700000000, 1),
    (2, 'customer', 'clock', 'none', 1700000000, 1);
UPDATE snapshot_objects SET filters = o.filters FROM objects AS o
    WHERE o.merchant = snapshot_objects.merchant AND o.kind = snapshot_objects.kind
        AND o.number = snapshot_objects.number;
