//! Search in customers, Payment Intents, invoices and subscriptions.

use crate::http::call::{Call, Outcome};
use wire::expand::Returns;
use wire::list::take_search;
use wire::search::Field::{self, Number, Text};

const CUSTOMER: [Field; 4] = [Number("created"), Text("email"), Text("name"), Text("phone")];
const PAYMENT_INTENT: [Field; 5] =
    [Number("amount"), Number("created"), Text("currency"), Text("customer"), Text("status")];
const INVOICE: [Field; 7] = [
    Number("created"),
    Text("currency"),
    Text("customer"),
    Text("number"),
    Text("status"),
    Text("subscription"),
    Number("total"),
];
const SUBSCRIPTION: [Field; 3] = [Number("canceled_at"), Number("created"), Text("status")];

pub(in crate::http) async fn customers(mut call: Call) -> Outcome {
    let search = take_search(&mut call.params)?;
    let call = call.ready(Returns::List("customer"))?;
    let search = search.parse(&CUSTOMER)?;
    Ok(call.engine.search_customers(&call.context, &search).await?)
}

pub(in crate::http) async fn payment_intents(mut call: Call) -> Outcome {
    let search = take_search(&mut call.params)?;
    let call = call.ready(Returns::List("payment_intent"))?;
    let search = search.parse(&PAYMENT_INTENT)?;
    Ok(call.engine.search_payment_intents(&call.context, &search).await?)
}

pub(in crate::http) async fn invoices(mut call: Call) -> Outcome {
    let search = take_search(&mut call.params)?;
    let call = call.ready(Returns::List("invoice"))?;
    let search = search.parse(&INVOICE)?;
    Ok(call.engine.search_invoices(&call.context, &search).await?)
}

pub(in crate::http) async fn subscriptions(mut call: Call) -> Outcome {
    let search = take_search(&mut call.params)?;
    let call = call.ready(Returns::List("subscription"))?;
    let search = search.parse(&SUBSCRIPTION)?;
    Ok(call.engine.search_subscriptions(&call.context, &search).await?)
}
